package scan

import (
	"bytes"
	"encoding/json"
	"path"
	"slices"
	"strings"
)

func configuration() detector {
	return detector{
		rule: "WB-012",
		file: func(f *file) {
			if path.Base(f.path) == "capacitor.config.json" {
				f.checkConfig(f.data)
			}
		},
		bundle: func(b *bundle) {
			n := b.e.opts.Native
			if n == nil || len(n.Config) == 0 {
				return
			}
			name := n.Path
			if name == "" {
				name = "capacitor.config.json"
			}
			f := &file{e: b.e, path: name, data: n.Config, kind: kindJSON}
			f.checkConfig(n.Config)
			b.report.Findings = append(b.report.Findings, f.findings...)
		},
	}
}

// capacitorConfig is what can be wrong in a configuration.
type capacitorConfig struct {
	LoggingBehavior string `json:"loggingBehavior"`
	Server          struct {
		URL             string   `json:"url"`
		Hostname        string   `json:"hostname"`
		Cleartext       bool     `json:"cleartext"`
		AllowNavigation []string `json:"allowNavigation"`
		AndroidScheme   string   `json:"androidScheme"`
		IOSScheme       string   `json:"iosScheme"`
	} `json:"server"`
	Android platformConfig `json:"android"`
	IOS     platformConfig `json:"ios"`
}

type platformConfig struct {
	AllowMixedContent           bool   `json:"allowMixedContent"`
	WebContentsDebuggingEnabled bool   `json:"webContentsDebuggingEnabled"`
	LoggingBehavior             string `json:"loggingBehavior"`
}

func (f *file) checkConfig(text []byte) {
	var c capacitorConfig
	if err := json.Unmarshal(bytes.TrimPrefix(text, []byte("\xef\xbb\xbf")), &c); err != nil {
		f.report(hit{rule: "WB-012", at: -1, severity: Warn, text: "json"}, "the configuration cannot be read: %s", clip(err.Error()))
		return
	}
	say := func(key string, severity Severity, message string) {
		f.report(hit{rule: "WB-012", at: max(bytes.Index(text, []byte(`"`+key+`"`)), 0), severity: severity, text: key}, "%s: %s", key, message)
	}
	if c.Server.URL != "" {
		say("url", Block, "the app loads its pages from a server, and live updates are off")
	}
	if c.Server.Cleartext {
		say("cleartext", Block, "requests without encryption are allowed")
	}
	if slices.ContainsFunc(c.Server.AllowNavigation, func(h string) bool { return strings.Trim(h, "*./") == "" }) {
		say("allowNavigation", Block, "every host may be opened inside of the app, with its plug-ins")
	} else if slices.ContainsFunc(c.Server.AllowNavigation, func(h string) bool { return strings.HasPrefix(h, "*.") }) {
		say("allowNavigation", Warn, "all subdomains may be opened inside of the app, with its plug-ins")
	}
	if strings.EqualFold(c.Server.AndroidScheme, "http") {
		say("androidScheme", Block, "the app's own pages are not a secure context")
	}
	for _, p := range []platformConfig{c.Android, c.IOS} {
		if p.AllowMixedContent {
			say("allowMixedContent", Block, "pages may load files without encryption")
		}
		if p.WebContentsDebuggingEnabled {
			say("webContentsDebuggingEnabled", Block, "everybody with a cable can open the inspector")
		}
		if p.LoggingBehavior == "debug" {
			say("loggingBehavior", Warn, "the log is written in builds for debugging only; production builds need none")
		}
	}
	switch c.LoggingBehavior {
	case "production":
		say("loggingBehavior", Block, "every plug-in call with its data goes to the device's log in production")
	case "debug":
		say("loggingBehavior", Warn, "the log is for development")
	}
}
