package scan

import (
	"slices"
	"strings"
)

func debugLeftovers() detector {
	return detector{
		rule: "ST-018",
		debugger: func(s *script, at int) {
			s.f.report(hit{rule: "ST-018", at: s.at(at), text: "debugger"}, "a debugger statement")
		},
		address: developmentHost,
		words: map[string]func(*file, string, int){
			"development": func(f *file, w string, at int) {
				f.report(hit{rule: "ST-018", at: at, text: w}, "part of a development server: %s", w)
			},
			"builds": func(f *file, w string, at int) {
				f.report(hit{rule: "ST-018", at: at, text: w}, "a development build of a framework")
			},
			"placeholder": func(f *file, w string, at int) {
				if alone(f.data, at, len(w)) {
					f.report(hit{rule: "ST-018", at: at, severity: Info, text: w}, "placeholder text: %s", w)
				}
			},
		},
	}
}

// developmentHost leaves http://localhost without a port alone: it is the name
// of the app itself in its web view.
func developmentHost(f *file, a *address) {
	h := hit{rule: "ST-018", at: a.at, text: a.host + ":" + a.port}
	switch {
	case a.use == useLink:
	case a.loopback() && a.port != "":
		f.report(h, "the address of a development server: %s", clip(a.raw))
	case isPrivate(a.host):
		f.report(h, "an address in a private network: %s", a.host)
	case isStaging(a.host):
		h.severity = Info
		f.report(h, "a staging or test host: %s", a.host)
	}
}

func isStaging(host string) bool {
	for _, part := range strings.FieldsFunc(host[:strings.LastIndexByte(host, '.')+1], func(r rune) bool { return r == '.' || r == '-' }) {
		if slices.Contains([]string{"staging", "stage", "stg", "uat", "qa", "preprod", "sandbox"}, part) {
			return true
		}
	}
	return false
}

func malware() detector {
	return detector{
		rule: "ST-020",
		address: func(f *file, a *address) {
			if f.e.listed("miners", a.host) {
				f.report(hit{rule: "ST-020", at: a.at, text: a.host}, "a crypto miner's host: %s", a.host)
			}
		},
		words: map[string]func(*file, string, int){"miners": func(f *file, w string, at int) {
			f.report(hit{rule: "ST-020", at: at, text: w}, "a crypto miner: %s", w)
		}},
		file: func(f *file) {
			// In two parts, so that no scanner takes this program for the file.
			mark := `X5O!P%@AP[4\PZX54(P^)7CC)7}$` + `EICAR-STANDARD-ANTIVIRUS-TEST-FILE!`
			if i := strings.Index(string(f.data[:min(len(f.data), 256)]), mark); i >= 0 {
				f.report(hit{rule: "ST-020", at: i, text: "test file"}, "the anti-virus test file")
			}
		},
	}
}
