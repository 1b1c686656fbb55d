package run

import (
	"context"
	"log/slog"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// collector removes, every hour, what nothing refers to any more and what is
// past retention.
type collector struct {
	collect func(context.Context, ota.Actor) (ota.GCReport, error)
	log     *slog.Logger
}

// collectEvery is the time between two collections.
const collectEvery = time.Hour

// collectActor is who the record of changes names.
const collectActor ota.Actor = "system/gc"

// run collects until ctx ends. A collection that fails is logged and tried
// again an hour later.
func (c *collector) run(ctx context.Context) error {
	tick := time.NewTicker(collectEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			c.once(ctx)
		}
	}
}

func (c *collector) once(ctx context.Context) {
	r, err := c.collect(ctx, collectActor)
	switch {
	case ctx.Err() != nil: // stopping
	case err != nil:
		c.log.Error("garbage collection failed", "err", err)
	case r.Blobs+r.Partial > 0 || r.Events > 0:
		c.log.Info("garbage collected", "blobs", r.Blobs, "bytes", r.Bytes, "partial", r.Partial, "events", r.Events)
	}
}
