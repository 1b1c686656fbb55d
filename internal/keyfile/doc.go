// Package keyfile keeps a publisher's private key in a file, under a
// passphrase or bare, with the public half beside it in FILE.pub.
//
// It must never overwrite or widen the access of a file, leave half a key
// behind, send a key anywhere, or print a key or a passphrase.
//
// A protected file is what "age --passphrase --armor" makes of the PEM, so it
// can be opened without this program too. A bare file is the PEM itself.
package keyfile

import (
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/secret"
)

// Secret is a passphrase. It does not print; the zero value is "none".
type Secret = secret.Text

func keyInvalid(path, format string, a ...any) *ota.Error {
	return ota.Invalid("key_invalid", "key file %s "+format, append([]any{path}, a...)...)
}
