package control

import (
	"context"
	"slices"

	"github.com/waxwing-ota/waxwing/internal/core/approve"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// contentOf describes all that devices could load of a bundle.
func contentOf(ctx context.Context, r Reader, b ota.Bundle) (*approve.Content, error) {
	variants := slices.Clone(b.Variants)
	for i := range variants {
		var err error
		if variants[i].Files, err = r.VariantFiles(ctx, b.ID, variants[i].KeyID); err != nil {
			return nil, err
		}
	}
	b.Variants = variants
	return approve.ContentOf(&b), nil
}

// sealedContent is contentOf for a bundle that is to go on a protected channel:
// what others serve can change behind the approval.
func sealedContent(ctx context.Context, r Reader, ch *ota.Channel, b ota.Bundle) (*approve.Content, error) {
	if external(&b) {
		return nil, ota.Conflict(CodeExternalRefused, "channel %q is protected, and version %s is loaded from an address outside of this server", ch.Name, b.Version).
			WithField("version").WithHint("what is there could change after the approval: upload the zip and import that, or push the build")
	}
	return contentOf(ctx, r, b)
}

// external reports whether devices load a bundle from somewhere else.
func external(b *ota.Bundle) bool {
	return slices.ContainsFunc(b.Variants, func(v ota.Variant) bool { return v.ExternalURL != "" })
}

// approvedOn reports whether a bundle, as it is now, was approved for a channel
// as a policy asks for.
func approvedOn(ctx context.Context, tx Tx, ch *ota.Channel, c *approve.Content, by *ota.Policy) (bool, error) {
	d, err := c.Digest()
	if err != nil {
		return false, err
	}
	return tx.ApprovedContent(ctx, ch.ID, d, by.RequiredApprovals, by.IndependentApprovers)
}

// live returns the bundles that a channel serves or can go back to.
func live(ctx context.Context, r Reader, ch *ota.Channel) ([]ota.Bundle, error) {
	history, err := r.History(ctx, ch.ID)
	if err != nil {
		return nil, err
	}
	var versions []string
	for _, p := range history {
		if p.BundleID != 0 && !p.Deleted && !slices.Contains(versions, p.Version) {
			versions = append(versions, p.Version)
		}
	}
	if ch.Rollout != nil && !slices.Contains(versions, ch.Rollout.Version) {
		versions = append(versions, ch.Rollout.Version)
	}
	out := make([]ota.Bundle, 0, len(versions))
	for _, v := range versions {
		b, err := r.Bundle(ctx, ch.App, v)
		if err != nil {
			return nil, err
		}
		out = append(out, b)
	}
	return out, nil
}

// allApproved reports whether all that a channel serves or can go back to was
// approved for it as a policy asks for.
func allApproved(ctx context.Context, tx Tx, ch *ota.Channel, by *ota.Policy) (bool, error) {
	if ch.ID == 0 {
		return true, nil // it is being made, and empty
	}
	bundles, err := live(ctx, tx, ch)
	if err != nil {
		return false, err
	}
	for _, b := range bundles {
		c, err := contentOf(ctx, tx, b)
		if err != nil {
			return false, err
		}
		if ok, err := approvedOn(ctx, tx, ch, c, by); err != nil || !ok {
			return false, err
		}
	}
	return true, nil
}

// onlyOwn refuses to protect a channel that has bundles others serve.
func onlyOwn(ctx context.Context, r Reader, ch *ota.Channel) error {
	bundles, err := live(ctx, r, ch)
	if err != nil {
		return err
	}
	for i := range bundles {
		if external(&bundles[i]) {
			return ota.Conflict(CodeExternalRefused, "channel %q has version %s, which is loaded from an address outside of this server", ch.Name, bundles[i].Version).
				WithField("required_approvals").WithHint("a protected channel serves only what cannot change: release another version and delete that one first")
		}
	}
	return nil
}
