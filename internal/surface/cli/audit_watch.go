package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/waxwing-ota/waxwing/internal/client"
	"github.com/waxwing-ota/waxwing/internal/core/auditlog"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/tilelog"
)

type watchOptions struct {
	key, state, checkpoint, out string
	every                       time.Duration
}

func newAuditWatchCommand(g *Globals) *cobra.Command {
	var o watchOptions
	c := &cobra.Command{
		Use:   "watch",
		Short: "Follow the log, verify that it only grows, and keep a copy",
		Long: `Follow the audit log until interrupted: verify all of it once, then every new
entry, and that each new checkpoint continues the one before. Run it on another
machine than the server's.

It ends with exit code 4 as soon as the log shrinks, forks or was altered. A
server that cannot be reached is asked again. With -o every entry and checkpoint
is appended to a file before it is shown.`,
		Example: "  waxwing audit watch --state waxwing.audit --key \"$KEY\" -o waxwing-audit.jsonl",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if o.every < 100*time.Millisecond {
				return usagef("--every must be 100ms or more")
			}
			return g.watch(cmd.Context(), o)
		},
	}
	f := c.Flags()
	f.StringVar(&o.key, "key", "", "verifier key of the log (default: that of --state, else what the server says)")
	f.StringVar(&o.state, "state", "", "file that remembers the key and the last verified checkpoint")
	f.StringVar(&o.checkpoint, "checkpoint", "", "file of a signed checkpoint that the log must continue")
	f.StringVarP(&o.out, "output", "o", "", "file to append entries and checkpoints to, as JSON Lines")
	f.DurationVar(&o.every, "every", 10*time.Second, "how often to look")
	return c
}

// watcher follows a log.
type watcher struct {
	g      *Globals
	cl     *client.Client
	trust  trust
	out    io.Writer
	o      watchOptions
	report auditlog.Report // what is verified so far
	seen   int64           // entries that were shown before
}

func (g *Globals) watch(ctx context.Context, o watchOptions) error {
	cl, err := g.Client()
	if err != nil {
		return err
	}
	state, err := readState(o.state)
	if err != nil {
		return err
	}
	w := &watcher{g: g, cl: cl, o: o, out: io.Discard}
	if w.trust, err = trustOf(o.key, o.checkpoint, state, serverKey(ctx, cl)); err != nil {
		return err
	}
	if state.Checkpoint != "" {
		w.seen = w.trust.kept[0].Size
	}
	if !w.trust.pinned {
		g.Warn("the key is what the server says of itself; keep it elsewhere and pass it with --key")
	}
	if o.out != "" {
		f, err := os.OpenFile(o.out, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
		if err != nil {
			return ota.Invalid("file_unwritable", "cannot write %s", o.out).WithCause(err)
		}
		defer f.Close()
		w.out = f
	}
	return w.run(ctx)
}

func (w *watcher) run(ctx context.Context) error {
	if err := w.first(ctx); err != nil {
		return err
	}
	tick := time.NewTicker(w.o.every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return w.g.Print(struct {
				Size int64 `json:"size"`
			}{w.report.Checkpoint.Size}, func(io.Writer) {})
		case <-tick.C:
		}
		err := w.step(ctx)
		if err == nil || ctx.Err() != nil {
			continue
		}
		if ota.KindOf(err) == ota.KindUnavailable && ota.CodeOf(err) != "audit_damaged" {
			w.g.Warn("%s; trying again", err)
			continue
		}
		return err
	}
}

func (w *watcher) first(ctx context.Context) error {
	var lines []auditlog.Line
	r, note, err := fetchAndVerify(ctx, w.cl, w.trust, func(l auditlog.Line) {
		if l.Leaf == 0 {
			lines = nil // a second look begins anew
		}
		if l.Leaf >= w.seen {
			lines = append(lines, l)
		}
	})
	if err != nil {
		return err
	}
	w.report = r
	w.g.Note("%s; watching", r.String())
	return w.keep(lines, note)
}

// step looks once: nothing new, or what is new follows from what was there.
func (w *watcher) step(ctx context.Context) error {
	now, err := w.cl.AuditCheckpoint(ctx)
	if err != nil {
		return err
	}
	cp, err := tilelog.OpenCheckpoint(now.Note, w.trust.key)
	if err != nil {
		return err
	}
	was := w.report.Checkpoint
	if cp.Size <= was.Size {
		if cp.Size < was.Size || cp.Root != was.Root {
			return tilelog.Forked(was, cp)
		}
		return nil
	}
	proof, err := w.cl.AuditConsistency(ctx, was.Size, cp.Size)
	if err != nil {
		return err
	}
	if err := tilelog.CheckConsistency(was, cp, proof.Proof); err != nil {
		return err
	}
	body, err := w.cl.AuditExport(ctx, 0, 0, was.Size)
	if err != nil {
		return err
	}
	defer body.Close()
	var lines []auditlog.Line
	r, err := auditlog.Resume(body, w.trust.key, w.report, func(l auditlog.Line) { lines = append(lines, l) })
	if err != nil {
		return err
	}
	if r.Checkpoint.Size < cp.Size {
		return tilelog.Forked(cp, r.Checkpoint)
	}
	w.report = r
	return w.keep(lines, r.Note)
}

// keep writes down what was verified, then shows it.
func (w *watcher) keep(lines []auditlog.Line, note string) error {
	for _, l := range lines {
		if err := auditlog.WriteLine(w.out, l); err != nil {
			return ota.Invalid("file_unwritable", "cannot write %s", w.o.out).WithCause(err)
		}
	}
	if err := auditlog.WriteLine(w.out, map[string]string{"checkpoint": note}); err != nil {
		return ota.Invalid("file_unwritable", "cannot write %s", w.o.out).WithCause(err)
	}
	if err := writeState(w.o.state, auditState{Key: w.trust.key, Checkpoint: note}); err != nil {
		return err
	}
	if w.g.JSON {
		return nil
	}
	for _, l := range lines {
		if l.Change != nil {
			fmt.Fprintln(w.g.Out, clean(fmt.Sprintf("%s  %s  %s  %s  %s", when(l.Change.At), l.Change.Actor, l.Change.Action, l.Change.App, l.Change.Object)))
		}
	}
	return nil
}
