package insight

import (
	"context"
	"slices"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// Apps lists the apps within reach with what they serve and to how many. A page
// may hold fewer than it could.
func (s *Service) Apps(ctx context.Context, reach ota.Reach, p ota.Page) ([]ota.AppSummary, string, error) {
	apps, next, err := s.store.Apps(ctx, p)
	if err != nil {
		return nil, "", err
	}
	apps = slices.DeleteFunc(apps, func(a ota.App) bool { return !reach.Contains(ota.Scope{Org: a.Org, App: a.ID}) })
	ids := make([]string, len(apps))
	at := make(map[string]int, len(apps))
	out := make([]ota.AppSummary, len(apps))
	for i, a := range apps {
		ids[i], at[a.ID] = a.ID, i
		out[i] = ota.AppSummary{App: a, Channels: []ota.Channel{}}
	}
	totals, err := s.store.DeviceTotals(ctx, ids)
	if err != nil {
		return nil, "", err
	}
	channels, err := s.store.ChannelsOf(ctx, ids)
	if err != nil {
		return nil, "", err
	}
	for _, c := range channels {
		i := at[c.App]
		out[i].Channels = append(out[i].Channels, c)
	}
	for i := range out {
		out[i].Devices = totals[out[i].App.ID]
	}
	return out, next, nil
}

// haltFor is how long an automatic halt stays in sight.
const haltFor = 7 * 24 * time.Hour

// The kinds of attention.
const (
	Halted  = "halted"  // the server took a release back by itself lately
	Paused  = "paused"  // a rollout waits for somebody
	Rolling = "rolling" // a rollout is under way
)

// Attention lists what a person should look at within reach, most urgent kind
// first.
func (s *Service) Attention(ctx context.Context, reach ota.Reach) ([]ota.Attention, error) {
	channels, err := s.store.Watched(ctx, maxWatched)
	if err != nil {
		return nil, err
	}
	by := map[string][]ota.Attention{}
	for i := range channels {
		c := &channels[i]
		if in, err := s.within(ctx, reach, c); err != nil {
			return nil, err
		} else if !in {
			continue
		}
		a := ota.Attention{App: c.App, Channel: c.Name}
		if at := c.Policy.AutoHalt.LastTriggeredAt; at > s.now().Add(-haltFor).UnixMilli() {
			a.Kind, a.At = Halted, at
			if c.Release != nil {
				a.Version, a.Detail = c.Release.Version, c.Release.Note
			}
			by[a.Kind] = append(by[a.Kind], a)
		}
		if r := c.Rollout; r != nil {
			a.Kind, a.At, a.Version, a.Detail = Rolling, r.StartedAt, r.Version, ""
			if r.PausedAt != 0 {
				a.Kind, a.At, a.Detail = Paused, r.PausedAt, r.PauseReason
			}
			by[a.Kind] = append(by[a.Kind], a)
		}
	}
	out := append(append(append([]ota.Attention{}, by[Halted]...), by[Paused]...), by[Rolling]...)
	return out, nil
}

func (s *Service) within(ctx context.Context, reach ota.Reach, c *ota.Channel) (bool, error) {
	if reach.All {
		return true, nil
	}
	app, err := s.store.App(ctx, c.App)
	if ota.KindOf(err) == ota.KindNotFound {
		return false, nil // deleted since
	}
	return err == nil && reach.Contains(ota.Scope{Org: app.Org, App: c.App, Channel: c.Name}), err
}
