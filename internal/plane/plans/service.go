package plans

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/rollout"
	"github.com/waxwing-ota/waxwing/internal/plane/snap"
)

// Actor is who the record of changes names for steps.
const Actor ota.Actor = "system/rollout"

// Every is the time between two looks.
const Every = 15 * time.Second

// Store is what is read.
type Store interface {
	// Planned lists the channels of all apps whose rollout has a plan.
	Planned(ctx context.Context) ([]ota.Channel, error)
	Channel(ctx context.Context, app, name string) (ota.Channel, error)
	Device(ctx context.Context, app string, id ota.DeviceID) (ota.Device, error)
	Cohorts(ctx context.Context, app string) ([]ota.Cohort, error)
}

// Guard says how a rollout's devices are; no opinion is KindNotFound.
type Guard interface {
	View(ctx context.Context, app, rollout string) (ota.GuardView, error)
}

// Deps is what a Service stands on. Guard may be nil: then the soak alone counts.
type Deps struct {
	Store Store
	// Advance takes the step that is due of a rollout, if one is.
	Advance func(ctx context.Context, actor ota.Actor, app, channel, rolloutID string, guard rollout.GuardState) (bool, error)
	Guard   Guard
	Snap    *snap.Holder
	Now     func() time.Time
	Log     *slog.Logger
}

// Service looks after plans.
type Service struct {
	Deps
	mu   sync.Mutex // held during a look
	wake chan struct{}
}

// New returns a Service.
func New(d Deps) *Service { return &Service{Deps: d, wake: make(chan struct{}, 1)} }

// Wake asks for a look soon. It never waits.
func (s *Service) Wake() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// Run looks until ctx ends: at once, when asked, and every so often.
func (s *Service) Run(ctx context.Context) error {
	tick := time.NewTicker(Every)
	defer tick.Stop()
	for {
		if err := s.Look(ctx); err != nil && ctx.Err() == nil {
			s.Log.ErrorContext(ctx, "rollout plans were not looked at", "err", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-s.wake:
		case <-tick.C:
		}
	}
}

// Look takes every step that is due, one of each rollout. A rollout that fails
// does not keep the others waiting.
func (s *Service) Look(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	channels, err := s.Store.Planned(ctx)
	if err != nil {
		return err
	}
	var errs []error
	for i := range channels {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		errs = append(errs, s.look(ctx, &channels[i]))
	}
	return errors.Join(errs...)
}

func (s *Service) look(ctx context.Context, ch *ota.Channel) error {
	r := ch.Rollout
	if r.Progress == nil {
		return nil
	}
	guard, err := s.guard(ctx, ch)
	if err != nil {
		return err
	}
	now := s.Now().UnixMilli()
	facts := rollout.FactsOf(r, guard, time.LoadLocation, now)
	if _, acts := rollout.Advance(r.Plan, *r.Progress, facts, now); len(acts) == 0 {
		return nil // control would find the same, in a transaction
	}
	done, err := s.Advance(ctx, Actor, ch.App, ch.Name, r.ID, guard)
	if done {
		s.Log.InfoContext(ctx, "a rollout went on by its plan", "app", ch.App, "channel", ch.Name, "version", r.Version)
	}
	return err
}

// guard asks the guard about a channel's rollout. If it cannot tell, nothing goes
// on: a plan must not grow while nobody looks.
func (s *Service) guard(ctx context.Context, ch *ota.Channel) (rollout.GuardState, error) {
	if s.Guard == nil || !ch.Policy.Guard.Enabled {
		return rollout.GuardAbsent, nil
	}
	v, err := s.Guard.View(ctx, ch.App, ch.Rollout.ID)
	switch {
	case ota.KindOf(err) == ota.KindNotFound && err != nil:
		return rollout.GuardState(ota.GuardWatching), nil // it has seen no device yet
	case err != nil:
		return "", err
	}
	return rollout.GuardState(v.State), nil
}
