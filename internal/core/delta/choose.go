package delta

import "github.com/waxwing-ota/waxwing/internal/core/ota"

// What a patch must save to be worth storing, naming in the manifest (about 400
// bytes that every device reads) and a second way for an update to go:
// docs/sealed/spec-patches.md has the measurements.
const (
	WorthPercent = 70      // at most this share of what the device would fetch without it
	WorthBytes   = 1 << 10 // and at least so many bytes less
)

// Choice is a patch that is worth having.
type Choice struct {
	From  ota.Digest // SHA-256 of the old file; Nothing() = compression alone
	Patch []byte
}

// Worth says whether a patch is, where the device would else fetch full bytes.
func Worth(patch, full int) bool {
	return full-patch >= WorthBytes && int64(patch)*100 <= int64(full)*WorthPercent
}

// Choose makes the patches of a file that are worth having: compression first,
// then from each of the old files, measured against the best way without one.
// Files above MaxFile get none, old ones above it are passed over.
func Choose(new []byte, old ...[]byte) ([]Choice, error) {
	if len(new) > MaxFile {
		return nil, nil
	}
	full := len(new)
	var all []Choice
	for i, from := range append([][]byte{nil}, old...) {
		if len(from) > MaxFile || (i > 0 && len(from) == 0) {
			continue
		}
		patch, err := Make(from, new)
		if err != nil {
			return nil, err
		}
		if !Worth(len(patch), full) {
			continue
		}
		all = append(all, Choice{From: ota.Sum(from), Patch: patch})
		if i == 0 {
			full = len(patch)
		}
	}
	return all, nil
}
