package ota

// ServerStatus is what a server says of itself to people who may ask.
// Counts are since the start of the process.
type ServerStatus struct {
	Version    string `json:"version"` // of the program
	StartedAt  int64  `json:"started_at"`
	PublicURL  string `json:"public_url"`   // "" = taken from each request
	Apps       int    `json:"apps"`         // loaded for devices
	ChangedAt  int64  `json:"changed_at"`   // last change of what devices are answered from
	Remembered int    `json:"remembered"`   // devices with an override or a failed version
	Requests   int64  `json:"requests"`     // device requests answered
	Events     int64  `json:"events"`       // events stored
	Duplicates int64  `json:"duplicates"`   // events that were stored already
	SeenLost   int64  `json:"seen_lost"`    // notes of checks dropped under overload
	AutoHalts  int64  `json:"auto_halts"`   // releases taken back without a person
	ReadOnlyDB bool   `json:"read_only_db"` // the last probe could not write
}

// Me says who a caller is.
type Me struct {
	Actor     Actor     `json:"actor"`
	Principal Principal `json:"principal"`
}
