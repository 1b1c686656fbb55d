package delta

import (
	"math/bits"

	"github.com/klauspost/compress/zstd"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// Make returns the patch that turns old into new; an empty old compresses. The
// patch names the size of new and carries no checksum, since SHA-256 is checked
// anyway.
func Make(old, new []byte) ([]byte, error) {
	if err := checkSize(int64(max(len(old), len(new)))); err != nil {
		return nil, err
	}
	options := []zstd.EOption{
		zstd.WithEncoderLevel(zstd.SpeedBestCompression), zstd.WithEncoderConcurrency(1),
		zstd.WithEncoderCRC(false), zstd.WithSingleSegment(true), zstd.WithZeroFrames(true),
		zstd.WithWindowSize(window(len(old) + len(new))),
	}
	if len(old) > 0 {
		options = append(options, zstd.WithEncoderDictRaw(0, old))
	}
	e, err := zstd.NewWriter(nil, options...)
	if err != nil {
		return nil, ota.Errorf(ota.KindInternal, CodeFailed, "the patch could not be made").WithCause(err)
	}
	defer func() { _ = e.Close() }() // has nothing to flush
	return e.EncodeAll(new, nil), nil
}

// window is the power of two that reaches from the end of the new file to the
// start of the old one.
func window(n int) int {
	return max(zstd.MinWindowSize, 1<<bits.Len(uint(max(n, 1)-1))) //nolint:gosec // at most 2 × MaxFile
}
