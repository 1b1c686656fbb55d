package ingest

import "github.com/waxwing-ota/waxwing/internal/core/ota"

// hash is a running 64-bit FNV-1a. Its values are stored, so the function and
// the order of what goes into it must not change.
type hash uint64

const hashStart hash = 14695981039346656037

func (h hash) byte(b byte) hash { return (h ^ hash(b)) * 1099511628211 }

// text adds s and its end, so that "a","bc" and "ab","c" differ.
func (h hash) text(s string) hash {
	for i := range len(s) {
		h = h.byte(s[i])
	}
	return h.byte(0xff) // not a byte of UTF-8 text
}

func (h hash) bool(b bool) hash {
	if b {
		return h.byte(1)
	}
	return h.byte(0)
}

// printOf hashes what a device says of itself apart from the version it runs.
func printOf(d *ota.Device) int64 {
	h := hashStart
	for _, s := range [...]string{
		d.Platform, d.VersionBuild, d.VersionCode, d.VersionOS, d.PluginVersion,
		d.CustomID, d.DefaultChannel, d.KeyID, d.InstallSource,
	} {
		h = h.text(s)
	}
	return int64(h.bool(d.IsProd).bool(d.IsEmulator))
}

// markOf hashes what tells two events of one device and one moment apart.
func markOf(e *ota.Event) int64 {
	return int64(hashStart.text(e.App).text(e.Action).text(e.VersionName))
}
