package errtrack

import (
	"context"
	"log/slog"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/driver/blob"
)

// Codes of errors.
const (
	CodeErrorNotFound     = "error_not_found"
	CodeErrorFilter       = "error_filter_invalid"
	CodeBundleNotFound    = "bundle_not_found"
	CodeErrorState        = "error_state_conflict"
	CodeVersionInvalid    = "version_invalid"
	CodeSourceMapPath     = "source_map_path_invalid"
	CodeSourceMapMissing  = "source_map_blob_missing"
	CodeSourceMapTooMany  = "source_map_too_many"
	CodeSourceMapNotFound = "source_map_not_found"
)

// Deps is what a Service stands on. All fields but those that say so are required.
type Deps struct {
	Store Store
	Blobs blob.Store
	Now   func() time.Time
	Log   *slog.Logger // nil = silent
	// HoldBlobs runs fn while no blob is collected as garbage.
	HoldBlobs func(fn func() error) error
}

// Service tracks errors. Its methods may be called by many goroutines.
type Service struct {
	d    Deps
	maps *maps
	seen *seen
}

// New returns a Service.
func New(d Deps) *Service {
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	return &Service{d: d, maps: newMaps(d), seen: newSeen()}
}

func (s *Service) nowMS() int64 { return s.d.Now().UnixMilli() }

// update runs fn in one transaction with the record of its change, in the
// organisation of the app.
func (s *Service) update(ctx context.Context, actor ota.Actor, app string, fn func(Tx) (ota.Change, error)) error {
	return s.d.Store.Update(ctx, actor, s.nowMS(), func(tx Tx) (ota.Change, error) {
		a, err := tx.App(ctx, app)
		if err != nil {
			return ota.Change{}, err
		}
		c, err := fn(tx)
		c.App, c.Org = app, a.Org
		return c, err
	})
}

type fields map[string]any

// change makes the record of a change.
func change(action, object string, detail fields) ota.Change {
	return ota.Change{Action: action, Object: object, Detail: ota.JSON(detail)}
}
