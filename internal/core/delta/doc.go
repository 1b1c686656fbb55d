// Package delta makes and applies binary patches: the new file as a Zstandard
// frame (RFC 8878) whose dictionary is the old file, raw. From nothing, the empty
// file, it is plain compression. Any Zstandard decoder that takes a raw
// dictionary, or a prefix, applies them.
//
// It must never write more than the size it was told, trust a size that a patch
// names itself, or take a result for the new file: whoever applies a patch checks
// the SHA-256 of what came out.
package delta

import "github.com/waxwing-ota/waxwing/internal/core/ota"

// Format is the name of such patches in manifests.
const Format = "zstd-dict"

// MaxFile bounds the old and the new file, in bytes; larger files go whole. A
// decoder needs memory for both.
const MaxFile = 64 << 20

// The codes of what is refused.
const (
	CodeTooLarge = "delta_too_large"
	CodePatch    = "delta_patch_invalid"
	CodeFailed   = "delta_failed"
)

// Nothing is the digest of the empty file: a patch from it needs no old file.
func Nothing() ota.Digest { return ota.Sum(nil) }

func checkSize(n int64) error {
	if n < 0 || n > MaxFile {
		return ota.Invalid(CodeTooLarge, "patches are for files of at most %d MiB", MaxFile>>20)
	}
	return nil
}
