package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"

	"github.com/waxwing-ota/waxwing/internal/core/alert"
	"github.com/waxwing-ota/waxwing/internal/core/guard"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/plane/guards"
)

var _ guards.Store = (*DB)(nil)

const (
	upsertWatch = `INSERT INTO guard_watches (app, rollout, channel, version, release, started_at, updated_at, inputs, digest) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
		ON CONFLICT (app, rollout) DO UPDATE SET updated_at = excluded.updated_at, inputs = excluded.inputs, digest = excluded.digest`

	insertGuardRow = `INSERT INTO guard_inputs (app, rollout, seq, at, input, result) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (app, rollout, seq) DO NOTHING`

	upsertDecision = `INSERT INTO guard_decisions (app, rollout, seq, n, decision, done) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (app, rollout, seq, n) DO UPDATE SET done = excluded.done`
)

// SaveGuard implements [guards.Store].
func (db *DB) SaveGuard(ctx context.Context, batches []guards.Batch) error {
	return db.tx(ctx, func(tx *sql.Tx) error {
		stmts := make([]*sql.Stmt, 0, 3)
		for _, q := range []string{upsertWatch, insertGuardRow, upsertDecision} {
			st, err := tx.PrepareContext(ctx, q)
			if err != nil {
				return storeError("prepare", err)
			}
			defer func() { _ = st.Close() }()
			stmts = append(stmts, st)
		}
		for i := range batches {
			if err := saveWatch(ctx, stmts, &batches[i]); err != nil {
				return storeError("store what the guard was told", err)
			}
		}
		return nil
	})
}

func saveWatch(ctx context.Context, stmts []*sql.Stmt, b *guards.Batch) error {
	w := &b.Watch
	if _, err := stmts[0].ExecContext(ctx, w.App, w.Rollout, w.Channel, w.Version, w.Release, w.StartedAt, w.UpdatedAt, w.Head.Inputs, w.Head.Digest); err != nil {
		return err
	}
	for i := range b.Rows {
		r := &b.Rows[i]
		if _, err := stmts[1].ExecContext(ctx, w.App, w.Rollout, r.Seq, r.At, r.Input, r.Result); err != nil {
			return err
		}
	}
	for i := range b.Decisions {
		d := &b.Decisions[i]
		raw, err := json.Marshal(d.GuardDecision)
		if err != nil {
			return err
		}
		if _, err := stmts[2].ExecContext(ctx, w.App, w.Rollout, d.Input, d.N, string(raw), d.Done); err != nil {
			return err
		}
	}
	return nil
}

const watchColumns = `app, rollout, channel, version, release, started_at, updated_at, inputs, digest`

func scanWatch(r scanner) (w guards.Watch, err error) {
	return w, r.Scan(&w.App, &w.Rollout, &w.Channel, &w.Version, &w.Release, &w.StartedAt, &w.UpdatedAt, &w.Head.Inputs, &w.Head.Digest)
}

// GuardWatches implements [guards.Store].
func (s reads) GuardWatches(ctx context.Context, since int64) ([]guards.Watch, error) {
	return selectAll(ctx, s.q, scanWatch, `SELECT `+watchColumns+` FROM guard_watches WHERE updated_at >= $1 ORDER BY app, rollout`, since)
}

// GuardWatch implements [guards.Store].
func (s reads) GuardWatch(ctx context.Context, app, rollout string) (guards.Watch, error) {
	return selectOne(ctx, s.q, ota.NotFound(guards.CodeNoWatch, "the guard knows no rollout %.100q", rollout), scanWatch,
		`SELECT `+watchColumns+` FROM guard_watches WHERE app = $1 AND rollout = $2`, app, rollout)
}

