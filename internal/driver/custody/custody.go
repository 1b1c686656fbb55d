// Package custody keeps the private key that publishers seal content keys to:
// under the server's own secret, or in a file under a passphrase that is opened
// once, at the start.
//
// It must never show the key, write it anywhere, or open a content key for
// anybody but its caller. With the first kind a copy of the database opens all
// content; with the second it needs the file and its passphrase, too.
package custody

import (
	"context"
	"crypto/ecdh"
	"crypto/hkdf"
	"crypto/hpke"
	"crypto/sha256"
	"fmt"

	"github.com/waxwing-ota/waxwing/internal/core/cobblestone"
	"github.com/waxwing-ota/waxwing/internal/core/epochkey"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/keyfile"
	"github.com/waxwing-ota/waxwing/internal/plane/enrol"
)

// Kinds of custody.
const (
	KindServer = "server"
	KindAge    = "age"
)

var _ enrol.Custody = (*Keeper)(nil)

// Keeper opens content keys. It may be used by many goroutines.
type Keeper struct {
	kind string
	key  *ecdh.PrivateKey
}

// Server derives the key from the server's secret.
func Server(secret [32]byte) (*Keeper, error) {
	seed, err := hkdf.Key(sha256.New, secret[:], nil, "waxwing sealed updates: custody of content keys", 32)
	if err != nil {
		return nil, fmt.Errorf("derive a key: %w", err)
	}
	derived, err := hpke.DHKEM(ecdh.P256()).DeriveKeyPair(seed)
	if err != nil {
		return nil, fmt.Errorf("derive a key: %w", err)
	}
	raw, err := derived.Bytes()
	if err != nil {
		return nil, fmt.Errorf("derive a key: %w", err)
	}
	key, err := ecdh.P256().NewPrivateKey(raw)
	clear(raw)
	if err != nil {
		return nil, fmt.Errorf("derive a key: %w", err)
	}
	return &Keeper{KindServer, key}, nil
}

// Age opens the key in a file under a passphrase. A file without one is refused:
// it would be worth no more than the database.
func Age(path string, passphrase keyfile.Secret) (*Keeper, error) {
	asked := false
	signing, err := keyfile.ReadP256(path, func() (keyfile.Secret, error) {
		asked = true
		return passphrase, nil
	})
	if err != nil {
		return nil, err
	}
	if !asked {
		return nil, ota.Invalid("custody_bare", "the key file %s is under no passphrase", path).
			WithHint("make one with: waxwing broker keygen")
	}
	key, err := signing.ECDH()
	if err != nil {
		return nil, ota.Invalid("custody_key", "the key file %s holds no key of P-256", path).WithCause(err)
	}
	return &Keeper{KindAge, key}, nil
}

// Kind implements [enrol.Custody].
func (k *Keeper) Kind() string { return k.kind }

// Public implements [enrol.Custody].
func (k *Keeper) Public(context.Context) ([]byte, error) { return k.key.PublicKey().Bytes(), nil }

// Open implements [enrol.Custody].
func (k *Keeper) Open(_ context.Context, app string, epoch int64, sealed []byte) (cobblestone.Key, error) {
	return epochkey.Open(k.key, app, epoch, sealed)
}

// String keeps the key out of logs.
func (k *Keeper) String() string { return "custody." + k.kind }

// GoString is String, for %#v.
func (k *Keeper) GoString() string { return k.String() }
