package decide_test

import (
	"encoding/binary"

	"github.com/waxwing-ota/waxwing/internal/core/decide"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/semver"
)

func version(s string) semver.Version {
	v, _ := semver.Native(s)
	return v
}

// bundle makes a published version with a plain zip.
func bundle(name string, change ...func(*decide.Bundle)) *decide.Bundle {
	b := &decide.Bundle{Version: name, Semver: version(name)}
	b.Variants = []*decide.Variant{{Bundle: b, Variant: ota.Variant{Zip: ota.Sum([]byte(name))}}}
	for _, f := range change {
		f(b)
	}
	return b
}

// keyed replaces the variants by encrypted ones for the keys; "" is a plain one.
func keyed(keys ...string) func(*decide.Bundle) {
	return func(b *decide.Bundle) {
		b.Variants = nil
		for _, k := range keys {
			v := &decide.Variant{Bundle: b, Variant: ota.Variant{KeyID: k, Zip: ota.Sum([]byte(b.Version + k))}}
			if k != "" {
				v.SessionKey = "iv:key"
			}
			b.Variants = append(b.Variants, v)
		}
	}
}

func minNative(s string) func(*decide.Bundle) {
	return func(b *decide.Bundle) { b.MinNative, b.HasMinNative = version(s), true }
}

func deleted(b *decide.Bundle) { b.Deleted = true }

// channel makes a public channel that serves all, with releases, newest first;
// nil is the built-in bundle.
func channel(name string, chain ...*decide.Bundle) *decide.Channel {
	ch := &decide.Channel{ID: int64(len(name)), Name: name, Policy: ota.DefaultPolicy()}
	ch.Policy.Public = true
	for i, b := range chain {
		ch.Chain = append(ch.Chain, decide.Release{ID: int64(len(chain) - i), Bundle: b})
	}
	return ch
}

func private(ch *decide.Channel) *decide.Channel {
	ch.Policy.Public = false
	return ch
}

func withdrawn(ch *decide.Channel, versions ...string) *decide.Channel {
	ch.Withdrawn = map[string]struct{}{}
	for _, v := range versions {
		ch.Withdrawn[v] = struct{}{}
	}
	return ch
}

func app(channels ...*decide.Channel) *decide.App {
	return &decide.App{ID: "com.example.app", Channels: channels}
}

// facts are what is remembered of every device.
type facts decide.Facts

func (f facts) Facts(ota.DeviceID) decide.Facts { return decide.Facts(f) }

// check is a current Android plugin on native 1.0.0 that runs the built-in bundle.
func check(change ...func(*decide.Check)) *decide.Check {
	c := &decide.Check{
		Platform: decide.Android, VersionName: "1.0.0", VersionBuild: "1.0.0", Build: "1.0.0", Native: version("1.0.0"),
		Plugin: version("8.51.23"), IsProd: true,
	}
	for _, f := range change {
		f(c)
	}
	return c
}

func running(v string) func(*decide.Check) { return func(c *decide.Check) { c.VersionName = v } }

func plugin(v string) func(*decide.Check) { return func(c *decide.Check) { c.Plugin = version(v) } }

func key(k string) func(*decide.Check) { return func(c *decide.Check) { c.KeyID = k } }

func named(ch string) func(*decide.Check) { return func(c *decide.Check) { c.DefaultChannel = ch } }

func on(platform string) func(*decide.Check) { return func(c *decide.Check) { c.Platform = platform } }

func native(v string) func(*decide.Check) {
	return func(c *decide.Check) { c.VersionBuild, c.Build, c.Native = version(v).String(), v, version(v) }
}

func device(n uint64) ota.DeviceID {
	var d ota.DeviceID
	binary.BigEndian.PutUint64(d[:8], n*0x9e3779b97f4a7c15)
	binary.BigEndian.PutUint64(d[8:], n)
	return d
}
