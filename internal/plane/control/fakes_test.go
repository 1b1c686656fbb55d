package control_test

import (
	"context"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/driver/blob"
	"github.com/waxwing-ota/waxwing/internal/driver/sqlstore"
	"github.com/waxwing-ota/waxwing/internal/plane/control"
)

// hookBlobs does something when it is flushed, or fails to.
type hookBlobs struct {
	blob.Store
	sync func()
	err  error
}

func (b *hookBlobs) Sync(ctx context.Context) error {
	if b.sync != nil {
		b.sync()
	}
	if b.err != nil {
		return b.err
	}
	return b.Store.Sync(ctx)
}

// hookStore does something after a commit.
type hookStore struct {
	*sqlstore.DB
	after func()
}

func (s *hookStore) Update(ctx context.Context, actor ota.Actor, at int64, fn func(control.Tx) (ota.Change, error)) error {
	err := s.DB.Update(ctx, actor, at, fn)
	s.after()
	return err
}
