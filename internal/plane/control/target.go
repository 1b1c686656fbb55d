package control

import (
	"context"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// RollbackTarget returns the channel and the version that a rollback to a version
// ("" = the one before) would put on it, or the error that it would fail with.
func (s *Service) RollbackTarget(ctx context.Context, app, channel, to string) (ch ota.Channel, version string, err error) {
	if ch, err = findChannel(ctx, s.store, app, channel); err != nil {
		return ch, "", err
	}
	if ch.Release == nil {
		return ch, "", ota.Conflict(CodeNothingBefore, "nothing was released on channel %q yet", ch.Name)
	}
	if to == ch.Release.Version {
		return ch, "", ota.Conflict(CodeCurrent, "channel %q serves %s already", ch.Name, to).WithField("to")
	}
	history, err := s.store.History(ctx, ch.ID)
	if err != nil {
		return ch, "", err
	}
	dest, err := destination(&ch, history, to)
	return ch, dest.Version, err
}
