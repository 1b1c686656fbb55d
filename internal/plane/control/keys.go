package control

import (
	"context"
	"slices"

	"github.com/waxwing-ota/waxwing/internal/core/approve"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/seal"
)

// keyCall is a request to add a key or change its state, as it is approved.
type keyCall struct {
	PublicPEM string       `json:"public_pem,omitempty"`
	ID        string       `json:"id,omitempty"`
	State     ota.KeyState `json:"state,omitempty"`
}

// RegisterKey adds the public half of a signing key (PEM) to an app, active.
// The same key again changes nothing. In an app with protected channels it waits
// for approval: who has the key decides what its devices open.
func (s *Service) RegisterKey(ctx context.Context, p ota.Principal, app, pem string) (ota.Key, error) {
	pub, err := seal.ParsePublicKey([]byte(pem))
	if err != nil {
		return ota.Key{}, err
	}
	var k ota.Key
	err = s.guarded(ctx, p, s.registerKeyAct(app, keyCall{PublicPEM: pub.PEM()}, pub.ID(), &k))
	return k, err
}

func (s *Service) registerKeyAct(app string, in keyCall, id string, out *ota.Key) *act {
	a := &act{kind: ota.ActKeyCreate, app: app, object: id, request: in}
	a.plan = func(ctx context.Context, tx Tx) (*plan, error) {
		keys, err := appKeys(ctx, tx, app)
		if err != nil {
			return nil, err
		}
		if have := findKey(keys, id); have != nil {
			if have.PublicPEM != in.PublicPEM {
				return nil, ota.Conflict(CodeKeyExists, "another key of the app has the id %s", id).
					WithHint("devices could not tell the two apart: make a new key pair")
			}
			*out = *have
			return nothing(), nil
		}
		pl := &plan{}
		pl.run = func(ctx context.Context, tx Tx, _ ota.Actor) (ota.Change, error) {
			*out = ota.Key{ID: id, PublicPEM: in.PublicPEM, State: ota.KeyActive, CreatedAt: s.nowMS()}
			return changed(change("key.create", app, id, nil), nil, *out), tx.InsertKey(ctx, app, *out)
		}
		pl.protects, err = protected(ctx, tx, app)
		return pl, err
	}
	return a
}

// Keys lists an app's keys, newest first.
func (s *Service) Keys(ctx context.Context, app string) ([]ota.Key, error) {
	return appKeys(ctx, s.store, app)
}

// SetKeyState makes a key active or retired; in an app with protected channels
// that waits for approval.
func (s *Service) SetKeyState(ctx context.Context, p ota.Principal, app, keyID string, st ota.KeyState) (ota.Key, error) {
	var k ota.Key
	if st != ota.KeyActive && st != ota.KeyRetired {
		return k, ota.Invalid(CodeKeyStateInvalid, "a key is %q or %q, not %q", ota.KeyActive, ota.KeyRetired, st).WithField("state")
	}
	err := s.guarded(ctx, p, s.keyStateAct(app, keyCall{ID: keyID, State: st}, &k))
	return k, err
}

func (s *Service) keyStateAct(app string, in keyCall, out *ota.Key) *act {
	a := &act{kind: ota.ActKeyState, app: app, object: in.ID, request: in}
	a.plan = func(ctx context.Context, tx Tx) (*plan, error) {
		keys, err := appKeys(ctx, tx, app)
		if err != nil {
			return nil, err
		}
		have := findKey(keys, in.ID)
		if have == nil {
			return nil, ota.NotFound(CodeKeyNotFound, "app %q has no key %q", app, in.ID)
		}
		was, k := *have, *have
		k.State = in.State
		if *out = k; k == was {
			return nothing(), nil
		}
		pl := &plan{change: &approve.Change{Before: was, After: k}}
		pl.run = func(ctx context.Context, tx Tx, _ ota.Actor) (ota.Change, error) {
			return changed(change("key.state", app, in.ID, fields{"state": in.State}), was, k), tx.SetKeyState(ctx, app, in.ID, in.State)
		}
		pl.protects, err = protected(ctx, tx, app)
		return pl, err
	}
	return a
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
