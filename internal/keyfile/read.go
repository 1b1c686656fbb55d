package keyfile

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"runtime"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/seal"
)

// maxFile is far above any key file, protected or bare.
const maxFile = 64 << 10

// Read opens a key file. ask is called once, and only if the file is under a
// passphrase; its error comes back as it is. A nil ask means that nobody can
// be asked.
//
// Errors: key_not_found; key_unreadable; key_permissions if others than the
// owner may touch the file; key_locked if it needs a passphrase and there is
// none; passphrase_wrong; key_invalid for everything that is no key.
func Read(path string, ask func() (Secret, error)) (*seal.PrivateKey, error) {
	data, err := content(path)
	if err != nil {
		return nil, err
	}
	return parse(path, data, ask, maxWork)
}

// content returns what is in a key file that nobody else may touch.
func content(path string) ([]byte, error) {
	data, mode, err := load(path)
	if err != nil {
		return nil, err
	}
	// A public key may be open to all, so it gets the error that helps.
	public := bytes.Contains(data, []byte("PUBLIC KEY-----"))
	if mode&0o077 != 0 && !public && runtime.GOOS != "windows" { // whose modes say nothing
		return nil, ota.Invalid("key_permissions", "key file %s is open to others than its owner (mode %#o)", path, mode).
			WithHint("close it: chmod 600 %s", path)
	}
	return data, nil
}

// load reads the file and its mode from one handle, so that both are of the
// same file.
func load(path string) ([]byte, fs.FileMode, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, 0, ota.NotFound("key_not_found", "there is no key file %s", path).
			WithHint("make a key with waxwing keys create, or name the right file")
	}
	if err != nil {
		return nil, 0, unreadable(path, err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, 0, unreadable(path, err)
	}
	if info.IsDir() {
		return nil, 0, keyInvalid(path, "is a folder").WithHint("name the key file in it")
	}
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, 0, unreadable(path, err)
	}
	if len(data) > maxFile {
		return nil, 0, keyInvalid(path, "is larger than any key").WithHint("name the file that waxwing keys create made")
	}
	return data, info.Mode().Perm(), nil
}

func unreadable(path string, err error) error {
	return ota.Invalid("key_unreadable", "key file %s cannot be read", path).WithCause(reason(err)).
		WithHint("run the command as the owner of the file")
}

// parse makes a key of a file's content.
func parse(path string, data []byte, ask func() (Secret, error), work int) (*seal.PrivateKey, error) {
	text, err := open(path, data, ask, work)
	if err != nil {
		return nil, err
	}
	return key(path, text)
}

// open takes a file's content out from under its passphrase.
func open(path string, data []byte, ask func() (Secret, error), work int) ([]byte, error) {
	if !locked(data) {
		return data, nil
	}
	if ask == nil {
		return nil, ota.Invalid("key_locked", "key file %s is under a passphrase", path).
			WithHint("run the command where the passphrase can be entered")
	}
	passphrase, err := ask()
	if err != nil {
		return nil, err
	}
	if passphrase.IsZero() {
		return nil, ota.Invalid("key_locked", "key file %s is under a passphrase, and none was given", path).
			WithHint("enter the passphrase that was set when the key was made")
	}
	text, err := unlock(data, passphrase, work)
	switch {
	case errors.Is(err, errWrongPassphrase):
		return nil, ota.Invalid("passphrase_wrong", "the passphrase does not open key file %s", path).
			WithHint("try again; a lost passphrase cannot be recovered, the key must then be replaced")
	case err != nil:
		return nil, keyInvalid(path, "cannot be opened: %v", err).WithHint("restore the file from a backup")
	}
	return text, nil
}

// key parses the PEM and says which file is at fault.
func key(path string, text []byte) (*seal.PrivateKey, error) {
	k, err := seal.ParsePrivateKey(text)
	if e, ok := errors.AsType[*ota.Error](err); ok {
		return nil, keyInvalid(path, "holds no usable key: %s", e.Msg).WithHint("%s", e.Hint)
	}
	return k, err
}
