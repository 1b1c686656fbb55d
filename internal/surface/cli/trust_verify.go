package cli

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/waxwing-ota/waxwing/internal/client"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/sealed"
	"github.com/waxwing-ota/waxwing/internal/core/tuf"
	"github.com/waxwing-ota/waxwing/internal/secret"
	"github.com/waxwing-ota/waxwing/internal/trustdir"
)

// trustVerified is what trust verify prints.
type trustVerified struct {
	App       string       `json:"app"`
	Verified  bool         `json:"verified"`
	Pinned    bool         `json:"pinned"` // the first root was known before; otherwise the server chose it
	Start     uint32       `json:"start"`  // version of the root it began with
	Versions  tuf.Versions `json:"versions"`
	ExpiresAt time.Time    `json:"expires_at"` // of the first document to expire
	Manifests int          `json:"manifests"`  // that were fetched and checked
	Trust     int64        `json:"trust"`      // version of trust.json
}

func newTrustVerifyCommand(g *Globals) *cobra.Command {
	t := trustFlags{g: g}
	var app, root string
	c := &cobra.Command{
		Use:   "verify",
		Short: "Walk the whole chain as a device would, from the outside",
		Long: `Fetch everything that devices fetch, from the public routes and without a token, and
check it as they do: every root against the one before it, timestamp, snapshot,
targets, staging, trust.json, and each manifest against its hash. It begins with the
root of --root, the first root of the working folder, or, with a warning, whatever
the server says is the first.`,
		Example: "  waxwing trust verify\n  waxwing trust verify --app com.example.shop --root android/app/src/main/assets/root.json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var first []byte
			f, err := t.load()
			switch {
			case err == nil && (app == "" || app == f.App):
				if app = f.App; len(f.Roots) > 0 {
					first = f.Roots[0]
				}
			case app == "" || (err != nil && ota.KindOf(err) != ota.KindNotFound):
				return err
			}
			if root != "" {
				if first, err = readBounded(root); err != nil {
					return err
				}
			}
			cl, err := client.New(client.Config{URL: g.URL(), Token: secret.Text{}})
			if err != nil {
				return err
			}
			out, err := walkTrust(cmd.Context(), cl, app, first)
			if err != nil {
				return err
			}
			if !out.Pinned {
				g.Warn("the first root came from the server itself: this shows that all fits together, not whose it is")
			}
			return g.Print(out, func(w io.Writer) {
				fmt.Fprintf(w, "verified: root %d to %d, timestamp %d, snapshot %d, targets %d, trust.json %d, %d manifests\nit all holds until %s\n",
					out.Start, out.Versions.Root, out.Versions.Timestamp, out.Versions.Snapshot, out.Versions.Targets, out.Trust, out.Manifests,
					out.ExpiresAt.Format(time.RFC3339))
			})
		},
	}
	t.bind(c)
	c.Flags().StringVar(&app, "app", "", "app id, without a working folder")
	c.Flags().StringVar(&root, "root", "", "file of a root to begin with, such as the one inside the native app")
	return c
}

// walkTrust does what a device does that has first, nil to begin with the
// server's first root.
func walkTrust(ctx context.Context, cl *client.Client, app string, first []byte) (trustVerified, error) {
	out := trustVerified{App: app, Pinned: first != nil}
	get := func(file string, most int64) ([]byte, error) { return cl.SealedFile(ctx, app, "metadata/"+file, most) }
	if first == nil {
		var err error
		if first, err = get(tuf.FileName(tuf.RoleRoot, 1), tuf.MaxRoot); err != nil {
			return out, err
		}
	}
	c, err := tuf.Start(first)
	if err != nil {
		return out, verifyFailed("root", err)
	}
	out.Start = c.Versions().Root
	for {
		next := c.NextRoot()
		b, err := get(next.File, next.Max)
		if ota.KindOf(err) == ota.KindNotFound {
			break
		}
		if err != nil {
			return out, err
		}
		if err := c.UpdateRoot(b); err != nil {
			return out, verifyFailed(next.File, err)
		}
	}
	if err := walkMetadata(c, get, time.Now()); err != nil {
		return out, err
	}
	if err := walkTargets(ctx, cl, app, c, &out); err != nil {
		return out, err
	}
	out.Verified, out.Versions, out.ExpiresAt = true, c.Versions(), c.Expires().UTC()
	return out, nil
}

func walkMetadata(c *tuf.Client, get func(string, int64) ([]byte, error), now time.Time) error {
	for needs := c.Missing(); len(needs) > 0; needs = c.Missing() {
		n := needs[0]
		b, err := get(n.File, n.Max)
		if err != nil {
			return err
		}
		switch n.Role {
		case tuf.RoleTimestamp:
			err = c.UpdateTimestamp(b, now)
		case tuf.RoleSnapshot:
			err = c.UpdateSnapshot(b, now)
		default:
			err = c.UpdateTargets(n.Role, b, now)
		}
		if err != nil {
			return verifyFailed(n.File, err)
		}
	}
	return nil
}

// walkTargets fetches every file that is listed.
func walkTargets(ctx context.Context, cl *client.Client, app string, c *tuf.Client, out *trustVerified) error {
	state := c.State()
	for _, role := range slices.Sorted(maps.Keys(state.Roles)) {
		doc, err := tuf.ParseTargets(state.Roles[role])
		if err != nil {
			return verifyFailed(role, err)
		}
		for _, path := range slices.Sorted(maps.Keys(doc.Targets)) {
			file, by, err := c.Target(path)
			if err != nil || by != role {
				return verifyFailed(path, err)
			}
			if err := walkTarget(ctx, cl, app, path, file, out); err != nil {
				return err
			}
		}
	}
	if out.Trust == 0 {
		return verifyFailed(tuf.TrustPath, ota.Invalid(trustdir.CodeChain, "targets do not list it"))
	}
	return nil
}

func walkTarget(ctx context.Context, cl *client.Client, app, path string, file tuf.TargetFile, out *trustVerified) error {
	b, err := cl.SealedFile(ctx, app, "targets/"+tuf.TargetFileName(path, file.SHA256), file.Length)
	if err != nil {
		return err
	}
	if int64(len(b)) != file.Length || ota.Sum(b).String() != file.SHA256 {
		return verifyFailed(path, ota.Invalid(trustdir.CodeChain, "its bytes are not those that were signed"))
	}
	if path == tuf.TrustPath {
		t, err := sealed.Parse[sealed.Trust](b)
		if err != nil {
			return verifyFailed(path, err)
		}
		if t.App != app {
			return verifyFailed(path, ota.Invalid(trustdir.CodeChain, "it is of app %s", t.App))
		}
		out.Trust = t.Version
		return nil
	}
	m, err := sealed.Parse[sealed.Manifest](b)
	if err != nil {
		return verifyFailed(path, err)
	}
	if m.App != app || sealed.TargetPath(m.Class, m.App, m.Seq) != path {
		return verifyFailed(path, ota.Invalid(trustdir.CodeChain, "it is the manifest of %s", sealed.TargetPath(m.Class, m.App, m.Seq)))
	}
	out.Manifests++
	return nil
}

func verifyFailed(what string, err error) error {
	why := "it is listed by another role"
	if err != nil {
		why = err.Error()
	}
	return ota.Invalid("trust_unverified", "devices would refuse %s: %s", what, strings.TrimSpace(why)).WithCause(err).
		WithHint("compare with a kept working folder: waxwing trust status; the audit log says who published what: waxwing audit list --action trust.")
}
