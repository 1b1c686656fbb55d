package monitor

import (
	"encoding/json"
	"strings"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/tlogproof"
)

// Expect lists what may be in a log. Manifests must always be listed; entries of
// another kind only if the list has anything of that kind. The zero value expects
// anything.
type Expect struct {
	strict   bool
	digests  map[tlogproof.Kind]map[ota.Digest]string // with a label
	versions map[string]bool                          // "app version"
	named    map[ota.Digest]string                    // manifests that are known, as "app version"
}

// MaxExpect bounds a list, in bytes.
const MaxExpect = 8 << 20

// ParseExpect reads a list. Each line is one of
//
//	DIGEST [LABEL]                 a manifest
//	KIND DIGEST [LABEL]            an entry of another kind
//	version APP VERSION            a manifest of that version, see [Expect.Know]
//
// Empty lines and those that begin with # are passed over.
func ParseExpect(text string) (*Expect, error) {
	e := &Expect{strict: true, digests: map[tlogproof.Kind]map[ota.Digest]string{}, versions: map[string]bool{}, named: map[ota.Digest]string{}}
	bad := func(n int, why string) error {
		return ota.Invalid("expect_invalid", "line %d of what is expected cannot be read: %s", n+1, why).WithField("expect").
			WithHint("a line is a manifest's SHA-256, or KIND and SHA-256, or: version APP VERSION")
	}
	if len(text) > MaxExpect {
		return nil, bad(0, "it is too long")
	}
	for n, line := range strings.Split(text, "\n") {
		f := strings.Fields(line)
		if len(f) == 0 || strings.HasPrefix(f[0], "#") {
			continue
		}
		if f[0] == "version" {
			if len(f) != 3 {
				return nil, bad(n, "it needs an app and a version")
			}
			e.versions[f[1]+" "+f[2]] = true
			continue
		}
		kind := tlogproof.KindManifest
		if tlogproof.Kind(f[0]).Valid() {
			kind, f = tlogproof.Kind(f[0]), f[1:]
		}
		if len(f) == 0 {
			return nil, bad(n, "it has no digest")
		}
		d, err := ota.ParseDigest(f[0])
		if err != nil {
			return nil, bad(n, "its digest is none")
		}
		if e.digests[kind] == nil {
			e.digests[kind] = map[ota.Digest]string{}
		}
		e.digests[kind][d] = strings.Join(f[1:], " ")
	}
	return e, nil
}

// Know tells what a manifest says, so that it can be expected by its version.
// Documents that are no manifests are passed over.
func (e *Expect) Know(manifest []byte) {
	var m struct {
		Type    string `json:"_type"`
		App     string `json:"app"`
		Version string `json:"version"`
	}
	if json.Unmarshal(manifest, &m) == nil && m.Type == "manifest" && m.App != "" && m.Version != "" {
		e.named[ota.Sum(manifest)] = m.App + " " + m.Version
	}
}

// look says whether an entry is expected, and what is known of it.
func (e *Expect) look(kind tlogproof.Kind, d ota.Digest) (label string, expected bool) {
	if e == nil || !e.strict {
		return "", true
	}
	if kind == tlogproof.KindManifest {
		if name := e.named[d]; e.versions[name] {
			return name, true
		} else if label = e.digests[kind][d]; label == "" {
			label = name
		}
		_, expected = e.digests[kind][d]
		return label, expected
	}
	list := e.digests[kind]
	label, expected = list[d]
	return label, expected || list == nil
}
