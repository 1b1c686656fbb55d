package cli

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/p256"
	"github.com/waxwing-ota/waxwing/internal/core/sealed"
	"github.com/waxwing-ota/waxwing/internal/core/tuf"
	"github.com/waxwing-ota/waxwing/internal/trustdir"
)

func newTrustRotateCommand(g *Globals) *cobra.Command {
	t, keys := trustFlags{g: g}, keyFlags{}
	var role, old, next string
	var days int
	c := &cobra.Command{
		Use:   "rotate",
		Short: "Draft: put another key in the place of one",
		Long: `Draft the replacement of a key by another. A new root key takes effect with a root
that both the old and the new keys sign, so devices follow it without a new native
app. --old is an id, or its first digits; --new is KEY or NAME=KEY.

The server's own keys are not rotated here: waxwing trust renew takes over those
that the server has now.`,
		Example: "  waxwing trust rotate --role root --old 3f2a91c0 --new dave=dave.key.pub",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			f, err := t.load()
			if err != nil {
				return err
			}
			n, err := readNamedKey(cmd.Context(), &keys, next)
			if err != nil {
				return err
			}
			if n.name != "" {
				f.Names[n.key.ID()] = n.name
			}
			if err := rotate(f, role, old, n.key, days); err != nil {
				return err
			}
			return t.saveDraft(f)
		},
	}
	t.bind(c)
	keys.bind(g, c)
	fl := c.Flags()
	fl.StringVar(&role, "role", "", "root, targets (release keys) or staging (required)")
	fl.StringVar(&old, "old", "", "id of the key that goes, at least its first 8 digits (required)")
	fl.StringVar(&next, "new", "", "key that comes, KEY or NAME=KEY (required)")
	fl.IntVar(&days, "days", 0, "days until the new document expires (default 365 for root, 90 for targets)")
	for _, name := range []string{"role", "old", "new"} {
		require(c, name)
	}
	return c
}

func rotate(f *trustdir.Folder, role, old string, next p256.Key, days int) error {
	swap := func(k *tuf.Keys) (err error) {
		*k, err = trustdir.Swap(*k, role, old, next)
		return err
	}
	switch role {
	case ota.TrustRoleRoot:
		return draftRoot(f, days, func(p *tuf.RootPlan) error { return swap(&p.Root) })
	case ota.TrustRoleTargets:
		if err := draftRoot(f, days, func(p *tuf.RootPlan) error { return swap(&p.Targets) }); err != nil {
			return err
		}
		return resignTargets(f, 0)
	case ota.TrustRoleStaging:
		return draftTargets(f, days, func(p *tuf.TargetsPlan) error {
			d := stagingOf(p)
			if d == nil {
				return ota.NotFound(trustdir.CodeKey, "nothing is delegated to the role staging").WithHint("name keys with: waxwing trust set --staging KEY")
			}
			return swap(&d.Keys)
		}, nil)
	}
	return ota.Invalid("role_invalid", "%q is no role whose keys people hold", clean(role)).WithField("role").
		WithHint("root, targets or staging; for the server's own keys: waxwing trust renew")
}

func stagingOf(p *tuf.TargetsPlan) *tuf.Delegation {
	for i := range p.Delegations {
		if p.Delegations[i].Name == tuf.RoleStaging {
			return &p.Delegations[i]
		}
	}
	return nil
}

// resignTargets drafts targets anew where the release keys changed: what is in
// force may lack signatures that still count.
func resignTargets(f *trustdir.Folder, days int) error { return draftTargets(f, days, nil, nil) }

func draftRoot(f *trustdir.Folder, days int, change func(*tuf.RootPlan) error) error {
	if days == 0 {
		days = trustdir.RootDays
	}
	expires, err := inDays(days)
	if err != nil {
		return err
	}
	return f.DraftRoot(expires, change)
}

func draftTargets(f *trustdir.Folder, days int, change func(*tuf.TargetsPlan) error, trust func(*sealed.Trust) error) error {
	if days == 0 {
		days = trustdir.TargetsDays
	}
	expires, err := inDays(days)
	if err != nil {
		return err
	}
	return f.DraftTargets(expires, change, trust)
}

func newTrustRevokeCommand(g *Globals) *cobra.Command {
	t := trustFlags{g: g}
	var id string
	c := &cobra.Command{
		Use:   "revoke",
		Short: "Draft: take a lost or stolen key out of every role",
		Long: `Draft the removal of a key from every role that it is in. A role must keep as many
keys as must sign; where it would not, put another in its place with waxwing trust
rotate. After a release key was stolen, also look through what it helped to
approve, and take out what nobody recognises: waxwing trust withdraw.`,
		Example: "  waxwing trust revoke --key 3f2a91c0",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			f, err := t.load()
			if err != nil {
				return err
			}
			if err := revoke(f, id); err != nil {
				return err
			}
			return t.saveDraft(f)
		},
	}
	t.bind(c)
	c.Flags().StringVar(&id, "key", "", "id of the key, at least its first 8 digits (required)")
	require(c, "key")
	return c
}

