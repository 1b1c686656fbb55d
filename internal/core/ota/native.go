package ota

import (
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"strings"
)

// NativeBuild is a version of the native app as it went to the stores: what
// its web bundles can rely on.
type NativeBuild struct {
	App       string            `json:"app"`
	Platform  string            `json:"platform"` // ios or android
	Version   string            `json:"version"`  // x.y.z, as devices report it
	Packages  []NativePackage   `json:"packages"` // plug-ins with native code, by name
	Config    map[string]string `json:"config"`   // settings of the platform that web code depends on
	Print     Digest            `json:"fingerprint"`
	CreatedAt int64             `json:"created_at"`
	CreatedBy string            `json:"created_by"`
	Devices   int64             `json:"devices"` // that run it and were seen lately; 0 unless asked for
}

// NewNativeBuild registers a native version.
type NewNativeBuild struct {
	Platform string            `json:"platform"`
	Version  string            `json:"version"`
	Packages []NativePackage   `json:"packages"`
	Config   map[string]string `json:"config,omitempty"`
}

// The bounds of a native build and of how many an app may have.
const (
	MaxNativePackages = 1000
	MaxNativeConfig   = 50
	MaxNativeBuilds   = 500
)

// NativeMode says what a channel does about bundles whose native packages a
// device's registered native version lacks.
type NativeMode string

// The modes; "" is enforce.
const (
	NativeOff     NativeMode = "off"     // nothing
	NativeWarn    NativeMode = "warn"    // offer them, and say so where decisions are shown
	NativeEnforce NativeMode = "enforce" // never offer them
)

// Valid reports whether m is one of the modes.
func (m NativeMode) Valid() bool { return m == NativeOff || m == NativeWarn || m == NativeEnforce }

// ProvenanceMode says what a channel asks of a bundle's provenance.
type ProvenanceMode string

// The modes; "" is off.
const (
	ProvenanceOff      ProvenanceMode = "off"      // nothing
	ProvenanceRecorded ProvenanceMode = "recorded" // it must be there
	ProvenanceSigned   ProvenanceMode = "signed"   // and be signed by a key of the app
)

// Valid reports whether m is one of the modes.
func (m ProvenanceMode) Valid() bool {
	return m == ProvenanceOff || m == ProvenanceRecorded || m == ProvenanceSigned
}

// NativePrint identifies what a native build offers, whatever version it is.
func NativePrint(platform string, packages []NativePackage, config map[string]string) Digest {
	h := sha256.New()
	put := func(s string) {
		var n [8]byte
		binary.BigEndian.PutUint64(n[:], uint64(len(s)))
		h.Write(n[:])
		h.Write([]byte(s))
	}
	sorted := slices.Clone(packages)
	slices.SortFunc(sorted, func(a, b NativePackage) int { return strings.Compare(a.Name, b.Name) })
	put("waxwing native build 1")
	put(platform)
	for _, p := range sorted {
		put("package")
		put(p.Name)
		put(p.Version)
	}
	keys := make([]string, 0, len(config))
	for k := range config {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	for _, k := range keys {
		put("config")
		put(k)
		put(config[k])
	}
	return Digest(h.Sum(nil))
}
