package scan

import (
	"encoding/base64"
	"encoding/binary"
	"slices"

	"github.com/waxwing-ota/waxwing/internal/core/scan/rules"
)

// Report is what a scan found.
type Report struct {
	Findings []Finding    `json:"findings"` // by path, offset and rule
	Rules    []rules.Rule `json:"rules"`    // that were asked
	Files    []Artifact   `json:"files"`
	Facts    Facts        `json:"facts"`
	Bytes    int64        `json:"bytes"`
	// Omitted counts findings over the limits, by rule.
	Omitted map[string]int `json:"omitted,omitzero"`
	// Compared is whether there was a baseline, and Gone how many of its
	// findings are not there any more.
	Compared bool `json:"compared,omitzero"`
	Gone     int  `json:"gone,omitzero"`
}

// Artifact is a file that was read.
type Artifact struct {
	Path   string `json:"path"`
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"` // hex
	Kind   string `json:"kind"`
}

// Facts are what a later bundle is compared with.
type Facts struct {
	Plugins      []string  `json:"plugins"`      // Capacitor plug-ins that scripts name
	Capabilities []string  `json:"capabilities"` // what they and the browser's calls give access to
	Hosts        []string  `json:"hosts"`        // in addresses
	Libraries    []Library `json:"libraries"`    // by banner
	Texts        Sketch    `json:"texts"`        // of texts, routes and message keys
}

// Library is a library that names itself in the bundle.
type Library struct {
	Name    string `json:"name"` // npm name
	Version string `json:"version"`
	Path    string `json:"path"`
}

// Count returns how many findings that count have the severity, or a higher one
// if above is set.
func (r *Report) Count(s Severity, above bool) int {
	n := 0
	for i := range r.Findings {
		f := &r.Findings[i]
		if f.Counts() && (f.Severity == s || above && f.Severity.Rank() > s.Rank()) {
			n++
		}
	}
	return n
}

// Sketch is the smallest hashes of a set, sorted: enough to estimate how much of
// another set it shares.
type Sketch []uint64

// sketchSize is how many hashes are kept.
const sketchSize = 1024

// newSketch takes the hashes of a set and keeps the smallest.
func newSketch(hashes []uint64) Sketch {
	slices.Sort(hashes)
	hashes = slices.Compact(hashes)
	return Sketch(slices.Clone(hashes[:min(len(hashes), sketchSize)]))
}

// NewShare estimates the share of s that old lacks, from 0 to 1.
func (s Sketch) NewShare(old Sketch) float64 {
	// Above the largest hash of a full sketch nothing is known.
	bound := ^uint64(0)
	for _, x := range []Sketch{s, old} {
		if len(x) == sketchSize {
			bound = min(bound, x[len(x)-1])
		}
	}
	seen, fresh := 0, 0
	for _, h := range s {
		if h > bound {
			break
		}
		seen++
		if _, ok := slices.BinarySearch(old, h); !ok {
			fresh++
		}
	}
	if seen == 0 {
		return 0
	}
	return float64(fresh) / float64(seen)
}

// MarshalText writes the sketch as base64.
func (s Sketch) MarshalText() ([]byte, error) {
	b := make([]byte, 0, 8*len(s))
	for _, h := range s {
		b = binary.BigEndian.AppendUint64(b, h)
	}
	return base64.StdEncoding.AppendEncode(nil, b), nil
}

// UnmarshalText reads what MarshalText wrote, up to the size of a sketch.
func (s *Sketch) UnmarshalText(text []byte) error {
	b, err := base64.StdEncoding.AppendDecode(nil, text)
	if err != nil {
		return err
	}
	*s = nil
	for len(b) >= 8 && len(*s) < sketchSize {
		*s = append(*s, binary.BigEndian.Uint64(b))
		b = b[8:]
	}
	slices.Sort(*s)
	return nil
}
