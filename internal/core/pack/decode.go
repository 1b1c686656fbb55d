package pack

import (
	"bytes"
	"io"
	"sync"

	"github.com/andybalholm/brotli"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// The plugins look at the first bytes of a brotli file before they decode it,
// to mend what an old publisher wrote. What looks the same by accident is read
// wrongly.
const (
	emptyForm = "\x1b\x00\x06" // all of the file: it is empty
	oldHead1  = "\x1b\x00\x06" // or, at the start of more than three bytes, with oldTail at the end: …
	oldHead2  = "\x0b\x02\x80" // … what is in between is the content as it is
	oldTail   = '\x03'
)

// shortcut returns what the plugins make of stored without a brotli decoder.
func shortcut(stored []byte) (content []byte, ok bool) {
	switch {
	case len(stored) == 0 || string(stored) == emptyForm:
		return nil, true
	case len(stored) > 3 && stored[len(stored)-1] == oldTail &&
		(string(stored[:3]) == oldHead1 || string(stored[:3]) == oldHead2):
		return stored[3 : len(stored)-1], true
	}
	return nil, false
}

// Decode returns the content of a file that is stored as brotli, as the
// plugins would read it. Anything but one whole brotli stream is
// brotli_invalid; more content than limit bytes is file_too_large.
func Decode(stored []byte, limit int64) ([]byte, error) {
	var out bytes.Buffer
	if err := decodeTo(&out, stored, limit); err != nil {
		return nil, err
	}
	if out.Len() == 0 {
		return []byte{}, nil
	}
	return out.Bytes(), nil
}

func decodeTo(w io.Writer, stored []byte, limit int64) error {
	if content, ok := shortcut(stored); ok {
		if int64(len(content)) > limit {
			return decodesTooLarge(limit)
		}
		_, err := w.Write(content)
		return err
	}
	r := decoders.Get().(*brotli.Reader)
	defer decoders.Put(r)
	if err := r.Reset(bytes.NewReader(stored)); err != nil {
		return err
	}
	in := &sourceReader{r: r}
	n, err := io.Copy(w, io.LimitReader(in, max(0, limit)))
	if err == nil && n >= limit {
		// Room is used up: the stream must end right here.
		var more [1]byte
		if n, _ := io.ReadFull(in, more[:]); n > 0 {
			return decodesTooLarge(limit)
		}
	}
	if in.err != nil {
		return ota.Invalid("brotli_invalid", "the stored file is not one whole brotli stream").WithCause(in.err)
	}
	return err
}

// decoders keeps the large tables of decoders for the next file. It holds
// nothing that outlives a call in any other sense.
var decoders = sync.Pool{New: func() any { return brotli.NewReader(nil) }}

func decodesTooLarge(limit int64) error {
	return ota.Errorf(ota.KindTooLarge, "file_too_large", "the stored file decodes to more than %d bytes", limit)
}
