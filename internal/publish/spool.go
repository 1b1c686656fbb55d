package publish

import (
	"bufio"
	"context"
	"crypto/sha256"
	"hash"
	"io"
	"os"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// spool is a temporary file that knows its digest and disappears when closed.
type spool struct {
	f    *os.File
	w    *bufio.Writer
	hash hash.Hash
	size int64
	ctx  context.Context // ends the writing; a spool lives within one call
}

func newSpool(ctx context.Context, dir string) (*spool, error) {
	f, err := os.CreateTemp(dir, "waxwing-push-*")
	if err != nil {
		return nil, tempError(err)
	}
	_ = os.Remove(f.Name()) // where the system allows it, no kill can leave it behind
	return &spool{f: f, w: bufio.NewWriterSize(f, 256<<10), hash: sha256.New(), ctx: ctx}, nil
}

// Write adds to the file.
func (s *spool) Write(b []byte) (int, error) {
	if err := s.ctx.Err(); err != nil {
		return 0, err
	}
	s.hash.Write(b)
	n, err := s.w.Write(b)
	s.size += int64(n)
	if err != nil {
		err = tempError(err)
	}
	return n, err
}

// finish ends the writing and returns the digest of all of it.
func (s *spool) finish() (ota.Digest, error) {
	if err := s.w.Flush(); err != nil {
		return ota.Digest{}, tempError(err)
	}
	return ota.Digest(s.hash.Sum(nil)), nil
}

// reader reads it from the start.
func (s *spool) reader() io.Reader { return io.NewSectionReader(s.f, 0, s.size) }

// close gives the file up. What goes wrong then harms nobody.
func (s *spool) close() {
	_ = s.f.Close()
	_ = os.Remove(s.f.Name())
}

// codeTemp is the code of a temporary file that cannot be written.
const codeTemp = "temp_unwritable"

func tempError(err error) error {
	return ota.Invalid(codeTemp, "cannot write a temporary file: %s", err).
		WithHint("set TMPDIR to a folder with room for the zipped bundle")
}
