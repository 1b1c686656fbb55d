package tilelog

import (
	"encoding/binary"
	"strings"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// TileHeight is the height of tiles: a full one has 256 hashes or entries.
const TileHeight = 8

// entries is the level of tiles that hold entries.
const entries = -1

// IsEntries reports whether a tile is an entry bundle.
func IsEntries(t tlog.Tile) bool { return t.L == entries }

// ParseTilePath reads an address of C2SP tlog-tiles: tile/<L>/<N>[.p/<W>], where
// L is a level or "entries" and N is in groups of three digits.
func ParseTilePath(path string) (tlog.Tile, error) {
	bad := ota.NotFound("tile_unknown", "this is not the address of a tile").
		WithHint("write it like tile/0/x001/234 or tile/entries/000.p/17")
	rest, ok := strings.CutPrefix(path, "tile/")
	if !ok || len(path) > 100 {
		return tlog.Tile{}, bad
	}
	if strings.HasPrefix(rest, "data/") {
		return tlog.Tile{}, bad
	}
	if n, ok := strings.CutPrefix(rest, "entries/"); ok {
		rest = "data/" + n
	}
	t, err := tlog.ParseTilePath("tile/8/" + rest)
	if err != nil || t.H != TileHeight || t.L > 7 || t.N >= 1<<(62-TileHeight) {
		return tlog.Tile{}, bad
	}
	return t, nil
}

// TilePath is the inverse of [ParseTilePath].
func TilePath(t tlog.Tile) string {
	p := strings.TrimPrefix(t.Path(), "tile/8/")
	if n, ok := strings.CutPrefix(p, "data/"); ok {
		p = "entries/" + n
	}
	return "tile/" + p
}

// Exists reports whether a log of that size has the tile.
func Exists(t tlog.Tile, size int64) bool {
	level := max(t.L, 0) * TileHeight
	return t.N<<TileHeight+int64(t.W) <= size>>level
}

// AppendBundled adds a record to an entry bundle.
func AppendBundled(bundle, record []byte) ([]byte, error) {
	if len(record) > 1<<16-1 {
		return nil, ota.Errorf(ota.KindInternal, "internal", "a record has %d bytes", len(record))
	}
	bundle = binary.BigEndian.AppendUint16(bundle, uint16(len(record)))
	return append(bundle, record...), nil
}

// ParseBundle reads the records of an entry bundle.
func ParseBundle(b []byte) ([][]byte, error) {
	var out [][]byte
	for len(b) > 0 {
		if len(b) < 2 || len(b)-2 < int(binary.BigEndian.Uint16(b)) || len(out) == 1<<TileHeight {
			return nil, ota.Invalid("bundle_invalid", "the entry bundle is cut or too long")
		}
		n := 2 + int(binary.BigEndian.Uint16(b))
		out = append(out, b[2:n])
		b = b[n:]
	}
	return out, nil
}
