package cli

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// writeNew writes a file that must not exist; a part of it is not left behind.
func writeNew(path string, b []byte, mode fs.FileMode) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if errors.Is(err, fs.ErrExist) {
		return ota.Conflict("file_exists", "%s exists already", path).WithHint("name another file, or remove that one")
	}
	if err == nil {
		_, err = f.Write(b)
		if err = errors.Join(err, f.Close()); err != nil {
			_ = os.Remove(path)
		}
	}
	if err != nil {
		return ota.Invalid("file_unwritable", "cannot write %s: %s", path, err).WithHint("name a file in a folder that exists and that you may write to")
	}
	return nil
}

// replaceFile puts new content in the place of a file, all of it or none, with
// the mode the file had.
func replaceFile(path string, b []byte) error {
	st, err := os.Stat(path)
	if err != nil {
		return ota.Invalid("file_unwritable", "cannot write %s: %s", path, err).WithHint("name a file in a folder that exists and that you may write to")
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".waxwing-*")
	if err != nil {
		return ota.Invalid("file_unwritable", "cannot write %s: %s", path, err).WithHint("name a file in a folder that exists and that you may write to")
	}
	defer func() { _ = os.Remove(f.Name()) }() // after the rename it is not there any more
	_, err = f.Write(b)
	if err = errors.Join(err, f.Chmod(st.Mode().Perm()), f.Sync(), f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return ota.Invalid("file_unwritable", "cannot write %s: %s", path, err).WithHint("name a file in a folder that exists and that you may write to")
	}
	return nil
}
