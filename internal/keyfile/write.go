package keyfile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/seal"
)

// PublicSuffix is what the public half's file has after the name of the key
// file.
const PublicSuffix = ".pub"

// Write makes the key file at path with mode 0600, under the passphrase or
// bare if that is empty, and the public half at path+".pub" with mode 0644. The
// folder must exist. On an error neither file is left behind. Killed at any
// moment, path is whole or absent, and a hidden ".key-*" file that only the
// owner may read can stay.
//
// Errors: key_exists if either file is there, whatever it is;
// key_write_failed.
func Write(path string, k *seal.PrivateKey, passphrase Secret) error {
	return write(path, k, passphrase, writeWork)
}

func write(path string, k *seal.PrivateKey, passphrase Secret, work int) error {
	return writePair(path, k.PEM(), []byte(k.Public().PEM()), passphrase, work)
}

// writePair writes the PEM of a private key and of its public half.
func writePair(path string, text, publicText []byte, passphrase Secret, work int) error {
	public := path + PublicSuffix
	for _, p := range []string{path, public} {
		if _, err := os.Lstat(p); err == nil {
			return exists(p)
		}
	}
	if !passphrase.IsZero() {
		var err error
		if text, err = lock(text, passphrase, work); err != nil {
			return failed(path, err)
		}
	}
	if err := place(path, text, 0o600); err != nil {
		return err
	}
	if err := place(public, publicText, 0o644); err != nil {
		_ = os.Remove(path) // made a moment ago, and nobody has been told of it
		return err
	}
	return nil
}

// place makes a file of the name appear at once and whole, and fails if there
// is one. A hard link does both; a rename would silently replace.
func place(path string, data []byte, mode fs.FileMode) error {
	dir := filepath.Dir(path)
	f, err := os.CreateTemp(dir, ".key-*") // which no other user may open
	if err != nil {
		return failed(path, err)
	}
	defer func() { _ = os.Remove(f.Name()) }()
	_, err = f.Write(data)
	if err = errors.Join(err, f.Chmod(mode), f.Sync(), f.Close()); err != nil {
		return failed(path, err)
	}
	if err := os.Link(f.Name(), path); errors.Is(err, fs.ErrExist) {
		return exists(path)
	} else if err != nil {
		return failed(path, err)
	}
	if d, err := os.Open(dir); err == nil {
		_ = d.Sync() // so that the name outlives a power cut, where a folder can be synced
		_ = d.Close()
	}
	return nil
}

func exists(path string) error {
	return ota.Conflict("key_exists", "%s is already there and is not overwritten", path).
		WithHint("name another file, or move this one away; a lost private key cannot be made again")
}

func failed(path string, err error) error {
	return ota.Invalid("key_write_failed", "%s cannot be written", path).WithCause(reason(err)).
		WithHint("name a file in a folder that exists, is yours, has room and can hold hard links")
}

// reason strips what names the temporary file from an error of the system.
func reason(err error) error {
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		return p.Err
	}
	if l, ok := errors.AsType[*os.LinkError](err); ok {
		return l.Err
	}
	return err
}
