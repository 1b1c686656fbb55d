package guards

import (
	"context"

	"github.com/waxwing-ota/waxwing/internal/core/guard"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// Watch is a rollout or release that is watched.
type Watch struct {
	App string

	ota.GuardWatch

	Release   int64 // id of the full release; 0 = it is a rollout
	UpdatedAt int64
	Head      ota.GuardHead // of the stored inputs
}

// Decision is one that was stored. Done means that what it asks for was carried
// out, or is nothing to carry out.
type Decision struct {
	ota.GuardDecision

	N    int // of its input
	Done bool
}

// Batch is what a watch has to store.
type Batch struct {
	Watch     Watch
	Rows      []ota.GuardRow
	Decisions []Decision // replaces those that are there already
}

// Store is the database as this package needs it.
type Store interface {
	// SaveGuard stores batches in one transaction.
	SaveGuard(ctx context.Context, batches []Batch) error
	// GuardWatches lists those to which something came at since or later.
	GuardWatches(ctx context.Context, since int64) ([]Watch, error)
	// GuardWatch finds one; GuardWatchesOf lists those of a channel, newest first.
	GuardWatch(ctx context.Context, app, rollout string) (Watch, error)
	GuardWatchesOf(ctx context.Context, app, channel string, p ota.Page) ([]ota.GuardWatch, string, error)
	// GuardRows lists inputs of a watch in their order, from after on.
	GuardRows(ctx context.Context, app, rollout string, after int64, limit int) ([]ota.GuardRow, error)
	GuardDecisions(ctx context.Context, app, rollout string) ([]Decision, error)
	// GuardBaseline counts devices that took versions of the app other than the
	// given one between since and until, and those of them that failed.
	GuardBaseline(ctx context.Context, app, version string, since, until int64) (guard.Baseline, error)
}
