package device

import (
	"crypto/rand"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"runtime"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/pack"
)

// The platforms.
const (
	Android  = "android"
	IOS      = "ios"
	Electron = "electron"
)

// What a device says about itself when the configuration does not.
const (
	defaultPlugin   = "8.51.23"
	electronPlugin  = "0.0.1" // a constant in that client, whatever its package version
	defaultReady    = 10 * time.Second
	defaultResponse = 20 * time.Second
)

// Config describes one installation. AppID and Dir are required; every URL may
// be empty, which turns its part off.
type Config struct {
	UpdateURL, StatsURL, ChannelURL string // used verbatim, queries kept

	AppID          string
	DeviceID       ota.DeviceID // zero = the one kept in Dir, or a new one
	Platform       string       // "" = android
	VersionBuild   string       // native version; "" = 1.0.0
	VersionCode    string       // native build number; a change resets to the built-in bundle; "" = 1
	VersionOS      string
	PluginVersion  string // "" = a current one
	CustomID       string
	DefaultChannel string // what the app was built with; a channel set later overrides it
	InstallSource  string
	Emulator       bool
	Debug          bool // is_prod false

	PublicKeyPEM string // PKCS#1; set = nothing unsigned is accepted
	Dir          string // made if missing; nothing is written elsewhere
	Builtin      fs.FS  // web assets inside the native app; nil = none

	HTTP            *http.Client // nil = a plain one; its redirect policy and cookie jar are replaced
	Now             func() time.Time
	Rand            io.Reader
	ReadyTimeout    time.Duration // only reported: the caller decides what timed out; 0 = 10 s
	ResponseTimeout time.Duration // for one answer of an endpoint; 0 = 20 s
	Limits          pack.Limits   // of what one bundle may hold; zero = the defaults of pack
	Concurrency     int           // parallel file downloads; 0 = what the plugin uses

	KeepFailed   bool // autoDeleteFailed false: a failed bundle stays and its version is refused
	KeepPrevious bool // autoDeletePrevious false
	KeepOnNative bool // resetWhenUpdate false: a native update keeps the bundles
}

func (c *Config) fill() error {
	if err := ota.CheckAppID(c.AppID); err != nil {
		return err
	}
	if c.Dir == "" {
		return ota.Invalid("device_dir_missing", "a simulated device needs a directory for its state").WithField("dir")
	}
	for _, u := range []struct{ field, v string }{
		{"update_url", c.UpdateURL}, {"stats_url", c.StatsURL}, {"channel_url", c.ChannelURL},
	} {
		if u.v == "" {
			continue
		}
		if _, err := parseURL(u.v); err != nil {
			return ota.Invalid("url_invalid", "%s %q is not an http or https URL", u.field, u.v).WithField(u.field)
		}
	}
	orElse(&c.Platform, Android)
	orElse(&c.VersionBuild, "1.0.0")
	orElse(&c.VersionCode, "1")
	orElse(&c.VersionOS, map[string]string{Android: "15", IOS: "18.2"}[c.Platform])
	orElse(&c.PluginVersion, defaultPlugin)
	switch c.Platform {
	case Android, IOS:
	case Electron:
		c.PluginVersion = electronPlugin
	default:
		return ota.Invalid("platform_invalid", "platform %q: use android, ios or electron", c.Platform).WithField("platform")
	}
	c.fillParts()
	return nil
}

func (c *Config) fillParts() {
	if c.HTTP == nil {
		c.HTTP = &http.Client{}
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Rand == nil {
		c.Rand = rand.Reader
	}
	if c.ReadyTimeout <= 0 {
		c.ReadyTimeout = defaultReady
	}
	if c.ResponseTimeout <= 0 {
		c.ResponseTimeout = defaultResponse
	}
	if c.Concurrency <= 0 {
		c.Concurrency = min(64, max(8, 2*runtime.NumCPU()))
	}
	c.Limits = c.Limits.Filled() // this package also counts bytes that pack never sees
}

func orElse(s *string, v string) {
	if *s == "" {
		*s = v
	}
}

// parseURL accepts absolute http and https URLs with a host and without
// credentials.
func parseURL(s string) (*url.URL, error) {
	if len(s) > maxURL {
		return nil, ota.Invalid("url_invalid", "a URL of %d characters is too long, the limit is %d", len(s), maxURL)
	}
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.User != nil {
		return nil, ota.Invalid("url_invalid", "%q is not an http or https URL", clean(s, 200))
	}
	return u, nil
}
