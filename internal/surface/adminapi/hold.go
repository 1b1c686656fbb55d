package adminapi

import (
	"context"
	"net/http"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// setRollout changes a rollout. A pause that the database does not take holds
// in memory: the answer is 202 and says so.
func (s *server) setRollout(c *call, in *channelInput, body *ota.RolloutRequest) (ota.Rollout, error) {
	set := func(ctx context.Context) (ota.Rollout, error) {
		return s.deps.Control.SetRollout(ctx, c.principal, in.App, in.Channel, *body)
	}
	only := ota.RolloutRequest{Paused: body.Paused, Reason: body.Reason}
	if body.Paused == nil || !*body.Paused || *body != only || s.deps.Guards == nil || s.deps.Guards.Rolling(in.App, in.Channel) == "" {
		return set(c)
	}
	result := make(chan ota.Rollout, 1)
	h := s.deps.Guards.ByHand(c.actor, in.App, in.Channel, ota.HaltPause, body.Reason)
	recorded, err := s.deps.Guards.Hold(c, h, func(ctx context.Context) error {
		r, err := set(ctx)
		if err == nil {
			result <- r
		}
		return err
	})
	if err != nil {
		return ota.Rollout{}, err
	}
	if recorded {
		return <-result, nil
	}
	c.status = http.StatusAccepted
	ch, err := s.deps.Control.Channel(c, in.App, in.Channel)
	if err != nil || ch.Rollout == nil {
		return ota.Rollout{Version: h.Version, PausedAt: time.Now().UnixMilli(), PauseReason: h.Text, Unrecorded: true}, nil
	}
	held := *ch.Rollout
	held.PausedAt, held.PauseReason, held.Unrecorded = time.Now().UnixMilli(), h.Text, true
	return held, nil
}

// abortRollout ends a rollout. If the database does not take it, offers stop in
// memory: the status is 202 then.
func (s *server) abortRollout(c *call, in *channelInput) error {
	abort := func(ctx context.Context) error { return s.deps.Control.AbortRollout(ctx, c.actor, in.App, in.Channel) }
	if s.deps.Guards == nil || s.deps.Guards.Rolling(in.App, in.Channel) == "" {
		return abort(c)
	}
	recorded, err := s.deps.Guards.Hold(c, s.deps.Guards.ByHand(c.actor, in.App, in.Channel, ota.HaltRollback, "ended by hand"), abort)
	if err == nil && !recorded {
		c.status = http.StatusAccepted
	}
	return err
}
