package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/pressly/goose/v3"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// Copy writes the database at from, as it is in one moment, to a new file at to.
// A server may be using it meanwhile. The copy is compact and on disk when Copy
// returns.
func Copy(ctx context.Context, from, to string) error {
	db, err := openExisting(from, readerPragmas)
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }() // it was only read
	// The copy is written by the connection that reads; the source stays untouched.
	if _, err := db.ExecContext(ctx, `PRAGMA query_only = 0`); err != nil {
		return storeError("copy", err)
	}
	if _, err := db.ExecContext(ctx, `VACUUM INTO $1`, to); err != nil {
		return storeError("copy", err)
	}
	if err := os.Chmod(to, 0o600); err != nil {
		return fmt.Errorf("copy the database: %w", err)
	}
	return syncFile(to)
}

func openExisting(path, pragmas string) (*sql.DB, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("database path: %w", err)
	}
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return nil, ota.NotFound("database_missing", "there is no database at %s", path).
			WithHint("name the data folder of a server, or a folder that waxwing backup made")
	}
	db, err := sql.Open("sqlite", dsn(path, pragmas))
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	db.SetMaxOpenConns(1)
	return db, nil
}

func syncFile(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return fmt.Errorf("flush the database: %w", err)
	}
	return errors.Join(f.Sync(), f.Close())
}

// View opens an existing database for reading only; only methods that read may be
// used. A server may be using it. A database of another version than this
// program's is refused (codes database_older, database_newer).
func View(ctx context.Context, path string) (*DB, error) {
	r, err := openExisting(path, readerPragmas)
	if err != nil {
		return nil, err
	}
	db := &DB{known: newKnown(), r: r, reads: reads{r}}
	if err := db.sameVersion(ctx, path); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

func (db *DB) sameVersion(ctx context.Context, path string) error {
	sub, err := fs.Sub(migrations, "migrations/sqlite")
	if err != nil {
		return fmt.Errorf("read migrations: %w", err)
	}
	p, err := goose.NewProvider(goose.DialectSQLite3, db.r, sub)
	if err != nil {
		return fmt.Errorf("read migrations: %w", err)
	}
	sources := p.ListSources()
	want := sources[len(sources)-1].Version
	var have int64
	if err := db.r.QueryRowContext(ctx, `SELECT COALESCE(MAX(version_id), 0) FROM goose_db_version WHERE is_applied = 1`).Scan(&have); err != nil {
		return ota.Conflict("database_foreign", "%s is no database of this program", path).WithCause(err).
			WithHint("name the data folder of a server, or a folder that waxwing backup made")
	}
	switch {
	case have > want:
		return ota.Conflict("database_newer", "the database has version %d, this program knows %d", have, want).
			WithHint("use the newer program")
	case have < want:
		return ota.Conflict("database_older", "the database has version %d, this program wants %d", have, want).
			WithHint("use the program that wrote it, or let waxwing serve bring it up to date first")
	}
	return nil
}

// Integrity returns what the database engine itself finds wrong, at most a
// hundred lines; none = nothing.
func (db *DB) Integrity(ctx context.Context) ([]string, error) {
	found, err := selectAll(ctx, db.r, func(r scanner) (v string, err error) { return v, r.Scan(&v) }, `PRAGMA integrity_check(100)`)
	if err != nil {
		return nil, err
	}
	if len(found) == 1 && found[0] == "ok" {
		found = nil
	}
	dangling, err := selectAll(ctx, db.r, func(s scanner) (string, error) {
		var table, parent string
		var row sql.NullInt64
		var n int
		err := s.Scan(&table, &row, &parent, &n)
		return fmt.Sprintf("row %d of %s refers to a row of %s that is not there", row.Int64, table, parent), err
	}, `SELECT "table", rowid, parent, fkid FROM pragma_foreign_key_check LIMIT 100`)
	return append(found, dangling...), err
}

// BlobUsers returns for each of the blobs which bundles ("APP VERSION") need it.
// Blobs that no bundle needs are left out.
func (db *DB) BlobUsers(ctx context.Context, blobs map[ota.Digest]struct{}) (map[ota.Digest][]string, error) {
	byFile := map[int64]ota.Digest{}
	err := db.each(ctx, `SELECT id, blob FROM stored_files`, func(r scanner) error {
		var id int64
		var blob []byte
		err := r.Scan(&id, &blob)
		if _, ok := blobs[digestOf(blob)]; ok {
			byFile[id] = digestOf(blob)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	users := map[ota.Digest][]string{}
	err = db.each(ctx, `SELECT b.app, b.version, v.files, v.entries, v.zip, b.sbom, b.provenance FROM bundles b
		JOIN variants v ON v.bundle_id = b.id WHERE b.deleted_at = 0 ORDER BY b.id`, func(r scanner) error {
		var app, version string
		var files, entries, zip, sbom, provenance []byte
		if err := r.Scan(&app, &version, &files, &entries, &zip, &sbom, &provenance); err != nil {
			return err
		}
		need := []ota.Digest{digestOf(zip), digestOf(sbom), digestOf(provenance)}
		ids, err1 := decodeIDs(files)
		own, err2 := decodeEntries(entries)
		for _, id := range ids {
			need = append(need, byFile[id])
		}
		for _, f := range own {
			need = append(need, f.Blob)
		}
		name := app + " " + version
		for _, d := range need {
			if _, ok := blobs[d]; !ok {
				continue
			}
			if have := users[d]; len(have) == 0 || have[len(have)-1] != name {
				users[d] = append(have, name)
			}
		}
		return errors.Join(err1, err2)
	})
	return users, err
}
