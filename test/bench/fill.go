package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"path/filepath"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/driver/sqlstore"
)

// size is how much a large server holds.
type size struct {
	apps, bundles    int // bundles in all
	devices, big     int // in all, and in the first app
	users, entries   int
	bigBundles, rest int // of the first app, and of each other
}

func (o options) size() size {
	s := size{apps: o.apps, bundles: 10 * o.apps, devices: o.devices, big: o.devices / 2, users: 1000, entries: o.devices / 10}
	s.rest = 9 // so that the first has a history of a thousand
	s.bigBundles = s.bundles - s.rest*(s.apps-1)
	return s
}

// fill makes the data folder of a large server. Rows of devices and outcomes
// come and go through the same triggers as in service, so counters are true.
func fill(ctx context.Context, data string, s size) error {
	path := filepath.Join(data, "waxwing.db")
	store, err := sqlstore.Open(ctx, path) // makes the tables
	if err != nil {
		return err
	}
	if err := store.Close(); err != nil {
		return err
	}
	db, err := openRaw(path)
	if err != nil {
		return err
	}
	defer db.Close()
	for _, step := range []struct {
		name string
		run  func(*seeder, size)
	}{
		{"apps", fillApps},
		{"devices", fillDevices},
		{"events", fillEvents},
		{"people", fillPeople},
		{"the audit log", fillLog},
	} {
		begin := time.Now()
		tx, err := db.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		f := &seeder{ctx: ctx, tx: tx}
		step.run(f, s)
		if f.err != nil {
			_ = tx.Rollback()
			return fmt.Errorf("%s: %w", step.name, f.err)
		}
		if err := tx.Commit(); err != nil {
			return err
		}
		fmt.Printf("loaded %s in %.0f s\n", step.name, time.Since(begin).Seconds())
	}
	_, err = db.ExecContext(ctx, `PRAGMA wal_checkpoint(TRUNCATE)`)
	return err
}

// openRaw opens the database for loading, past the server.
func openRaw(path string) (*sql.DB, error) {
	db, err := sql.Open("sqlite", path+"?_pragma=synchronous(OFF)&_pragma=journal_mode(WAL)&_pragma=busy_timeout(10000)&_pragma=cache_size(-500000)&_pragma=temp_store(memory)")
	if err == nil {
		db.SetMaxOpenConns(1)
	}
	return db, err
}

const (
	hour = int64(time.Hour / time.Millisecond)
	day  = 24 * hour
)

func now() int64 { return time.Now().UnixMilli() }

// numbers is a table n(i) of the numbers from 0 below $1.
const numbers = `WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < $1) `

