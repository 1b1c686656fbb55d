package insight

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// Stats says what an app's devices run and how it went over the last hours (0 =
// 24, at most MaxHours).
func (s *Service) Stats(ctx context.Context, app string, hours int) (ota.AppStats, error) {
	var out ota.AppStats
	if hours <= 0 {
		hours = defaultHours
	}
	if hours > MaxHours {
		return out, ota.Invalid("hours_invalid", "hours is at most %d", MaxHours).WithField("hours")
	}
	if _, err := s.store.App(ctx, app); err != nil {
		return out, err
	}
	channels, err := s.store.Channels(ctx, app)
	if err != nil {
		return out, err
	}
	counts, total, approximate, err := s.counts(ctx, app)
	if err != nil {
		return out, err
	}
	totals, err := s.store.OutcomeTotals(ctx, app, maxOutcomes)
	if err != nil {
		return out, err
	}
	out.Devices, out.Approximate = total, approximate
	out.Versions = versions(counts, totals)
	if len(out.Versions) > maxVersions {
		out.Versions, out.Approximate = out.Versions[:maxVersions], true
	}
	out.Platforms = sumBy(counts, func(c *DeviceCount) string { return c.Platform })
	out.Channels = sumBy(counts, func(c *DeviceCount) string { return belongs(channels, c) })
	since := s.now().Add(-time.Duration(hours) * time.Hour)
	if out.Hours, err = s.store.OutcomeHours(ctx, app, since.Truncate(time.Hour).UnixMilli(), maxOutcomes); err != nil {
		return out, err
	}
	out.Checks, err = s.store.CheckQuarters(ctx, app, since.Truncate(15*time.Minute).UnixMilli())
	return out, err
}

// versions joins who runs a version with how it went.
func versions(counts []DeviceCount, totals []ota.VersionStats) []ota.VersionStats {
	at := make(map[string]int, len(totals))
	out := make([]ota.VersionStats, 0, len(totals))
	find := func(version string) *ota.VersionStats {
		i, ok := at[version]
		if !ok {
			i = len(out)
			at[version] = i
			out = append(out, ota.VersionStats{Version: version})
		}
		return &out[i]
	}
	for _, t := range totals {
		v := find(t.Version)
		v.Took, v.Failed = t.Took, t.Failed
	}
	for i := range counts {
		find(counts[i].Version).Devices += counts[i].N
	}
	slices.SortFunc(out, func(a, b ota.VersionStats) int {
		return cmp.Or(cmp.Compare(b.Devices, a.Devices), cmp.Compare(b.Took, a.Took), cmp.Compare(a.Version, b.Version))
	})
	return out
}

func sumBy(counts []DeviceCount, name func(*DeviceCount) string) []ota.Count {
	sums := map[string]int64{}
	for i := range counts {
		sums[name(&counts[i])] += counts[i].N
	}
	out := make([]ota.Count, 0, len(sums))
	for n, devices := range sums {
		if devices > 0 {
			out = append(out, ota.Count{Name: n, Devices: devices})
		}
	}
	slices.SortFunc(out, func(a, b ota.Count) int {
		return cmp.Or(cmp.Compare(b.Devices, a.Devices), cmp.Compare(a.Name, b.Name))
	})
	return out
}
