package delta

import (
	"github.com/klauspost/compress/zstd"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// Apply returns the file of size bytes that the patch makes of old. A patch of
// another size, with more than one frame, or that needs another dictionary is
// refused, and nothing above size is ever allocated for what it makes. The
// caller checks the SHA-256 of the result.
func Apply(old, patch []byte, size int64) ([]byte, error) {
	if err := checkSize(max(int64(len(old)), size)); err != nil {
		return nil, err
	}
	if err := checkHeader(patch, size); err != nil {
		return nil, err
	}
	options := []zstd.DOption{
		zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecodeAllCapLimit(true),
		zstd.WithDecoderMaxMemory(max(uint64(size), zstd.MinWindowSize)), zstd.WithDecoderMaxWindow(max(uint64(size), zstd.MinWindowSize)),
	}
	if len(old) > 0 {
		options = append(options, zstd.WithDecoderDictRaw(0, old))
	}
	d, err := zstd.NewReader(nil, options...)
	if err != nil {
		return nil, ota.Errorf(ota.KindInternal, CodeFailed, "the patch could not be applied").WithCause(err)
	}
	defer d.Close()
	out, err := d.DecodeAll(patch, make([]byte, 0, size))
	if err != nil || int64(len(out)) != size {
		return nil, badPatch("the patch does not make a file of %d bytes out of the old one", size).WithCause(err)
	}
	return out, nil
}

// checkHeader looks at the frame's own words before anything is decoded.
func checkHeader(patch []byte, size int64) error {
	var h zstd.Header
	if err := h.Decode(patch); err != nil {
		return badPatch("the patch is no Zstandard frame").WithCause(err)
	}
	switch {
	case h.Skippable:
		return badPatch("the patch does not start with a frame that makes something")
	case h.DictionaryID != 0:
		return badPatch("the patch names a dictionary; that of a patch is the old file")
	case !h.HasFCS || h.FrameContentSize != uint64(size): //nolint:gosec // size is not negative
		return badPatch("the patch says that it makes %d bytes, announced are %d", h.FrameContentSize, size)
	case !h.SingleSegment:
		return badPatch("the patch is not one segment")
	case !endsWithFrame(patch, h.HeaderSize, h.HasCheckSum):
		return badPatch("the patch is cut off, or something follows it")
	}
	return nil
}

// endsWithFrame walks the blocks of a frame (RFC 8878 §3.1.1.2): the library would
// read on into a second frame.
func endsWithFrame(b []byte, at int, checksum bool) bool {
	for last := false; !last; {
		if len(b)-at < 3 {
			return false
		}
		h := int(b[at]) | int(b[at+1])<<8 | int(b[at+2])<<16
		last = h&1 != 0
		at += 3
		if h>>1&3 == 1 { // one byte, repeated
			at++
		} else {
			at += h >> 3
		}
	}
	if checksum {
		at += 4
	}
	return at == len(b)
}

func badPatch(format string, a ...any) *ota.Error {
	return ota.Invalid(CodePatch, format, a...).WithHint("fetch the whole file instead")
}
