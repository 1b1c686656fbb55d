package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/p256"
	"github.com/waxwing-ota/waxwing/internal/trustdir"
)

// signedDrafts is what trust sign and trust merge print.
type signedDrafts struct {
	drafted
	Key    trustKeyID `json:"key"`
	Signed []string   `json:"signed"` // roles whose draft the key signed just now
}

func newTrustSignCommand(g *Globals) *cobra.Command {
	t, keys := trustFlags{g: g}, keyFlags{}
	var uri, role string
	var yes bool
	c := &cobra.Command{
		Use:   "sign",
		Short: "Sign a draft, after reading what it changes",
		Long: `Sign the drafts of the working folder with your key. First it shows exactly what
they change, worked out here from the very bytes that are signed and from what is
in force; then it asks. Compare the words of the digest with the other holders by
voice: all must sign the same.

The first root of an app that is seen is remembered, outside of the folder: a
folder that begins with another one is refused from then on. No connection is
needed. Afterwards hand the folder on, or back; waxwing trust merge brings
signatures of several copies together.

The key is a ` + signerHelp + `.
A passphrase comes from --passphrase-file, $WAXWING_KEY_PASSPHRASE or the terminal, a
PIN from $WAXWING_PIN or the terminal.`,
		Example: "  waxwing trust sign --key alice.key\n  waxwing trust sign --key 'pkcs11:token=alice;object=root' --role root",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			f, err := t.load()
			if err != nil {
				return err
			}
			s, err := keys.open(cmd.Context(), uri)
			if err != nil {
				return err
			}
			out, err := signFolder(cmd.Context(), g, f, s, role, yes)
			if err != nil {
				return err
			}
			return g.Print(out, func(w io.Writer) { printSigned(w, g, &out) })
		},
	}
	t.bind(c)
	keys.bind(g, c)
	f := c.Flags()
	f.StringVar(&uri, "key", "", signerHelp+" (required)")
	require(c, "key")
	f.StringVar(&role, "role", "", "sign the draft of this role only: root or targets")
	f.BoolVar(&yes, "yes", false, "do not ask: you have read what the draft changes")
	return c
}

func signFolder(ctx context.Context, g *Globals, f *trustdir.Folder, s p256.Signer, role string, yes bool) (signedDrafts, error) {
	id := s.Public().ID()
	out := signedDrafts{drafted: drafted{App: f.App, Dir: f.Path}, Key: trustKeyIDOf(id, f.Names[id]), Signed: []string{}}
	if role != "" && role != ota.TrustRoleRoot && role != ota.TrustRoleTargets {
		return out, ota.Invalid("role_invalid", "%q is no role that people sign", clean(role)).WithField("role").
			WithHint("root or targets; the staging role is signed by CI: waxwing push --sealed")
	}
	wanted, err := f.Wanted(id, role)
	if err != nil {
		return out, err
	}
	remember, err := checkAnchor(g, f)
	if err != nil {
		return out, err
	}
	views, err := viewDrafts(f)
	if err != nil {
		return out, err
	}
	for _, want := range wanted {
		for i := range views {
			if views[i].Role == want {
				printDraft(g.Err, f, &views[i])
			}
		}
		if err := g.confirm(yes, fmt.Sprintf("sign this draft of %s as %s?", want, clean(f.Name(id)))); err != nil {
			return out, err
		}
		if err := f.Sign(ctx, want, s, time.Now()); err != nil {
			return out, err
		}
		out.Signed = append(out.Signed, want)
	}
	if err := f.Save(); err != nil {
		return out, err
	}
	if len(out.Signed) > 0 {
		remember()
	}
	out.Drafts, err = viewDrafts(f)
	return out, err
}

func printSigned(w io.Writer, g *Globals, out *signedDrafts) {
	if len(out.Signed) == 0 {
		fmt.Fprintln(w, "this key has signed already")
	}
	for _, role := range out.Signed {
		fmt.Fprintf(w, "signed the draft of %s\n", role)
	}
	for i := range out.Drafts {
		if d := &out.Drafts[i]; !d.Complete {
			g.Note("the draft of %s is not complete yet: hand the folder on", d.Role)
			return
		}
	}
	g.Note("all signatures are there: waxwing trust publish")
}

// checkAnchor compares the first root with the one that this person has signed
// under before. The first one is remembered by the function that it returns.
// Without it, a folder of somebody else could pretend a past in which the draft
// changes nothing.
func checkAnchor(g *Globals, f *trustdir.Folder) (remember func(), err error) {
	now := f.Anchor()
	home, err := os.UserConfigDir()
	if err != nil {
		g.Warn("there is no folder for settings: the first root is not remembered; compare its digest: %s", trustdir.Groups(now))
		return func() {}, nil
	}
	path := filepath.Join(home, "waxwing", "roots", f.App)
	before, err := readAnchor(path)
	switch {
	case err != nil:
		return nil, err
	case before == now:
		return func() {}, nil
	case before != "":
		return nil, ota.Conflict(trustdir.CodeAnchor, "the folder begins with another first root of app %s than the one you signed under before", f.App).
			WithHint("do not sign; if the app really began anew, compare the words with the others, then remove %s", path)
	}
	return func() {
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(now+"\n"), 0o600)); err != nil {
			g.Warn("the first root cannot be remembered in %s; compare its digest: %s", path, trustdir.Groups(now))
			return
		}
		g.Note("the first root of %s has the words: %s\nit is remembered in %s; compare the words with the other holders", clean(f.App), trustdir.Words(now), path)
	}, nil
}

func readAnchor(path string) (string, error) {
	if _, err := os.Stat(path); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return "", nil
		}
		return "", ota.Invalid("file_unreadable", "cannot read %s", path).WithCause(err).WithHint("it holds the first root that you signed under")
	}
	b, err := readBounded(path)
	return strings.TrimSpace(string(b)), err
}

func newTrustMergeCommand(g *Globals) *cobra.Command {
	t := trustFlags{g: g}
	c := &cobra.Command{
		Use:   "merge DIR…",
		Short: "Take over signatures of the same draft from other copies of the folder",
		Long: `Take over signatures from other copies of the working folder, in which others
signed the same draft. Copies with another draft are refused.`,
		Example: "  waxwing trust merge ../from-bob/trust ../from-carol/trust",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			f, err := t.load()
			if err != nil {
				return err
			}
			total := 0
			for _, dir := range args {
				other, err := trustdir.Load(dir)
				if err != nil {
					return err
				}
				n, err := f.Merge(other)
				if err != nil {
					return err
				}
				total += n
			}
			g.Note("%d new signatures", total)
			return t.saveDraft(f)
		},
	}
	t.bind(c)
	return c
}
