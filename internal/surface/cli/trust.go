package cli

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/p256"
	"github.com/waxwing-ota/waxwing/internal/core/tuf"
	"github.com/waxwing-ota/waxwing/internal/secret"
	"github.com/waxwing-ota/waxwing/internal/signer"
	"github.com/waxwing-ota/waxwing/internal/trustdir"
)

// envPIN names the variable with the PIN of a token. Programs of the same user can
// read it, so on a terminal the PIN is better asked for.
const envPIN = "WAXWING_PIN"

// signerHelp is what flags that take a signer say about it.
const signerHelp = "key file, pkcs11:token=T;object=K, piv:9c, awskms:ARN or gcpkms:RESOURCE"

func newTrustCommand(g *Globals) *cobra.Command {
	c := newGroup("trust", "Hold the keys of sealed updates: sign, approve, rotate, revoke",
		newTrustKeyCommand(g), newTrustInitCommand(g), newTrustPullCommand(g), newTrustStatusCommand(g), newTrustSignCommand(g),
		newTrustMergeCommand(g), newTrustManifestsCommand(g), newTrustApproveCommand(g), newTrustWithdrawCommand(g), newTrustRotateCommand(g), newTrustRevokeCommand(g),
		newTrustRenewCommand(g), newTrustSetCommand(g), newTrustDropCommand(g), newTrustPublishCommand(g), newTrustVerifyCommand(g),
		newTrustCeremonyCommand(g))
	c.Long = `Hold the keys that decide what devices with sealed updates may run. Those keys
are with people, not with the server: a change is drafted in a working folder
(--dir), each holder signs it on a machine of their own, and it is published once
enough have. The folder holds no secrets; hand it on as you like.

  waxwing trust init      the first keys of an app
  waxwing trust approve   let a staged bundle run in production
  waxwing trust sign      sign a draft, after reading what it changes
  waxwing trust publish   put a signed draft in force

The guide is docs/sealed/guide.md.`
	return c
}

// trustFlags is what the commands about a working folder share.
type trustFlags struct {
	g   *Globals
	dir string
}

func (t *trustFlags) bind(c *cobra.Command) {
	c.Flags().StringVar(&t.dir, "dir", "trust", "working folder")
}

func (t *trustFlags) load() (*trustdir.Folder, error) { return trustdir.Load(t.dir) }

// daysFlag binds how long a new document is valid.
func daysFlag(c *cobra.Command, days *int, what string, standard int) {
	c.Flags().IntVar(days, "days", standard, "days until "+what+" expires")
}

// maxDays bounds a lifetime: what is valid for longer is never renewed by
// anybody who still remembers how.
const maxDays = 3660

func inDays(days int) (time.Time, error) {
	if days < 1 || days > maxDays {
		return time.Time{}, ota.Invalid("expiry_invalid", "%d days is no lifetime", days).WithField("days").
			WithHint("1 to %d; root usually %d, targets %d", maxDays, trustdir.RootDays, trustdir.TargetsDays)
	}
	return time.Now().UTC().Truncate(time.Second).AddDate(0, 0, days), nil
}

// keyFlags opens signers: passphrases and PINs come from files, the environment
// or the terminal.
type keyFlags struct {
	pass passphrase
}

func (k *keyFlags) bind(g *Globals, c *cobra.Command) {
	k.pass.g = g
	k.pass.bind(c.Flags())
}

func (k *keyFlags) prompts() signer.Prompts {
	g := k.pass.g
	return signer.Prompts{
		Env:        g.Env,
		Passphrase: k.pass.unlock,
		PIN: func(what string) (secret.Text, error) {
			if v := g.Env(envPIN); v != "" || !k.pass.interactive() {
				return secret.New(v), nil
			}
			return k.pass.prompt("PIN of " + clean(what) + ": ")
		},
	}
}

func (k *keyFlags) open(ctx context.Context, uri string) (p256.Signer, error) {
	return signer.Open(ctx, uri, k.prompts())
}

// confirm asks a person. Without a terminal --yes must say it.
func (g *Globals) confirm(yes bool, question string) error {
	if yes {
		return nil
	}
	if !IsTerminal(g.In) {
		return ota.Invalid("confirmation_missing", "this needs a yes, and there is no terminal to ask for it").
			WithHint("read what it changes, then say --yes")
	}
	answer, err := g.ask(bufio.NewReader(g.In), question+" [yes/no] ", "")
	if err != nil {
		return err
	}
	if strings.ToLower(answer) != "yes" {
		return ota.Conflict("not_confirmed", "nothing was done").WithHint("answer yes to go on")
	}
	return nil
}

