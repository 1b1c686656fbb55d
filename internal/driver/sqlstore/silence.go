package sqlstore

import (
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"sync/atomic"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/outcome"
	"github.com/waxwing-ota/waxwing/internal/plane/ingest"
)

const (
	insertWait = `INSERT INTO outcome_waits (app, device, version, rollout, platform, network, since, due)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING`

	deleteWait = `DELETE FROM outcome_waits WHERE app = $1 AND device = $2 AND version = $3 AND rollout = $4`

	heardOf = `DELETE FROM outcome_waits WHERE app = $1 AND device = $2 AND since < $3 RETURNING version`

	dueWaits = `SELECT app, device, version, rollout, platform, network, since FROM outcome_waits
		WHERE due <= $1 ORDER BY due LIMIT $2`
)

// minSilence bounds health windows from below where silence is concerned: a
// device that only checks, and says the same, is noted every quarter of an hour.
const minSilence = 30 * 60 * 1000

// patience is what the search for silent devices remembers between runs.
type patience struct {
	// down is for how long (ms) devices could not be heard of since the first
	// run, because the server did not run or could not write.
	down atomic.Int64
}

// await waits for a device to be heard of within the window.
func (w *batch) await(v wait, window int64) error {
	n, err := w.exec(insertWait, v.app, v.device[:], v.version, v.rollout, v.platform, int64(v.network),
		v.since, v.since+max(window, minSilence)-w.patience.down.Load())
	if n > 0 {
		w.known.await(v.app, v.device)
	}
	return err
}

func (w *batch) unawait(app string, device ota.DeviceID, version, rollout string) error {
	n, err := w.exec(deleteWait, app, device[:], version, rollout)
	if n > 0 {
		w.known.end(app, device)
	}
	return err
}

// awaitInstalled waits for a device that has installed a version, until
// something else is known of it.
func (w *batch) awaitInstalled(l *lesson, old, now *outcome.Record) error {
	switch {
	case now.State == outcome.Installed && old.State != outcome.Installed:
		return w.await(wait{
			app: l.of.app, device: l.of.device, version: l.of.version, platform: l.platform, network: l.network, since: now.InstalledAt,
		}, l.window)
	case old.State == outcome.Installed && now.State != outcome.Installed:
		return w.unawait(l.of.app, l.of.device, l.of.version, "")
	}
	return nil
}

// heard ends the waits for the devices of the batch. One that runs what it
// installed is healthy.
func (w *batch) heard(devices []ingest.DeviceRow) error {
	for i := range devices {
		d := &devices[i]
		if !w.known.awaited(d.App, d.ID) {
			continue
		}
		var ended []string
		if err := w.query(heardOf, func(s scanner) error {
			var version string
			err := s.Scan(&version)
			ended = append(ended, version)
			w.known.end(d.App, d.ID)
			return err
		}, d.App, d.ID[:], d.LastSeen); err != nil {
			return err
		}
		for _, version := range ended {
			if version == "" || d.Reach != ingest.Running || d.VersionName != version {
				continue
			}
			l := lesson{of: deviceVersion{d.App, version, d.ID}, platform: platformOf(d.Platform), network: d.Told.Network, window: d.Told.Window, at: d.LastSeen}
			l.facts = outcome.At(outcome.Healthy, "", d.LastSeen)
			if err := w.settleOne(&l); err != nil {
				return err
			}
		}
	}
	return nil
}

// Sweep implements [ingest.Store].
func (db *DB) Sweep(ctx context.Context, now int64, limit int) (out ingest.Written, more bool, err error) {
	ctx = context.WithoutCancel(ctx)
	err = db.batch(ctx, func(w *batch) error {
		down, err := w.clock(now)
		if err != nil {
			return err
		}
		due, err := w.due(now-down, limit)
		if err != nil {
			return err
		}
		for i := range due {
			if err := w.silent(&due[i], now); err != nil {
				return err
			}
		}
		out, more = w.out, len(due) == limit
		return nil
	})
	return out, more && err == nil, err
}

// silent counts a device that was waited for in vain.
func (w *batch) silent(v *wait, now int64) error {
	if err := w.unawait(v.app, v.device, v.version, v.rollout); err != nil {
		return err
	}
	if v.version == "" {
		f := ingest.Failing{App: v.app, Device: v.device, Reason: outcome.Silent, At: now}
		return w.fail(f, silenceControl, v.app, v.rollout, v.device[:], now, outcome.Silent)
	}
	l := lesson{of: deviceVersion{v.app, v.version, v.device}, platform: v.platform, network: v.network, at: now}
	old, _, err := w.outcome(l.of)
	if err != nil || old.State != outcome.Installed {
		return err
	}
	l.facts = outcome.At(outcome.Failed, outcome.Silent, now)
	return w.settleOne(&l)
}

func (w *batch) due(until int64, limit int) (all []wait, err error) {
	err = w.query(dueWaits, func(s scanner) error {
		var v wait
		var device []byte
		if err := s.Scan(&v.app, &device, &v.version, &v.rollout, &v.platform, &v.network, &v.since); err != nil {
			return err
		}
		copy(v.device[:], device)
		all = append(all, v)
		return nil
	}, until, limit)
	return all, err
}

// sweepGap is how far apart two sweeps may be, in ms, without the time between
// counting as time in which devices could not be heard of.
const sweepGap = 5 * 60 * 1000

// The setting that holds the time of the last sweep and patience.down.
const (
	clockKey   = "outcomes.clock"
	readClock  = `SELECT value FROM settings WHERE key = $1`
	writeClock = `INSERT INTO settings (key, value) VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET value = excluded.value`
)

// clock notes that a sweep is made, and returns for how long devices could not be heard of.
func (w *batch) clock(now int64) (down int64, err error) {
	var value []byte
	err = w.stmt(readClock).QueryRowContext(w.ctx, clockKey).Scan(&value) //nolint:sqlclosecheck // the transaction closes its statements
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return 0, storeError("query", err)
	}
	if last, was, ok := decodeClock(value); ok {
		if down = was; now-last > sweepGap {
			down += now - last
		}
	}
	_, err = w.exec(writeClock, clockKey, binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(nil, uint64(now)), uint64(down)))
	w.patience.down.Store(down)
	return down, err
}

func decodeClock(value []byte) (last, down int64, ok bool) {
	if len(value) != 16 {
		return 0, 0, false
	}
	return int64(binary.BigEndian.Uint64(value)), int64(binary.BigEndian.Uint64(value[8:])), true
}

// loadPatience reads what the last run left.
func (db *DB) loadPatience(ctx context.Context) error {
	values, err := selectAll(ctx, db.w, func(s scanner) (v []byte, err error) { return v, s.Scan(&v) }, readClock, clockKey)
	if err != nil {
		return err
	}
	if len(values) > 0 {
		_, down, _ := decodeClock(values[0])
		db.patience.down.Store(down)
	}
	return db.loadWaits(ctx)
}
