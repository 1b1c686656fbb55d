package cli

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/p256"
	"github.com/waxwing-ota/waxwing/internal/trustdir"
)

// trustStatus is what trust status prints.
type trustStatus struct {
	App      string             `json:"app"`
	Dir      string             `json:"dir,omitempty"` // the working folder, if there is one
	Roles    []trustdir.InForce `json:"roles"`         // by the folder
	Releases []trustdir.Release `json:"releases"`      // that may run in production
	Drafts   []draftView        `json:"drafts"`
	Server   *ota.TrustStatus   `json:"server"` // null = not asked
	Warnings []trustWarning     `json:"warnings"`
}

type trustWarning struct {
	Code string `json:"code"`
	Text string `json:"text"`
}

// Codes of warnings.
const (
	warnExpires = "expires"
	warnExpired = "expired"
	warnBehind  = "folder_behind"
	warnAhead   = "server_behind"
	warnDiffers = "documents_differ"
	warnOnline  = "online_keys"
	warnMissing = "signatures_missing"
	warnNothing = "no_root"
)

func newTrustStatusCommand(g *Globals) *cobra.Command {
	t := trustFlags{g: g}
	var app string
	var within int
	var offline, check bool
	c := &cobra.Command{
		Use:   "status",
		Short: "Show what is in force, who has signed, what is missing, what expires",
		Long: `Show what is in force for an app's devices, the drafts of the working folder with
who has signed them and who is missing, and what expires soon. The server is asked,
too, unless --offline: the two must agree. With --check it ends with exit code 4 if
there is anything to be done, for a scheduled job.`,
		Example: "  waxwing trust status\n  waxwing trust status --app com.example.shop --check --within 30",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			f, err := t.load()
			if err != nil && (app == "" || ota.KindOf(err) != ota.KindNotFound) {
				return err
			}
			if err != nil {
				f = &trustdir.Folder{App: app}
			}
			s, err := t.status(cmd.Context(), f, within, offline)
			if err != nil {
				return err
			}
			if err := g.Print(s, func(w io.Writer) { printTrustStatus(w, g, f, &s) }); err != nil {
				return err
			}
			if check && len(s.Warnings) > 0 {
				return reported{ota.Conflict("trust_attention", "%s", s.Warnings[0].Text).WithHint("see the warnings above")}
			}
			return nil
		},
	}
	t.bind(c)
	fl := c.Flags()
	fl.StringVar(&app, "app", "", "app id, without a working folder")
	fl.IntVar(&within, "within", 30, "warn this many days before something expires")
	fl.BoolVar(&offline, "offline", false, "do not ask the server")
	fl.BoolVar(&check, "check", false, "end with exit code 4 if there is a warning")
	return c
}

func (t *trustFlags) status(ctx context.Context, f *trustdir.Folder, within int, offline bool) (trustStatus, error) {
	s := trustStatus{App: f.App, Dir: f.Path, Warnings: []trustWarning{}}
	var err error
	if s.Roles, err = f.InForce(); err != nil {
		return s, err
	}
	s.Releases = f.Releases()
	if s.Drafts, err = viewDrafts(f); err != nil {
		return s, err
	}
	if !offline {
		cl, err := t.g.Client()
		if err != nil {
			return s, err
		}
		status, err := cl.Trust(ctx, f.App)
		if err != nil {
			return s, err
		}
		s.Server = &status
	}
	s.warn(f, time.Now(), within)
	return s, nil
}

func (s *trustStatus) say(code, format string, a ...any) {
	s.Warnings = append(s.Warnings, trustWarning{Code: code, Text: fmt.Sprintf(format, a...)})
}

// warn collects what somebody should do something about.
func (s *trustStatus) warn(f *trustdir.Folder, now time.Time, within int) {
	expiry := func(role string, version uint32, at time.Time) {
		left := at.Sub(now)
		switch {
		case left <= 0:
			s.say(warnExpired, "%s %d expired at %s: devices take no new release; waxwing trust renew --role %s", role, version, at.UTC().Format(time.RFC3339), role)
		case left < time.Duration(within)*24*time.Hour:
			s.say(warnExpires, "%s %d expires in %d days: waxwing trust renew --role %s", role, version, int(left.Hours()/24), role)
		}
	}
	for _, r := range s.Roles {
		if r.Version > 0 && (r.Name == ota.TrustRoleRoot || r.Name == ota.TrustRoleTargets) {
			expiry(r.Name, r.Version, r.ExpiresAt)
		}
	}
	for i := range s.Drafts {
		d := &s.Drafts[i]
		expiry("the draft of "+d.Role, d.Version, d.ExpiresAt)
		for _, n := range d.Needs {
			if !n.Met() {
				s.say(warnMissing, "the draft of %s needs %d more signatures by the %s: %s", d.Role, n.Threshold-len(n.Signed), n.Whose(), names(f, n.Open))
			}
		}
	}
	if s.Server != nil {
		s.warnServer(f, expiry)
	}
}

