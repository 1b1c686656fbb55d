package sqlstore

import (
	"context"
	"database/sql"
	"slices"
	"sync"

	"github.com/waxwing-ota/waxwing/internal/plane/ingest"
)

// intake keeps the statements of [DB.Write] prepared: parsing them anew for
// every commit would cost more than running them.
type intake struct {
	mu    sync.Mutex
	stmts map[string]*sql.Stmt
}

// intakeSQL lists the statements by the constants that name them.
var intakeSQL = append([]string{
	insertEvent, insertFailure, failuresOverCap, dropFailure, readOutcome, insertOutcome, updateOutcome,
	insertExposure, moveExposure, failTreated, failControl, silenceControl,
	insertWait, deleteWait, heardOf, dueWaits, readClock, writeClock,
	touchDevice, informDevice, runDevice, addCheck, addQuarter, addTraffic, addTrafficDay,
}, rollupSQL...)

// prepared returns the statements, which live as long as the writer's
// connection. The transaction must not have begun yet: there is but one connection.
func (i *intake) prepared(ctx context.Context, w *sql.DB) (map[string]*sql.Stmt, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.stmts != nil {
		return i.stmts, nil
	}
	m := make(map[string]*sql.Stmt, len(intakeSQL))
	for _, q := range slices.Concat(intakeSQL, errorSQL) {
		st, err := w.PrepareContext(ctx, q) //nolint:sqlclosecheck // kept until the connection closes
		if err != nil {
			for _, st := range m {
				_ = st.Close() // the failure to prepare is what matters
			}
			return nil, storeError("prepare", err)
		}
		m[q] = st
	}
	i.stmts = m
	return m, nil
}

// batch is a running Write.
type batch struct {
	ctx   context.Context
	tx    *sql.Tx
	stmts map[string]*sql.Stmt // those of the transaction, made on first use
	all   map[string]*sql.Stmt
	roll  *rollups
	out   ingest.Written

	patience *patience
	known    *known
	lessons  []lesson
	lessonOf map[deviceVersion]int
	hurts    []*ingest.EventRow
}

// Write stores what devices reported; see [ingest.Store].
func (db *DB) Write(ctx context.Context, b *ingest.Batch) (ingest.Written, error) {
	// A context that can end makes the driver start a goroutine per statement,
	// and ending a group commit half way would fail callers that did not give up.
	ctx = context.WithoutCancel(ctx)
	var out ingest.Written
	err := db.batch(ctx, func(w *batch) error {
		err := w.write(b)
		out = w.out
		return err
	})
	if err != nil {
		return ingest.Written{}, err
	}
	return out, nil
}

// batch runs fn in a transaction with the prepared statements, and then sums up
// what it stored.
func (db *DB) batch(ctx context.Context, fn func(*batch) error) error {
	all, err := db.intake.prepared(ctx, db.w)
	if err != nil {
		return err
	}
	db.rollups.mu.Lock()
	defer db.rollups.mu.Unlock()
	if err := db.rollups.open(ctx, db.w); err != nil {
		return err
	}
	err = db.tx(ctx, func(tx *sql.Tx) error {
		db.known.mu.Lock() // not before the transaction: who forgets has one
		defer db.known.mu.Unlock()
		w := &batch{ctx: ctx, tx: tx, all: all, stmts: make(map[string]*sql.Stmt, len(all)), roll: &db.rollups, patience: &db.patience, known: db.known}
		if err := fn(w); err != nil {
			return err
		}
		return w.rollup()
	})
	db.known.settle(err == nil)
	if err != nil {
		db.rollups.forget()
	}
	return err
}

func (w *batch) write(b *ingest.Batch) error {
	w.out.Stored = make([]bool, len(b.Events))
	for i := range b.Events {
		stored, err := w.event(&b.Events[i])
		if err != nil {
			return err
		}
		w.out.Stored[i] = stored
	}
	if err := w.errors(b.Events); err != nil {
		return err
	}
	for i := range b.Devices {
		d := &b.Devices[i]
		if err := w.device(d); err != nil {
			return err
		}
		if len(b.Events) == 0 { // else the events tell
			w.roll.delta.Seen(d.App, &d.Device, d.Published, d.Reach == ingest.Running)
		}
		if err := w.expose(d); err != nil {
			return err
		}
		w.learnTold(d)
	}
	if err := w.settle(); err != nil {
		return err
	}
	if err := w.failControls(); err != nil {
		return err
	}
	if err := w.heard(b.Devices); err != nil {
		return err
	}
	if err := w.checks(b.Checks); err != nil {
		return err
	}
	return w.traffic(b.Traffic)
}

// stmt returns the prepared statement as the transaction's own.
func (w *batch) stmt(query string) *sql.Stmt {
	st, ok := w.stmts[query]
	if !ok {
		st = w.tx.StmtContext(w.ctx, w.all[query])
		w.stmts[query] = st
	}
	return st
}

// exec runs a prepared statement and returns how many rows it changed.
func (w *batch) exec(query string, args ...any) (int64, error) {
	res, err := w.stmt(query).ExecContext(w.ctx, args...) //nolint:sqlclosecheck // the transaction closes its statements
	if err != nil {
		return 0, storeError("write", err)
	}
	n, err := res.RowsAffected()
	if err != nil {
		return 0, storeError("write", err)
	}
	return n, nil
}
