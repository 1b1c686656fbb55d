package run

import (
	"time"

	"github.com/waxwing-ota/waxwing/internal/driver/sqlstore"
	"github.com/waxwing-ota/waxwing/internal/plane/errtrack"
)

// wireErrors makes the plane that tracks what devices report of errors.
func (s *Server) wireErrors() *errtrack.Service {
	return errtrack.New(errtrack.Deps{
		Store: sqlstore.Errors{DB: s.db}, Blobs: s.blobs, Now: time.Now, Log: s.log,
		HoldBlobs: func(fn func() error) error { return s.control.HoldBlobs(fn) },
	})
}
