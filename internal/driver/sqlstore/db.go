package sqlstore

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"runtime"

	"github.com/pressly/goose/v3"
	_ "modernc.org/sqlite" // registers the driver "sqlite"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

//go:embed migrations/sqlite/*.sql
var migrations embed.FS

// DB is the open database. Its methods may be called by many goroutines.
type DB struct {
	reads         // on the reader pool
	w     *sql.DB // one connection; transactions begin immediate
	r     *sql.DB // many connections that cannot write

	intake   intake   // prepared statements of Write
	rollups  rollups  // what Write keeps of the sums it is filling
	patience patience // of the search for silent devices
	known    *known   // what need not be asked again
	sealed   func()   // hears of what was added to the log of sealed updates; nil = nobody does
}

// The settings of every connection. FULL makes a commit survive a power cut.
// The writer's cache (KiB) and a log of 8,000 pages before it is folded in keep
// floods of reports on ever new devices from rewriting the same pages.
const (
	writerPragmas = "_txlock=immediate&_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)" +
		"&_pragma=synchronous(FULL)&_pragma=foreign_keys(1)&_pragma=journal_size_limit(67108864)" +
		"&_pragma=cache_size(-12288)&_pragma=wal_autocheckpoint(8000)&_pragma=temp_store(memory)"
	readerPragmas = "_pragma=busy_timeout(5000)&_pragma=query_only(1)&_pragma=cache_size(-1024)"
)

// Open opens the database file at path, creates it (readable only by its
// owner) if there is none, and brings its tables up to date. A file written by
// a newer program is refused (code database_newer).
func Open(ctx context.Context, path string) (*DB, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("database path: %w", err)
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, ota.Errorf(ota.KindUnavailable, "database_unopenable", "cannot open the database %s", path).
			WithHint("check that the data folder exists and that this user may write to it").WithCause(err)
	}
	if err := f.Close(); err != nil {
		return nil, fmt.Errorf("create database: %w", err)
	}
	db := &DB{known: newKnown()}
	if err := db.connect(path); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	if err := db.migrate(ctx); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	if err := db.growLog(ctx); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	if err := db.loadPatience(ctx); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

func (db *DB) connect(path string) (err error) {
	if db.w, err = sql.Open("sqlite", dsn(path, writerPragmas)); err != nil {
		return fmt.Errorf("open database: %w", err)
	}
	db.w.SetMaxOpenConns(1)
	if db.r, err = sql.Open("sqlite", dsn(path, readerPragmas)); err != nil {
		return fmt.Errorf("open database for reading: %w", err)
	}
	n := max(4, runtime.GOMAXPROCS(0))
	db.r.SetMaxOpenConns(n)
	db.r.SetMaxIdleConns(n)
	db.reads = reads{db.r}
	return nil
}

func dsn(path, query string) string {
	return (&url.URL{Scheme: "file", Path: filepath.ToSlash(path), RawQuery: query}).String()
}

func (db *DB) migrate(ctx context.Context) error {
	sub, err := fs.Sub(migrations, "migrations/sqlite")
	if err != nil {
		return fmt.Errorf("read migrations: %w", err)
	}
	p, err := goose.NewProvider(goose.DialectSQLite3, db.w, sub)
	if err != nil {
		return fmt.Errorf("read migrations: %w", err)
	}
	have, want, err := p.GetVersions(ctx)
	if err != nil {
		return fmt.Errorf("read the version of the database: %w", err)
	}
	if have > want {
		return ota.Errorf(ota.KindConflict, "database_newer", "the database has version %d, this program knows %d", have, want).
			WithHint("run the newer program, or restore a backup made by this one")
	}
	if _, err := p.Up(ctx); err != nil {
		return fmt.Errorf("bring the database up to date: %w", err)
	}
	return nil
}

// Close closes all connections; the write-ahead log is folded in.
func (db *DB) Close() error {
	var errs []error
	for _, p := range []*sql.DB{db.r, db.w} {
		if p != nil {
			errs = append(errs, p.Close())
		}
	}
	return errors.Join(errs...)
}

// Ping checks that the database can be written: it takes the write lock and
// gives it back.
func (db *DB) Ping(ctx context.Context) error {
	return db.tx(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM settings WHERE key = ''`)
		return err
	})
}

// tx runs fn in a write transaction and commits it unless fn fails or panics.
func (db *DB) tx(ctx context.Context, fn func(*sql.Tx) error) error {
	tx, err := db.w.BeginTx(ctx, nil)
	if err != nil {
		return storeError("begin", err)
	}
	defer tx.Rollback() // a no-op after the commit
	if err := fn(tx); err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return storeError("commit", err)
	}
	return nil
}
