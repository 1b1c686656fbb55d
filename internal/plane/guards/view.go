package guards

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/waxwing-ota/waxwing/internal/core/decide"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// CodeNoWatch is the code of the error for what the guard never watched.
const CodeNoWatch = "guard_watch_not_found"

// View tells what the guard knows of a rollout, or of a full release by the
// name "release-ID".
func (s *Service) View(ctx context.Context, app, rollout string) (ota.GuardView, error) {
	s.mu.Lock()
	w := s.watches[key{app, rollout}]
	if w != nil {
		defer s.mu.Unlock()
		return w.view(), nil
	}
	s.mu.Unlock()
	of, err := s.store.GuardWatch(ctx, app, rollout)
	if err != nil {
		if ota.KindOf(err) == ota.KindNotFound {
			return s.fresh(app, rollout)
		}
		return ota.GuardView{}, err
	}
	if w, err = s.restore(ctx, of); err != nil {
		return ota.GuardView{}, err
	}
	return w.view(), nil
}

// fresh is the view of a rollout or release of which nothing is known yet.
func (s *Service) fresh(app, rollout string) (ota.GuardView, error) {
	view := s.snap.App(app)
	if ch := channelOf(view, rollout); ch != nil {
		w := newWatch(Watch{App: app, GuardWatch: ota.GuardWatch{Rollout: rollout, Channel: ch.Name, Version: ch.Rollout.Bundle.Version}})
		return w.blank(ch), nil
	}
	if id, ok := strings.CutPrefix(rollout, releasePrefix); ok && view != nil {
		n, _ := strconv.ParseInt(id, 10, 64)
		for _, ch := range view.Channels {
			if len(ch.Chain) > 0 && ch.Chain[0].ID == n && ch.Chain[0].Bundle != nil {
				w := newWatch(Watch{App: app, Release: n, GuardWatch: ota.GuardWatch{Rollout: rollout, Channel: ch.Name, Version: ch.Chain[0].Bundle.Version}})
				return w.blank(ch), nil
			}
		}
	}
	return ota.GuardView{}, ota.NotFound(CodeNoWatch, "the guard knows no rollout %.100q", rollout).
		WithHint("leave it out for what the channel serves now, or list them: waxwing guard list CHANNEL")
}

// blank is the view before the first device was seen.
func (w *watch) blank(ch *decide.Channel) ota.GuardView {
	w.state.Rules.GuardPolicy = ch.Policy.Guard
	if w.Release == 0 && ch.Rollout.BPS > 0 && ch.Rollout.BPS < 10_000 {
		w.state.Mode = ota.GuardControl
	}
	v := w.view()
	v.State = ota.GuardInsufficient
	return v
}

func (w *watch) view() ota.GuardView {
	v := w.state.View()
	v.Rollout, v.Channel, v.Version, v.Inputs = w.Rollout, w.Channel, w.Version, w.seq
	for _, c := range w.counts { // seen, and not told yet
		if c.Arm == "control" {
			v.Control += c.N
		} else {
			v.Treated += c.N
		}
	}
	for _, d := range w.decisions {
		v.Decisions = append(v.Decisions, d.GuardDecision)
	}
	v.Points = append(v.Points, w.points...)
	return v
}

// Current names what the guard watches on a channel now: its rollout, else its
// release.
func (s *Service) Current(app, channel string) (string, error) {
	view := s.snap.App(app)
	if view == nil {
		return "", ota.NotFound("app_not_found", "there is no app %q", app)
	}
	ch := view.ChannelByName(channel)
	if ch == nil {
		return "", ota.NotFound("channel_not_found", "app %q has no channel %q", app, channel)
	}
	switch {
	case ch.Rollout != nil && ch.Rollout.Enabled:
		return ch.Rollout.ID, nil
	case len(ch.Chain) > 0 && ch.Chain[0].Bundle != nil:
		return releaseID(ch.Chain[0].ID), nil
	}
	return "", ota.NotFound(CodeNoWatch, "channel %q serves nothing that could be watched", channel).
		WithHint("release something on it first, or start a rollout")
}

