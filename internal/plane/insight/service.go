package insight

import (
	"context"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// DeviceCount counts devices that say the same of themselves.
type DeviceCount struct {
	Version, Platform string
	Named             string // channel they name; "" = none
	Bound             string // channel they are bound to; "" = none
	N                 int64
}

// Store is what the package reads. Limits bound rows read, not only returned.
type Store interface {
	Sums
	App(ctx context.Context, id string) (ota.App, error)
	Bundle(ctx context.Context, app, version string) (ota.Bundle, error)
	Apps(ctx context.Context, p ota.Page) ([]ota.App, string, error)
	Channels(ctx context.Context, app string) ([]ota.Channel, error)
	// ChannelsOf lists the channels of several apps, by app and name.
	ChannelsOf(ctx context.Context, apps []string) ([]ota.Channel, error)
	// Watched lists channels that have a rollout or were halted once, newest first.
	Watched(ctx context.Context, limit int) ([]ota.Channel, error)
	DeviceTotals(ctx context.Context, apps []string) (map[string]int64, error)
	// DeviceCounts lists the largest counts; Bound is not told.
	DeviceCounts(ctx context.Context, app string, limit int) ([]DeviceCount, error)
	// BoundCounts counts at most limit of the devices bound to a channel.
	BoundCounts(ctx context.Context, app string, limit int) ([]DeviceCount, error)
	OutcomeHours(ctx context.Context, app string, since int64, limit int) ([]ota.OutcomeHour, error)
	// OutcomeTotals sums the latest hours up to limit rows.
	OutcomeTotals(ctx context.Context, app string, limit int) ([]ota.VersionStats, error)
	// OutcomeList lists devices by id.
	OutcomeList(ctx context.Context, app string, f ota.OutcomeFilter, p ota.Page) ([]ota.DeviceOutcome, string, error)
	OutcomeCounts(ctx context.Context, app, version string) ([]ota.OutcomeCount, error)
	// DeviceOutcomes lists those of a device, latest first.
	DeviceOutcomes(ctx context.Context, app string, id ota.DeviceID, limit int) ([]ota.DeviceOutcome, error)
	CheckQuarters(ctx context.Context, app string, since int64) ([]ota.CheckQuarter, error)
}

// The bounds of one look.
const (
	maxCounts   = 2000
	maxBound    = 5000 // each is looked up: 20,000 of them cost 60 ms
	maxOutcomes = 20_000
	maxVersions = 50
	maxWatched  = 100
	// MaxHours is how far back series go.
	MaxHours     = 168
	defaultHours = 24
)

// Service answers questions.
type Service struct {
	store Store
	now   func() time.Time
}

// New returns a service.
func New(store Store, now func() time.Time) *Service { return &Service{store: store, now: now} }

// counts returns an app's devices by what they say and where they are bound.
// approximate means that not all of them are in it.
func (s *Service) counts(ctx context.Context, app string) (counts []DeviceCount, total int64, approximate bool, err error) {
	totals, err := s.store.DeviceTotals(ctx, []string{app})
	if err != nil {
		return nil, 0, false, err
	}
	if counts, err = s.store.DeviceCounts(ctx, app, maxCounts); err != nil {
		return nil, 0, false, err
	}
	bound, err := s.store.BoundCounts(ctx, app, maxBound)
	if err != nil {
		return nil, 0, false, err
	}
	var nBound, sum int64
	for _, b := range bound {
		nBound += b.N
		for i := range counts { // a bound device is not where it says
			if c := &counts[i]; c.Bound == "" && c.Version == b.Version && c.Platform == b.Platform && c.Named == b.Named {
				c.N = max(0, c.N-b.N)
				counts = append(counts, b)
				break
			}
		}
	}
	for _, c := range counts {
		sum += c.N
	}
	return counts, totals[app], sum < totals[app] || nBound >= maxBound, nil
}

// belongs names the channel that devices are served from, by the rules of
// package decide; "" = none.
func belongs(channels []ota.Channel, c *DeviceCount) string {
	if c.Bound != "" {
		return c.Bound
	}
	for i := range channels {
		ch := &channels[i]
		if !serves(&ch.Policy, c.Platform) {
			continue
		}
		if c.Named == "" && ch.Policy.Public || c.Named != "" && c.Named == ch.Name && (ch.Policy.Public || ch.Policy.AllowSelfSet) {
			return ch.Name
		}
	}
	return ""
}

func serves(p *ota.Policy, platform string) bool {
	switch platform {
	case "ios":
		return p.IOS
	case "android":
		return p.Android
	case "electron":
		return p.Electron
	}
	return false
}
