package incidents

import (
	"context"
	"errors"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/incident"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// watchActor is who the record of changes names when enough devices left.
const watchActor ota.Actor = "system/incidents"

// watchEvery is the time between two looks at recoveries.
const watchEvery = 3 * time.Second

// maxWatched bounds the recoveries that are watched at a time.
const maxWatched = 100

// Run watches recoveries until ctx ends; failed hears what went wrong.
func (s *Service) Run(ctx context.Context, failed func(error)) error {
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			if err := s.Watch(ctx); err != nil && ctx.Err() == nil {
				failed(err)
			}
		}
	}
}

// Watch looks at every recovery once. One that as good as all devices followed
// is resolved.
func (s *Service) Watch(ctx context.Context) error {
	list, err := s.d.Store.IncidentsIn(ctx, ota.IncidentRecovering, maxWatched)
	if err != nil {
		return err
	}
	var errs []error
	for _, i := range list {
		errs = append(errs, s.watch(ctx, i))
	}
	return errors.Join(errs...)
}

func (s *Service) watch(ctx context.Context, i ota.Incident) error {
	now := s.nowMS()
	on, active, err := s.d.Store.OnVersion(ctx, i.App, i.Version, now-incident.Active.Milliseconds())
	if err != nil {
		return err
	}
	i = incident.Progress(i, on, active)
	have, err := s.d.Store.IncidentSamples(ctx, i.ID)
	if err != nil {
		return err
	}
	sample := ota.IncidentSample{At: now, Affected: i.Affected, Left: i.Left}
	if incident.Keep(have, sample) {
		err = s.d.Store.NoteProgress(ctx, i, &sample)
	} else {
		err = s.d.Store.NoteProgress(ctx, i, nil)
	}
	if err != nil || !incident.Done(&i) {
		return err
	}
	_, err = s.resolve(ctx, i)
	return err
}

// resolve ends a recovery unless somebody was faster or began another one.
func (s *Service) resolve(ctx context.Context, i ota.Incident) (ota.Incident, error) {
	err := s.d.Store.Update(ctx, watchActor, s.nowMS(), func(tx Tx) (ota.Change, error) {
		is, err := tx.Incident(ctx, i.ID)
		if err != nil || is.State != ota.IncidentRecovering || is.RecoveringAt != i.RecoveringAt {
			return ota.Change{}, err
		}
		return s.move(ctx, tx, &i, incident.Resolve, "incident.resolve", fields{"devices": i.Affected, "left": i.Left})
	})
	return i, err
}
