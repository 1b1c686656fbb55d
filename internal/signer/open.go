package signer

import (
	"context"
	"net/http"
	"strings"

	"github.com/waxwing-ota/waxwing/internal/core/p256"
	"github.com/waxwing-ota/waxwing/internal/keyfile"
	"github.com/waxwing-ota/waxwing/internal/secret"
)

// Prompts is how a signer asks for what opens it, and what it may touch.
type Prompts struct {
	// Passphrase is asked once, and only if the key file is under one.
	Passphrase func(path string) (secret.Text, error)
	// PIN is asked before a token signs. what names the token.
	PIN func(what string) (secret.Text, error)
	// Env looks up a variable of the environment: credentials of key services.
	Env func(name string) string
	// HTTP sends requests to key services; nil = a client of its own.
	HTTP *http.Client
}

func (p Prompts) env(name string) string {
	if p.Env == nil {
		return ""
	}
	return p.Env(name)
}

// The schemes of addresses.
const (
	schemeFile   = "file"
	schemePKCS11 = "pkcs11"
	schemePIV    = "piv"
	schemeAWS    = "awskms"
	schemeGoogle = "gcpkms"
)

// Open opens the signer that uri names: file:PATH or a path without a scheme,
// pkcs11:… (RFC 7512), piv:SLOT, awskms:KEYARN or gcpkms:RESOURCE. It reads the
// public half, so a token must be plugged in; a PIN is asked when something is
// signed, a passphrase at once.
func Open(ctx context.Context, uri string, prompts Prompts) (p256.Signer, error) {
	scheme, rest := split(uri)
	switch scheme {
	case schemeFile:
		return openFile(rest, prompts)
	case schemePKCS11:
		at, err := parsePKCS11(uri)
		if err != nil {
			return nil, err
		}
		return openToken(ctx, at, prompts)
	case schemePIV:
		at, err := parsePIV(uri)
		if err != nil {
			return nil, err
		}
		return openToken(ctx, at, prompts)
	case schemeAWS:
		return openAWS(ctx, rest, prompts)
	case schemeGoogle:
		return openGoogle(ctx, rest, prompts)
	}
	return nil, badURI(uri, "of no known kind")
}

// split cuts an address into scheme and rest. A letter and a colon is a drive of
// Windows, and what has no scheme is the name of a file.
func split(uri string) (scheme, rest string) {
	scheme, rest, ok := strings.Cut(uri, ":")
	if !ok || len(scheme) < 2 || strings.ContainsAny(scheme, `/\.`) {
		return schemeFile, uri
	}
	return scheme, rest
}

func openFile(path string, prompts Prompts) (p256.Signer, error) {
	if path == "" {
		return nil, badURI("file:", "without the name of a file")
	}
	var ask func() (secret.Text, error)
	if prompts.Passphrase != nil {
		ask = func() (secret.Text, error) { return prompts.Passphrase(path) }
	}
	k, err := keyfile.ReadP256(path, ask)
	if err != nil {
		return nil, err
	}
	return p256.Software(k), nil
}
