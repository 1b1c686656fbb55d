package run

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// Restore makes the data folder to from the backup at from. The folder must be
// empty or not be there. The database gets its name when the copy is read again
// whole: a server never starts on half of one.
func Restore(ctx context.Context, from, to string) (Backup, error) {
	if inside(from, to) || inside(to, from) {
		return Backup{}, ota.Invalid("backup_inside", "the backup and the data folder lie within one another").WithField("data").
			WithHint("choose a folder elsewhere")
	}
	if err := forRestore(to); err != nil {
		return Backup{}, err
	}
	held, err := openDataDir(to)
	if err != nil {
		return Backup{}, err
	}
	defer func() { _ = held.close() }() // the lock goes with it
	b := Backup{Dir: to, At: time.Now().UnixMilli()}
	_, _, err = b.fill(ctx, dataDir{path: from}, *held)
	return b, err
}

// forRestore checks that nothing is in the folder but what a restore that broke off
// left there.
func forRestore(dir string) error {
	have, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return unwritable(dir, err)
	}
	for _, e := range have {
		switch e.Name() {
		case "lock", "blobs", backupPart:
		default:
			return ota.Conflict("data_not_empty", "the data folder %s is not empty: it holds %s", dir, e.Name()).WithField("data").
				WithHint("move what is there away, or name another folder with --data")
		}
	}
	return nil
}

// flushDir makes what was renamed in a folder last.
func flushDir(dir string) error {
	f, err := os.Open(filepath.Clean(dir))
	if err != nil {
		return fmt.Errorf("flush a folder: %w", err)
	}
	defer f.Close()
	if err := f.Sync(); err != nil {
		return fmt.Errorf("flush a folder: %w", err)
	}
	return nil
}
