package snap

import (
	"context"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// MaxChain is how many releases of a channel a snapshot holds: the current one
// and those a device may fall back to.
const MaxChain = 20

// Source is where snapshots are loaded from.
type Source interface {
	// AppIDs lists all apps.
	AppIDs(ctx context.Context) ([]string, error)

	// LoadApp returns an app as of one moment; KindNotFound if there is none.
	// known reports bundles whose content the caller still has: their variants
	// need not be loaded.
	LoadApp(ctx context.Context, id string, known func(bundleID int64) bool) (Loaded, error)

	// EachFacts calls fn for what is remembered of the app's devices. A device
	// may come several times; its rows add up.
	EachFacts(ctx context.Context, app string, fn func(ota.DeviceID, FactsRow) error) error
}

// Loaded is an app as stored, with only the bundles its channels reach, and
// those that people took out of service.
type Loaded struct {
	App      ota.App
	Keys     []ota.Key // newest first
	Channels []LoadedChannel
	Bundles  map[int64]ota.Bundle // by id; variants with their files, unless known to the caller
	Versions []string             // of all bundles, deleted ones too
	Natives  []ota.NativeBuild    // registered native versions
	Cohorts  []ota.Cohort         // nil unless a rollout has a target

	ChangedAt int64 // the last recorded change of the app, Unix ms
}

// LoadedChannel is a channel with what follows from its history.
type LoadedChannel struct {
	ota.Channel
	Chain     []ota.Release // the current release, then its parents, at most MaxChain; id, parent, bundle and version
	Withdrawn []string      // versions of the history that are not in the whole chain of parents
}

// FactsRow is something remembered of a device; zero fields say nothing.
type FactsRow struct {
	Override int64 // channel id
	SelfSet  bool
	Failed   string // a version
}

// FactsChange changes what is remembered of a device, in this order: clear,
// then set, then add.
type FactsChange struct {
	Device         ota.DeviceID
	ClearAllFailed bool
	ClearFailed    []string
	SetOverride    *int64 // channel id; 0 clears; nil leaves
	SelfSet        bool   // goes with SetOverride
	AddFailed      []string
}
