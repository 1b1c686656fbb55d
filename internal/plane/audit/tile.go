package audit

import (
	"context"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/waxwing-ota/waxwing/internal/core/auditlog"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/tilelog"
)

// Tile returns a tile of hashes, or a bundle of entries. Its bytes never change;
// only a bundle goes away with retention (entries_gone).
func (s *Service) Tile(ctx context.Context, t tlog.Tile) ([]byte, error) {
	size, err := s.store.AuditSize(ctx)
	if err != nil {
		return nil, err
	}
	if !tilelog.Exists(t, size) {
		return nil, tilelog.Beyond(size)
	}
	if tilelog.IsEntries(t) {
		return s.bundle(ctx, t)
	}
	return tlog.ReadTileData(t, s.hashes(ctx))
}

func (s *Service) bundle(ctx context.Context, t tlog.Tile) ([]byte, error) {
	from := t.N << tilelog.TileHeight
	rows, err := s.store.AuditEntries(ctx, from, t.W)
	if err != nil {
		return nil, err
	}
	var out []byte
	for i, e := range rows {
		if !e.Kept {
			return nil, ota.NotFound("entries_gone", "entries of this bundle are past retention; their hashes are in the tiles of level 0")
		}
		if e.Leaf != from+int64(i) {
			return nil, tilelog.Missing(from + int64(i))
		}
		if out, err = tilelog.AppendBundled(out, auditlog.Record(e.Change)); err != nil {
			return nil, err
		}
	}
	if len(rows) != t.W {
		return nil, tilelog.Missing(from + int64(len(rows)))
	}
	return out, nil
}
