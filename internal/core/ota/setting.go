package ota

// Setting is how one setting of the server is, for people who run it.
type Setting struct {
	Name    string `json:"name"`    // of the environment variable
	Usage   string `json:"usage"`   // what it is for
	Value   string `json:"value"`   // as it would be written; of a secret only "set" or ""
	Default bool   `json:"default"` // nobody changed it
	Secret  bool   `json:"secret"`
}

// MailTest asks for a mail that shows whether the server can send any.
type MailTest struct {
	To string `json:"to"`
}
