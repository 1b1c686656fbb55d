package admit

import (
	"fmt"
	"io"

	"github.com/waxwing-ota/waxwing/internal/core/sealed"
)

// Recheck is the verification at start: are the files of a bundle that was
// activated still those that were admitted. hash is that of its manifest as the
// durable state has it, raw the manifest as it was kept beside the files, present
// the files that are there.
func Recheck(hash string, raw []byte, present []string, open func(path string) (io.ReadCloser, error)) error {
	if sealed.HashOf(raw) != hash {
		return fail(CodeManifest, "the kept manifest is not that of the bundle")
	}
	m, err := sealed.Parse[sealed.Manifest](raw)
	if err != nil {
		return err
	}
	if err := closedList(m, present); err != nil {
		return err
	}
	for _, f := range m.Files {
		if err := recheckFile(f, open); err != nil {
			return err
		}
	}
	return nil
}

func recheckFile(f sealed.File, open func(path string) (io.ReadCloser, error)) error {
	r, err := open(f.Path)
	if err != nil {
		return fmt.Errorf("open %s: %w", f.Path, err)
	}
	err = copyExactly(io.Discard, r, f.Size, f.SHA256)
	if cerr := r.Close(); err == nil && cerr != nil {
		err = fmt.Errorf("close %s: %w", f.Path, cerr)
	}
	return err
}
