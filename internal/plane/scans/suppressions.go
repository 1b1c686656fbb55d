package scans

import (
	"context"
	"encoding/hex"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/scanpolicy"
)

const (
	maxReason = 1000
	// maxOpen bounds the open requests of an app: somebody may ask in a loop.
	maxOpen = 500
	dayMS   = 24 * 60 * 60 * 1000
)

// Suppressions lists the suppressions of an app in a state ("" = all), newest first.
func (s *Service) Suppressions(ctx context.Context, app string, state ota.SuppressionState, p ota.Page) ([]ota.Suppression, string, error) {
	if _, err := s.d.Store.App(ctx, app); err != nil {
		return nil, "", err
	}
	items, next, err := s.d.Store.Suppressions(ctx, app, state, p)
	for i := range items {
		s.aged(&items[i])
	}
	return items, next, err
}

func (s *Service) aged(p *ota.Suppression) { p.Expired = p.ExpiresAt <= s.nowMS() }

// RequestSuppression asks that findings do not count. It holds once somebody
// approves it.
func (s *Service) RequestSuppression(ctx context.Context, p ota.Principal, app string, in ota.NewSuppression) (ota.Suppression, error) {
	out := ota.Suppression{
		App: app, Rule: in.Rule, Path: in.Path, Fingerprint: in.Fingerprint, State: ota.SuppressionRequested,
		RequestedBy: p.Actor(), RequestedAt: s.nowMS(), ExpiresAt: s.nowMS() + int64(in.Days)*dayMS,
	}
	if err := s.checkSuppression(&out, in); err != nil {
		return out, err
	}
	var err error
	if out.Authors, err = s.d.Authors(ctx, p); err != nil {
		return out, err
	}
	err = s.update(ctx, p.Actor(), app, func(tx Tx) (ota.Change, error) {
		open, err := tx.OpenSuppressions(ctx, app)
		if err != nil {
			return ota.Change{}, err
		}
		if open >= maxOpen {
			return ota.Change{}, ota.Conflict(CodeSuppressionsFull, "%d suppressions of the app wait for a decision already", open).
				WithHint("decide or delete some: waxwing suppressions list --app %s --state requested", app)
		}
		if out, err = tx.InsertSuppression(ctx, out); err != nil {
			return ota.Change{}, err
		}
		c := change("suppression.request", in.Rule, map[string]any{"suppression": out.ID, "reason": out.Reason, "days": in.Days})
		c.After = ota.JSON(out)
		return c, nil
	})
	return out, err
}

// checkSuppression checks and cleans a request.
func (s *Service) checkSuppression(out *ota.Suppression, in ota.NewSuppression) error {
	if !slices.Contains(s.RuleIDs(), in.Rule) {
		return ota.Invalid("rule_unknown", "there is no rule %.40q", in.Rule).WithField("rule").WithHint("list them with: waxwing scan rules")
	}
	if in.Path == "" && in.Fingerprint == "" {
		return ota.Invalid(CodeSuppressionInvalid, "a suppression names a path or the fingerprint of a finding").WithField("fingerprint").
			WithHint("the fingerprints are in the report; a rule is turned off for all by the scan policy")
	}
	if b, err := hex.DecodeString(in.Fingerprint); err != nil || in.Fingerprint != "" && len(b) != 16 {
		return ota.Invalid(CodeSuppressionInvalid, "a fingerprint has 32 hex digits").WithField("fingerprint").WithHint("take it from the report")
	}
	if err := scanpolicy.CheckGlob(in.Path); err != nil {
		return err
	}
	if in.Days < 1 || in.Days > ota.MaxSuppression {
		return ota.Invalid(CodeSuppressionInvalid, "days is %d, it must be 1 to %d", in.Days, ota.MaxSuppression).WithField("days").
			WithHint("what is true for ever is a matter of the scan policy")
	}
	reason, err := clean("reason", in.Reason)
	if err == nil && reason == "" {
		err = ota.Invalid("reason_missing", "a suppression needs a reason").WithField("reason").WithHint("say why the finding is no risk here")
	}
	out.Reason = reason
	return err
}

