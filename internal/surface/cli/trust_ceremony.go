package cli

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/tuf"
	"github.com/waxwing-ota/waxwing/internal/trustdir"
)

// ceremony is what trust ceremony prints.
type ceremony struct {
	App     string    `json:"app"`
	At      time.Time `json:"at"`
	Offline bool      `json:"offline"` // no network interface had an address
	Record  string    `json:"record"`  // file of the record, "" = it is in text
	Text    string    `json:"text"`    // the record, in Markdown
}

func newTrustCeremonyCommand(g *Globals) *cobra.Command {
	t := trustFlags{g: g}
	var out, place string
	var people []string
	var yes bool
	c := &cobra.Command{
		Use:   "ceremony",
		Short: "Go through the signing of a draft together, and write the record of it",
		Long: `Guide the people who are in the room through the signing of the drafts in the
working folder: is the machine offline, is the draft the same for all, who signs.
Then write a record in Markdown, to be printed and signed by hand: what was signed,
by which keys, with which digests. Keys are used by trust sign, before or while this
runs; no key is read here.`,
		Example: "  waxwing trust ceremony --person Alice --person Bob --place Lisbon --out ceremony.md",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			f, err := t.load()
			if err != nil {
				return err
			}
			if err := leadCeremony(cmd.Context(), g, f, yes); err != nil {
				return err
			}
			if f, err = t.load(); err != nil { // others signed meanwhile
				return err
			}
			views, err := viewDrafts(f)
			if err != nil {
				return err
			}
			r := ceremony{App: f.App, At: time.Now().UTC().Truncate(time.Second), Offline: len(addresses()) == 0, Record: out}
			r.Text = record(f, views, &r, place, people)
			if out != "" {
				if err := writeNew(out, []byte(r.Text), 0o644); err != nil {
					return err
				}
			}
			return g.Print(r, func(w io.Writer) {
				if out == "" {
					fmt.Fprint(w, r.Text)
					return
				}
				fmt.Fprintf(w, "the record is in %s: print it, have all sign it by hand, and keep it\n", out)
			})
		},
	}
	t.bind(c)
	f := c.Flags()
	f.StringVar(&out, "out", "", "file of the record (default standard output)")
	f.StringVar(&place, "place", "", "where it takes place, for the record")
	f.StringArrayVar(&people, "person", nil, "who is present, for the record; repeat it")
	f.BoolVar(&yes, "yes", false, "do not ask at each step")
	return c
}

// leadCeremony goes through the steps before the record.
func leadCeremony(ctx context.Context, g *Globals, f *trustdir.Folder, yes bool) error {
	if !yes && !IsTerminal(g.In) {
		return ota.Invalid("confirmation_missing", "a ceremony asks at each step, and there is no terminal").WithHint("say --yes to write the record only")
	}
	if online := addresses(); len(online) > 0 {
		g.Warn("this machine is not offline: it has %s. Root keys are best used on one that is; unplug it, or go on knowingly", strings.Join(online, ", "))
	} else {
		g.Note("this machine has no network address: good")
	}
	views, err := viewDrafts(f)
	if err != nil {
		return err
	}
	if len(views) == 0 {
		return ota.NotFound(trustdir.CodeDraft, "there is no draft to sign").WithHint("make one first: waxwing trust init, rotate, revoke, renew or approve")
	}
	for i := range views {
		printDraft(g.Err, f, &views[i])
	}
	if yes {
		return nil
	}
	in := bufio.NewReader(g.In)
	for _, step := range []string{
		"Has each person read what the draft changes, and do all agree to it?",
		"Read the words of the digest aloud. Do all copies of the folder show the same?",
		"For every key that is added: has its holder read out the words, from their own machine?",
		"Now each holder signs, here or on their own machine: waxwing trust sign --key KEY --dir " + f.Path + "\nHave all signed who sign today?",
	} {
		if err := ctx.Err(); err != nil {
			return err
		}
		answer, err := g.ask(in, "\n"+step+" [yes/no] ", "")
		if err != nil {
			return err
		}
		if strings.ToLower(answer) != "yes" {
			return ota.Conflict("not_confirmed", "the ceremony ends here, and nothing was written").WithHint("begin again when it can be answered with yes")
		}
	}
	return nil
}

// addresses lists the addresses of this machine that reach beyond it.
func addresses() []string {
	var found []string
	all, err := net.InterfaceAddrs()
	if err != nil {
		return []string{"an unknown state of its network"}
	}
	for _, a := range all {
		if n, ok := a.(*net.IPNet); ok && !n.IP.IsLoopback() && !n.IP.IsLinkLocalUnicast() {
			found = append(found, n.IP.String())
		}
	}
	return found
}

// record is the document that people sign by hand.
func record(f *trustdir.Folder, views []draftView, r *ceremony, place string, people []string) string {
	var b strings.Builder
	line := func(format string, a ...any) { fmt.Fprintf(&b, format+"\n", a...) }
	line("# Key ceremony for %s\n", markdown(f.App))
	line("* Time: %s", r.At.Format(time.RFC3339))
	if place != "" {
		line("* Place: %s", markdown(place))
	}
	line("* Machine offline: %s", yesNo(r.Offline))
	line("* First root of the app: `%s`", trustdir.Groups(f.Anchor()))
	line("  (%s)", trustdir.Words(f.Anchor()))
	for i := range views {
		v := &views[i]
		line("\n## Draft of %s, version %d\n", v.Role, v.Version)
		line("* Digest: `%s`", trustdir.Groups(v.Digest))
		line("* Words: **%s**", trustdir.Words(v.Digest))
		line("* Expires: %s", v.ExpiresAt.Format(time.RFC3339))
		line("\nChanges:\n")
		for _, c := range v.Changes {
			line("* %s %s: %s", c.Act, markdown(c.What), markdown(c.Text))
		}
		for _, n := range v.Needs {
			line("\nSignatures by the %s, %d of %d:\n", n.Whose(), len(n.Signed), n.Threshold)
			for _, id := range n.Signed {
				line("* [x] %s `%s`", markdown(f.Names[id]), trustdir.Groups(id))
			}
			for _, id := range n.Open {
				line("* [ ] %s `%s`", markdown(f.Names[id]), trustdir.Groups(id))
			}
		}
	}
	line("\n## Present\n")
	if len(people) == 0 {
		people = []string{"", "", ""}
	}
	line("| Name | Signature |\n|---|---|")
	for _, p := range people {
		line("| %s | |", markdown(p))
	}
	if len(f.Roots) > 0 {
		if root, err := tuf.ParseRoot(f.Roots[len(f.Roots)-1]); err == nil {
			line("\nIn force before: root %d, until %s.", root.Version, root.Expires.UTC().Format(time.RFC3339))
		}
	}
	return b.String()
}

// markdown keeps text of others from being anything but text.
func markdown(s string) string {
	return strings.NewReplacer("|", `\|`, "*", `\*`, "_", `\_`, "`", "'", "[", `\[`, "<", `\<`, "\n", " ").Replace(clean(s))
}
