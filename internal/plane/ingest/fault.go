package ingest

import (
	"context"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/decide"
	"github.com/waxwing-ota/waxwing/internal/core/errgroup"
)

// faultTime is how long finding out what group the errors of one call belong to
// may take in all; what is left then is grouped as it was reported.
const faultTime = 2 * time.Second

// faults finds the groups of the errors among events. Only events that report an
// error cost anything.
func (s *Service) faults(ctx context.Context, app string, view *decide.App, events []EventRow) {
	if s.fault == nil {
		return
	}
	var cancel context.CancelFunc
	for i := range events {
		if !errgroup.Reports(events[i].Action) {
			continue
		}
		if cancel == nil {
			ctx, cancel = context.WithTimeout(ctx, faultTime)
			defer cancel()
		}
		events[i].Fault = s.fault(ctx, app, view, &events[i].Event)
	}
}