// ask reads one line, the standard answer if it is empty.
func (g *Globals) ask(in *bufio.Reader, question, standard string) (string, error) {
	fmt.Fprint(g.Err, question)
	line, err := in.ReadString('\n')
	if err != nil && line == "" {
		return "", ota.Invalid("answer_missing", "there was no answer").WithHint("run the command again")
	}
	if line = strings.TrimSpace(line); line == "" {
		line = standard
	}
	return line, nil
}

// trustKeyID is a key as commands print it.
type trustKeyID struct {
	ID    string `json:"id"`
	Name  string `json:"name,omitempty"`
	Words string `json:"words"`
}

func trustKeyIDOf(id, name string) trustKeyID {
	return trustKeyID{ID: id, Name: name, Words: trustdir.Words(id)}
}

// draftView is a draft as commands print it.
type draftView struct {
	Role      string            `json:"role"`
	Version   uint32            `json:"version"`
	ExpiresAt time.Time         `json:"expires_at"`
	Digest    string            `json:"digest"` // of what is signed
	Changes   []trustdir.Change `json:"changes"`
	Needs     []trustdir.Need   `json:"needs"`
	Complete  bool              `json:"complete"` // enough have signed
}

// viewDrafts describes the drafts of a folder, the one of the root first.
func viewDrafts(f *trustdir.Folder) ([]draftView, error) {
	needs, err := f.Needs()
	if err != nil {
		return nil, err
	}
	views := []draftView{}
	for _, d := range []struct {
		role  string
		bytes []byte
	}{{tuf.RoleRoot, f.Draft.Root}, {tuf.RoleTargets, f.Draft.Targets}} {
		if d.bytes == nil {
			continue
		}
		info, err := tuf.Inspect(d.bytes)
		if err != nil {
			return nil, err
		}
		v := draftView{Role: d.role, Version: info.Version, ExpiresAt: info.Expires.UTC(), Digest: info.Digest, Complete: true, Needs: []trustdir.Need{}}
		if v.Changes, err = f.Changes(d.role); err != nil {
			return nil, err
		}
		for _, n := range needs {
			if n.Role == d.role {
				v.Needs = append(v.Needs, n)
				v.Complete = v.Complete && n.Met()
			}
		}
		views = append(views, v)
	}
	return views, nil
}

// printDraft writes what a draft changes.
func printDraft(w io.Writer, f *trustdir.Folder, v *draftView) {
	fmt.Fprintf(w, "draft of %s for %s, version %d\n", v.Role, clean(f.App), v.Version)
	fmt.Fprintf(w, "  digest  %s\n  words   %s\n", trustdir.Groups(v.Digest), trustdir.Words(v.Digest))
	marks := map[string]string{trustdir.ActAdd: "+", trustdir.ActRemove: "-", trustdir.ActSet: "~", trustdir.ActKeep: " "}
	for _, c := range v.Changes {
		fmt.Fprintf(w, "  %s %s: %s\n", marks[c.Act], clean(c.What), clean(c.Text))
	}
	for _, n := range v.Needs {
		fmt.Fprintf(w, "  signatures by the %s: %d of %d", n.Whose(), len(n.Signed), n.Threshold)
		if len(n.Signed) > 0 {
			fmt.Fprintf(w, " (%s)", clean(names(f, n.Signed)))
		}
		if !n.Met() {
			fmt.Fprintf(w, "; %d more of: %s", n.Threshold-len(n.Signed), clean(names(f, n.Open)))
		}
		fmt.Fprintln(w)
	}
}

func names(f *trustdir.Folder, ids []string) string {
	out := make([]string, len(ids))
	for i, id := range ids {
		out[i] = f.Name(id)
	}
	return strings.Join(out, ", ")
}

// drafted is what commands that change a draft print.
type drafted struct {
	App    string      `json:"app"`
	Dir    string      `json:"dir"`
	Drafts []draftView `json:"drafts"`
}

// saveDraft writes the folder and shows what its drafts are now.
func (t *trustFlags) saveDraft(f *trustdir.Folder) error {
	if err := f.Check(); err != nil {
		return err
	}
	if err := f.Save(); err != nil {
		return err
	}
	views, err := viewDrafts(f)
	if err != nil {
		return err
	}
	return t.g.Print(drafted{App: f.App, Dir: f.Path, Drafts: views}, func(w io.Writer) {
		for i := range views {
			printDraft(w, f, &views[i])
		}
		t.g.Note("have it signed: waxwing trust sign --key KEY; then put it in force: waxwing trust publish")
	})
}