// GuardWatchesOf implements [guards.Store]. Pages are cut by when watches began.
func (s reads) GuardWatchesOf(ctx context.Context, app, channel string, p ota.Page) ([]ota.GuardWatch, string, error) {
	before, err := pageBefore(p)
	if err != nil {
		return nil, "", err
	}
	limit := pageLimit(p)
	items, err := selectAll(ctx, s.q, func(r scanner) (w ota.GuardWatch, err error) {
		return w, r.Scan(&w.Rollout, &w.Channel, &w.Version, &w.StartedAt)
	}, `SELECT rollout, channel, version, started_at FROM guard_watches
		WHERE app = $1 AND channel = $2 AND started_at < $3 ORDER BY started_at DESC, rollout LIMIT $4`, app, channel, before, limit+1)
	if err != nil {
		return nil, "", err
	}
	items, next := pageNext(items, limit, func(w ota.GuardWatch) int64 { return w.StartedAt })
	return items, next, nil
}

// GuardRows implements [guards.Store].
func (s reads) GuardRows(ctx context.Context, app, rollout string, after int64, limit int) ([]ota.GuardRow, error) {
	return selectAll(ctx, s.q, func(r scanner) (g ota.GuardRow, err error) {
		return g, r.Scan(&g.Seq, &g.At, &g.Input, &g.Result)
	}, `SELECT seq, at, input, result FROM guard_inputs WHERE app = $1 AND rollout = $2 AND seq > $3 ORDER BY seq LIMIT `+strconv.Itoa(limit),
		app, rollout, after)
}

// GuardDecisions implements [guards.Store].
func (s reads) GuardDecisions(ctx context.Context, app, rollout string) ([]guards.Decision, error) {
	return selectAll(ctx, s.q, func(r scanner) (d guards.Decision, err error) {
		var raw string
		if err := r.Scan(&raw, &d.N, &d.Done); err != nil {
			return d, err
		}
		if err := json.Unmarshal([]byte(raw), &d.GuardDecision); err != nil {
			return d, fmt.Errorf("decision of the guard: %w", err)
		}
		return d, nil
	}, `SELECT decision, n, done FROM guard_decisions WHERE app = $1 AND rollout = $2 ORDER BY seq, n`, app, rollout)
}

// GuardLeft implements alerts.Store. Decisions of a watch are few; what does not
// matter is left out here.
func (s reads) GuardLeft(ctx context.Context, app string, since int64) ([]alert.Halt, error) {
	all, err := selectAll(ctx, s.q, func(r scanner) (h alert.Halt, err error) {
		var raw string
		var d ota.GuardDecision
		if err = r.Scan(&h.Channel, &h.Version, &raw); err != nil {
			return h, err
		}
		if err = json.Unmarshal([]byte(raw), &d); err != nil {
			return h, fmt.Errorf("decision of the guard: %w", err)
		}
		h.At, h.Reason = d.At, d.Text
		h.Left = d.Kind == "held" || d.Kind == string(ota.HaltNotify)
		return h, nil
	}, `SELECT w.channel, w.version, d.decision FROM guard_watches w JOIN guard_decisions d ON d.app = w.app AND d.rollout = w.rollout
		WHERE w.app = $1 AND w.updated_at >= $2 ORDER BY w.updated_at DESC, w.rollout, d.seq DESC, d.n DESC LIMIT 1000`, app, since)
	return slices.DeleteFunc(all, func(h alert.Halt) bool { return !h.Left || h.At < since }), err
}

// GuardBaseline implements [guards.Store].
func (s reads) GuardBaseline(ctx context.Context, app, version string, since, until int64) (b guard.Baseline, err error) {
	row := s.q.QueryRowContext(ctx, `SELECT count(*), COALESCE(sum(bad), 0) FROM
		(SELECT CASE WHEN failed OR state = 6 OR state = 7 AND reason <> '' THEN 1 ELSE 0 END AS bad FROM device_outcomes WHERE app = $1 AND version <> $2 AND at > 0 AND at >= $3 AND at < $4 LIMIT 100000) past`, app, version, since, until)
	if err := row.Scan(&b.Devices, &b.Failed); err != nil {
		return b, storeError("count outcomes", err)
	}
	return b, nil
}
