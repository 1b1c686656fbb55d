package cli

import (
	"bytes"
	"context"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/waxwing-ota/waxwing/internal/client"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/sealed"
	"github.com/waxwing-ota/waxwing/internal/core/tuf"
	"github.com/waxwing-ota/waxwing/internal/trustdir"
)

func newTrustApproveCommand(g *Globals) *cobra.Command {
	t := trustFlags{g: g}
	var days int
	c := &cobra.Command{
		Use:   "approve VERSION|NUMBER…",
		Short: "Draft: let pushed bundles run in production",
		Long: `Draft targets that list bundles for production. A bundle is named by its version or
by the number of its manifest. A staged bundle gets a manifest of its own for
production, with the same files under the next free number; it is registered at
once, and given to no device before the release keys have signed.

Everything is worked out from the manifests themselves: what signers are shown and
what is signed are the same bytes.`,
		Example: "  waxwing trust approve 1.4.0\n  waxwing trust approve 41 42",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			f, err := t.load()
			if err != nil {
				return err
			}
			cl, err := g.Client()
			if err != nil {
				return err
			}
			expires, err := inDays(days)
			if err != nil {
				return err
			}
			if err := pullTrust(cmd.Context(), cl, f, false); err != nil {
				return err
			}
			var manifests [][]byte
			for _, what := range args {
				m, err := productionManifest(cmd.Context(), g, cl, f, what)
				if err != nil {
					return err
				}
				manifests = append(manifests, m)
			}
			if err := f.Approve(expires, manifests...); err != nil {
				return err
			}
			return t.saveDraft(f)
		},
	}
	t.bind(c)
	daysFlag(c, &days, "the new version of targets", trustdir.TargetsDays)
	return c
}

// productionManifest returns the manifest to list for what a person named.
func productionManifest(ctx context.Context, g *Globals, cl *client.Client, f *trustdir.Folder, what string) ([]byte, error) {
	row, err := findManifest(ctx, cl, f.App, what)
	if err != nil {
		return nil, err
	}
	body, m, err := fetchManifest(ctx, cl, f.App, row.SHA256)
	if err != nil {
		return nil, err
	}
	if m.Class == sealed.ClassProduction {
		return body, nil
	}
	if err := stagedBy(f, row); err != nil {
		g.Warn("%s", err)
	}
	return promote(ctx, cl, m)
}

// findManifest finds the manifest of a number, or the newest of a version: the
// one for production if there is one.
func findManifest(ctx context.Context, cl *client.Client, app, what string) (ota.SealedManifest, error) {
	seq, numberErr := strconv.ParseInt(what, 10, 64)
	version := what
	if numberErr == nil {
		version = ""
	}
	var found *ota.SealedManifest
	page := ota.Page{Limit: 500}
	for {
		items, next, err := cl.SealedManifests(ctx, app, version, page)
		if err != nil {
			return ota.SealedManifest{}, err
		}
		for i := range items {
			m := &items[i]
			better := found == nil || (m.Class == sealed.ClassProduction && found.Class != sealed.ClassProduction)
			if (numberErr == nil && m.Seq == seq) || (numberErr != nil && m.Version == what && better) {
				found = m
			}
		}
		if page.After = next; next == "" {
			break
		}
	}
	if found == nil {
		return ota.SealedManifest{}, ota.NotFound(ota.CodeSealedNone, "app %s has no sealed bundle %q", app, clean(what)).
			WithHint("push it: waxwing push DIR --sealed; waxwing trust manifests shows what there is")
	}
	return *found, nil
}

// fetchManifest gets a manifest and checks that it is what its name says.
func fetchManifest(ctx context.Context, cl *client.Client, app string, sum ota.Digest) ([]byte, *sealed.Manifest, error) {
	body, err := cl.TrustTarget(ctx, app, sum.String())
	if err != nil {
		return nil, nil, err
	}
	if ota.Sum(body) != sum {
		return nil, nil, ota.Invalid(trustdir.CodeDraft, "the server gave another file for the manifest %s", sum).
			WithHint("trust nothing of it before you know why")
	}
	m, err := sealed.Parse[sealed.Manifest](body)
	if err != nil {
		return nil, nil, err
	}
	if m.App != app {
		return nil, nil, ota.Invalid(trustdir.CodeDraft, "the manifest %s is of app %s", sum, m.App).WithHint("name a bundle of app %s", app)
	}
	return body, m, nil
}

// stagedBy says what is wrong with the staging signatures on a bundle. It stops
// nobody: the release keys decide, but they should know.
func stagedBy(f *trustdir.Folder, row ota.SealedManifest) error {
	path := sealed.TargetPath(sealed.ClassStaging, f.App, row.Seq)
	if f.Staging == nil || f.Targets == nil || tuf.CheckDelegated(f.Targets, tuf.RoleStaging, f.Staging) != nil {
		return ota.Invalid(trustdir.CodeDraft, "no staging key vouches for version %s: nobody has tested it as a sealed bundle", clean(row.Version))
	}
	staging, err := tuf.ParseTargets(f.Staging)
	if err != nil {
		return err
	}
	if staging.Targets[path].SHA256 != row.SHA256.String() {
		return ota.Invalid(trustdir.CodeDraft, "the staging key vouches for another version than %s", clean(row.Version))
	}
	return nil
}

// promote registers a manifest for production with the files of a staged one.
func promote(ctx context.Context, cl *client.Client, m *sealed.Manifest) ([]byte, error) {
	out := *m
	out.Class = sealed.ClassProduction
	for try := 0; ; try++ {
		place, err := cl.SealedPlace(ctx, m.App)
		if err != nil {
			return nil, err
		}
		out.Seq = place.NextSeq
		body, err := sealed.Encode(&out)
		if err != nil {
			return nil, err
		}
		sum := ota.Sum(body)
		if _, err := cl.PutBlob(ctx, m.App, sum, 0, bytes.NewReader(body)); err != nil {
			return nil, err
		}
		_, _, err = cl.AddSealedManifest(ctx, m.App, ota.NewSealedManifest{SHA256: sum})
		if ota.CodeOf(err) == ota.CodeSealedSeq && try < 3 {
			continue // somebody pushed meanwhile
		}
		return body, err
	}
}

func newTrustWithdrawCommand(g *Globals) *cobra.Command {
	t := trustFlags{g: g}
	var days int
	c := &cobra.Command{
		Use:   "withdraw NUMBER…",
		Short: "Draft: bundles that must no longer be given to anybody",
		Long: `Draft targets that no longer list bundles. Devices that run one keep it until they
are given another: raise the floor with waxwing trust set --floor to keep them from
going back to it.`,
		Example: "  waxwing trust withdraw 41",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			f, err := t.load()
			if err != nil {
				return err
			}
			expires, err := inDays(days)
			if err != nil {
				return err
			}
			seqs := make([]int64, len(args))
			for i, a := range args {
				if seqs[i], err = strconv.ParseInt(a, 10, 64); err != nil || seqs[i] < 1 {
					return usagef("%q is no number of a manifest", clean(a)).WithHint("waxwing trust status lists them")
				}
			}
			if err := f.Withdraw(expires, seqs...); err != nil {
				return err
			}
			return t.saveDraft(f)
		},
	}
	t.bind(c)
	daysFlag(c, &days, "the new version of targets", trustdir.TargetsDays)
	return c
}
