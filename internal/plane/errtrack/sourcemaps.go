package errtrack

import (
	"context"
	"io"
	"strings"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/pack"
	"github.com/waxwing-ota/waxwing/internal/core/sourcemap"
)

// maxMaps is how many maps a bundle may have.
const maxMaps = 2000

// SourceMaps lists the maps of a bundle, by the paths of their scripts.
func (s *Service) SourceMaps(ctx context.Context, app, version string) ([]ota.SourceMap, error) {
	if _, err := s.d.Store.Bundle(ctx, app, version); err != nil {
		return nil, err
	}
	return s.d.Store.SourceMaps(ctx, app, version)
}

// AddSourceMaps adds maps whose blobs were uploaded to a bundle. A map of a
// script that has one replaces it. Every map is read: one that cannot be is
// refused, and with it all.
func (s *Service) AddSourceMaps(ctx context.Context, actor ota.Actor, app, version string, in ota.NewSourceMaps) ([]ota.SourceMap, error) {
	if len(in.Maps) == 0 || len(in.Maps) > maxMaps {
		return nil, ota.Invalid(CodeSourceMapTooMany, "%d source maps were named, from 1 to %d are taken", len(in.Maps), maxMaps).WithField("maps").WithHint("name the maps of the bundle's scripts")
	}
	b, err := s.d.Store.Bundle(ctx, app, version)
	if err != nil {
		return nil, err
	}
	if b.DeletedAt != 0 {
		return nil, ota.NotFound(CodeSourceMapNotFound, "version %s was deleted", version).WithField("version").WithHint("maps go with a bundle that is there")
	}
	now := s.nowMS()
	all := make([]ota.SourceMap, len(in.Maps))
	err = s.d.HoldBlobs(func() error {
		for i, m := range in.Maps {
			size, err := s.checkMap(ctx, m)
			if err != nil {
				return err
			}
			all[i] = ota.SourceMap{Path: m.Path, Blob: m.Blob, Size: size, At: now, By: actor}
		}
		if err := s.d.Blobs.Sync(ctx); err != nil {
			return err
		}
		return s.update(ctx, actor, app, func(tx Tx) (ota.Change, error) { return setMaps(ctx, tx, &b, all) })
	})
	if err != nil {
		return nil, err
	}
	s.maps.forget()
	s.seen.forget()
	return s.d.Store.SourceMaps(ctx, app, version)
}

// setMaps writes the maps that are not there yet; none = nothing changes.
func setMaps(ctx context.Context, tx Tx, b *ota.Bundle, all []ota.SourceMap) (ota.Change, error) {
	had, err := tx.SourceMaps(ctx, b.App, b.Version)
	if err != nil {
		return ota.Change{}, err
	}
	blobs := make(map[string]ota.Digest, len(had))
	for _, m := range had {
		blobs[m.Path] = m.Blob
	}
	n := 0
	for _, m := range all {
		if blob, ok := blobs[m.Path]; ok && blob == m.Blob {
			continue
		} else if !ok && len(blobs) >= maxMaps {
			return ota.Change{}, ota.Invalid(CodeSourceMapTooMany, "a bundle has at most %d source maps", maxMaps).WithField("maps").WithHint("split the app into fewer chunks")
		}
		blobs[m.Path] = m.Blob
		if err := tx.SetSourceMap(ctx, b.ID, m); err != nil {
			return ota.Change{}, err
		}
		n++
	}
	if n == 0 {
		return ota.Change{}, nil
	}
	return change("sourcemap.create", "bundle "+b.Version, fields{"maps": n}), nil
}

// checkMap checks that a map can be read, and returns its size.
func (s *Service) checkMap(ctx context.Context, m ota.NewSourceMap) (int64, error) {
	if err := pack.CheckPath(m.Path); err != nil || strings.HasSuffix(m.Path, ".map") {
		return 0, ota.Invalid(CodeSourceMapPath, "%q is not the path of a script in a bundle", clip(m.Path)).
			WithField("maps").WithHint("name the script that the map is about, such as main.js, as it lies in the bundle")
	}
	size, ok, err := s.d.Blobs.Has(ctx, m.Blob)
	switch {
	case err != nil:
		return 0, err
	case !ok:
		return 0, ota.Conflict(CodeSourceMapMissing, "the source map of %s is not uploaded (blob %s)", m.Path, m.Blob).WithField("maps").WithHint("upload it first: PUT /apps/{app}/blobs/{digest}")
	case size > sourcemap.MaxBytes:
		return 0, ota.Errorf(ota.KindTooLarge, sourcemap.CodeInvalid, "the source map of %s has %d bytes, at most %d are taken", m.Path, size, sourcemap.MaxBytes).WithField("maps").WithHint("split the script into smaller chunks")
	}
	parsed, err := s.maps.load(ctx, m.Blob)
	if err != nil {
		return 0, err
	}
	if parsed == nil {
		return 0, ota.Invalid(sourcemap.CodeInvalid, "the source map of %s cannot be read", m.Path).WithField("maps").WithHint("take the map that the bundler wrote next to the script")
	}
	return size, nil
}

func clip(s string) string {
	if len(s) > 100 {
		return strings.ToValidUTF8(s[:100], "\uFFFD") + "…"
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}

// OpenSourceMap opens the map of a script of a bundle. The caller closes it.
func (s *Service) OpenSourceMap(ctx context.Context, app, version, script string) (io.ReadSeekCloser, int64, error) {
	all, err := s.SourceMaps(ctx, app, version)
	if err != nil {
		return nil, 0, err
	}
	for _, m := range all {
		if m.Path == script {
			return s.d.Blobs.Open(ctx, m.Blob)
		}
	}
	return nil, 0, ota.NotFound(CodeSourceMapNotFound, "version %s has no source map of %s", version, clip(script)).
		WithField("path").WithHint("list those there are: waxwing sourcemaps list %s --app %s", version, app)
}
