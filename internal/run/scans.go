package run

import (
	"context"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/scan"
	"github.com/waxwing-ota/waxwing/internal/driver/sqlstore"
	"github.com/waxwing-ota/waxwing/internal/plane/control"
	"github.com/waxwing-ota/waxwing/internal/plane/scans"
	"github.com/waxwing-ota/waxwing/internal/supply"
)

// wireScans builds what keeps and makes scans of bundles.
func (s *Server) wireScans() (*scans.Service, error) {
	var advisories func() ([]scan.Advisory, error)
	if s.cfg.OSV != "" {
		known, err := supply.NewOSVFile(s.cfg.OSV)
		if err != nil {
			return nil, err
		}
		advisories = known.Advisories
	}
	return scans.New(scans.Deps{
		Advisories: advisories,
		Store:      sqlstore.Scans{DB: s.db}, Blobs: s.blobs, Now: time.Now, Log: s.log, Version: version(),
		Readable: control.ScanReadable,
		Authors:  func(ctx context.Context, p ota.Principal) ([]int64, error) { return s.control.Authors(ctx, p) },
	})
}
