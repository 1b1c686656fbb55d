package broker

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/p256"
	"github.com/waxwing-ota/waxwing/internal/core/sealed"
)

const (
	maxConfig = 1 << 20 // bytes
	maxApps   = 1000
)

// Config is the file of a broker. Paths in it are relative to it.
type Config struct {
	Key        string `json:"key"`         // file of the key that content keys are sealed to
	SigningKey string `json:"signing_key"` // file of the key that grants are signed with
	Apps       []App  `json:"apps"`

	dir string
}

// App is the broker's own policy for an app.
type App struct {
	App          string        `json:"app"`
	Authority    []string      `json:"authority"`     // public keys in PEM: who may have signed device certificates
	Groups       []string      `json:"groups"`        // a device must be in one of them; none = any
	MinAssurance ota.Assurance `json:"min_assurance"` // "" = none
	GrantHours   int           `json:"grant_hours"`   // 1 to 24; 0 = 24
	Thumbprints  []string      `json:"thumbprints"`   // of the devices that may; none = any
	Revoked      Revoked       `json:"revoked"`
	Fetch        Fetch         `json:"revocations"`

	keys map[string]p256.Key
}

// Revoked lists what gets no keys.
type Revoked struct {
	Devices  []string   `json:"devices"`
	Subjects []string   `json:"subjects"`
	Serials  [][2]int64 `json:"serials"` // ranges, both ends included
}

// Fetch says where a further list comes from. With one, nothing is granted while
// it is older than MaxAge.
type Fetch struct {
	File      string `json:"file"`       // in the form of Revoked; read again when it changes
	URL       string `json:"url"`        // of the update server; "" = none
	TokenFile string `json:"token_file"` // of a token that may read its revocations
	MaxAge    string `json:"max_age"`    // such as 1h, the default

	maxAge time.Duration
}

// Load reads and checks a file.
func Load(path string) (*Config, error) {
	raw, err := readFile(path, maxConfig)
	if err != nil {
		return nil, configError("", "the file %s cannot be read", path).WithCause(err).WithHint("name the file with --config")
	}
	c := &Config{dir: filepath.Dir(path)}
	if err := json.Unmarshal(raw, c, json.RejectUnknownMembers(true)); err != nil {
		return nil, configError("", "the file %s is no configuration of a broker: %v", path, err).
			WithHint("see docs/sealed/spec-grants.md for its form")
	}
	if c.Key == "" || c.SigningKey == "" {
		return nil, configError("key", "the broker needs the files of two keys: key and signing_key").WithHint("make them with: waxwing broker keygen")
	}
	if len(c.Apps) == 0 || len(c.Apps) > maxApps {
		return nil, configError("apps", "the broker serves 1 to %d apps", maxApps)
	}
	seen := map[string]bool{}
	for i := range c.Apps {
		a := &c.Apps[i]
		if seen[a.App] {
			return nil, configError(fmt.Sprintf("apps[%d].app", i), "the app %s is there twice", a.App)
		}
		seen[a.App] = true
		if err := a.check(fmt.Sprintf("apps[%d]", i)); err != nil {
			return nil, err
		}
	}
	return c, nil
}

func (a *App) check(at string) error {
	if err := ota.CheckAppID(a.App); err != nil {
		return configError(at+".app", "%.80q is no app id", a.App)
	}
	if len(a.Authority) == 0 || len(a.Authority) > sealed.MaxKeys {
		return configError(at+".authority", "an app has 1 to %d authorities", sealed.MaxKeys).
			WithHint("the update server's: waxwing trust status --app %s", a.App)
	}
	a.keys = map[string]p256.Key{}
	for i, text := range a.Authority {
		k, err := p256.ParsePEM(text)
		if err != nil {
			return configError(fmt.Sprintf("%s.authority[%d]", at, i), "it is no public key of P-256 in PEM").WithCause(err)
		}
		a.keys[k.ID()] = k
	}
	if a.MinAssurance == "" {
		a.MinAssurance = ota.AssuranceNone
	}
	if a.GrantHours == 0 {
		a.GrantHours = sealed.MaxGrantAge / 3600
	}
	switch {
	case !a.MinAssurance.Valid():
		return configError(at+".min_assurance", "%.40q is no level of assurance: none, software, tee or strongbox", a.MinAssurance)
	case a.GrantHours < 1 || a.GrantHours > 24:
		return configError(at+".grant_hours", "grants last 1 to 24 hours")
	}
	for _, t := range a.Thumbprints {
		if _, err := ota.ParseDigest(t); err != nil {
			return configError(at+".thumbprints", "a thumbprint is 64 lower-case hex digits")
		}
	}
	if err := a.Revoked.check(at + ".revoked"); err != nil {
		return err
	}
	return a.Fetch.check(at + ".revocations")
}

func (r *Revoked) check(at string) error {
	for i, d := range r.Devices {
		id, ok := ota.ParseDeviceID(d)
		if !ok {
			return configError(at+".devices", "%.60q is no device id", d)
		}
		r.Devices[i] = id.String()
	}
	for _, s := range r.Serials {
		if s[0] < 1 || s[1] < s[0] {
			return configError(at+".serials", "a range of serials is from 1 or more to no less")
		}
	}
	return nil
}

func (f *Fetch) check(at string) error {
	f.maxAge = time.Hour
	if f.MaxAge != "" {
		d, err := time.ParseDuration(f.MaxAge)
		if err != nil || d < time.Minute || d > 7*24*time.Hour {
			return configError(at+".max_age", "%.40q is no time from 1m to 168h", f.MaxAge)
		}
		f.maxAge = d
	}
	if f.URL != "" && !strings.HasPrefix(f.URL, "https://") && !strings.HasPrefix(f.URL, "http://127.0.0.1:") {
		return configError(at+".url", "the update server is asked over https")
	}
	if (f.URL == "") != (f.TokenFile == "") {
		return configError(at+".token_file", "an update server is asked with a token: url and token_file come together")
	}
	return nil
}

func configError(field, format string, a ...any) *ota.Error {
	return ota.Invalid(CodeConfig, format, a...).WithField(field)
}

// path makes a name in the file one that can be opened.
func (c *Config) path(name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(c.dir, name)
}

// KeyPath and SigningKeyPath are where the keys are.
func (c *Config) KeyPath() string { return c.path(c.Key) }

// SigningKeyPath is where the key is that grants are signed with.
func (c *Config) SigningKeyPath() string { return c.path(c.SigningKey) }

func readFile(path string, limit int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(b)) > limit {
		err = fmt.Errorf("it has more than %d bytes", limit)
	}
	return bytes.TrimPrefix(b, []byte("\xef\xbb\xbf")), err
}
