package fs

import (
	"os"
	"path/filepath"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// View is a Store over a folder that another process may be writing to: nothing
// is made or tidied in it. It is for reading only.
func View(dir string, now func() time.Time) (*Store, error) {
	fi, err := os.Stat(dir)
	if err != nil || !fi.IsDir() {
		return nil, ota.NotFound("blobs_missing", "there is no folder of stored files at %s", filepath.Clean(dir)).
			WithHint("name the data folder of a server, or a folder that waxwing backup made")
	}
	s := &Store{dir: dir, now: now, create: createFile, unsaved: map[string]struct{}{}}
	s.buffers.New = func() any { b := make([]byte, bufferSize); return &b }
	s.seen.at = map[ota.Digest]int64{}
	return s, nil
}
