package sealedlog

import (
	"context"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
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
		return nil, ota.NotFound("tile_unknown", "the log does not reach that far: it has %d entries", max(cp.Size, 0)).
			WithHint("read the tiles of the newest checkpoint's size")
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
			return nil, missing(from + int64(i))
		}
		if out, err = tilelog.AppendBundled(out, tlogproof.Entry(tlogproof.Kind(e.Kind), e.Digest)); err != nil {
			return nil, err
		}
	}
	if len(rows) != t.W {
		return nil, missing(from + int64(len(rows)))
	}
	return out, nil
}

func missing(leaf int64) error {
	return ota.Conflict("entry_missing", "entry %d is not in the database any more", leaf).
		WithHint("somebody changed the database behind the server's back")
}
