package sealedlog

import (
	"context"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/waxwing-ota/waxwing/internal/core/tilelog"
	"github.com/waxwing-ota/waxwing/internal/core/tlogproof"
)

// Tile returns a tile of hashes, or a bundle of entries, of the published log. Its
// bytes never change.
func (s *Service) Tile(ctx context.Context, t tlog.Tile) ([]byte, error) {
	cp, err := s.store.SealedCheckpoint(ctx, true)
	if err != nil {
		return nil, err
	}
	if !tilelog.Exists(t, cp.Size) {
		return nil, tilelog.Beyond(max(cp.Size, 0))
	}
	if !tilelog.IsEntries(t) {
		return tlog.ReadTileData(t, s.hashes(ctx))
	}
	from := t.N << tilelog.TileHeight
	rows, err := s.store.SealedEntries(ctx, from, t.W)
	if err != nil {
		return nil, err
	}
	var out []byte
	for i, e := range rows {
		if e.Leaf != from+int64(i) {
			return nil, tilelog.Missing(from + int64(i))
		}
		if out, err = tilelog.AppendBundled(out, tlogproof.Entry(tlogproof.Kind(e.Kind), e.Digest)); err != nil {
			return nil, err
		}
	}
	if len(rows) != t.W {
		return nil, tilelog.Missing(from + int64(len(rows)))
	}
	return out, nil
}