func (s *trustStatus) warnServer(f *trustdir.Folder, expiry func(string, uint32, time.Time)) {
	there := map[string]*ota.TrustRole{}
	for i := range s.Server.Roles {
		there[s.Server.Roles[i].Name] = &s.Server.Roles[i]
	}
	if len(there) == 0 && len(s.Drafts) == 0 {
		s.say(warnNothing, "app %s has no root: waxwing trust init", s.App)
	}
	for _, r := range s.Roles {
		o := there[r.Name]
		switch {
		case o == nil && r.Version > 0, o != nil && o.Version < r.Version:
			s.say(warnAhead, "the server does not have %s %d, which this folder has in force", r.Name, r.Version)
		case o != nil && o.Version > r.Version:
			s.say(warnBehind, "the server has %s %d, this folder %d: waxwing trust pull", r.Name, o.Version, r.Version)
		case o != nil && o.Sha256 != r.Sha256:
			s.say(warnDiffers, "the server has another %s %d than this folder: one of the two was tampered with", r.Name, r.Version)
		}
	}
	if f.Path == "" { // no folder: what the server says is all there is
		for _, name := range []string{ota.TrustRoleRoot, ota.TrustRoleTargets} {
			if o := there[name]; o != nil && o.Version > 0 {
				expiry(name, o.Version, time.UnixMilli(o.ExpiresAt))
			}
		}
	}
	s.warnOnline(f)
}

// warnOnline finds keys that the server signs with and the documents do not list.
func (s *trustStatus) warnOnline(f *trustdir.Folder) {
	listed, err := f.Online()
	if err != nil || listed == nil {
		return
	}
	for _, r := range []struct {
		what   string
		keys   []ota.TrustKey
		listed []p256.Key
		role   string
	}{
		{"timestamp", s.Server.Online.Timestamp, listed.Timestamp, ota.TrustRoleRoot},
		{"snapshot", s.Server.Online.Snapshot, listed.Snapshot, ota.TrustRoleRoot},
		{"director", s.Server.Online.Director, listed.Director, ota.TrustRoleTargets},
		{"authority", s.Server.Online.Authority, listed.Authority, ota.TrustRoleTargets},
	} {
		for _, k := range r.keys {
			if !slices.ContainsFunc(r.listed, func(have p256.Key) bool { return have.ID() == k.ID }) {
				s.say(warnOnline, "the server's %s key %s is not listed: waxwing trust renew --role %s --server-keys", r.what, trustdir.Short(k.ID), r.role)
			}
		}
	}
}

func printTrustStatus(w io.Writer, g *Globals, f *trustdir.Folder, s *trustStatus) {
	fmt.Fprintf(w, "app %s\n", clean(s.App))
	rows := [][]string{{"ROLE", "VERSION", "EXPIRES", "SIGN", "KEYS"}}
	for _, r := range s.Roles {
		if r.Version == 0 && r.Threshold == 0 {
			continue
		}
		expires := ""
		if !r.ExpiresAt.IsZero() {
			expires = r.ExpiresAt.UTC().Format(time.DateOnly)
		}
		sign := ""
		if r.Threshold > 0 {
			sign = fmt.Sprintf("%d of %d", r.Threshold, len(r.Keys))
		}
		rows = append(rows, row(r.Name, strconv.FormatUint(uint64(r.Version), 10), expires, sign, names(f, r.Keys)))
	}
	table(w, rows)
	for _, r := range s.Releases {
		fmt.Fprintf(w, "may run: number %d  %s  %s\n", r.Seq, clean(r.Version), trustdir.Short(r.Sha256))
	}
	for i := range s.Drafts {
		printDraft(w, f, &s.Drafts[i])
	}
	if s.Server == nil {
		g.Note("the server was not asked")
	}
	for _, warning := range s.Warnings {
		g.Warn("%s", clean(warning.Text))
	}
}
