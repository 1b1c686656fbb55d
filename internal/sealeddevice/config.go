package sealeddevice

import (
	"crypto/rand"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/sealed"
	"github.com/waxwing-ota/waxwing/internal/core/sealed/admit"
)

// Codes of what goes wrong outside of admission.
const (
	CodeConfig  = "sealed_device_config"
	CodeServer  = "sealed_server_failed"  // nobody answered as the protocol says
	CodeRefused = "sealed_server_refused" // it was asked for something it never will give
	CodeSlow    = "sealed_server_slow"    // fewer bytes than the least rate
	CodeTooLong = "sealed_answer_too_long"
	CodeDisk    = "sealed_device_disk"
	CodeGrant   = "sealed_grant_refused"
	CodeEnrol   = "sealed_enrol_refused"
)

// Config says what a device is and where its server is.
type Config struct {
	Build   admit.Build
	Dir     string   // of its state and bundles; made if missing
	Server  string   // base address, such as https://updates.example.com
	Mirrors []string // further base addresses for files, tried in order
	Device  string   // UUID; "" = the one of the folder, or a new one

	OS, Plugin, CustomID, Channel string

	HTTP   *http.Client // nil = one of its own
	Now    func() time.Time
	Random io.Reader // nil = the system's

	// Slow is how long MinBytes may take to arrive; 0 = a minute for 120 KiB.
	Slow     time.Duration
	MinBytes int64

	// Step is called before each durable step, by its name. Tests kill there.
	Step func(name string)
}

const (
	defaultSlow = time.Minute
	defaultMin  = 120 << 10
)

func (c *Config) complete() error {
	if c.Build.Made.IsZero() || len(c.Build.Root) == 0 {
		return ota.Invalid(CodeConfig, "a device needs the root and the time that its native app was made with")
	}
	for _, base := range append([]string{c.Server}, c.Mirrors...) {
		if u, err := url.Parse(base); err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || u.RawQuery != "" {
			return ota.Invalid(CodeConfig, "%q is not the address of a server", base)
		}
	}
	c.Server = strings.TrimRight(c.Server, "/")
	if c.HTTP == nil {
		c.HTTP = &http.Client{}
	}
	if c.Now == nil {
		return ota.Invalid(CodeConfig, "a device needs a clock")
	}
	if c.Random == nil {
		c.Random = rand.Reader
	}
	if c.Slow <= 0 {
		c.Slow, c.MinBytes = defaultSlow, defaultMin
	}
	if c.Step == nil {
		c.Step = func(string) {}
	}
	if c.Build.MinClass == "" {
		c.Build.MinClass = sealed.ClassProduction
	}
	return nil
}
