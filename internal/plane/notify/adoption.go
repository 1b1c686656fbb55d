package notify

import (
	"context"
	"encoding/json"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/webhook"
)

// How adoption is measured.
const (
	activeFor   = 24 * time.Hour      // a device seen within is active
	adoptWithin = 60 * 24 * time.Hour // older releases are not watched any more
	sample      = 20_000              // active devices of an app that are looked at, last seen first
)

const adopter ota.Actor = "system/adoption"

// thresholds are the percentages that are told, rising.
func thresholds() []int { return []int{50, 90, 95} }

// Adoption looks at how many active devices run what their channel serves, and
// records the highest threshold that a release newly reached. A release that
// jumps over one is told of once.
func (s *Service) Adoption(ctx context.Context) error {
	now := s.Now()
	all := thresholds()
	waiting, err := s.Store.Adoptable(ctx, now.Add(-adoptWithin).UnixMilli(), all[len(all)-1])
	if err != nil {
		return err
	}
	counts := map[string][]Running{} // by app
	for _, a := range waiting {
		running, ok := counts[a.App]
		if !ok {
			if running, err = s.Store.Running(ctx, a.App, now.Add(-activeFor).UnixMilli(), sample); err != nil {
				return err
			}
			counts[a.App] = running
		}
		on, active := adopted(&a, running)
		if reached := highest(on, active); reached > a.Reached {
			if err := s.recordAdoption(ctx, &a, reached, on, active); err != nil {
				return err
			}
		}
	}
	return nil
}

// adopted counts the active devices of a channel, and those on its version.
func adopted(a *Adoptable, running []Running) (on, active int64) {
	for _, r := range running {
		if r.Channel != a.Channel && (r.Channel != "" || !a.Public) {
			continue
		}
		active += r.Devices
		if r.Version == a.Version {
			on += r.Devices
		}
	}
	return on, active
}

// highest returns the highest threshold that on of active devices reach, 0 for none.
func highest(on, active int64) int {
	reached := 0
	for _, t := range thresholds() {
		if active > 0 && on*100 >= active*int64(t) {
			reached = t
		}
	}
	return reached
}

func (s *Service) recordAdoption(ctx context.Context, a *Adoptable, reached int, on, active int64) error {
	detail, err := json.Marshal(map[string]any{
		"version": a.Version, "release": a.Release, "threshold": reached, "devices": on, "active": active,
	})
	if err != nil {
		return err
	}
	return s.Store.Update(ctx, adopter, s.nowMS(), func(tx Tx) (ota.Change, error) {
		c := ota.Change{Action: webhook.ActionAdoption, Org: a.Org, App: a.App, Object: a.Channel, Detail: string(detail)}
		return c, tx.MarkAdoption(ctx, a.Release, reached)
	})
}
