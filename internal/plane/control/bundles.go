package control

import (
	"context"
	"net/url"
	"slices"

	"github.com/waxwing-ota/waxwing/internal/core/approve"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// Bundles lists an app's bundles, deleted ones too, newest first, without files.
func (s *Service) Bundles(ctx context.Context, app string, p ota.Page) ([]ota.Bundle, string, error) {
	if _, err := s.store.App(ctx, app); err != nil {
		return nil, "", err
	}
	return s.store.Bundles(ctx, app, p)
}

// Bundle returns a bundle with its variants, without files.
func (s *Service) Bundle(ctx context.Context, app, version string) (ota.Bundle, error) {
	return findBundle(ctx, s.store, app, version)
}

// BundleTree lists the plain files of a bundle by path; an imported one has none.
func (s *Service) BundleTree(ctx context.Context, app, version string) ([]ota.TreeFile, error) {
	b, err := findBundle(ctx, s.store, app, version)
	if err != nil {
		return nil, err
	}
	return s.store.BundleTree(ctx, b.ID)
}

// VariantFiles returns a bundle's variant for a key ("" = plain) with its files.
func (s *Service) VariantFiles(ctx context.Context, app, version, keyID string) (ota.Variant, error) {
	b, err := findBundle(ctx, s.store, app, version)
	if err != nil {
		return ota.Variant{}, err
	}
	keys := []string{}
	for _, v := range b.Variants {
		if v.KeyID == keyID {
			v.Files, err = s.store.VariantFiles(ctx, b.ID, keyID)
			return v, err
		}
		keys = append(keys, variantName(v.KeyID))
	}
	return ota.Variant{}, ota.NotFound(CodeVariantNotFound, "version %s has no variant for %s", version, variantName(keyID)).
		WithHint("it has: %s", listed(keys))
}

func variantName(keyID string) string {
	if keyID == "" {
		return "plain"
	}
	return "key " + keyID
}

// bundleCall is a request to change a bundle, as it is approved.
type bundleCall struct {
	Version string `json:"version"`
	ota.BundlePatch
}

// UpdateBundle changes what is not content. The lowest native version of a
// bundle that a protected channel has served waits for approval: it decides who
// gets the bundle.
func (s *Service) UpdateBundle(ctx context.Context, p ota.Principal, app, version string, in ota.BundlePatch) (ota.Bundle, error) {
	var b ota.Bundle
	err := s.guarded(ctx, p, s.updateBundleAct(app, bundleCall{version, in}, &b))
	return b, err
}

func (s *Service) updateBundleAct(app string, in bundleCall, out *ota.Bundle) *act {
	a := &act{kind: ota.ActBundleUpdate, app: app, object: in.Version, request: in}
	a.plan = func(ctx context.Context, tx Tx) (*plan, error) {
		was, err := liveBundle(ctx, tx, app, in.Version)
		if err != nil {
			return nil, err
		}
		b := was
		set(&b.MinNative, in.MinNative)
		set(&b.Link, in.Link)
		set(&b.Comment, in.Comment)
		if err := checkAbout(&b); err != nil {
			return nil, err
		}
		*out = b
		type about struct {
			MinNative string `json:"min_native"`
			Link      string `json:"link"`
			Comment   string `json:"comment"`
		}
		before, after := about{was.MinNative, was.Link, was.Comment}, about{b.MinNative, b.Link, b.Comment}
		if before == after {
			return nothing(), nil
		}
		pl := &plan{change: &approve.Change{Before: before, After: after}}
		pl.run = func(ctx context.Context, tx Tx, _ ota.Actor) (ota.Change, error) {
			return changed(change("bundle.update", app, in.Version, in.BundlePatch), before, after), tx.UpdateBundle(ctx, b)
		}
		if before.MinNative != after.MinNative {
			pl.protects, err = serving(ctx, tx, &b)
		}
		return pl, err
	}
	return a
}

// serving returns the protected channels that serve a bundle or can go back to it.
func serving(ctx context.Context, r Reader, b *ota.Bundle) ([]ota.Channel, error) {
	guarded, err := protected(ctx, r, b.App)
	if err != nil {
		return nil, err
	}
	var out []ota.Channel
	for i := range guarded {
		bundles, err := live(ctx, r, &guarded[i])
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(bundles, func(o ota.Bundle) bool { return o.ID == b.ID }) {
			out = append(out, guarded[i])
		}
	}
	return out, nil
}

// DeleteBundle deletes a bundle: no device is offered it again, and its version
// name stays taken. While a channel serves it, that needs force; a rollout of it
// then ends. Deleting it again changes nothing.
func (s *Service) DeleteBundle(ctx context.Context, actor ota.Actor, app, version string, force bool) error {
	return s.update(ctx, actor, app, func(tx Tx) (ota.Change, error) {
		b, err := findBundle(ctx, tx, app, version)
		if err != nil || b.DeletedAt != 0 {
			return ota.Change{}, err
		}
		serving, err := s.letGo(ctx, tx, &b, force)
		if err != nil {
			return ota.Change{}, err
		}
		if len(serving) > 0 && !force {
			return ota.Change{}, ota.Conflict(CodeBundleInUse, "version %s is served by: %s", version, listed(serving)).
				WithHint("roll those channels back first; forced, their devices get nothing until the next release")
		}
		b.DeletedAt = s.nowMS()
		return change("bundle.delete", app, version, fields{"serving": serving}), tx.UpdateBundle(ctx, b)
	})
}

// letGo names the channels that serve the bundle or roll it out; with force
// it ends those rollouts.
func (s *Service) letGo(ctx context.Context, tx Tx, b *ota.Bundle, force bool) ([]string, error) {
	channels, err := tx.Channels(ctx, b.App)
	if err != nil {
		return nil, err
	}
	serving := []string{}
	for _, ch := range channels {
		released := ch.Release != nil && ch.Release.BundleID == b.ID
		if released && ch.Policy.Protected() {
			return nil, ota.Conflict(CodeBundleProtected, "version %s is what protected channel %q serves", b.Version, ch.Name).
				WithHint("roll the channel back first, which is free: without its bundle its devices would go to other channels")
		}
		rolling := ch.Rollout != nil && ch.Rollout.BundleID == b.ID
		if rolling || released {
			serving = append(serving, ch.Name)
		}
		if rolling && force {
			ch.Rollout = nil
			if err := tx.UpdateChannel(ctx, ch); err != nil {
				return nil, err
			}
		}
	}
	return serving, nil
}

// findBundle tells a missing app from a missing version.
func findBundle(ctx context.Context, r Reader, app, version string) (ota.Bundle, error) {
	b, err := r.Bundle(ctx, app, version)
	if ota.CodeOf(err) != CodeBundleNotFound {
		return b, err
	}
	if _, aerr := r.App(ctx, app); aerr != nil {
		return b, aerr
	}
	return b, ota.NotFound(CodeBundleNotFound, "app %q has no version %q", app, version).WithField("version").
		WithHint("push it first, or list the versions there are")
}

// liveBundle is findBundle for one that devices may be offered.
func liveBundle(ctx context.Context, r Reader, app, version string) (ota.Bundle, error) {
	b, err := findBundle(ctx, r, app, version)
	if err == nil && b.DeletedAt != 0 {
		err = ota.Conflict(CodeBundleDeleted, "version %s was deleted", version).WithField("version").
			WithHint("its name stays taken: push the content under another version")
	}
	return b, err
}

// checkAbout checks and cleans what a bundle says of itself.
func checkAbout(b *ota.Bundle) error {
	if err := checkNative(b.MinNative); err != nil {
		return err
	}
	var err error
	if b.Comment, err = cleanText("comment", b.Comment, 4000); err != nil {
		return err
	}
	if b.Link != "" {
		if err := checkURL("link", b.Link); err != nil {
			return err
		}
	}
	b.NativePackages, err = checkPackages("native_packages", b.NativePackages)
	return err
}

// checkURL accepts absolute http and https addresses.
func checkURL(field, s string) error {
	u, err := url.Parse(s)
	if err != nil || len(s) > 2048 || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return ota.Invalid(CodeURLInvalid, "%s must be an absolute http or https address of at most 2048 characters", field).WithField(field)
	}
	return nil
}
