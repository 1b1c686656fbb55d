package control

import (
	"context"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// GuardOpened records that the guard ruled out that a rollout's version fails
// twice as often as what it replaces.
func (s *Service) GuardOpened(ctx context.Context, actor ota.Actor, app, channel, version string, d ota.GuardDecision) error {
	return s.update(ctx, actor, app, func(tx Tx) (ota.Change, error) {
		if _, err := findChannel(ctx, tx, app, channel); err != nil {
			return ota.Change{}, err
		}
		return change("guard.open", app, channel, fields{"version": version, "decision": &d}), nil
	})
}
