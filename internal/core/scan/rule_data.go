package scan

import (
	"path"
	"strings"

	"github.com/waxwing-ota/waxwing/internal/core/scan/jsast"
)

func trackers() detector {
	return detector{
		rule: "ST-014",
		address: func(f *file, a *address) {
			if a.use == useLink || !f.e.listed("trackers", a.host) {
				return
			}
			for _, h := range f.e.opts.Allowed.Trackers {
				if a.host == h || strings.HasSuffix(a.host, "."+h) {
					return
				}
			}
			f.report(hit{rule: "ST-014", at: a.at, text: a.host}, "an analytics or advertising service that is not declared: %s", a.host)
		},
		words: map[string]func(*file, string, int){"advertising": func(f *file, w string, at int) {
			if alone(f.data, at, len(w)) {
				f.report(hit{rule: "ST-014", at: at, text: w}, "the advertising identifier: %s", w)
			}
		}},
	}
}

func secretsInBundle() detector {
	return detector{rule: "ST-016", name: secretName, file: secretText}
}

// secretName knows files that hold secrets by their names.
func secretName(f *file) {
	for dir := range strings.SplitSeq(strings.ToLower(path.Dir(f.path)), "/") {
		switch dir {
		case ".git", ".svn", ".hg", ".ssh", ".aws", ".gnupg":
			f.report(hit{rule: "ST-016", at: -1, text: dir}, "a file of a folder that never belongs to an app: %s", dir)
			return
		}
	}
	base := strings.ToLower(path.Base(f.path))
	switch {
	case base == ".env", strings.HasPrefix(base, ".env.") && !strings.HasSuffix(base, ".example") && !strings.HasSuffix(base, ".sample"):
		f.report(hit{rule: "ST-016", at: -1, text: ".env"}, "a file of environment variables")
	case base == ".npmrc", base == ".yarnrc", base == ".yarnrc.yml", base == ".netrc", base == ".htpasswd", base == ".pgpass", base == ".git-credentials":
		f.report(hit{rule: "ST-016", at: -1, text: base}, "a file that holds passwords: %s", base)
	case base == "id_rsa", base == "id_ed25519", base == "id_ecdsa", base == "id_dsa":
		f.report(hit{rule: "ST-016", at: -1, text: base}, "a private key file")
	}
	switch ext(base) {
	case "p12", "pfx", "jks", "keystore", "p8", "mobileprovision", "kdbx", "ppk":
		f.report(hit{rule: "ST-016", at: -1, text: ext(base)}, "a key store or signing file (.%s)", ext(base))
	}
}

func secretText(f *file) {
	for _, h := range f.hidden {
		severity := Severity(h.Rule.Severity)
		if severity == "" {
			severity = Block
		}
		f.report(hit{rule: "ST-016", at: h.Start, severity: severity, text: h.Rule.ID + " " + f.mask(string(f.data[h.Start:h.End]))},
			"%s (%s)", h.Rule.Description, h.Rule.ID)
	}
	if f.kind == kindMap || ext(f.path) == "map" {
		f.sourceMap()
	}
}

// sourceMap reports maps that carry the sources, and the others for
// information.
func (f *file) sourceMap() {
	if strings.Contains(string(f.data), `"sourcesContent"`) {
		f.report(hit{rule: "ST-016", at: -1, severity: Warn, text: "map"}, "a source map with the whole sources in it")
		return
	}
	f.report(hit{rule: "ST-016", at: -1, severity: Info, text: "map"}, "a source map: it tells names and paths of the sources")
}

func tokenStorage() detector {
	return detector{
		rule: "WB-013",
		calls: map[string]func(*script, *jsast.Call){"setItem": func(s *script, c *jsast.Call) {
			store := string(jsast.Name(jsast.Object(c.Callee)))
			if store != "localStorage" && store != "sessionStorage" {
				return
			}
			if key, _ := jsast.Text(c.Arg(0)); isTokenName(key) {
				s.f.report(hit{rule: "WB-013", at: s.at(c.Offset), text: store + " " + key}, "%s holds %q", store, clip(key))
			}
		}},
		assigns: tokenAssigns(),
	}
}

func isTokenName(key string) bool {
	low := strings.ToLower(key)
	for _, w := range []string{"token", "jwt", "passwd", "password", "secret", "api_key", "apikey", "refresh_tok", "sessionid", "session_id", "credential"} {
		if strings.Contains(low, w) {
			return true
		}
	}
	return low == "auth" || strings.HasPrefix(low, "auth_") || strings.HasSuffix(low, "_auth") || strings.HasSuffix(key, "Auth")
}

// tokenAssigns: localStorage.token = …, document.cookie = "token=…".
func tokenAssigns() map[string]func(*script, *assignment) {
	m := map[string]func(*script, *assignment){
		"cookie": func(s *script, a *assignment) {
			if string(jsast.Name(jsast.Object(a.target))) != "document" {
				return
			}
			text, _ := jsast.Text(a.value)
			if key, _, ok := strings.Cut(text, "="); ok && isTokenName(key) {
				s.f.report(hit{rule: "WB-013", at: s.at(a.at), text: "cookie " + key}, "a cookie holds %q", clip(key))
			}
		},
	}
	for _, n := range []string{"token", "accessToken", "access_token", "authToken", "auth_token", "refreshToken", "jwt", "idToken", "password"} {
		m[n] = func(s *script, a *assignment) {
			if o := string(jsast.Name(jsast.Object(a.target))); o == "localStorage" || o == "sessionStorage" {
				s.f.report(hit{rule: "WB-013", at: s.at(a.at), text: o + " " + n}, "%s holds %q", o, n)
			}
		}
	}
	return m
}
