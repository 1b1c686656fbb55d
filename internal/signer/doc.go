// Package signer opens what holds a private key of sealed updates: a key file
// under a passphrase, a token that speaks PKCS #11 (a security key, a smart card,
// an HSM), or the key service of a cloud. What it opens is a [p256.Signer].
//
// It must never hold the private key of a token or a service, put a PIN or a
// passphrase where other programs can read it, run a program through a shell, or
// trust what a signer answers: p256.Sign checks every signature.
package signer

import (
	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// Codes of what goes wrong with signers.
const (
	CodeURI    = "signer_invalid"     // invalid: not the address of a signer
	CodeTool   = "signer_tool"        // unavailable: OpenSC's pkcs11-tool is not there, or fails
	CodeToken  = "signer_token"       // not found: no such token, or no such key on it
	CodePIN    = "signer_pin"         // forbidden: the PIN is wrong, or there is none
	CodeCloud  = "signer_service"     // unavailable: the key service refuses, or cannot be reached
	CodeAccess = "signer_credentials" // invalid: no credentials for the key service
)

func badURI(uri, format string, a ...any) *ota.Error {
	return ota.Invalid(CodeURI, "the signer %q is "+format, append([]any{clip(uri)}, a...)...).WithField("key").
		WithHint("write a key file's name, file:PATH, pkcs11:token=NAME;object=KEY, piv:9c, awskms:KEY-ARN or gcpkms:RESOURCE")
}

// clip bounds what is repeated of an input.
func clip(s string) string {
	const most = 120
	if len(s) > most {
		return s[:most] + "…"
	}
	return s
}
