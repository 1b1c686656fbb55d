package keyfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"filippo.io/age"
	"filippo.io/age/armor"
)

const (
	// writeWork is log2 of scrypt's cost. 16 takes a quarter of a second and
	// 64 MiB on a small machine, at every command that signs. age's own 18
	// takes over a second and 256 MiB, more than all the rest of publishing a
	// small change; a CI job would pay it on each push.
	writeWork = 16

	// maxWork bounds what a hostile file can make us spend: 20 takes 1 GiB.
	// Files that age made by itself stay below.
	maxWork = 20

	binaryHead = "age-encryption.org/"
)

var (
	errWrongPassphrase = errors.New("the passphrase does not open it")
	errNoPassphrase    = errors.New("it is encrypted to an age key, not under a passphrase")
)

// locked reports whether data is an age file, armored or not.
func locked(data []byte) bool {
	return armored(data) || bytes.HasPrefix(data, []byte(binaryHead))
}

func armored(data []byte) bool {
	return bytes.HasPrefix(bytes.TrimSpace(data), []byte(armor.Header))
}

// lock encrypts text under the passphrase, armored.
func lock(text []byte, passphrase Secret, work int) ([]byte, error) {
	to, err := age.NewScryptRecipient(passphrase.Reveal())
	if err != nil {
		return nil, err
	}
	to.SetWorkFactor(work)
	var out bytes.Buffer
	arm := armor.NewWriter(&out)
	w, err := age.Encrypt(arm, to)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(text); err != nil {
		return nil, err
	}
	if err := errors.Join(w.Close(), arm.Close()); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// unlock opens what lock or age made. Its errors continue a sentence about the
// file, and are errWrongPassphrase or errNoPassphrase where it is that.
func unlock(data []byte, passphrase Secret, work int) ([]byte, error) {
	id, err := age.NewScryptIdentity(passphrase.Reveal())
	if err != nil {
		return nil, errWrongPassphrase // an empty one, which no file is under
	}
	id.SetMaxWorkFactor(work)
	var src io.Reader = bytes.NewReader(data)
	if armored(data) {
		src = armor.NewReader(src)
	}
	r, err := age.Decrypt(src, id)
	if none, ok := errors.AsType[*age.NoIdentityMatchError](err); ok {
		if strings.Join(none.StanzaTypes, " ") == "scrypt" {
			return nil, errWrongPassphrase
		}
		return nil, errNoPassphrase
	}
	if err != nil {
		return nil, fmt.Errorf("it is not a sound age file: %w", err)
	}
	text, err := io.ReadAll(io.LimitReader(r, maxFile))
	if err != nil {
		return nil, fmt.Errorf("it is not a sound age file: %w", err)
	}
	return text, nil
}
