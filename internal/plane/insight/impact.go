package insight

import (
	"cmp"
	"context"
	"slices"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// Impact says whom it reaches when a channel, as it is, gets the version to.
func (s *Service) Impact(ctx context.Context, ch ota.Channel, to string) (ota.Impact, error) {
	out := ota.Impact{App: ch.App, Channel: ch.Name, To: to, Platforms: []ota.PlatformImpact{}}
	if ch.Release != nil {
		out.From = ch.Release.Version
	}
	if ch.Rollout != nil {
		out.Rollout = ch.Rollout.Version
	}
	channels, err := s.store.Channels(ctx, ch.App)
	if err != nil {
		return out, err
	}
	counts, _, approximate, err := s.counts(ctx, ch.App)
	if err != nil {
		return out, err
	}
	out.Approximate = approximate
	platforms := map[string]*ota.PlatformImpact{}
	for i := range counts {
		c := &counts[i]
		if belongs(channels, c) != ch.Name || c.N == 0 {
			continue
		}
		p := platforms[c.Platform]
		if p == nil {
			p = &ota.PlatformImpact{Platform: c.Platform}
			platforms[c.Platform] = p
		}
		p.Devices, out.Devices = p.Devices+c.N, out.Devices+c.N
		switch {
		case out.Rollout != "" && c.Version == out.Rollout:
			p.OnRollout, out.OnRollout = p.OnRollout+c.N, out.OnRollout+c.N
		case c.Version == out.From:
			p.OnVersion, out.OnVersion = p.OnVersion+c.N, out.OnVersion+c.N
		}
	}
	for _, p := range platforms {
		out.Platforms = append(out.Platforms, *p)
	}
	slices.SortFunc(out.Platforms, func(a, b ota.PlatformImpact) int {
		return cmp.Or(cmp.Compare(b.Devices, a.Devices), cmp.Compare(a.Platform, b.Platform))
	})
	return out, nil
}
