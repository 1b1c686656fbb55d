package scans

import (
	"context"
	"fmt"
	"io"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/sbom"
	"github.com/waxwing-ota/waxwing/internal/core/scan"
)

// known adds the known vulnerabilities to a scan, if the server has a list of
// them, and the packages that the bundle's SBOM names.
func (s *Service) known(ctx context.Context, b *ota.Bundle, opts *scan.Options) error {
	if s.d.Advisories == nil {
		return nil
	}
	var err error
	if opts.Advisory, err = s.d.Advisories(); err != nil {
		return fmt.Errorf("read the known vulnerabilities: %w", err)
	}
	if b.SBOM.IsZero() {
		return nil
	}
	r, _, err := s.d.Blobs.Open(ctx, b.SBOM)
	if err != nil {
		return err
	}
	defer r.Close()
	raw, err := io.ReadAll(io.LimitReader(r, sbom.MaxDocument+1))
	if err != nil {
		return err
	}
	packages, err := sbom.Parse(raw)
	if err != nil {
		return err
	}
	for i := range packages {
		if p := &packages[i]; !p.Dev {
			opts.Packages = append(opts.Packages, scan.Library{Name: p.Name, Version: p.Version, Path: "SBOM"})
		}
	}
	return nil
}