// clean accepts text for people.
func clean(field, text string) (string, error) {
	text = strings.TrimSpace(text)
	if len(text) > maxReason || !utf8.ValidString(text) {
		return "", ota.Invalid("text_too_long", "%s has at most %d characters", field, maxReason).WithField(field)
	}
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\n' {
			return -1
		}
		return r
	}, text), nil
}

// DecideSuppression approves or rejects a request. Nobody decides about their
// own while the app has a protected channel.
func (s *Service) DecideSuppression(ctx context.Context, p ota.Principal, app string, id int64, approve bool, note string) (ota.Suppression, error) {
	var out ota.Suppression
	note, err := clean("note", note)
	if err != nil {
		return out, err
	}
	err = s.update(ctx, p.Actor(), app, func(tx Tx) (ota.Change, error) {
		if out, err = tx.Suppression(ctx, app, id); err != nil {
			return ota.Change{}, err
		}
		before := ota.JSON(out)
		action := "suppression.reject"
		to := ota.SuppressionRejected
		if approve {
			action, to = "suppression.approve", ota.SuppressionApproved
		}
		// What was approved may be taken back, nothing else is decided twice.
		if out.State != ota.SuppressionRequested && (approve || out.State != ota.SuppressionApproved) {
			return ota.Change{}, ota.Conflict(CodeSuppressionClosed, "suppression %d is %s already", id, out.State).WithHint("ask for a new one")
		}
		if approve {
			if out.ExpiresAt <= s.nowMS() {
				return ota.Change{}, ota.Conflict(CodeSuppressionClosed, "suppression %d expired", id).WithHint("ask for a new one")
			}
			if err := notOwn(ctx, tx, p, &out); err != nil {
				return ota.Change{}, err
			}
		}
		out.State, out.DecidedBy, out.DecidedAt, out.Note = to, p.Actor(), s.nowMS(), note
		c := change(action, out.Rule, map[string]any{"suppression": id, "note": note, "requested_by": out.RequestedBy})
		c.Before, c.After = before, ota.JSON(out)
		return c, tx.UpdateSuppression(ctx, out)
	})
	s.aged(&out)
	return out, err
}

// notOwn refuses whoever asked, if a channel of the app takes two people.
func notOwn(ctx context.Context, tx Tx, p ota.Principal, s *ota.Suppression) error {
	all, err := tx.Channels(ctx, s.App)
	if err != nil {
		return err
	}
	at := slices.IndexFunc(all, func(c ota.Channel) bool { return c.Policy.Protected() })
	if at < 0 {
		return nil
	}
	own := s.RequestedBy == p.Actor() || p.Person != 0 && slices.Contains(s.Authors, p.Person)
	if !own && p.Person != 0 {
		return nil
	}
	why := "it is your own request"
	if p.Person == 0 {
		why = "a person must decide, and no machine"
	}
	return ota.Errorf(ota.KindForbidden, CodeSuppressionOwn, "channel %q is protected: %s", all[at].Name, why).
		WithHint("another release manager approves it: waxwing suppressions approve %d --app %s", s.ID, s.App)
}

// DeleteSuppression takes a suppression away: its findings count again.
func (s *Service) DeleteSuppression(ctx context.Context, actor ota.Actor, app string, id int64) error {
	return s.update(ctx, actor, app, func(tx Tx) (ota.Change, error) {
		was, err := tx.Suppression(ctx, app, id)
		if err != nil {
			return ota.Change{}, err
		}
		c := change("suppression.delete", was.Rule, map[string]any{"suppression": id})
		c.Before = ota.JSON(was)
		return c, tx.DeleteSuppression(ctx, id)
	})
}
