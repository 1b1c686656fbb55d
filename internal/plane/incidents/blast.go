package incidents

import (
	"cmp"
	"context"
	"slices"

	"github.com/waxwing-ota/waxwing/internal/core/incident"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/outcome"
	"github.com/waxwing-ota/waxwing/internal/core/semver"
)

// maxCounted bounds the devices that one look counts.
const maxCounted = 500_000

// blast works out whom an incident's version reached.
func (s *Service) blast(ctx context.Context, i *ota.Incident) (ota.Blast, error) {
	b := ota.Blast{Reasons: []ota.Count{}, Platforms: []ota.PlatformBlast{}, Channels: []string{}}
	channels, err := s.d.Store.Channels(ctx, i.App)
	if err != nil {
		return b, err
	}
	for _, ch := range channels {
		if ch.Name == i.Channel {
			b.Frozen = ch.Frozen != nil
		}
		if i.Version != "" && (ch.Release != nil && ch.Release.Version == i.Version || ch.Rollout != nil && ch.Rollout.Version == i.Version) {
			b.Channels = append(b.Channels, ch.Name)
		}
	}
	if i.Version == "" {
		return b, nil
	}
	bundle, err := s.d.Store.Bundle(ctx, i.App, i.Version)
	switch {
	case err == nil && bundle.Held != nil:
		b.Held = bundle.Held.State
	case err != nil && ota.KindOf(err) != ota.KindNotFound:
		return b, err
	}
	return b, s.count(ctx, i, &b)
}

func (s *Service) count(ctx context.Context, i *ota.Incident, b *ota.Blast) error {
	var err error
	if b.OnNow, b.ActiveNow, err = s.d.Store.OnVersion(ctx, i.App, i.Version, s.nowMS()-incident.Active.Milliseconds()); err != nil {
		return err
	}
	natives, err := s.d.Store.OnVersionNatives(ctx, i.App, i.Version, maxCounted)
	if err != nil {
		return err
	}
	outcomes, err := s.d.Store.VersionOutcomes(ctx, i.App, i.Version, maxCounted)
	if err != nil {
		return err
	}
	by := map[string]*ota.PlatformBlast{}
	platform := func(name string) *ota.PlatformBlast {
		if by[name] == nil {
			by[name] = &ota.PlatformBlast{Platform: name, Natives: []ota.Count{}}
		}
		return by[name]
	}
	reasons := map[string]int64{}
	for _, o := range outcomes {
		tally(b, o.State, o.N)
		if o.Reason != "" {
			reasons[o.Reason] += o.N
		}
		if o.State == outcome.Failed || o.State == outcome.RolledBack && o.Reason != "" {
			b.Failed += o.N // also those that left it since
			platform(o.Platform).Failed += o.N
		}
	}
	for _, n := range natives {
		p := platform(n.Platform)
		p.OnNow += n.N
		p.Natives = append(p.Natives, ota.Count{Name: n.Native, Devices: n.N})
		widen(p, n.Native)
	}
	b.Approximate = b.OnNow > maxCounted
	for name, n := range reasons {
		b.Reasons = append(b.Reasons, ota.Count{Name: name, Devices: n})
	}
	for _, p := range by {
		b.Platforms = append(b.Platforms, *p)
	}
	slices.SortFunc(b.Reasons, func(x, y ota.Count) int {
		return cmp.Or(cmp.Compare(y.Devices, x.Devices), cmp.Compare(x.Name, y.Name))
	})
	slices.SortFunc(b.Platforms, func(x, y ota.PlatformBlast) int {
		return cmp.Or(cmp.Compare(y.OnNow, x.OnNow), cmp.Compare(x.Platform, y.Platform))
	})
	return nil
}

// tally counts devices at the state they are in and at those before it.
func tally(b *ota.Blast, s outcome.State, n int64) {
	if s >= outcome.Offered {
		b.Offered += n
	}
	if s >= outcome.Downloaded {
		b.Downloaded += n
	}
	if s >= outcome.Installed {
		b.Installed += n
	}
	switch s {
	case outcome.Healthy:
		b.Healthy += n
	case outcome.RolledBack:
		b.RolledBack += n
	}
}

// widen makes a platform's range of native versions hold another one.
func widen(p *ota.PlatformBlast, native string) {
	v, ok := semver.Native(native)
	if !ok {
		return
	}
	if low, ok := semver.Native(p.From); p.From == "" || ok && semver.Compare(v, low) < 0 {
		p.From = native
	}
	if high, ok := semver.Native(p.To); p.To == "" || ok && semver.Compare(v, high) > 0 {
		p.To = native
	}
}

// Devices lists the devices that had to do with an incident's version, of a
// state ("" = all).
func (s *Service) Devices(ctx context.Context, id int64, state string, p ota.Page) ([]ota.AffectedDevice, string, error) {
	if err := s.d.Flush(ctx); err != nil {
		return nil, "", err
	}
	i, err := s.d.Store.Incident(ctx, id)
	if err != nil {
		return nil, "", err
	}
	want := outcome.None
	if state != "" {
		var ok bool
		if want, ok = outcome.Parse(state); !ok {
			return nil, "", ota.Invalid(CodeStateInvalid, "there is no state %q of a device", state).WithField("state").
				WithHint("offered, downloading, downloaded, installed, healthy, failed or rolled_back")
		}
	}
	if i.Version == "" {
		return []ota.AffectedDevice{}, "", nil
	}
	return s.d.Store.AffectedDevices(ctx, i.App, i.Version, want, p)
}
