package alerts

import (
	"context"

	"github.com/waxwing-ota/waxwing/internal/core/alert"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// Silences lists the silences of an app, newest first.
func (s *Service) Silences(ctx context.Context, app string, p ota.Page) ([]ota.AlertSilence, string, error) {
	if _, err := s.d.Store.App(ctx, app); err != nil {
		return nil, "", err
	}
	items, next, err := s.d.Store.Silences(ctx, app, p)
	for i := range items {
		items[i].Over = items[i].Until <= s.nowMS()
	}
	return items, next, err
}

const maxPattern = 200

// Silence keeps alerts of an app from telling receivers for a while.
func (s *Service) Silence(ctx context.Context, who ota.Actor, app string, in ota.NewAlertSilence) (ota.AlertSilence, error) {
	out := ota.AlertSilence{App: app, Kind: in.Kind, Subject: in.Subject, CreatedAt: s.nowMS(), CreatedBy: who}
	out.Until = out.CreatedAt + int64(in.Minutes)*60_000
	var err error
	if out.Reason, err = clean("reason", in.Reason); err != nil {
		return out, err
	}
	switch {
	case out.Reason == "":
		return out, ota.Invalid("reason_missing", "a silence needs a reason").WithField("reason").WithHint("say why nobody need be told")
	case in.Minutes < 1:
		return out, ota.Invalid(CodeSilenceInvalid, "minutes is %d: a silence lasts whole minutes, one at least", in.Minutes).WithField("minutes").
			WithHint("say for how many minutes, at most %d", ota.MaxSilence)
	case in.Minutes > ota.MaxSilence:
		return out, ota.Invalid(CodeSilenceInvalid, "minutes is %d, it must be 1 to %d", in.Minutes, ota.MaxSilence).WithField("minutes").
			WithHint("a rule that is never wanted is turned off: waxwing alerts rules set RULE --enabled=false")
	case len(in.Subject) > maxPattern:
		return out, ota.Invalid(CodeSilenceInvalid, "subject has at most %d bytes", maxPattern).WithField("subject")
	case len(in.Kind) > maxPattern || !alert.Known(in.Kind):
		return out, ota.Invalid(CodeSilenceInvalid, "no alert rule matches %.40q", in.Kind).WithField("kind").WithHint("list them with: waxwing alerts rules")
	}
	if _, err := clean("subject", in.Subject); err != nil {
		return out, err
	}
	err = s.update(ctx, who, app, func(tx Tx) (ota.Change, error) {
		live, err := tx.LiveSilences(ctx, app, s.nowMS())
		if err != nil {
			return ota.Change{}, err
		}
		if len(live) >= maxSilences {
			return ota.Change{}, ota.Conflict(CodeSilencesFull, "%d silences of the app hold already", len(live)).WithHint("end some, or use patterns")
		}
		if out.ID, err = tx.InsertSilence(ctx, out); err != nil {
			return ota.Change{}, err
		}
		c := change("alert.silence", patterns(&out), map[string]any{
			"silence": out.ID, "rule": out.Kind, "subject": out.Subject, "reason": out.Reason, "minutes": in.Minutes,
		})
		c.After = ota.JSON(out)
		return c, nil
	})
	return out, err
}

// EndSilence ends a silence now: what still fires is told.
func (s *Service) EndSilence(ctx context.Context, who ota.Actor, app string, id int64) error {
	return s.update(ctx, who, app, func(tx Tx) (ota.Change, error) {
		was, err := tx.Silence(ctx, app, id)
		if err != nil {
			return ota.Change{}, err
		}
		now := s.nowMS()
		if was.Until <= now {
			return ota.Change{}, ota.Conflict(CodeAlertOver, "silence %d is over already", id)
		}
		c := change("alert.unsilence", patterns(&was), map[string]any{"silence": id})
		c.Before = ota.JSON(was)
		return c, tx.EndSilence(ctx, id, now)
	})
}

// patterns names a silence in the record of changes.
func patterns(s *ota.AlertSilence) string {
	or := func(p string) string {
		if p == "" {
			return "*"
		}
		return p
	}
	return or(s.Kind) + " " + or(s.Subject)
}
