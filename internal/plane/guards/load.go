package guards

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/waxwing-ota/waxwing/internal/core/guard"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// rowsAtOnce is how many inputs are read at once.
const rowsAtOnce = 2000

// Load plays what was stored again, and takes up what was decided and not
// carried out. Call it once, before Observe.
func (s *Service) Load(ctx context.Context) error {
	since := s.now().Add(-remember).UnixMilli()
	list, err := s.store.GuardWatches(ctx, since)
	if err != nil {
		return fmt.Errorf("list what the guard watches: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, of := range list {
		w, err := s.restore(ctx, of)
		if err != nil {
			return err
		}
		s.watches[key{of.App, of.Rollout}] = w
		for _, d := range w.decisions {
			if !d.Done {
				s.add(w, d)
			}
		}
	}
	s.recall(ctx)
	return nil
}

// restore plays the inputs of a watch.
func (s *Service) restore(ctx context.Context, of Watch) (*watch, error) {
	w := newWatch(of)
	for {
		rows, err := s.store.GuardRows(ctx, of.App, of.Rollout, w.seq, rowsAtOnce)
		if err != nil {
			return nil, fmt.Errorf("read inputs of the guard: %w", err)
		}
		for i := range rows {
			if err := w.replay(&rows[i]); err != nil {
				return nil, err
			}
		}
		if len(rows) < rowsAtOnce {
			break
		}
	}
	s.anchor(ctx, w)
	var err error
	w.decisions, err = s.store.GuardDecisions(ctx, of.App, of.Rollout)
	return w, err
}

// anchor compares what was read with the digest that was stored beside it. What
// is missing or altered stays visible: the history goes on from the stored
// digest and number, so that no replay of it ever agrees again.
func (s *Service) anchor(ctx context.Context, w *watch) {
	found := ota.GuardHead{Inputs: w.seq, Digest: w.chain.String()}
	if w.Head == found || w.Head == (ota.GuardHead{}) {
		return // as it was left, or of a version that kept no digest
	}
	s.log.ErrorContext(ctx, "the stored history of the guard was altered: its digest does not agree",
		"app", w.App, "channel", w.Channel, "rollout", w.Rollout, "stored_inputs", w.Head.Inputs, "found_inputs", found.Inputs)
	if c, ok := guard.ParseChain(w.Head.Digest); ok {
		w.chain = c
	}
	w.seq = max(w.seq, w.Head.Inputs)
}

func (w *watch) replay(row *ota.GuardRow) error {
	var in guard.Input
	if err := json.Unmarshal([]byte(row.Input), &in); err != nil {
		return fmt.Errorf("input %d of the guard of %s %s: %w", row.Seq, w.App, w.Rollout, err)
	}
	w.seq, w.chain = row.Seq, w.chain.Next(row.Seq, row.Input)
	res := w.state.Apply(row.Seq, &in)
	w.note(&in, &res)
	return nil
}
