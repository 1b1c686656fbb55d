package cli

import (
	"context"
	"encoding/json"
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
	"github.com/waxwing-ota/waxwing/internal/monitor"
)

type monitorOptions struct {
	log, state, expect, manifests, webhook string
	keys, witnesses, compare               []string
	quorum                                 int
	once                                   bool
	every, stall                           time.Duration
}

func newMonitorCommand(g *Globals) *cobra.Command {
	var o monitorOptions
	c := &cobra.Command{
		Use:   "monitor",
		Short: "Watch a log of sealed updates from outside",
		Long: `Watch the log of sealed updates of a server from another place: read every entry,
verify that the log's keys signed it and that it continues what --state kept, and
tell of each new manifest, version of metadata, rule and approval. It needs no
token.

It alerts, and ends with exit code 4, when the log forks, shrinks or serves others
than it signed; it alerts when nothing was added for --stall, and when an entry is
not in --expect (--once then ends with exit code 4). With --json each event is one
line of JSON. A checkpoint that somebody else saw, on another network, is held
against the log with --compare: a file, or the address of another log or witness.`,
		Example: `  waxwing log keys                                # once, on a way you trust
  waxwing monitor --log https://ota.example.com/sealed/log/ --key "$ED25519" --key "$P256" \
      --state log.state --expect released.txt --stall 48h --webhook https://chat.example.com/hook`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if o.every < time.Second {
				return usagef("--every must be 1s or more")
			}
			return g.monitor(cmd.Context(), o)
		},
	}
	f := c.Flags()
	f.StringVar(&o.log, "log", "", "address of the log, such as https://ota.example.com/sealed/log/")
	f.StringArrayVar(&o.keys, "key", nil, "verifier key of the log; all that are named must have signed (default: those of --state)")
	f.StringArrayVar(&o.witnesses, "witness", nil, "verifier key of a witness")
	f.IntVar(&o.quorum, "quorum", 0, "how many of the witnesses must have cosigned")
	f.StringVar(&o.state, "state", "", "file that remembers the log as it was verified last")
	f.StringVar(&o.expect, "expect", "", "file that lists which manifests may be in the log; see docs/sealed/operations-log.md")
	f.StringVar(&o.manifests, "manifests", "", "folder of manifests, so that --expect can name versions")
	f.StringArrayVar(&o.compare, "compare", nil, "file or address of a checkpoint that somebody else saw")
	f.StringVar(&o.webhook, "webhook", "", "address that each alert is posted to as JSON")
	f.DurationVar(&o.stall, "stall", 0, "alert when nothing was added for so long (0 = never)")
	f.DurationVar(&o.every, "every", 30*time.Second, "how often to look")
	f.BoolVar(&o.once, "once", false, "look once and end")
	_ = c.MarkFlagRequired("log")
	return c
}

func (g *Globals) monitor(ctx context.Context, o monitorOptions) error {
	m, err := g.newMonitor(ctx, o)
	if err != nil {
		return err
	}
	ended := func(err error) error {
		if m.Alerts() > 0 {
			return reported{err} // the events said it
		}
		return err
	}
	for {
		err := m.Step(ctx)
		if err == nil {
			err = g.saveMonitor(o.state, m.State())
		}
		for _, where := range o.compare {
			if err == nil {
				err = g.compare(ctx, m, where, o.state)
			}
		}
		switch {
		case ctx.Err() != nil:
			return nil
		case ota.CodeOf(err) == "log_unreachable" && err != nil && !o.once:
			g.Warn("%s; trying again", err)
		case err != nil:
			return ended(err)
		case o.once && m.Alerts() > 0:
			return ended(ota.Conflict("log_alerts", "the log gave %d reasons to look closer", m.Alerts()))
		case o.once:
			return nil
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(o.every):
		}
	}
}

