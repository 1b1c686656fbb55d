package scans

import (
	"bytes"
	"context"
	"errors"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/scan/report"
)

// scanActor is who the record of changes names.
const scanActor ota.Actor = "system/scanner"

const (
	maxAttempts = 3
	scanTime    = 10 * time.Minute // for one bundle
	lookEvery   = 30 * time.Second // for jobs that are due again
	firstPause  = time.Minute      // after a failure; doubled each time
	maxError    = 500              // bytes of an error that is kept
)

// Rescan asks the server to scan a bundle again.
func (s *Service) Rescan(ctx context.Context, actor ota.Actor, app, version string) (ota.ScanJob, error) {
	b, err := s.bundle(ctx, s.d.Store, app, version)
	if err != nil {
		return ota.ScanJob{}, err
	}
	if b.DeletedAt != 0 || !s.d.Readable(&b) {
		return ota.ScanJob{}, ota.Conflict(CodeUnreadable, "the server cannot read version %s: it is encrypted, kept elsewhere, or deleted", version).
			WithHint("push it again: the machine that publishes scans it and sends the report")
	}
	j := ota.ScanJob{BundleID: b.ID, App: app, Version: version, State: ota.ScanWaiting, AskedAt: s.nowMS(), AskedBy: actor}
	err = s.update(ctx, actor, app, func(tx Tx) (ota.Change, error) {
		if have, err := tx.ScanJob(ctx, b.ID); err != nil || have != nil && have.State == ota.ScanWaiting {
			if have != nil {
				j = *have
			}
			return ota.Change{}, err
		}
		return change("scan.rescan", version, map[string]any{}), tx.SetScanJob(ctx, j)
	})
	s.Wake()
	return j, err
}

// Run scans what waits, one bundle at a time, until ctx ends.
func (s *Service) Run(ctx context.Context) error {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		did, err := s.Next(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			s.d.Log.Error("scanning bundles failed", "err", err)
		}
		if did && err == nil {
			continue
		}
		select {
		case <-ctx.Done():
			return nil
		case <-s.wake:
		case <-tick.C:
		}
	}
}

// Next scans the bundle that waits longest; false if none is due. An error is
// one of storage: what goes wrong with a bundle is kept with its job.
func (s *Service) Next(ctx context.Context) (bool, error) {
	j, err := s.d.Store.NextScan(ctx, s.nowMS())
	if err != nil || j == nil {
		return false, err
	}
	b, err := s.d.Store.Bundle(ctx, j.App, j.Version)
	if err != nil {
		return false, err
	}
	if b.DeletedAt != 0 {
		return true, s.update(ctx, scanActor, j.App, func(tx Tx) (ota.Change, error) {
			return change("scan.drop", j.Version, map[string]any{"reason": "the bundle was deleted"}), tx.DeleteScanJob(ctx, j.BundleID)
		})
	}
	st, err := s.scan(ctx, &b)
	switch {
	case ctx.Err() != nil:
		return false, ctx.Err() // stopping; it waits still
	case err != nil:
		return true, s.failed(ctx, j, err)
	}
	return true, s.update(ctx, scanActor, j.App, func(tx Tx) (ota.Change, error) {
		if have, err := tx.ScanJob(ctx, j.BundleID); err != nil || have == nil {
			return ota.Change{}, err
		}
		var err error
		if st, err = tx.InsertScanReport(ctx, st); err != nil {
			return ota.Change{}, err
		}
		return change("scan.report", j.Version, detail(&st)), tx.DeleteScanJob(ctx, j.BundleID)
	})
}

// scan makes the report of a bundle.
func (s *Service) scan(ctx context.Context, b *ota.Bundle) (Stored, error) {
	ctx, cancel := context.WithTimeout(ctx, scanTime)
	defer cancel()
	rep, err := s.read(ctx, b)
	if err != nil {
		return Stored{}, err
	}
	var raw bytes.Buffer
	// Without a time: the same content and rules give the same report.
	if err := report.JSON(&raw, rep, report.Meta{Version: s.d.Version, Target: b.App + " " + b.Version}); err != nil {
		return Stored{}, err
	}
	zipped, err := gzipped(raw.Bytes())
	return Stored{
		ScanReport: ota.ScanReport{
			App: b.App, Version: b.Version, BundleID: b.ID, Source: ota.ScanServer, Digest: ota.Sum(raw.Bytes()),
			Tool: "waxwing " + s.d.Version, Rules: s.ruleSet, Counts: countsOf(rep), CreatedAt: s.nowMS(), CreatedBy: scanActor,
		},
		Findings: findingsOf(rep), Report: zipped,
	}, err
}

// failed notes what went wrong, and when to try again.
func (s *Service) failed(ctx context.Context, j *ota.ScanJob, cause error) error {
	j.Attempts++
	j.Error = text(cause)
	j.NextAt = s.nowMS() + (firstPause << (j.Attempts - 1)).Milliseconds()
	if j.Attempts >= maxAttempts || permanent(cause) {
		j.State = ota.ScanFailed
	}
	s.d.Log.Warn("a bundle could not be scanned", "app", j.App, "version", j.Version, "attempt", j.Attempts, "err", cause)
	return s.update(ctx, scanActor, j.App, func(tx Tx) (ota.Change, error) {
		return change("scan.fail", j.Version, map[string]any{"attempt": j.Attempts, "state": j.State, "error": j.Error}), tx.SetScanJob(ctx, *j)
	})
}

// permanent reports whether trying again cannot help.
func permanent(err error) bool {
	return ota.KindOf(err) == ota.KindTooLarge || ota.CodeOf(err) == CodeUnreadable
}

// text is what people may read of an error.
func text(err error) string {
	out := "a fault of the server; its log says more"
	if e, ok := errors.AsType[*ota.Error](err); ok && e.Kind != ota.KindInternal {
		out = e.Msg
	}
	if errors.Is(err, context.DeadlineExceeded) {
		out = "it took longer than " + scanTime.String()
	}
	return out[:min(len(out), maxError)]
}
