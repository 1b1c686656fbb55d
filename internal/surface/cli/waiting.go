package cli

import (
	"context"
	"errors"
	"time"

	"github.com/spf13/cobra"

	"github.com/waxwing-ota/waxwing/internal/client"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// pollEvery is how often a command that waits asks how its request stands.
const pollEvery = 2 * time.Second

// waiting is the flag --wait: how long to wait for the approval of others.
type waiting struct{ limit time.Duration }

func (w *waiting) bind(c *cobra.Command) {
	f := c.Flags()
	f.DurationVar(&w.limit, "wait", 0, "wait for the approval of others where the channel asks for it, this long (24h without a value)")
	f.Lookup("wait").NoOptDefVal = "24h"
}

// settle waits for what err says waits for approval. It returns nil once that
// is done; without --wait, or after its time, err.
func (w *waiting) settle(ctx context.Context, g *Globals, cl *client.Client, err error) error {
	p, ok := errors.AsType[*client.PendingError](err)
	if !ok || w.limit == 0 {
		return err
	}
	g.Note("waiting for the approval of %d, as request %d: %s", p.Approval.Need-p.Approval.Have, p.Approval.ID, clean(p.Approval.Link))
	ctx, stop := context.WithTimeout(ctx, w.limit)
	defer stop()
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		a, aerr := cl.Approval(ctx, p.Approval.ID)
		switch {
		case ctx.Err() != nil:
		case aerr != nil:
			return aerr
		case a.State == ota.ApprovalExecuted:
			return nil
		case a.State != ota.ApprovalRequested:
			return notApproved(&a.Approval)
		}
		select {
		case <-ctx.Done():
			if errors.Is(ctx.Err(), context.DeadlineExceeded) {
				return err
			}
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// notApproved says that a request ended without being carried out.
func notApproved(a *ota.Approval) error {
	e := ota.Conflict("approval_"+string(a.State), "request %d is %s", a.ID, a.State)
	if a.Reason != "" {
		e.Msg += " by " + string(a.ClosedBy) + ": " + a.Reason
	}
	return e.WithHint("nothing was changed; see: waxwing approvals show %d", a.ID)
}
