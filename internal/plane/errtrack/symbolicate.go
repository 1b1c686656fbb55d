package errtrack

import (
	"context"

	"github.com/waxwing-ota/waxwing/internal/core/errgroup"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// Symbolicate looks again at the groups of an app that were made of stacks as
// they were reported, and groups them by positions in the sources where the maps
// are there now. A group follows the newest of its samples that has maps.
func (s *Service) Symbolicate(ctx context.Context, actor ota.Actor, app string) (ota.Symbolication, error) {
	var out ota.Symbolication
	if _, err := s.d.Store.App(ctx, app); err != nil {
		return out, err
	}
	moves := map[int64]ota.Fault{}
	var order []int64
	for after := int64(0); ; {
		groups, err := s.d.Store.UnmappedErrors(ctx, app, after)
		if err != nil {
			return out, err
		}
		if len(groups) == 0 {
			break
		}
		for _, g := range groups {
			after = g.ID
			out.Looked++
			f, ok, err := s.regroup(ctx, app, g)
			if err != nil {
				return out, err
			}
			if ok {
				moves[g.ID] = f
				order = append(order, g.ID)
			}
		}
	}
	if len(order) == 0 {
		return out, nil
	}
	err := s.update(ctx, actor, app, func(tx Tx) (ota.Change, error) {
		out.Changed, out.Merged = 0, 0
		for _, id := range order {
			merged, err := tx.RegroupError(ctx, id, moves[id])
			if err != nil {
				return ota.Change{}, err
			}
			out.Changed++
			if merged {
				out.Merged++
			}
		}
		return change("error.symbolicate", "errors", fields{"changed": out.Changed, "merged": out.Merged}), nil
	})
	return out, err
}

// regroup returns what a group becomes with the maps there are.
func (s *Service) regroup(ctx context.Context, app string, g ota.ErrorGroup) (ota.Fault, bool, error) {
	samples, err := s.d.Store.ErrorSamples(ctx, g.ID)
	if err != nil {
		return ota.Fault{}, false, err
	}
	for i := range samples {
		if err := ctx.Err(); err != nil {
			return ota.Fault{}, false, ota.Errorf(ota.KindUnavailable, "gave_up", "the caller stopped waiting").WithCause(err)
		}
		t, ok := s.read(ctx, app, &samples[i])
		if !ok {
			continue
		}
		if to := errgroup.Of(&t); to.Mapped {
			return ota.Fault{Print: to.Print, Kind: g.Kind, Title: to.Title, Culprit: to.Culprit, Mapped: true}, true, nil
		}
	}
	return ota.Fault{}, false, nil
}
