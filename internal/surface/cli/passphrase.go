package cli

import (
	"bytes"
	"fmt"
	"io"
	"os"

	"github.com/spf13/pflag"
	"golang.org/x/term"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/seal"
	"github.com/waxwing-ota/waxwing/internal/keyfile"
	"github.com/waxwing-ota/waxwing/internal/secret"
)

// envPassphrase names the variable with the passphrase of key files.
const envPassphrase = "WAXWING_KEY_PASSPHRASE"

// maxPassphrase bounds a passphrase file.
const maxPassphrase = 4096

// passphrase says where the passphrase of a key file comes from: the file, else
// the environment, else the terminal.
type passphrase struct {
	g    *Globals
	file string
	none bool // --no-passphrase
}

func (p *passphrase) bind(f *pflag.FlagSet) {
	f.StringVar(&p.file, "passphrase-file", "", "file with the passphrase of the key file (default $"+envPassphrase+", else asked on a terminal)")
}

// bindNew also binds the flag for key files without a passphrase.
func (p *passphrase) bindNew(f *pflag.FlagSet) {
	p.bind(f)
	f.BoolVar(&p.none, "no-passphrase", false, "write the key file without a passphrase")
}

// given returns the passphrase of the file or the environment.
func (p *passphrase) given() (s keyfile.Secret, ok bool, err error) {
	if p.file != "" {
		s, err = readPassphrase(p.file)
		return s, err == nil, err
	}
	v := p.g.Env(envPassphrase)
	return secret.New(v), v != "", nil
}

func readPassphrase(path string) (keyfile.Secret, error) {
	f, err := os.Open(path)
	if err != nil {
		return keyfile.Secret{}, ota.Invalid("passphrase_unreadable", "cannot read the passphrase file: %s", err).
			WithHint("name a file that exists and that you may read")
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxPassphrase+1))
	if err != nil {
		return keyfile.Secret{}, ota.Invalid("passphrase_unreadable", "cannot read the passphrase file: %s", err).
			WithHint("name a file that exists and that you may read")
	}
	b = bytes.TrimRight(b, "\r\n")
	if len(b) == 0 || len(b) > maxPassphrase || bytes.ContainsAny(b, "\r\n") {
		return keyfile.Secret{}, ota.Invalid("passphrase_invalid", "the passphrase file %s must hold one line", path).
			WithHint("write the passphrase, and nothing else, into it")
	}
	return secret.New(string(b)), nil
}

// choose returns the passphrase for a new key file; none if that was asked for.
func (p *passphrase) choose(path string) (keyfile.Secret, error) {
	if p.none {
		return keyfile.Secret{}, nil
	}
	s, ok, err := p.given()
	if ok || err != nil {
		return s, err
	}
	if !p.interactive() {
		return s, ota.Invalid("passphrase_missing", "a passphrase for %s is needed, and there is no terminal to ask for it", path).
			WithHint("set %s, name a file with --passphrase-file, or say --no-passphrase", envPassphrase)
	}
	first, err := p.prompt("passphrase for " + path + ": ")
	if err != nil {
		return s, err
	}
	second, err := p.prompt("again: ")
	if err != nil {
		return s, err
	}
	switch {
	case first.IsZero():
		return s, ota.Invalid("passphrase_missing", "an empty passphrase protects nothing").WithHint("choose one, or say --no-passphrase")
	case !first.Equal(second):
		return s, ota.Invalid("passphrase_mismatch", "the two passphrases differ").WithHint("run the command again")
	}
	return first, nil
}

// read opens a key file.
func (p *passphrase) read(path string) (*seal.PrivateKey, error) {
	return keyfile.Read(path, func() (keyfile.Secret, error) { return p.unlock(path) })
}

// unlock is the passphrase of a key file that is under one: what was given, else
// what a person types.
func (p *passphrase) unlock(path string) (keyfile.Secret, error) {
	s, ok, err := p.given()
	if ok || err != nil {
		return s, err
	}
	if !p.interactive() {
		return s, ota.Invalid("key_locked", "key file %s is under a passphrase, and there is no terminal to ask for it", path).
			WithHint("set %s, or name a file with --passphrase-file", envPassphrase)
	}
	return p.prompt("passphrase of " + path + ": ")
}

func (p *passphrase) interactive() bool { return IsTerminal(p.g.In) }

// prompt asks on the terminal, without echo.
func (p *passphrase) prompt(text string) (keyfile.Secret, error) {
	fmt.Fprint(p.g.Err, text)
	b, err := term.ReadPassword(int(p.g.In.(*os.File).Fd()))
	fmt.Fprintln(p.g.Err)
	if err != nil {
		return keyfile.Secret{}, ota.Invalid("passphrase_missing", "no passphrase was entered").WithCause(err).
			WithHint("run the command again")
	}
	return secret.New(string(b)), nil
}
