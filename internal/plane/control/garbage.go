package control

import (
	"context"
	"fmt"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/driver/blob"
)

const (
	// inFlight is how long an uploaded blob may wait for its bundle, and a
	// deleted bundle's content for downloads that run.
	inFlight = day
	// abandoned is when an unfinished upload is given up.
	abandoned = 7 * day
	// purgeBatch is how many events go in one transaction: reports of devices
	// wait that long.
	purgeBatch = 5000
)

// CollectGarbage removes what nothing refers to any more: content of bundles
// that are deleted or that retention lets go, abandoned uploads, old events.
//
// It may be killed anywhere. First bundles are marked as deleted, then what the
// database says of their content goes, last the blobs: at no time does a bundle
// that devices may get refer to a blob that is gone.
func (s *Service) CollectGarbage(ctx context.Context, actor ota.Actor) (ota.GCReport, error) {
	var r ota.GCReport
	now := s.now()
	err := s.collectContent(ctx, actor, now, &r)
	if err != nil {
		return r, err
	}
	if r.Partial, err = s.blobs.Sweep(ctx, now.Add(-abandoned)); err != nil {
		return r, err
	}
	if r.Events, err = purge(ctx, s.store.PurgeEvents, now.Add(-s.eventRetention).UnixMilli(), 10_000); err != nil {
		return r, err
	}
	sums, err := purge(ctx, s.store.PurgeRollups, now.UnixMilli(), 10_000)
	if r.Events += sums; err != nil {
		return r, err
	}
	return r, s.recordCollection(ctx, actor, now, r)
}

// recordCollection leaves a record of a collection that removed something.
func (s *Service) recordCollection(ctx context.Context, actor ota.Actor, now time.Time, r ota.GCReport) error {
	if r.Blobs+r.Partial == 0 && r.Events == 0 {
		return nil
	}
	return s.store.Update(ctx, actor, now.UnixMilli(), func(Tx) (ota.Change, error) {
		return change("garbage.collect", "", "server", r), nil
	})
}

// collectContent removes content of bundles. Nothing is published meanwhile: a
// new bundle might rely on what is about to go.
func (s *Service) collectContent(ctx context.Context, actor ota.Actor, now time.Time, r *ota.GCReport) error {
	s.blobsInUse.Lock()
	defer s.blobsInUse.Unlock()
	if err := s.retire(ctx, actor, now); err != nil {
		return err
	}
	use, err := s.store.BlobUse(ctx, now.Add(-inFlight).UnixMilli())
	if err != nil {
		return err
	}
	if len(use.Files)+len(use.Variants) > 0 {
		err := s.store.Update(ctx, actor, now.UnixMilli(), func(tx Tx) (ota.Change, error) {
			return change("garbage.forget", "", "content", fields{"files": len(use.Files), "variants": len(use.Variants)}), tx.Forget(ctx, use)
		})
		if err != nil {
			return err
		}
	}
	return s.sweepBlobs(ctx, use, now.Add(-inFlight), r)
}

// retire marks the bundles that retention lets go as deleted.
func (s *Service) retire(ctx context.Context, actor ota.Actor, now time.Time) error {
	var gone []ota.Bundle
	err := s.store.Update(ctx, actor, now.UnixMilli(), func(tx Tx) (ota.Change, error) {
		var err error
		if gone, err = tx.RetireBundles(ctx, now.Add(-s.retention).UnixMilli(), now.UnixMilli()); err != nil || len(gone) == 0 {
			return ota.Change{}, err
		}
		names := make([]string, len(gone))
		for i, b := range gone {
			names[i] = b.App + " " + b.Version
		}
		return change("garbage.retire", "", "bundles", fields{"bundles": names}), nil
	})
	if err != nil {
		return err
	}
	apps := map[string]struct{}{}
	for _, b := range gone {
		apps[b.App] = struct{}{}
	}
	for app := range apps {
		if err := s.refresh(ctx, app); err != nil {
			return err
		}
	}
	return nil
}

// sweepBlobs deletes the blobs that were stored before and are not needed.
func (s *Service) sweepBlobs(ctx context.Context, use BlobUse, before time.Time, r *ota.GCReport) error {
	var doomed []blob.Info
	err := s.blobs.Walk(ctx, func(b blob.Info) error {
		if _, needed := use.Blobs[b.Digest]; needed || !b.Stored.Before(before) {
			r.Kept++
		} else {
			doomed = append(doomed, b)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("list blobs: %w", err)
	}
	for _, b := range doomed {
		if err := s.blobs.Delete(ctx, b.Digest); err != nil {
			return err
		}
		r.Blobs++
		r.Bytes += b.Size
	}
	return nil
}

// purge removes what is past a time, and what is of apps that are gone, in at
// most that many batches.
func purge(ctx context.Context, some func(ctx context.Context, at int64, limit int) (int64, error), at int64, batches int) (int64, error) {
	var total int64
	for range batches {
		n, err := some(ctx, at, purgeBatch)
		total += n
		if err != nil || n < purgeBatch {
			return total, err
		}
	}
	return total, nil
}