// On reports whether a watch belongs to a channel; the error says that there is
// none if it does not.
func (s *Service) On(ctx context.Context, app, channel, rollout string) (ota.GuardView, error) {
	if rollout == "" {
		var err error
		if rollout, err = s.Current(app, channel); err != nil {
			return ota.GuardView{}, err
		}
	}
	v, err := s.View(ctx, app, rollout)
	if err == nil && v.Channel != channel {
		return ota.GuardView{}, ota.NotFound(CodeNoWatch, "the guard knows no rollout %.100q of channel %q", rollout, channel)
	}
	return v, err
}

// List lists what was watched on a channel, newest first.
func (s *Service) List(ctx context.Context, app, channel string, p ota.Page) ([]ota.GuardWatch, string, error) {
	if view := s.snap.App(app); view == nil || view.ChannelByName(channel) == nil {
		return nil, "", ota.NotFound("channel_not_found", "app %q has no channel %q", app, channel)
	}
	s.Flush(ctx)
	return s.store.GuardWatchesOf(ctx, app, channel, p)
}

// maxRows bounds a page of inputs.
const maxRows = 500

// Inputs lists stored inputs of a watch in their order, from after on, and says
// where the next page begins.
func (s *Service) Inputs(ctx context.Context, app, channel, rollout string, p ota.Page) (ota.GuardExport, error) {
	var after int64
	if p.After != "" {
		var err error
		if after, err = strconv.ParseInt(p.After, 36, 64); err != nil || after <= 0 {
			return ota.GuardExport{}, ota.Invalid("cursor_invalid", "the page cursor %.50q is not one this server gave", p.After).
				WithHint("leave it out to start over").WithField("after")
		}
	}
	v, err := s.On(ctx, app, channel, rollout)
	if err != nil {
		return ota.GuardExport{}, err
	}
	s.Flush(ctx)
	limit := p.Limit
	if limit <= 0 || limit > maxRows {
		limit = maxRows
	}
	x := ota.GuardExport{
		App: app, Decisions: []ota.GuardDecision{},
		Watch: ota.GuardWatch{Rollout: v.Rollout, Channel: v.Channel, Version: v.Version, StartedAt: v.StartedAt},
	}
	if x.Head, x.Rows, err = s.rows(ctx, app, v.Rollout, after, limit); err != nil {
		return x, err
	}
	if len(x.Rows) == limit {
		x.Next = strconv.FormatInt(x.Rows[limit-1].Seq, 36)
	}
	last := int64(0)
	if len(x.Rows) > 0 {
		last = x.Rows[len(x.Rows)-1].Seq
	}
	all, err := s.store.GuardDecisions(ctx, app, v.Rollout)
	for _, d := range all {
		if d.Input > after && d.Input <= last {
			x.Decisions = append(x.Decisions, d.GuardDecision)
		}
	}
	slices.SortStableFunc(x.Decisions, func(a, b ota.GuardDecision) int { return int(a.Input - b.Input) })
	return x, err
}

// headTries is how often a history that grows while it is read is read again.
const headTries = 5

// rows reads a page of inputs with the digest that belongs to its end.
func (s *Service) rows(ctx context.Context, app, rollout string, after int64, limit int) (head ota.GuardHead, rows []ota.GuardRow, err error) {
	for range headTries {
		before, err := s.head(ctx, app, rollout)
		if err != nil {
			return head, nil, err
		}
		if rows, err = s.store.GuardRows(ctx, app, rollout, after, limit); err != nil {
			return head, nil, err
		}
		if head, err = s.head(ctx, app, rollout); err != nil || head == before || len(rows) == limit {
			return head, rows, err
		}
	}
	return head, rows, ota.Errorf(ota.KindUnavailable, "guard_busy", "the guard is told more while its inputs are read").WithHint("try it again")
}

// head is the stored digest of a watch, zero if nothing was stored of it yet.
func (s *Service) head(ctx context.Context, app, rollout string) (ota.GuardHead, error) {
	of, err := s.store.GuardWatch(ctx, app, rollout)
	if ota.KindOf(err) == ota.KindNotFound {
		return ota.GuardHead{}, nil
	}
	return of.Head, err
}
