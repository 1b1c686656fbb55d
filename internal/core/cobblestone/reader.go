package cobblestone

import (
	"errors"
	"io"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// Reader decrypts a stream. What Read returns is authenticated; that it is all
// there was is known only when Read returns io.EOF, which comes after the last,
// short chunk was authenticated and the source had ended.
type Reader struct {
	src    io.Reader
	stream *stream
	chunk  int64
	nonce  nonce
	sealed []byte
	plain  []byte // authenticated and not yet handed on
	room   []byte
	err    error // io.EOF or what went wrong; sticky
}

// NewReader reads the header from src and checks its commitment.
func NewReader(src io.Reader, key Key, context []byte) (*Reader, error) {
	var header [HeaderSize]byte
	if _, err := io.ReadFull(src, header[:]); err != nil {
		return nil, readError(err)
	}
	return Resume(src, header[:], 0, key, context)
}

// Resume is a Reader of a message whose header is at hand and whose chunks
// before the given one were read earlier: src goes on at [ChunkOffset] of chunk.
func Resume(src io.Reader, header []byte, chunk int64, key Key, context []byte) (*Reader, error) {
	if chunk < 0 || chunk >= MaxChunks {
		return nil, ota.Invalid(CodeRange, "there is no chunk %d", chunk)
	}
	s, err := openStream(key, header, context)
	if err != nil {
		return nil, err
	}
	return &Reader{
		src: src, stream: s, chunk: chunk,
		sealed: make([]byte, SealedChunk), room: make([]byte, 0, ChunkSize),
	}, nil
}

// Read implements io.Reader.
func (r *Reader) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	for len(r.plain) == 0 {
		if r.err != nil {
			return 0, r.err
		}
		r.next()
	}
	n := copy(p, r.plain)
	r.plain = r.plain[n:]
	return n, nil
}

// WriteTo implements io.WriterTo, for io.Copy: no byte is copied twice.
func (r *Reader) WriteTo(w io.Writer) (int64, error) {
	var total int64
	for {
		if len(r.plain) > 0 {
			n, err := w.Write(r.plain)
			total += int64(n)
			r.plain = r.plain[n:]
			if err != nil {
				return total, err
			}
		}
		if errors.Is(r.err, io.EOF) {
			return total, nil
		}
		if r.err != nil {
			return total, r.err
		}
		r.next()
	}
}

// next reads and authenticates one chunk. A short one is the last: ReadFull
// returns less than it was asked for only where src ends.
func (r *Reader) next() {
	n, err := io.ReadFull(r.src, r.sealed)
	last := errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF)
	if err != nil && !last {
		r.err = err
		return
	}
	plain, err := r.stream.open(r.room, &r.nonce, r.chunk, r.sealed[:n])
	if err != nil {
		r.err = err
		return
	}
	r.plain = plain
	r.chunk++
	if last {
		r.err = io.EOF
	}
}

// readError: a source that ends too early is a message that was cut.
func readError(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return truncated().WithCause(err)
	}
	return err
}