// revoke removes a key everywhere; it fails before anything changes if one role
// would not have enough left.
func revoke(f *trustdir.Folder, id string) error {
	found, release := false, false
	take := func(k *tuf.Keys, role string) error {
		whole, err := trustdir.Find(*k, role, id)
		if ota.KindOf(err) == ota.KindNotFound {
			return nil
		}
		if err != nil {
			return err
		}
		found = true
		*k, err = trustdir.Take(*k, role, whole)
		return err
	}
	in := func(k tuf.Keys, role string) bool { _, err := trustdir.Find(k, role, id); return err == nil }
	before := f.Draft
	undo := func(err error) error { f.Draft = before; return err }

	inRoot := false
	err := draftRoot(f, 0, func(p *tuf.RootPlan) error {
		release = in(p.Targets, ota.TrustRoleTargets)
		inRoot = release || in(p.Root, ota.TrustRoleRoot)
		if err := take(&p.Root, ota.TrustRoleRoot); err != nil {
			return err
		}
		return take(&p.Targets, ota.TrustRoleTargets)
	})
	if err != nil {
		return undo(err)
	}
	if !inRoot {
		f.Draft.Root = before.Root
	}
	changed := release
	err = draftTargets(f, 0, func(p *tuf.TargetsPlan) error {
		d := stagingOf(p)
		if d == nil || !in(d.Keys, ota.TrustRoleStaging) {
			return nil
		}
		changed = true
		if len(d.Keys.Keys) == 1 { // nobody needs to be left there
			p.Delegations = slices.DeleteFunc(p.Delegations, func(d tuf.Delegation) bool { return d.Name == tuf.RoleStaging })
			found = true
			return nil
		}
		return take(&d.Keys, ota.TrustRoleStaging)
	}, nil)
	if err != nil {
		return undo(err)
	}
	if !changed {
		f.Draft.Targets = before.Targets
	}
	if !found {
		return undo(ota.NotFound(trustdir.CodeKey, "no role has a key with the id %s", clean(id)).
			WithHint("waxwing trust status lists the keys that people hold; the server's own are replaced on the server"))
	}
	return nil
}

func newTrustRenewCommand(g *Globals) *cobra.Command {
	t := trustFlags{g: g}
	var role string
	var days int
	var server bool
	c := &cobra.Command{
		Use:   "renew",
		Short: "Draft: the same again with a later expiry, or with the server's keys of now",
		Long: `Draft a new version of the root or of targets that says the same and expires
later. What is expired stops new releases, not the apps in use.

With --server-keys it also takes over the keys that the server signs with now
(timestamp and snapshot into the root, director, authority and log into trust.json).`,
		Example: "  waxwing trust renew --role targets\n  waxwing trust renew --role root --server-keys",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			f, err := t.load()
			if err != nil {
				return err
			}
			if role != ota.TrustRoleRoot && role != ota.TrustRoleTargets {
				return ota.Invalid("role_invalid", "%q is no role that people sign", clean(role)).WithField("role").WithHint("root or targets")
			}
			if err := t.renew(cmd.Context(), f, role, days, server); err != nil {
				return err
			}
			return t.saveDraft(f)
		},
	}
	t.bind(c)
	fl := c.Flags()
	fl.StringVar(&role, "role", "", "root or targets (required)")
	require(c, "role")
	fl.IntVar(&days, "days", 0, "days until it expires (default 365 for root, 90 for targets)")
	fl.BoolVar(&server, "server-keys", false, "take over the keys that the server signs with now")
	return c
}

func (t *trustFlags) renew(ctx context.Context, f *trustdir.Folder, role string, days int, server bool) error {
	var online trustdir.Online
	if server {
		cl, err := t.g.Client()
		if err != nil {
			return err
		}
		status, err := cl.Trust(ctx, f.App)
		if err != nil {
			return err
		}
		if online, err = onlineKeys(&status.Online); err != nil {
			return err
		}
	}
	if role == ota.TrustRoleRoot {
		return draftRoot(f, days, func(p *tuf.RootPlan) error {
			if server {
				p.Snapshot.Keys, p.Timestamp.Keys = online.Snapshot, online.Timestamp
			}
			return nil
		})
	}
	if !server {
		return draftTargets(f, days, nil, nil)
	}
	return draftTargets(f, days, nil, func(tr *sealed.Trust) error {
		tr.Director, tr.Authority, tr.Log = online.Director, online.Authority, online.Log
		if tr.Authority == nil {
			tr.Authority = []p256.Key{}
		}
		return nil
	})
}

func newTrustDropCommand(g *Globals) *cobra.Command {
	t := trustFlags{g: g}
	var yes bool
	c := &cobra.Command{
		Use:   "drop",
		Short: "Forget the drafts, with their signatures",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			f, err := t.load()
			if err != nil && ota.CodeOf(err) != trustdir.CodeDraft {
				return err
			}
			if f == nil {
				return err
			}
			if err := g.confirm(yes, "forget the drafts of "+strings.TrimSpace(clean(f.App))+"?"); err != nil {
				return err
			}
			f.Drop()
			if err := f.Save(); err != nil {
				return err
			}
			return g.Print(drafted{App: f.App, Dir: f.Path, Drafts: []draftView{}}, func(w io.Writer) { fmt.Fprintln(w, "the drafts are gone") })
		},
	}
	t.bind(c)
	c.Flags().BoolVar(&yes, "yes", false, "do not ask")
	return c
}
