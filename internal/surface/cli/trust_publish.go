package cli

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/waxwing-ota/waxwing/internal/client"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/tuf"
	"github.com/waxwing-ota/waxwing/internal/trustdir"
)

// published is what trust publish prints.
type published struct {
	App       string               `json:"app"`
	Documents []ota.TrustPublished `json:"documents"`
}

func newTrustPublishCommand(g *Globals) *cobra.Command {
	t := trustFlags{g: g}
	c := &cobra.Command{
		Use:   "publish",
		Short: "Put the signed drafts in force",
		Long: `Upload the drafts of the working folder, the root first. The server verifies all
signatures itself and refuses what is below the threshold, of the wrong version or
expired; nothing changes then. Each signature gets a record in the audit log and a
leaf in the log of sealed updates. If the connection breaks, run it again.`,
		Example: "  waxwing trust publish",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			f, err := t.load()
			if err != nil {
				return err
			}
			roles, err := f.Ready(time.Now())
			if err != nil {
				return err
			}
			cl, err := g.Client()
			if err != nil {
				return err
			}
			out := published{App: f.App, Documents: []ota.TrustPublished{}}
			for _, role := range roles {
				p, err := publishRole(cmd.Context(), cl, f, role)
				if err != nil {
					return err
				}
				out.Documents = append(out.Documents, p)
			}
			return g.Print(out, func(w io.Writer) { printPublished(w, f, &out) })
		},
	}
	t.bind(c)
	return c
}

func publishRole(ctx context.Context, cl *client.Client, f *trustdir.Folder, role string) (ota.TrustPublished, error) {
	document, files := f.Upload(role)
	p, err := cl.PublishTrust(ctx, f.App, role, ota.TrustUpload{Document: document, Files: files})
	if ota.CodeOf(err) == ota.CodeTrustVersion {
		// The answer to an earlier try may have been lost.
		if d, getErr := cl.TrustMetadata(ctx, f.App, role, 0); getErr == nil && string(d.Document) == string(document) {
			p, err = ota.TrustPublished{Role: role, Version: d.Version, ExpiresAt: d.ExpiresAt, Sha256: d.Sha256, Signatures: []ota.TrustSignature{}}, nil
		}
	}
	if err != nil {
		return p, err
	}
	f.Published(role)
	return p, f.Save()
}

func printPublished(w io.Writer, f *trustdir.Folder, out *published) {
	for i := range out.Documents {
		d := &out.Documents[i]
		by := make([]string, len(d.Signatures))
		for i, s := range d.Signatures {
			by[i] = clean(f.Name(s.Key))
		}
		fmt.Fprintf(w, "%s %d is in force until %s", d.Role, d.Version, when(d.ExpiresAt))
		if len(by) > 0 {
			fmt.Fprintf(w, ", signed by %s", strings.Join(by, ", "))
		}
		fmt.Fprintln(w)
	}
}

func newTrustPullCommand(g *Globals) *cobra.Command {
	t := trustFlags{g: g}
	var app string
	var drop bool
	c := &cobra.Command{
		Use:   "pull",
		Short: "Bring the working folder to what is in force",
		Long: `Fetch what is in force from the server into the working folder, and verify it: each
root against the one before it, targets against the root. A folder that does not
exist yet is made (--app).`,
		Example: "  waxwing trust pull --app com.example.shop",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			f, err := trustdir.Load(t.dir)
			if ota.CodeOf(err) == trustdir.CodeFolder && app != "" && ota.KindOf(err) == ota.KindNotFound {
				f, err = trustdir.Create(t.dir, app)
			}
			if err != nil {
				return err
			}
			if app != "" && app != f.App {
				return ota.Conflict(trustdir.CodeExists, "%s is the folder of app %s", t.dir, f.App).WithHint("name another folder with --dir")
			}
			cl, err := g.Client()
			if err != nil {
				return err
			}
			if err := pullTrust(cmd.Context(), cl, f, drop); err != nil {
				return err
			}
			return t.saveDraft(f)
		},
	}
	t.bind(c)
	c.Flags().StringVar(&app, "app", "", "app id, for a new folder")
	c.Flags().BoolVar(&drop, "drop-drafts", false, "forget drafts that were overtaken by what is in force")
	return c
}

// pullTrust fetches what is newer than the folder.
func pullTrust(ctx context.Context, cl *client.Client, f *trustdir.Folder, drop bool) error {
	status, err := cl.Trust(ctx, f.App)
	if err != nil {
		return err
	}
	version := map[string]uint32{}
	for i := range status.Roles {
		version[status.Roles[i].Name] = status.Roles[i].Version
	}
	get := func(role string, v uint32) ([]byte, error) {
		d, err := cl.TrustMetadata(ctx, f.App, role, v)
		return d.Document, err
	}
	if int(version[ota.TrustRoleRoot]) < len(f.Roots) {
		return ota.Conflict(trustdir.CodeChain, "the server has root %d, this folder root %d", version[ota.TrustRoleRoot], len(f.Roots)).
			WithHint("the server went back: was it restored from an old backup? publish the missing roots again, or find out who did that")
	}
	before := f.Draft
	for v := len(f.Roots) + 1; v <= int(version[ota.TrustRoleRoot]); v++ {
		b, err := get(ota.TrustRoleRoot, uint32(v)) //nolint:gosec // at most the version, a uint32
		if err != nil {
			return err
		}
		f.Roots = append(f.Roots, b)
	}
	for _, r := range []struct {
		role string
		into *[]byte
	}{{ota.TrustRoleTargets, &f.Targets}, {ota.TrustRoleStaging, &f.Staging}, {ota.TrustRoleTrust, &f.Trust}} {
		if version[r.role] == 0 {
			continue
		}
		if *r.into, err = get(r.role, 0); err != nil {
			return err
		}
	}
	if err := f.Overtaken(drop); err != nil {
		f.Draft = before
		return err
	}
	return pullNewest(ctx, cl, f)
}

// pullNewest fetches the newest approved manifest, which the next one is compared
// with.
func pullNewest(ctx context.Context, cl *client.Client, f *trustdir.Folder) error {
	if f.Targets == nil {
		return nil
	}
	targets, err := tuf.ParseTargets(f.Targets)
	if err != nil {
		return err
	}
	var newest tuf.TargetFile
	for _, file := range targets.Targets {
		if file.Custom != nil && (newest.Custom == nil || file.Custom.Seq > newest.Custom.Seq) {
			newest = file
		}
	}
	if newest.Custom == nil || f.Manifests[newest.SHA256] != nil {
		return nil
	}
	b, err := cl.TrustTarget(ctx, f.App, newest.SHA256)
	if err != nil {
		return err
	}
	f.Manifests[newest.SHA256] = b // Check compares it with its name
	return nil
}
