package main

import (
	"context"
	"database/sql"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"path/filepath"

	_ "modernc.org/sqlite" // registers the driver "sqlite"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/driver/sqlstore"
)

func appName(i int) string { return fmt.Sprintf("com.bench.app%d", i) }

// deviceID of device i of all; device i belongs to app i modulo the apps.
func deviceID(i int) ota.DeviceID {
	var d ota.DeviceID
	binary.BigEndian.PutUint64(d[:8], uint64(i)*0x9e3779b97f4a7c15)
	binary.BigEndian.PutUint64(d[8:], uint64(i))
	return d
}

// seed fills an empty data folder with rows directly, since a hundred thousand
// publications over HTTP would take longer than all measurements together.
func seed(ctx context.Context, data string, o options) error {
	path := filepath.Join(data, "waxwing.db")
	store, err := sqlstore.Open(ctx, path) // makes the tables
	if err != nil {
		return err
	}
	if err := store.Close(); err != nil {
		return err
	}
	db, err := sql.Open("sqlite", path+"?_pragma=synchronous(OFF)&_pragma=journal_mode(WAL)")
	if err != nil {
		return err
	}
	defer db.Close()
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	s := &seeder{ctx: ctx, tx: tx}
	policy := ota.DefaultPolicy()
	policy.Public, policy.AllowSelfSet = true, true
	text, err := json.Marshal(policy)
	if err != nil {
		return err
	}
	for i := range o.apps {
		s.app(i, o.bundles, string(text))
	}
	for i := range o.overrides {
		d := deviceID(i)
		s.exec(`INSERT INTO device_overrides (app, device, channel_id, self_set, created_at) VALUES ($1, $2, $3, FALSE, 1)`,
			appName(i%o.apps), d[:], i%o.apps+1)
	}
	if s.err != nil {
		return s.err
	}
	return tx.Commit()
}

type seeder struct {
	ctx    context.Context
	tx     *sql.Tx
	bundle int
	err    error
}

func (s *seeder) exec(query string, args ...any) {
	if s.err == nil {
		_, s.err = s.tx.ExecContext(s.ctx, query, args...)
	}
}

// app writes app i with channel i+1, whose current release is its last bundle.
func (s *seeder) app(i, bundles int, policy string) {
	id, none := appName(i), []byte{}
	s.exec(`INSERT INTO apps (id, name, expose_metadata, allow_custom_id, allow_plain, created_at) VALUES ($1, $1, FALSE, TRUE, FALSE, 1)`, id)
	s.exec(`INSERT INTO channels (id, app, name, policy, release_id, created_at) VALUES ($1, $2, 'production', $3, 0, 1)`, i+1, id, policy)
	for n := range bundles {
		s.bundle++
		version := fmt.Sprintf("1.0.%d", n+1)
		s.exec(`INSERT INTO bundles (id, app, version, tree, files, file_count, size, min_native, link, comment, native_packages, created_at, created_by)
			VALUES ($1, $2, $3, $4, $4, 1, 1, '', '', '', '[]', 1, 'bench')`, s.bundle, id, version, none)
		s.exec(`INSERT INTO variants (bundle_id, key_id, session_key, checksum, checksum_v2, external_url, zip, zip_size, files, entries)
			VALUES ($1, '', '', $2, '', $3, $4, 1, $4, $4)`,
			s.bundle, ota.Sum([]byte(version)).String(), "https://cdn.example.com/"+id+"/"+version+".zip", none)
	}
	s.exec(`INSERT INTO releases (id, channel_id, bundle_id, kind, parent, note, created_at, created_by) VALUES ($1, $1, $2, 'publish', 0, '', 1, 'bench')`, i+1, s.bundle)
	s.exec(`UPDATE channels SET release_id = $1 WHERE id = $1`, i+1)
}
