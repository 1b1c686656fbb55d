package sealeddevice

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// The folder of a device:
//
//	state         of core/sealed/lifecycle, replaced whole
//	anchor        the floor, kept apart: what a keychain holds on a phone
//	identity      keys, certificate, reports that wait
//	bundles/SHA   admitted bundles: manifest, and www with the files
//	intake/SHA    a bundle that is being fetched, and blobs
const (
	stateFile    = "state"
	anchorFile   = "anchor"
	identityFile = "identity"
	bundlesDir   = "bundles"
	intakeDir    = "intake"
	blobsDir     = "intake/blobs"
	wwwDir       = "www"
	manifestFile = "manifest"
)

// disk is the folder; no path leaves it.
type disk struct {
	root *os.Root
	step func(string)
}

func openDisk(dir string, step func(string)) (*disk, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, diskError("make its folder", err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, diskError("open its folder", err)
	}
	d := &disk{root, step}
	for _, sub := range []string{bundlesDir, intakeDir, blobsDir} {
		if err := root.MkdirAll(sub, 0o700); err != nil {
			return nil, errors.Join(diskError("make its folder", err), root.Close())
		}
	}
	return d, nil
}

func diskError(doing string, err error) error {
	if _, ok := errors.AsType[*ota.Error](err); ok {
		return err
	}
	return ota.Errorf(ota.KindUnavailable, CodeDisk, "the device cannot %s", doing).WithCause(err).
		WithHint("what runs goes on running; look at the room and the rights of its folder")
}

// replace makes name hold content, wholly or not at all, and durably.
func (d *disk) replace(name string, content []byte) error {
	d.step("write " + name)
	tmp := name + ".new"
	err := d.write(tmp, func(w io.Writer) error { _, err := w.Write(content); return err })
	if err != nil {
		return diskError("write "+name, err)
	}
	d.step("rename " + name)
	if err := d.root.Rename(tmp, name); err != nil {
		return diskError("write "+name, err)
	}
	return d.flush(path.Dir(name))
}

// write makes a file with what fill writes, and flushes it.
func (d *disk) write(name string, fill func(io.Writer) error) error {
	f, err := d.root.OpenFile(name, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	err = fill(f)
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// flush makes the names of a folder durable.
func (d *disk) flush(dir string) error {
	f, err := d.root.Open(dir)
	if err != nil {
		return diskError("flush its folder", err)
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return diskError("flush its folder", err)
	}
	return nil
}

// read reads a small file; none is no error.
func (d *disk) read(name string, limit int64) ([]byte, error) {
	f, err := d.root.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, diskError("read "+name, err)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, limit))
	if err != nil {
		return nil, diskError("read "+name, err)
	}
	return b, nil
}

func (d *disk) readJSON(name string, into any) error {
	b, err := d.read(name, 1<<20)
	if err != nil || b == nil {
		return err
	}
	if err := json.Unmarshal(b, into); err != nil {
		return fmt.Errorf("read %s: %w", name, err)
	}
	return nil
}

func (d *disk) replaceJSON(name string, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return d.replace(name, b)
}

// list returns the paths of all files below a folder; what is no file counts as well.
func (d *disk) list(dir string) ([]string, error) {
	sub, err := fs.Sub(d.root.FS(), dir)
	if err != nil {
		return nil, err
	}
	var files []string
	err = fs.WalkDir(sub, ".", func(p string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			files = append(files, p)
		}
		return err
	})
	return files, err
}

// flushAll makes the names of a folder and all below durable.
func (d *disk) flushAll(dir string) error {
	sub, err := fs.Sub(d.root.FS(), dir)
	if err != nil {
		return err
	}
	return fs.WalkDir(sub, ".", func(p string, e fs.DirEntry, err error) error {
		if err != nil || !e.IsDir() {
			return err
		}
		return d.flush(path.Join(dir, p))
	})
}
