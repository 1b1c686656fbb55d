package guards

import (
	"context"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// Work carries out what was decided and not carried out yet. What fails is
// tried again at the next call; until then a version that is to be taken back
// stays braked.
func (s *Service) Work(ctx context.Context) {
	s.mu.Lock()
	todo := s.todo
	s.todo, s.doing = nil, todo
	s.mu.Unlock()
	var left []task
	for i := range todo {
		t := &todo[i]
		err := s.carryOut(ctx, t)
		if err == nil {
			continue
		}
		s.log.ErrorContext(ctx, "cannot carry out what the guard decided; offers stay stopped and it is tried again",
			"app", t.halt.App, "channel", t.halt.Channel, "version", t.halt.Version, "action", string(t.halt.Action), "err", err)
		left = append(left, *t)
	}
	s.mu.Lock()
	s.todo, s.doing = append(left, s.todo...), nil
	s.mu.Unlock()
	s.keep(ctx)
}

func (s *Service) carryOut(ctx context.Context, t *task) error {
	h := t.halt
	if h.Detail != nil && h.Detail.Kind == gateOpen {
		if err := s.opened(ctx, h.App, h.Channel, h.Version, *h.Detail); err != nil && again(err) {
			return err
		}
		s.done(t)
		return nil
	}
	err := s.halt(ctx, h)
	if err != nil && !again(err) && h.Action != ota.HaltNotify {
		// It cannot be taken back, for example because there is nothing to go
		// back to. That it is bad is recorded all the same.
		s.log.ErrorContext(ctx, "a release cannot be taken back", "app", h.App, "channel", h.Channel, "version", h.Version, "err", err)
		h.Action = ota.HaltNotify
		err = s.halt(ctx, h)
	}
	if err != nil && again(err) {
		return err
	}
	if t.braked {
		s.snap.Brake(h.App, h.Channel, h.Version, false)
	}
	s.done(t)
	s.log.WarnContext(ctx, "the guard acted", "app", h.App, "channel", h.Channel, "version", h.Version, "action", string(h.Action), "why", h.Text)
	return nil
}

// again reports whether an error may pass.
func again(err error) bool {
	switch ota.KindOf(err) {
	case ota.KindNotFound, ota.KindInvalid, ota.KindConflict, ota.KindForbidden:
		return false
	}
	return true
}

// done notes that a decision was carried out.
func (s *Service) done(t *task) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if t.halt.Detail == nil || t.halt.Detail.Kind != gateOpen {
		s.halts++
	}
	w := s.watches[t.key]
	if w == nil {
		return
	}
	for i := range w.decisions {
		if d := &w.decisions[i]; d.Input == t.seq && d.N == t.n {
			d.Done = true
			w.dirty = append(w.dirty, *d)
		}
	}
}

// Flush stores what is not stored yet. What cannot be stored is kept and tried
// again.
func (s *Service) Flush(ctx context.Context) {
	s.mu.Lock()
	var batches []Batch
	var from []*watch
	for _, w := range s.watches {
		if len(w.rows)+len(w.dirty) == 0 {
			continue
		}
		batches = append(batches, Batch{Watch: w.Watch, Rows: w.rows, Decisions: w.dirty})
		from = append(from, w)
		w.rows, w.dirty = nil, nil
	}
	s.mu.Unlock()
	if len(batches) == 0 {
		return
	}
	if err := s.store.SaveGuard(ctx, batches); err != nil {
		s.log.ErrorContext(ctx, "cannot store what the guard was told; it is kept and tried again", "err", err)
		s.mu.Lock()
		for i, w := range from {
			w.rows = append(batches[i].Rows, w.rows...)
			w.dirty = append(batches[i].Decisions, w.dirty...)
		}
		s.mu.Unlock()
	}
}

// tellAll tells the guard of exposures that wait and of what operators changed,
// and forgets what is over.
func (s *Service) tellAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	for k, w := range s.watches {
		view := s.snap.App(w.App)
		if view == nil {
			delete(s.watches, k)
			continue
		}
		serves := false
		for _, ch := range view.Channels {
			if w.Release == 0 && ch.Rollout != nil && ch.Rollout.ID == w.Rollout ||
				w.Release != 0 && len(ch.Chain) > 0 && ch.Chain[0].ID == w.Release {
				s.follow(w, ch)
				serves = true
			}
		}
		s.enqueue(w, w.tell(now.UnixMilli()))
		if !serves && now.UnixMilli()-w.UpdatedAt > remember.Milliseconds() && len(w.rows)+len(w.dirty) == 0 {
			delete(s.watches, k)
		}
	}
}
