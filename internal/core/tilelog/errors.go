package tilelog

import "github.com/waxwing-ota/waxwing/internal/core/ota"

// Beyond is the error of a tile that a log of size entries does not have.
func Beyond(size int64) *ota.Error {
	return ota.NotFound("tile_unknown", "the log does not reach that far: it has %d entries", size).
		WithHint("read the tiles of the newest checkpoint's size")
}

// Missing is the error of a log whose database lacks an entry.
func Missing(leaf int64) *ota.Error {
	return ota.Conflict("entry_missing", "entry %d is not in the database any more", leaf).
		WithHint("somebody changed the database behind the server's back")
}
