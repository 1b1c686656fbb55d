package errtrack

import (
	"context"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// Reader is what can be read. What is not there is an error of KindNotFound.
type Reader interface {
	App(ctx context.Context, id string) (ota.App, error)
	Bundle(ctx context.Context, app, version string) (ota.Bundle, error)

	ErrorGroups(ctx context.Context, app string, f ota.ErrorFilter, p ota.Page) ([]ota.ErrorGroup, string, error)
	ErrorGroup(ctx context.Context, app string, id int64) (ota.ErrorGroup, error)
	ErrorVersions(ctx context.Context, id int64) ([]ota.ErrorVersion, error)  // most reports first
	ErrorHours(ctx context.Context, id, since int64) ([]ota.ErrorHour, error) // oldest first
	ErrorSamples(ctx context.Context, id int64) ([]ota.ErrorSample, error)    // newest first
	// UnmappedErrors lists groups beyond an id that are not symbolicated, by id; at most 100.
	UnmappedErrors(ctx context.Context, app string, after int64) ([]ota.ErrorGroup, error)

	// SourceMaps lists the maps of a bundle that is not deleted, by path; none if
	// there is no such bundle.
	SourceMaps(ctx context.Context, app, version string) ([]ota.SourceMap, error)
}

// Tx is a transaction that writes.
type Tx interface {
	Reader

	// SetErrorState writes the state and how the group was resolved.
	SetErrorState(ctx context.Context, g ota.ErrorGroup) error
	// RegroupError gives a group another fingerprint. If there is a group that has
	// it, the one is merged into the other.
	RegroupError(ctx context.Context, id int64, f ota.Fault) (merged bool, err error)
	SetSourceMap(ctx context.Context, bundleID int64, m ota.SourceMap) error
}

// Store is the database.
type Store interface {
	Reader
	Update(ctx context.Context, actor ota.Actor, at int64, fn func(Tx) (ota.Change, error)) error
}
