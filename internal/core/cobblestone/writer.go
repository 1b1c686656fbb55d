package cobblestone

import (
	"io"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// Writer encrypts what is written to it. Only Close makes the ciphertext whole.
type Writer struct {
	dst    io.Writer
	stream *stream
	chunk  int64
	nonce  nonce
	buf    []byte // plaintext of the chunk that is not full yet
	sealed []byte // room for one encrypted chunk
	err    error  // what ended it; sticky
}

// NewWriter writes the header of a new message to dst; the salt is read from
// random and must never repeat for a key.
func NewWriter(dst io.Writer, random io.Reader, key Key, context []byte) (*Writer, error) {
	var header [HeaderSize]byte
	if _, err := io.ReadFull(random, header[:SaltSize]); err != nil {
		return nil, noRandom(err)
	}
	s, err := newStream(key, header[:SaltSize], context)
	if err != nil {
		return nil, err
	}
	copy(header[SaltSize:], s.commitment[:])
	if _, err := dst.Write(header[:]); err != nil {
		return nil, err
	}
	return &Writer{dst: dst, stream: s, buf: make([]byte, 0, ChunkSize), sealed: make([]byte, 0, SealedChunk)}, nil
}

// Write encrypts every chunk that is full.
func (w *Writer) Write(p []byte) (int, error) {
	if w.err != nil {
		return 0, w.err
	}
	done := 0
	for done < len(p) {
		if len(w.buf) == 0 && len(p)-done >= ChunkSize {
			if w.flush(p[done : done+ChunkSize]); w.err != nil {
				return done, w.err
			}
			done += ChunkSize
			continue
		}
		n := copy(w.buf[len(w.buf):ChunkSize], p[done:])
		w.buf = w.buf[:len(w.buf)+n]
		done += n
		if len(w.buf) == ChunkSize {
			if w.flush(w.buf); w.err != nil {
				return done - n, w.err
			}
			w.buf = w.buf[:0]
		}
	}
	return done, nil
}

// Close writes the last chunk; it does not close dst.
func (w *Writer) Close() error {
	if w.err != nil {
		return w.err
	}
	if w.flush(w.buf); w.err != nil {
		return w.err
	}
	w.err = ota.Errorf(ota.KindInternal, CodeClosed, "the message was ended before")
	return nil
}

func (w *Writer) flush(plain []byte) {
	var out []byte
	if out, w.err = w.stream.seal(w.sealed, &w.nonce, w.chunk, plain); w.err != nil {
		return
	}
	w.chunk++
	_, w.err = w.dst.Write(out)
}
