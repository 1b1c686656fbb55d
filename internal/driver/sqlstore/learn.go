package sqlstore

import (
	"database/sql"
	"errors"

	"github.com/waxwing-ota/waxwing/internal/core/decide"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/outcome"
	"github.com/waxwing-ota/waxwing/internal/plane/ingest"
)

const (
	readOutcome = `SELECT state, reason, offered_at, installed_at, healthy_at, failed_at, left_at
		FROM device_outcomes WHERE app = $1 AND version = $2 AND device = $3`

	insertOutcome = `INSERT INTO device_outcomes (app, version, device, state, reason, platform, first_at,
		offered_at, installed_at, healthy_at, failed_at, left_at, failed, at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)`

	updateOutcome = `UPDATE device_outcomes SET state = $4, reason = $5, offered_at = $6, installed_at = $7,
		healthy_at = $8, failed_at = $9, left_at = $10, failed = $11, at = $12
		WHERE app = $1 AND version = $2 AND device = $3`
)

// deviceVersion is what an outcome is of.
type deviceVersion struct {
	app, version string
	device       ota.DeviceID
}

// lesson is what a batch tells of a device and a version, put together.
type lesson struct {
	of       deviceVersion
	facts    outcome.Record
	crash    outcome.Record // a failure if it came within the window
	left     int64          // when the device had left it; counts only for what is known
	platform string
	network  uint32
	window   int64
	at       int64 // latest
}

// lesson returns what the batch tells so far.
func (w *batch) lesson(of deviceVersion) *lesson {
	i, ok := w.lessonOf[of]
	if !ok {
		if w.lessonOf == nil {
			w.lessonOf = map[deviceVersion]int{}
		}
		i = len(w.lessons)
		w.lessonOf[of] = i
		w.lessons = append(w.lessons, lesson{of: of})
	}
	return &w.lessons[i]
}

// learnEvent takes in what an event proves.
func (w *batch) learnEvent(e *ingest.EventRow) {
	if e.Hurts {
		w.hurts = append(w.hurts, e)
	}
	if e.Version == "" || e.State == outcome.None && !e.Hurts {
		return
	}
	l := w.lesson(deviceVersion{e.App, e.Version, e.Device})
	l.platform, l.network, l.window, l.at = platformOf(e.Platform), e.Network, e.Window, max(l.at, e.ReceivedAt)
	if e.State != outcome.None {
		l.facts = outcome.Merge(l.facts, outcome.At(e.State, e.Action, e.ReceivedAt))
	} else {
		l.crash = outcome.Merge(l.crash, outcome.At(outcome.Failed, e.Action, e.ReceivedAt))
	}
}

// learnTold takes in what a check's answer says.
func (w *batch) learnTold(d *ingest.DeviceRow) {
	t := &d.Told
	if t.Offered != "" {
		l := w.lesson(deviceVersion{d.App, t.Offered, d.ID})
		l.platform, l.network, l.window, l.at = platformOf(d.Platform), t.Network, t.Window, max(l.at, d.LastSeen)
		l.facts = outcome.Merge(l.facts, outcome.At(outcome.Offered, "", d.LastSeen))
	}
	for _, version := range t.Left {
		l := w.lesson(deviceVersion{d.App, version, d.ID})
		l.platform, l.window, l.at = platformOf(d.Platform), t.Window, max(l.at, d.LastSeen)
		l.left = d.LastSeen
	}
}

// platformOf bounds what devices may claim to be: states are counted by it.
func platformOf(claimed string) string {
	switch claimed {
	case decide.IOS, decide.Android, decide.Electron:
		return claimed
	}
	return "other"
}

// settle writes what was learned.
func (w *batch) settle() error {
	for i := range w.lessons {
		if err := w.settleOne(&w.lessons[i]); err != nil {
			return err
		}
	}
	return nil
}

func (w *batch) settleOne(l *lesson) error {
	if w.known.nothingNew(l) {
		return nil
	}
	old, known, err := w.outcome(l.of)
	if err != nil {
		return err
	}
	if l.left != 0 && known {
		l.facts = outcome.Merge(l.facts, outcome.At(outcome.RolledBack, "", l.left))
	}
	now := outcome.Merge(old, l.facts)
	if l.crash.State != outcome.None && inWindow(&now, &l.crash, l.window) {
		now = outcome.Merge(now, l.crash)
	}
	if now.State == outcome.None {
		return nil
	}
	w.known.remember(&l.of, &now)
	if now == old {
		return nil
	}
	if err := w.writeOutcome(l, &now, known); err != nil {
		return err
	}
	if now.State != old.State {
		w.out.Moves = append(w.out.Moves, ingest.Move{
			App: l.of.app, Version: l.of.version, Device: l.of.device, Platform: l.platform,
			From: old.State, To: now.State, Reason: now.Reason, Network: l.network, At: l.at,
		})
	}
	if err := w.awaitInstalled(l, &old, &now); err != nil {
		return err
	}
	if old.Reason == "" && now.Reason != "" {
		return w.failTreated(l, &now)
	}
	return nil
}

// inWindow reports whether a crash came within the window after the device took
// the version. A device that crashes with what it was only known to be offered
// has taken it.
func inWindow(r, crash *outcome.Record, window int64) bool {
	took := r.InstalledAt
	if r.HealthyAt != 0 && (took == 0 || r.HealthyAt < took) {
		took = r.HealthyAt
	}
	if took == 0 {
		return r.State != outcome.None
	}
	return crash.FailedAt <= took+window
}

// outcome reads a record.
func (w *batch) outcome(of deviceVersion) (r outcome.Record, known bool, err error) {
	err = w.stmt(readOutcome).QueryRowContext(w.ctx, of.app, of.version, of.device[:]). //nolint:sqlclosecheck // the transaction closes its statements
												Scan(&r.State, &r.Reason, &r.OfferedAt, &r.InstalledAt, &r.HealthyAt, &r.FailedAt, &r.LeftAt)
	if errors.Is(err, sql.ErrNoRows) {
		return r, false, nil
	}
	if err != nil {
		return r, false, storeError("query", err)
	}
	return r, true, nil
}

func (w *batch) writeOutcome(l *lesson, r *outcome.Record, known bool) error {
	failed, at := outcome.Fails(r.Reason), r.InstalledAt
	if failed {
		at = r.FailedAt
	}
	var err error
	if known {
		_, err = w.exec(updateOutcome, l.of.app, l.of.version, l.of.device[:], r.State, r.Reason,
			r.OfferedAt, r.InstalledAt, r.HealthyAt, r.FailedAt, r.LeftAt, failed, at)
	} else {
		_, err = w.exec(insertOutcome, l.of.app, l.of.version, l.of.device[:], r.State, r.Reason, l.platform, l.at,
			r.OfferedAt, r.InstalledAt, r.HealthyAt, r.FailedAt, r.LeftAt, failed, at)
	}
	return err
}

// armOf is the number an arm is stored as.
func armOf(a decide.Arm) int64 { return int64(a) }

// query runs a prepared statement that returns rows and calls fn for each.
func (w *batch) query(query string, fn func(scanner) error, args ...any) error {
	rows, err := w.stmt(query).QueryContext(w.ctx, args...) //nolint:sqlclosecheck // the transaction closes its statements
	if err != nil {
		return storeError("query", err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := fn(rows); err != nil {
			return storeError("scan", err)
		}
	}
	if err := rows.Err(); err != nil {
		return storeError("read", err)
	}
	return nil
}
