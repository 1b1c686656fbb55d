package guards

import (
	"context"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// holdFor is how long a person waits for the record of what stopped already.
const holdFor = 3 * time.Second

// Hold stops offers of what is named at once and then has record write it down.
// If that cannot be done now, because the database takes no writes or not in
// time, offers stay stopped in memory, the halt is recorded as soon as it can
// be, also after a restart, and recorded is false. An error means that nothing was stopped.
func (s *Service) Hold(ctx context.Context, h Halt, record func(context.Context) error) (recorded bool, err error) {
	s.snap.Brake(h.App, h.Channel, h.Version, true)
	done := make(chan error) // unbuffered: what came of it is taken by one of the two
	late := make(chan struct{})
	s.holds.Go(func() {
		err := record(context.WithoutCancel(ctx)) // whoever asked may go: it stays stopped
		select {
		case done <- err:
		case <-late:
			_, _ = s.settle(ctx, h, err) // nobody waits for it any more; what failed is tried again
			s.mu.Lock()
			delete(s.late, &h)
			s.mu.Unlock()
			s.keep(ctx)
		}
	})
	wait := time.NewTimer(holdFor)
	defer wait.Stop()
	select {
	case err = <-done:
		return s.settle(ctx, h, err)
	case <-wait.C:
	case <-ctx.Done():
	}
	s.mu.Lock()
	s.late[&h] = h
	s.mu.Unlock()
	close(late)
	s.keep(ctx)
	s.log.WarnContext(ctx, "the database does not take a halt by hand in time; offers are stopped",
		"app", h.App, "channel", h.Channel, "version", h.Version)
	return false, nil
}

// settle takes in what came of recording a halt by hand.
func (s *Service) settle(ctx context.Context, h Halt, err error) (recorded bool, _ error) {
	if err != nil && again(err) {
		s.log.ErrorContext(ctx, "a halt by hand cannot be recorded yet; offers are stopped",
			"app", h.App, "channel", h.Channel, "version", h.Version, "err", err)
		s.mu.Lock()
		s.todo = append(s.todo, task{braked: true, halt: h})
		s.mu.Unlock()
		s.keep(ctx)
		return false, nil
	}
	s.snap.Brake(h.App, h.Channel, h.Version, false)
	return err == nil, err
}

// Rolling names the version that a channel rolls out as devices see it, "" if
// it rolls out none.
func (s *Service) Rolling(app, channel string) string {
	view := s.snap.App(app)
	if view == nil {
		return ""
	}
	if ch := view.ChannelByName(channel); ch != nil && ch.Rollout != nil {
		return ch.Rollout.Bundle.Version
	}
	return ""
}

// ByHand is a halt of the version that a channel rolls out, which a person asks for.
func (s *Service) ByHand(actor ota.Actor, app, channel string, action ota.HaltAction, reason string) Halt {
	if reason == "" {
		reason = "halted by hand"
	}
	return Halt{Actor: actor, App: app, Channel: channel, Version: s.Rolling(app, channel), Action: action, Text: reason}
}
