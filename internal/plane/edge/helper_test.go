package edge

import (
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/decide"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/semver"
)

const (
	appID = "com.example.shop"
	base  = "https://ota.example.com"
)

// start is the begin of a window.
var start = time.Unix(1_800_000_000, 0)

// clock is a clock that tests turn.
type clock struct{ at time.Time }

func (c *clock) now() time.Time { return c.at }

func newService() (*Service, *clock) {
	c := &clock{start}
	return New([32]byte{1, 2, 3}, c.now), c
}

func version(s string) semver.Version {
	v, _ := semver.Native(s)
	return v
}

// variant is encrypted, with a zip and two files.
func variant() *decide.Variant {
	b := &decide.Bundle{Version: "1.2.3", Semver: version("1.2.3"), Link: "https://example.com/notes?a=1&b=<2>", Comment: `say "hi"`}
	va := &decide.Variant{Bundle: b, Variant: ota.Variant{
		KeyID: "MIIBCgKCAQEAaaaaaaaa", SessionKey: "aXY=:a2V5", Checksum: "c0ffee", ChecksumV2: "Y29mZmVl",
		Zip: ota.Sum([]byte("zip")),
		Files: []ota.VariantFile{
			{Name: "index.html", WireHash: "aa", Blob: ota.Sum([]byte("1"))},
			{Name: "a b.js.br", WireHash: "bb", Blob: ota.Sum([]byte("2"))},
		},
	}}
	b.Variants = []*decide.Variant{va}
	return va
}

func appWith(va *decide.Variant) *decide.App {
	ch := &decide.Channel{ID: 1, Name: "production", Policy: ota.DefaultPolicy(), Chain: []decide.Release{{ID: 1, Bundle: va.Bundle}}}
	ch.Policy.Public = true
	return &decide.App{ID: appID, ExposeMetadata: true, Channels: []*decide.Channel{ch}}
}

// ask is a current Android plugin with the variant's key.
func ask(change func(*decide.Check)) *decide.Check {
	c := &decide.Check{
		Platform: decide.Android, VersionName: "1.0.0", VersionBuild: "1.0.0", Build: "1.0.0", Native: version("1.0.0"),
		Plugin: version("8.51.23"), KeyID: "MIIBCgKCAQEAaaaaaaaa", IsProd: true,
	}
	change(c)
	return c
}

func answerTo(s *Service, app *decide.App, c *decide.Check) []byte {
	out := decide.Decide(app, c, nil)
	return s.Answer(nil, base, app, c, &out)
}