// newMonitor reads what the options name.
func (g *Globals) newMonitor(ctx context.Context, o monitorOptions) (*monitor.Monitor, error) {
	src, err := monitor.NewSource(o.log)
	if err != nil {
		return nil, err
	}
	var state monitor.State
	if b, err := os.ReadFile(o.state); err == nil {
		if state, err = monitor.ParseState(b); err != nil {
			return nil, err
		}
	} else if o.state != "" && !errors.Is(err, fs.ErrNotExist) {
		return nil, ota.Invalid("file_unreadable", "cannot read %s", o.state).WithCause(err)
	}
	expect, err := readExpect(o.expect, o.manifests)
	if err != nil {
		return nil, err
	}
	var hook *monitor.Webhook
	if o.webhook != "" {
		if hook, err = monitor.NewWebhook(o.webhook); err != nil {
			return nil, err
		}
	}
	return monitor.New(monitor.Options{
		Source: src, Keys: o.keys, Witnesses: o.witnesses, Quorum: o.quorum, Expect: expect, Stall: o.stall, Now: time.Now,
		Tell: func(e monitor.Event) {
			g.tellEvent(e)
			if hook != nil && e.Alert != nil {
				if err := hook.Post(context.WithoutCancel(ctx), e); err != nil {
					g.Warn("%s", err)
				}
			}
		},
	}, state)
}

// readExpect reads the list of what is expected, and the manifests that it may name
// by their version.
func readExpect(list, manifests string) (*monitor.Expect, error) {
	if list == "" {
		if manifests != "" {
			return nil, usagef("--manifests goes with --expect")
		}
		return nil, nil //nolint:nilnil // nothing is expected in particular
	}
	b, err := readUpTo(list, monitor.MaxExpect)
	if err != nil {
		return nil, err
	}
	e, err := monitor.ParseExpect(string(b))
	if err != nil || manifests == "" {
		return e, err
	}
	files, err := os.ReadDir(manifests)
	if err != nil {
		return nil, ota.Invalid("file_unreadable", "cannot read the folder %s", manifests).WithCause(err)
	}
	for _, f := range files {
		if !f.Type().IsRegular() {
			continue
		}
		b, err := readUpTo(filepath.Join(manifests, f.Name()), 4<<20)
		if err != nil {
			return nil, err
		}
		e.Know(b)
	}
	return e, nil
}

func readUpTo(path string, limit int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, ota.Invalid("file_unreadable", "cannot read %s", path).WithCause(err)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil || int64(len(b)) > limit {
		return nil, ota.Invalid("file_unreadable", "cannot read %s, or it has more than %d bytes", path, limit).WithCause(err)
	}
	return b, nil
}

// compare holds a checkpoint from elsewhere against the log.
func (g *Globals) compare(ctx context.Context, m *monitor.Monitor, where, state string) error {
	var note string
	if strings.HasPrefix(where, "http://") || strings.HasPrefix(where, "https://") {
		var err error
		if note, err = monitor.FetchNote(ctx, where); err != nil {
			return err
		}
	} else {
		b, err := readUpTo(where, maxState)
		if err != nil {
			return err
		}
		note = string(b)
	}
	err := m.Compare(ctx, note)
	return errors.Join(err, g.saveMonitor(state, m.State())) // it may have looked again
}

func (g *Globals) saveMonitor(path string, s monitor.State) error {
	if path == "" {
		return nil
	}
	return writeJSONFile(path, s)
}

// tellEvent prints an event: a line of JSON, or one for people.
func (g *Globals) tellEvent(e monitor.Event) {
	if g.JSON {
		enc := json.NewEncoder(g.Out)
		enc.SetEscapeHTML(false)
		_ = enc.Encode(e) // a reader that is gone cannot be told
		return
	}
	switch at := when(e.At); {
	case e.Alert != nil:
		fmt.Fprintf(g.Out, "%s  ALERT       %s: %s\n", at, e.Alert.Code, clean(e.Alert.Message))
		for _, n := range e.Alert.Notes {
			for line := range strings.Lines(n) {
				fmt.Fprintf(g.Out, "    %s\n", clean(strings.TrimSuffix(line, "\n")))
			}
		}
	case e.Entry != nil:
		note := e.Entry.Label
		if !e.Entry.Expected {
			note = "NOT EXPECTED"
		}
		fmt.Fprintf(g.Out, "%s  %-11s %s  #%d  %s\n", at, e.Entry.Kind, e.Entry.Digest, e.Entry.Leaf, clean(note))
	case e.Checkpoint != nil:
		fmt.Fprintf(g.Out, "%s  verified    %d entries (%d new), %d witnesses, root %s\n", at, e.Checkpoint.Size, e.Checkpoint.New, e.Checkpoint.Witnesses, e.Checkpoint.Root)
	}
}