// fillApps writes apps with bundles, three channels each and releases; some
// channels have a rollout, some were halted.
func fillApps(f *seeder, s size) {
	policy := ota.DefaultPolicy()
	policy.Public, policy.AllowSelfSet = true, true
	halted := policy
	halted.AutoHalt.LastTriggeredAt = now() - 2*hour
	closed := policy
	closed.Public, closed.RequiredApprovals = false, 2
	text := func(v any) string {
		b, err := json.Marshal(v)
		f.fail(err)
		return string(b)
	}
	for i := range s.apps {
		id, bundles := appName(i), s.rest
		f.exec(`INSERT INTO apps (id, name, expose_metadata, allow_custom_id, allow_plain, created_at) VALUES ($1, $2, FALSE, TRUE, TRUE, $3)`,
			id, fmt.Sprintf("Shop of town %d", i), now()-int64(s.apps-i)*hour)
		if i == 0 {
			bundles = s.bigBundles
		} else {
			f.exec(`INSERT INTO app_keys (app, id, public_pem, state, created_at) VALUES ($1, 'bench', '', 'active', $2)`, id, now()-90*day)
		}
		first := f.bundle + 1
		for n := range bundles {
			f.benchBundle(id, n, bundles)
		}
		for c, name := range []string{"production", "beta", "staging"} {
			ch, p, rollout := 3*i+c+1, policy, ""
			switch {
			case c == 0 && i%50 == 7:
				p = halted
			case c == 2 && i > 0: // the first app gets bundles without waiting for people
				p = closed
			case c == 1:
				p.Public = false
			}
			if c == 0 && i%20 == 0 {
				rollout = text(ota.Rollout{
					ID: fmt.Sprintf("r%d", i), BundleID: int64(f.bundle), Version: fmt.Sprintf("1.0.%d", bundles), BPS: 1000,
					Enabled: true, StartedAt: now() - hour, StartedBy: "user:u1@example.com",
				})
			}
			f.exec(`INSERT INTO channels (id, app, name, policy, release_id, rollout, created_at) VALUES ($1, $2, $3, $4, 0, $5, $6)`,
				ch, id, name, text(p), rollout, now()-90*day)
			for b := first; b < f.bundle; b++ {
				f.exec(`INSERT INTO releases (channel_id, bundle_id, kind, parent, note, created_at, created_by)
					VALUES ($1, $2, 'publish', COALESCE((SELECT MAX(id) FROM releases WHERE channel_id = $1), 0), 'a fix for the basket', $3, 'user:u1@example.com')`,
					ch, b, now()-int64(f.bundle-b)*hour)
			}
			f.exec(`UPDATE channels SET release_id = (SELECT MAX(id) FROM releases WHERE channel_id = $1) WHERE id = $1`, ch)
		}
	}
}

// benchBundle writes bundle n of many, as another tool's.
func (s *seeder) benchBundle(app string, n, of int) {
	s.bundle++
	version := fmt.Sprintf("1.0.%d", n+1)
	s.exec(`INSERT INTO bundles (id, app, version, tree, files, file_count, size, min_native, link, comment, native_packages, created_at, created_by)
		VALUES ($1, $2, $3, x'', x'', 400, 4000000, '', 'https://git.example.com/commit/0123456789abcdef', 'a fix for the basket', '[]', $4, 'user:u1@example.com')`,
		s.bundle, app, version, now()-int64(of-n)*hour)
	s.exec(`INSERT INTO variants (bundle_id, key_id, session_key, checksum, checksum_v2, external_url, zip, zip_size, files, entries)
		VALUES ($1, '', '', $2, '', $3, x'', 1, x'', x'')`, s.bundle, ota.Sum([]byte(version)).String(), "https://cdn.example.com/"+app+"/"+version+".zip")
}

