package device

import (
	"bytes"
	"strings"
	"unicode"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// Kind is what an update answer asks of the device.
type Kind string

// The kinds.
const (
	Update   Kind = "update"     // download and install Version
	Revert   Kind = "revert"     // go back to the bundle of the native app
	UpToDate Kind = "up_to_date" // nothing to do
	Blocked  Kind = "blocked"    // the server's rules say no
	Failed   Kind = "failed"     // no usable answer
)

// The codes of answers that the device gives itself.
const (
	CodeResponse = "response_error" // no connection, no body, or a status that is none
	CodeParse    = "parse_error"    // not one JSON object
	CodeDecode   = "decode_error"   // a field of another type than the plugin reads
	CodeTimeout  = "timeout_error"
	CodeNoURL    = "no_url"          // an update without a usable address
	CodeVersion  = "version_invalid" // a version name that devices cannot store
)

// Answer is an update answer after the plugin's reading of it.
type Answer struct {
	Status     int     `json:"status"` // HTTP; 0 = none came
	Kind       Kind    `json:"kind"`
	Code       string  `json:"code,omitempty"` // the server's error, or one of ours
	Message    string  `json:"message,omitempty"`
	Version    string  `json:"version,omitempty"`
	URL        string  `json:"url,omitempty"`
	Checksum   string  `json:"checksum,omitempty"`
	SessionKey string  `json:"session_key,omitempty"`
	Manifest   []Entry `json:"manifest,omitempty"`
	Breaking   bool    `json:"breaking,omitempty"`       // the app must be updated in its store
	RetryAfter int64   `json:"retry_after_ms,omitempty"` // how long the server does not want to be called
}

// Entry is one file of a manifest as the wire has it.
type Entry struct {
	Name string `json:"file_name"`
	Hash string `json:"file_hash"`
	URL  string `json:"download_url"`
}

const (
	maxURL     = 8000     // the Android worker cannot carry longer ones
	maxMessage = 1000     // of a server's text that is kept
	maxAnswer  = 32 << 20 // 10,000 files with signed hashes and URLs are 9 MiB
	maxReply   = 1 << 20  // other endpoints
)

// fields are the members of an answer, decoded one by one so that presence and
// type can be told apart. bad is set when one has another type than the plugin reads.
type fields struct {
	m   map[string]jsontext.Value
	bad bool
}

// parseFields reads exactly one JSON object without duplicate names.
func parseFields(body []byte) (*fields, bool) {
	f := &fields{}
	if err := json.Unmarshal(body, &f.m); err != nil || f.m == nil {
		return nil, false
	}
	return f, true
}

func (f *fields) has(name string) bool { _, ok := f.m[name]; return ok }

func (f *fields) text(name string) string {
	var s string
	f.decode(name, &s)
	return s
}

func (f *fields) flag(name string) bool {
	var b bool
	f.decode(name, &b)
	return b
}

func (f *fields) decode(name string, v any) {
	raw, ok := f.m[name]
	if !ok {
		return
	}
	if json.Unmarshal(raw, v) != nil {
		f.bad = true
	}
}

// parseAnswer reads an answer of the update endpoint other than 429, the way
// the mobile plugins do. running is the name the device gives to what it runs.
func parseAnswer(status int, body []byte, running string) Answer {
	a := Answer{Status: status, Kind: Failed, Code: CodeResponse}
	if len(bytes.TrimSpace(body)) == 0 {
		a.Message = "the server sent no body"
		return a
	}
	f, ok := parseFields(body)
	if !ok {
		if status/100 == 2 {
			a.Code = CodeParse
		}
		a.Message = "the answer is not one JSON object"
		return a
	}
	f.fill(&a)
	switch {
	case f.bad:
		a = Answer{Status: status, Kind: Failed, Code: CodeDecode, Message: "a field of the answer has the wrong type"}
	case f.has("error") || f.has("kind"):
		a.classify(f.text("kind"))
	case status/100 != 2:
		a.Code = CodeResponse
	default:
		a.settle(running)
	}
	return a
}

// fill takes every field the plugins read over into a.
func (f *fields) fill(a *Answer) {
	a.Code = clean(f.text("error"), 100)
	a.Message = clean(f.text("message"), maxMessage)
	a.Version = f.text("version")
	a.URL, a.Checksum, a.SessionKey = f.text("url"), f.text("checksum"), f.text("session_key")
	a.Breaking = f.flag("breaking")
	f.flag("major")
	for _, name := range []string{"kind", "link", "comment"} {
		f.text(name)
	}
	if f.has("manifest") {
		f.decode("manifest", &a.Manifest)
		// An empty or null list breaks one of the plugins for good.
		f.bad = f.bad || len(a.Manifest) == 0
	}
}

// classify is for answers that carry error or kind, whatever their status:
// they never are an update.
func (a *Answer) classify(kind string) {
	*a = Answer{
		Status: a.Status, Kind: Failed, Code: a.Code, Message: a.Message, Version: clean(a.Version, 100),
		Breaking: a.Breaking || a.Code == "disable_auto_update_to_major" || a.Message == "store_update_required",
	}
	if k := Kind(kind); k == UpToDate || k == Blocked {
		a.Kind = k
	}
}

// settle decides what an answer without error and kind means. Versions are
// compared as text, so an older one is installed like a newer.
func (a *Answer) settle(running string) {
	switch _, err := parseURL(a.URL); {
	case a.Version == ota.Builtin:
		a.Kind = Revert
	case err != nil:
		a.Kind, a.Code = Failed, CodeNoURL
	case a.Version == "" || a.Version == running:
		a.Kind = UpToDate
	case ota.CheckVersionName(a.Version) != nil:
		a.Kind, a.Code, a.Version = Failed, CodeVersion, clean(a.Version, 100)
	default:
		a.Kind = Update
	}
}

// parseElectronAnswer is the reading of the Electron client: only one error is
// good news, the session key has another name, and file lists are ignored.
func parseElectronAnswer(status int, body []byte, running string) Answer {
	a := Answer{Status: status, Kind: Failed, Code: CodeResponse}
	f, ok := parseFields(body)
	if status/100 != 2 || !ok {
		return a
	}
	f.fill(&a)
	a.SessionKey, a.Manifest = f.text("sessionKey"), nil
	switch {
	case a.Code == "no_new_version_available":
		a.Kind, a.URL = UpToDate, ""
	case a.Code != "":
		a.classify(f.text("kind"))
	case a.Breaking:
		a.Kind, a.URL = Blocked, ""
	case a.Version == ota.Builtin:
		a.Code = CodeNoURL // that client cannot go back
	default:
		a.settle(running)
	}
	return a
}

// clean makes outside text fit to keep and print: no control characters, at
// most n bytes.
func clean(s string, n int) string {
	s = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, ""))
	if len(s) > n {
		s = strings.ToValidUTF8(s[:n], "")
	}
	return s
}
