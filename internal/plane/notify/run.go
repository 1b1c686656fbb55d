package notify

import (
	"context"
	"sync"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// How the notifier works.
const (
	tickEvery   = time.Second // between two looks for work, unless something kicks it
	adoptEvery  = time.Minute
	purgeEvery  = time.Hour
	tailLimit   = 200 // changes read at a time for one subscription
	maxParallel = 32  // subscriptions that are served at once

	// Retention is how long the log of deliveries is kept.
	Retention  = 30 * 24 * time.Hour
	purgeLimit = 500 // deliveries removed in one transaction
)

// actor is who the record of changes names for what happens here.
const actor ota.Actor = "system/notify"

// Run delivers until ctx ends, then waits for attempts under way to be given up.
// What goes wrong is logged and tried again; it never ends the server.
func (s *Service) Run(ctx context.Context) error {
	var serving sync.WaitGroup
	defer serving.Wait()
	slots := make(chan struct{}, maxParallel)
	tick, adopt, purge := time.NewTicker(s.Every), time.NewTicker(adoptEvery), time.NewTicker(purgeEvery)
	defer tick.Stop()
	defer adopt.Stop()
	defer purge.Stop()
	for {
		s.tail(ctx)
		s.dispatch(ctx, slots, &serving)
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		case <-s.wake:
		case <-adopt.C:
			s.report(ctx, "look at adoption", s.Adoption(ctx))
		case <-purge.C:
			s.report(ctx, "remove old deliveries", s.purge(ctx))
		}
	}
}

func (s *Service) report(ctx context.Context, doing string, err error) {
	if err != nil && ctx.Err() == nil {
		s.Log.Error("notifications: cannot "+doing, "err", err)
	}
}

// tail queues what the record of changes holds for anybody.
func (s *Service) tail(ctx context.Context) {
	for {
		more, err := s.Store.Tail(ctx, s.nowMS(), tailLimit, s.pick)
		s.report(ctx, "read the record of changes", err)
		if err != nil || !more {
			return
		}
	}
}

// dispatch serves every subscription that has something due and is not being
// served. With all slots taken the rest waits for the next look.
func (s *Service) dispatch(ctx context.Context, slots chan struct{}, serving *sync.WaitGroup) {
	due, err := s.Store.Due(ctx, s.nowMS())
	s.report(ctx, "look for deliveries", err)
	for _, id := range due {
		if !s.claim(id) {
			continue
		}
		select {
		case slots <- struct{}{}:
		default:
			s.release(id)
			return
		}
		serving.Go(func() {
			again, err := s.serve(ctx, id)
			s.report(ctx, "deliver", err)
			s.release(id)
			<-slots
			if again {
				s.kick()
			}
		})
	}
}

// claim keeps everybody else from serving a subscription; false = somebody does.
func (s *Service) claim(id int64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.busy[id] {
		return false
	}
	s.busy[id] = true
	return true
}

func (s *Service) release(id int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.busy, id)
}

func (s *Service) purge(ctx context.Context) error {
	before := s.Now().Add(-Retention).UnixMilli()
	for {
		n, err := s.Store.PurgeDeliveries(ctx, before, purgeLimit)
		if err != nil || n < purgeLimit {
			return err
		}
	}
}
