package control

import (
	"context"
	"slices"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/seal"
)

// RegisterKey adds the public half of a signing key (PEM) to an app, active.
// The same key again changes nothing.
func (s *Service) RegisterKey(ctx context.Context, actor ota.Actor, app, pem string) (ota.Key, error) {
	pub, err := seal.ParsePublicKey([]byte(pem))
	if err != nil {
		return ota.Key{}, err
	}
	k := ota.Key{ID: pub.ID(), PublicPEM: pub.PEM(), State: ota.KeyActive, CreatedAt: s.nowMS()}
	err = s.update(ctx, actor, app, func(tx Tx) (ota.Change, error) {
		keys, err := appKeys(ctx, tx, app)
		if err != nil {
			return ota.Change{}, err
		}
		if have := findKey(keys, k.ID); have != nil {
			if have.PublicPEM != k.PublicPEM {
				return ota.Change{}, ota.Conflict(CodeKeyExists, "another key of the app has the id %s", k.ID).
					WithHint("devices could not tell the two apart: make a new key pair")
			}
			k = *have
			return ota.Change{}, nil
		}
		return change("key.register", app, k.ID, nil), tx.InsertKey(ctx, app, k)
	})
	return k, err
}

// Keys lists an app's keys, newest first.
func (s *Service) Keys(ctx context.Context, app string) ([]ota.Key, error) {
	return appKeys(ctx, s.store, app)
}

// SetKeyState makes a key active or retired.
func (s *Service) SetKeyState(ctx context.Context, actor ota.Actor, app, keyID string, st ota.KeyState) (ota.Key, error) {
	var k ota.Key
	if st != ota.KeyActive && st != ota.KeyRetired {
		return k, ota.Invalid(CodeKeyStateInvalid, "a key is %q or %q, not %q", ota.KeyActive, ota.KeyRetired, st).WithField("state")
	}
	err := s.update(ctx, actor, app, func(tx Tx) (ota.Change, error) {
		keys, err := appKeys(ctx, tx, app)
		if err != nil {
			return ota.Change{}, err
		}
		have := findKey(keys, keyID)
		if have == nil {
			return ota.Change{}, ota.NotFound(CodeKeyNotFound, "app %q has no key %q", app, keyID)
		}
		k = *have
		if k.State == st {
			return ota.Change{}, nil
		}
		k.State = st
		return change("key.state", app, keyID, fields{"state": st}), tx.SetKeyState(ctx, app, keyID, st)
	})
	return k, err
}

// appKeys returns the keys of an app that must exist.
func appKeys(ctx context.Context, r Reader, app string) ([]ota.Key, error) {
	if _, err := r.App(ctx, app); err != nil {
		return nil, err
	}
	return r.Keys(ctx, app)
}

func findKey(keys []ota.Key, id string) *ota.Key {
	if i := slices.IndexFunc(keys, func(k ota.Key) bool { return k.ID == id }); i >= 0 {
		return &keys[i]
	}
	return nil
}

// checkKeys checks that the variants are those the app wants: one per active
// key, and a plain one only where that is allowed.
func checkKeys(a ota.App, keys []ota.Key, variants []ota.Variant) error {
	have := map[string]bool{}
	for _, v := range variants {
		if have[v.KeyID] {
			return ota.Invalid(CodeVariantInvalid, "there are two variants for %s", variantName(v.KeyID)).WithField("variants")
		}
		have[v.KeyID] = true
		if v.KeyID == "" {
			if len(keys) > 0 && !a.AllowPlain {
				return ota.Invalid(CodePlainRefused, "app %q has a key and takes only signed bundles", a.ID).WithField("variants").
					WithHint("push with --key FILE, or allow plain bundles on the app")
			}
			continue
		}
		k := findKey(keys, v.KeyID)
		if k == nil || k.State != ota.KeyActive {
			return ota.Invalid(CodeKeyUnknown, "key %s is not an active key of app %q", v.KeyID, a.ID).WithField("variants").
				WithHint("active keys: %s; register this one, or sign with one of those", listed(activeKeys(keys)))
		}
	}
	for _, id := range activeKeys(keys) {
		if !have[id] {
			return ota.Invalid(CodeKeyMissing, "there is no variant for key %s, which is active", id).WithField("variants").
				WithHint("devices with that key could not open the bundle: sign with it too, or retire it")
		}
	}
	if len(variants) == 0 {
		return ota.Invalid(CodeVariantInvalid, "a bundle needs at least one variant").WithField("variants")
	}
	return nil
}

func activeKeys(keys []ota.Key) []string {
	var ids []string
	for _, k := range keys {
		if k.State == ota.KeyActive {
			ids = append(ids, k.ID)
		}
	}
	return ids
}
