package run

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// dataDir is the directory of everything that lasts, held by one process.
type dataDir struct {
	path string
	lock *os.File
}

// openDataDir makes the directory if there is none, readable by its owner
// only, and takes its lock. A second server on it fails with KindConflict
// ("data_in_use").
func openDataDir(path string) (*dataDir, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("data directory: %w", err)
	}
	if err := os.MkdirAll(path, 0o700); err != nil {
		return nil, ota.Invalid("data_unusable", "cannot make the data directory %s", path).WithCause(err).WithField("data").
			WithHint("choose a directory that this user may write to with --data")
	}
	f, err := os.OpenFile(filepath.Join(path, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, ota.Invalid("data_unusable", "cannot write to the data directory %s", path).WithCause(err).WithField("data").
			WithHint("choose a directory that this user may write to with --data")
	}
	ok, err := tryLock(f)
	if err == nil && ok {
		// For people who look into it; the lock itself is the system's.
		err = writePID(f)
	}
	if err == nil && ok {
		return &dataDir{path: path, lock: f}, nil
	}
	holder := readPID(f)
	_ = f.Close()
	if err != nil {
		return nil, fmt.Errorf("lock the data directory: %w", err)
	}
	return nil, ota.Conflict("data_in_use", "another server%s uses the data directory %s", holder, path).WithField("data").
		WithHint("stop it, or give this one a directory of its own with --data")
}

func writePID(f *os.File) error {
	if err := f.Truncate(0); err != nil {
		return err
	}
	_, err := f.WriteAt(fmt.Appendf(nil, "%d\n", os.Getpid()), 0)
	return err
}

// readPID returns " (process N)", or nothing if the file does not say.
func readPID(f *os.File) string {
	b := make([]byte, 32)
	n, _ := f.ReadAt(b, 0)
	pid := strings.TrimSpace(string(b[:n]))
	if pid == "" || strings.Trim(pid, "0123456789") != "" {
		return ""
	}
	return " (process " + pid + ")"
}

// database is the path of the database file.
func (d *dataDir) database() string { return filepath.Join(d.path, "waxwing.db") }

// blobs is the directory of the stored files.
func (d *dataDir) blobs() string { return filepath.Join(d.path, "blobs") }

// close gives the lock back.
// held is where the guard keeps what is stopped and not recorded.
func (d *dataDir) held() string { return filepath.Join(d.path, "held") }

func (d *dataDir) close() error { return d.lock.Close() }