// fillDevices writes devices, half of them in the first app, most on its latest
// versions, each with an outcome; some failed, some are bound to a channel.
func fillDevices(f *seeder, s size) {
	f.exec(numbers+`INSERT INTO devices (app, id, platform, version_name, version_build, version_code, version_os, plugin_version, custom_id,
			is_prod, is_emulator, default_channel, key_id, install_source, print, first_seen, last_seen, reported_at)
		SELECT 'com.bench.app' || CASE WHEN i < $2 THEN 0 ELSE 1 + i % $3 END, randomblob(16), CASE i % 5 WHEN 0 THEN 'ios' WHEN 4 THEN 'electron' ELSE 'android' END,
			'1.0.' || (CASE WHEN i < $2 THEN $4 ELSE $5 END - CASE WHEN i * 7919 % 100 < 70 THEN 1 WHEN i * 7919 % 100 < 90 THEN 2 ELSE 2 + i % 7 END),
			'1.' || i % 4 || '.0', '420', '15', '8.51.23', CASE i % 3 WHEN 0 THEN 'customer-' || i ELSE '' END,
			TRUE, FALSE, CASE i % 10 WHEN 0 THEN 'beta' ELSE '' END, '', 'google_play', i, $6 - 30 * 86400000, $6 - i * 104729 % 172800000, 0 FROM n`,
		s.devices, s.big, s.apps-1, s.bigBundles, s.rest, now())
	f.exec(`INSERT INTO device_outcomes (app, version, device, failed, at)
		SELECT app, version_name, id, abs(random()) % 100 < 2, $1 - abs(random()) % 604800000 FROM devices`, now())
	f.exec(`INSERT INTO device_failures (app, device, version, action, at) SELECT app, device, version, 'set_fail', at FROM device_outcomes WHERE failed`)
	f.exec(`INSERT INTO device_overrides (app, device, channel_id, self_set, created_at)
		SELECT app, id, 2, FALSE, $1 FROM devices WHERE app = 'com.bench.app0' LIMIT 20000`, now())
	f.exec(`INSERT INTO traffic (app, day, device, downloads, bytes)
		SELECT app, ($1 / 86400000 - d.i) * 86400000, id, 3, 400000 FROM (SELECT 0 AS i UNION SELECT 1 UNION SELECT 2 UNION SELECT 3 UNION SELECT 4) d,
			(SELECT app, id FROM devices WHERE app = 'com.bench.app0' LIMIT $2)`, now(), s.big/5)
	// Two weeks of checks of the first app, minute by minute, a day of the others.
	f.exec(numbers+`INSERT INTO check_counts (app, minute, channel, answer, code, version, n)
		SELECT 'com.bench.app0', ($2 / 60000 - i) * 60000, c.name, a.answer, a.code, v.version, 17 + i % 9 FROM n,
			(SELECT 'production' AS name UNION SELECT 'beta') c, (SELECT 'update' AS answer, '' AS code UNION SELECT 'up_to_date', '' UNION SELECT 'blocked', 'under_native') a,
			(SELECT '1.0.8' AS version UNION SELECT '1.0.7') v`, 14*24*60, now())
	f.exec(numbers+`INSERT INTO check_counts (app, minute, channel, answer, code, version, n)
		SELECT 'com.bench.app' || (1 + i % $2), ($3 / 900000 - i / $2) * 900000, 'production', 'up_to_date', '', '1.0.8', 3 FROM n`, 96*(s.apps-1), s.apps-1, now())
	f.exec(`INSERT INTO check_quarters (app, quarter, answer, n)
		SELECT app, minute - minute % 900000, answer, sum(n) FROM check_counts GROUP BY app, minute - minute % 900000, answer`)
	// As many groups of errors as an app can have.
	f.exec(numbers+`INSERT INTO error_groups (app, fingerprint, kind, title, culprit, mapped, state, first_seen, last_seen, first_version, last_version,
			count, devices, sketch, samples, sampled_at)
		SELECT 'com.bench.app0', CAST('print ' || i AS BLOB), 'webview_javascript_error', 'TypeError: no. ' || i, 'checkout (src/cart.ts)', TRUE, 'open',
			$2 - i * 60000, $2 - i * 1000, '1.0.7', '1.0.8', i, i / 3, X'', 0, 0 FROM n`, 5000, now())
	f.exec(`INSERT INTO error_versions (grp, version, platform, n, first_seen, last_seen) SELECT id, '1.0.8', 'ios', count, first_seen, last_seen FROM error_groups`)
	f.exec(`INSERT INTO traffic_days (app, day, downloads, bytes) SELECT app, day, sum(downloads), sum(bytes) FROM traffic GROUP BY app, day`)
}

// fillEvents writes an event of every device, and one more of every failure.
func fillEvents(f *seeder, _ size) {
	const into = `INSERT INTO events (app, device, ts, mark, received_at, action, version_name, old_version_name, version_build, platform,
		plugin_version, channel, known, counted, metadata) `
	f.exec(into + `SELECT app, id, last_seen, random(), last_seen, 'app_moved_to_foreground', version_name, '', version_build, platform, plugin_version,
		default_channel, TRUE, FALSE, NULL FROM devices`)
	f.exec(into + `SELECT app, device, at, random(), at, action, version, '1.0.1', '1.0.0', 'android', '8.51.23', '', TRUE, TRUE, '{"error":"it did not start in 10 s"}'
		FROM device_failures`)
}
