package trust

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hkdf"
	"crypto/sha256"
	"crypto/x509"
	"fmt"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/p256"
)

// What the server's own keys are for.
const (
	UseTimestamp = "timestamp"
	UseSnapshot  = "snapshot"
	UseDirector  = "director"
	UseAuthority = "authority" // device certificates and grants
)

var uses = [...]string{UseTimestamp, UseSnapshot, UseDirector, UseAuthority}

// keyring has an app's online keys, newest first.
type keyring map[string][]p256.Signer

// public lists the public halves of the keys of a use.
func (k keyring) public(use string) []ota.TrustKey {
	out := make([]ota.TrustKey, 0, len(k[use]))
	for _, s := range k[use] {
		out = append(out, trustKey(s.Public()))
	}
	return out
}

// listed returns the newest key of a use that a document lists, nil if it lists none.
func (k keyring) listed(use string, ids map[string]p256.Key) p256.Signer {
	for _, s := range k[use] {
		if _, ok := ids[s.Public().ID()]; ok {
			return s
		}
	}
	return nil
}

func trustKey(k p256.Key) ota.TrustKey { return ota.TrustKey{ID: k.ID(), Public: k.Val.Public} }

func newBox(secret [32]byte) (cipher.AEAD, error) {
	key, err := hkdf.Key(sha256.New, secret[:], nil, "waxwing sealed updates: online keys", 32)
	if err != nil {
		return nil, fmt.Errorf("derive a key: %w", err)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("make a cipher: %w", err)
	}
	box, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, fmt.Errorf("make a cipher: %w", err)
	}
	return box, nil
}

// makeKey draws a key and seals its private half.
func (s *Service) makeKey(app, use string) (Key, p256.Signer, error) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), s.Rand)
	if err != nil {
		return Key{}, nil, fmt.Errorf("make a key: %w", err)
	}
	signer := p256.Software(private)
	der, err := x509.MarshalECPrivateKey(private)
	if err != nil {
		return Key{}, nil, fmt.Errorf("write a key: %w", err)
	}
	id := signer.Public().ID()
	k := Key{Use: use, ID: id, Private: s.box.Seal(nil, nil, der, sealedFor(app, use, id)), CreatedAt: s.nowMS()}
	clear(der)
	return k, signer, nil
}

// sealedFor binds a sealed key to its place: a row that was moved does not open.
func sealedFor(app, use, id string) []byte { return []byte(app + "\x00" + use + "\x00" + id) }

func (s *Service) openKey(app string, k *Key) (p256.Signer, error) {
	damaged := func(err error) error {
		return ota.Errorf(ota.KindInternal, "secret_damaged", "the %s key of app %s in the database cannot be opened", k.Use, app).WithCause(err).
			WithHint("restore the database together with the secrets in it, from one backup")
	}
	der, err := s.box.Open(nil, nil, k.Private, sealedFor(app, k.Use, k.ID))
	if err != nil {
		return nil, damaged(err)
	}
	private, err := x509.ParseECPrivateKey(der)
	clear(der)
	if err != nil {
		return nil, damaged(err)
	}
	return p256.Software(private), nil
}

// readKeys opens the keys of an app.
func (s *Service) readKeys(ctx context.Context, r Reader, app string) (keyring, error) {
	rows, err := r.TrustKeys(ctx, app)
	if err != nil {
		return nil, err
	}
	out := keyring{}
	for i := range rows {
		signer, err := s.openKey(app, &rows[i])
		if err != nil {
			return nil, err
		}
		out[rows[i].Use] = append(out[rows[i].Use], signer)
	}
	return out, nil
}

// ensureKeys makes the keys that an app lacks. Whoever asks first makes them,
// so that the first root can list them.
func (s *Service) ensureKeys(ctx context.Context, app string) (keyring, error) {
	have, err := s.readKeys(ctx, s.Store, app)
	if err != nil || have.complete() {
		return have, err
	}
	err = s.Store.Update(ctx, actor, s.nowMS(), func(tx Tx) (ota.Change, error) {
		a, err := tx.App(ctx, app)
		if err != nil {
			return ota.Change{}, err
		}
		if have, err = s.readKeys(ctx, tx, app); err != nil {
			return ota.Change{}, err
		}
		made := map[string]any{}
		for _, use := range uses {
			if len(have[use]) > 0 {
				continue
			}
			k, signer, err := s.makeKey(app, use)
			if err != nil {
				return ota.Change{}, err
			}
			if err := tx.PutTrustKey(ctx, app, k); err != nil {
				return ota.Change{}, err
			}
			have[use], made[use] = []p256.Signer{signer}, k.ID
		}
		if len(made) == 0 {
			return ota.Change{}, nil
		}
		return ota.Change{Action: "trust.keys", App: app, Org: a.Org, Object: app, Detail: ota.JSON(made)}, nil
	})
	return have, err
}

func (k keyring) complete() bool {
	for _, use := range uses {
		if len(k[use]) == 0 {
			return false
		}
	}
	return true
}

// Authority returns what signs device certificates and grants of an app.
func (s *Service) Authority(ctx context.Context, app string) (p256.Signer, error) {
	keys, err := s.ensureKeys(ctx, app)
	if err != nil {
		return nil, err
	}
	if v := s.view(app); v != nil {
		if signer := keys.listed(UseAuthority, v.trustedKeys(UseAuthority)); signer != nil {
			return signer, nil
		}
	}
	return keys[UseAuthority][0], nil
}
