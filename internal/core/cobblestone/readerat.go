package cobblestone

import (
	"io"
	"sync"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// ReaderAt reads any part of a message. Its size is authenticated before the
// first byte is handed on; of the parts that are read every chunk is. It is safe
// for concurrent use if src is.
type ReaderAt struct {
	src    io.ReaderAt
	stream *stream
	size   int64 // of the plaintext
	rooms  sync.Pool
}

// room is what reading a chunk takes.
type room struct {
	sealed, plain []byte
	nonce         nonce
}

// NewReaderAt opens a message of size bytes of ciphertext: it checks the
// commitment and authenticates the last chunk, which fixes the length.
func NewReaderAt(src io.ReaderAt, size int64, key Key, context []byte) (*ReaderAt, error) {
	plain, err := PlainSize(size)
	if err != nil {
		return nil, err
	}
	var header [HeaderSize]byte
	if err := readFullAt(src, header[:], 0); err != nil {
		return nil, err
	}
	s, err := openStream(key, header[:], context)
	if err != nil {
		return nil, err
	}
	r := &ReaderAt{src: src, stream: s, size: plain}
	r.rooms.New = func() any { return &room{sealed: make([]byte, SealedChunk), plain: make([]byte, 0, ChunkSize)} }
	room := r.rooms.Get().(*room)
	defer r.rooms.Put(room)
	if _, err := r.chunk(room, plain/ChunkSize); err != nil {
		return nil, err
	}
	return r, nil
}

// Size is the size of the plaintext.
func (r *ReaderAt) Size() int64 { return r.size }

// ReadAt implements io.ReaderAt over the plaintext.
func (r *ReaderAt) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 {
		return 0, ota.Invalid(CodeRange, "there is no offset %d", off)
	}
	room := r.rooms.Get().(*room)
	defer r.rooms.Put(room)
	done := 0
	for done < len(p) && off < r.size {
		plain, err := r.chunk(room, off/ChunkSize)
		if err != nil {
			return done, err
		}
		n := copy(p[done:], plain[off%ChunkSize:])
		done += n
		off += int64(n)
	}
	if done < len(p) {
		return done, io.EOF
	}
	return done, nil
}

// chunk reads and authenticates chunk n.
func (r *ReaderAt) chunk(room *room, n int64) ([]byte, error) {
	plain := min(ChunkSize, r.size-n*ChunkSize)
	sealed := room.sealed[:plain+TagSize]
	if err := readFullAt(r.src, sealed, ChunkOffset(n)); err != nil {
		return nil, err
	}
	return r.stream.open(room.plain, &room.nonce, n, sealed)
}

func readFullAt(src io.ReaderAt, p []byte, off int64) error {
	n, err := src.ReadAt(p, off)
	if n == len(p) {
		return nil
	}
	if err == nil {
		err = io.ErrUnexpectedEOF
	}
	return readError(err)
}
