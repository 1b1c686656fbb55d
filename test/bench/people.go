package main

import (
	"fmt"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/waxwing-ota/waxwing/internal/core/approve"
	"github.com/waxwing-ota/waxwing/internal/core/auditlog"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// fillPeople writes users with roles and sessions, groups, machines with tokens,
// invitations and requests for approval.
func fillPeople(f *seeder, s size) {
	at := now()
	f.exec(numbers+`INSERT INTO users (id, email, name, created_at, created_by, last_seen)
		SELECT i + 1, 'u' || i || '@example.com', 'Person ' || i, $2, 'system/setup', $2 FROM n`, s.users, at-30*day)
	f.exec(`INSERT INTO grants (subject_kind, subject_id, role, org, app, channel, created_at, created_by)
		SELECT 'user', id, CASE id % 4 WHEN 0 THEN 'viewer' WHEN 1 THEN 'developer' WHEN 2 THEN 'release-manager' ELSE 'tester' END, 'main',
			CASE WHEN id % 3 = 0 THEN '' ELSE 'com.bench.app' || (id % $1) END, '', $2, 'user:u1@example.com' FROM users`, s.apps, at)
	f.exec(numbers+`INSERT INTO groups (id, org, name, created_at) SELECT i + 1, 'main', 'team-' || i, $2 FROM n`, 50, at)
	f.exec(`INSERT INTO group_members (group_id, user_id, source) SELECT 1 + id % 50, id, 'manual' FROM users`)
	f.exec(`INSERT OR IGNORE INTO group_members (group_id, user_id, source) SELECT 1, id, 'manual' FROM users`)
	f.exec(`INSERT INTO grants (subject_kind, subject_id, role, org, app, channel, created_at, created_by)
		SELECT 'group', id, 'viewer', 'main', '', '', $1, 'user:u1@example.com' FROM groups`, at)
	f.exec(`INSERT INTO sessions (user_id, hash, created_at, seen_at, strong_at, method, place, agent)
		SELECT id, randomblob(32), $1, $2, $1, 'passkey', '192.0.2.0/24', 'Firefox' FROM users`, at-day, at)
	f.exec(numbers+`INSERT INTO service_accounts (id, org, name, created_at, created_by) SELECT i + 1, 'main', 'ci-' || i, $2, 'user:u1@example.com' FROM n`, 100, at)
	f.exec(numbers+`INSERT INTO tokens (name, owner_kind, owner_id, hash, previous_hash, prefix, grants, limits, ip_ranges, created_at, created_by)
		SELECT 'token ' || i, 'service', 1 + i % 100, randomblob(32), x'', 'wxw_' || i, '[]', '{}', '[]', $2, 'user:u1@example.com' FROM n`, 500, at)
	f.exec(numbers+`INSERT INTO enrol_links (kind, hash, email, user_id, grants, maker, created_at, created_by, expires_at)
		SELECT 'invite', randomblob(32), 'new' || i || '@example.com', 0, '[]', 1, $2, 'user:u1@example.com', $3 FROM n`, 300, at, at+day)
	fillApprovals(f, at)
}

// fillApprovals writes requests for approval, of which a few are open.
func fillApprovals(f *seeder, at int64) {
	policy := ota.DefaultPolicy()
	for i := range 5000 {
		app, ch := appName(1+i%10), int64(3*(1+i%10)+3)
		d := approve.Document{
			Format: approve.Format, App: app, Act: ota.ActRelease, Object: "1.0.5", Request: map[string]any{"version": "1.0.5", "note": ""},
			Channel: &approve.Channel{ID: ch, Name: "staging", CurrentVersion: "1.0.4", Audience: approve.AudienceOf(policy)}, Protects: []approve.Guarded{},
			Content: &approve.Content{BundleID: 1, Version: "1.0.5", Variants: []approve.Variant{}},
		}
		text, digest, err := d.Seal()
		f.fail(err)
		state := ota.ApprovalExecuted
		if i%50 == 0 {
			state = ota.ApprovalRequested
		}
		f.exec(`INSERT INTO approvals (org, app, channel, channel_id, act, object, document, digest, content, required, need, actor, authors, created_at, expires_at, state)
			VALUES ('main', $1, 'staging', $2, $3, '1.0.5', $4, $5, $6, 2, 2, 'user:u1@example.com', '[2]', $7, $8, $9)`,
			app, ch, string(d.Act), string(text), digest[:], digest[:], at-hour, at+day, string(state))
	}
}

// hashes are those of a log, numbered as the database has them.
type hashes []tlog.Hash

// ReadHashes implements [tlog.HashReader].
func (h *hashes) ReadHashes(idx []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(idx))
	for i, n := range idx {
		out[i] = (*h)[n]
	}
	return out, nil
}

// fillLog writes entries of the audit log with their leaves, two in five about
// the first app.
func fillLog(f *seeder, s size) {
	var log hashes
	actions := []string{"release.publish", "rollout.set", "channel.update", "device.override", "bundle.create", "session.create", "grant.create"}
	for n := range int64(s.entries) {
		i := int(n)
		c := ota.Change{
			ID: n + 1, At: now() - int64(s.entries-i)*20_000, Actor: ota.Actor(fmt.Sprintf("user:u%d@example.com", i%s.users)), Action: actions[i%len(actions)],
			App: appName(i * 31 % s.apps), Org: "main", Object: "production", Detail: `{"version":"1.0.8","note":"a fix for the basket"}`,
			Before: `{"policy":{"public":true,"ios":true,"android":true},"release":"1.0.7"}`,
			After:  `{"policy":{"public":true,"ios":true,"android":false},"release":"1.0.8"}`, RequestID: fmt.Sprintf("%016x", i),
		}
		if i%5 < 2 {
			c.App = appName(0)
		}
		f.exec(`INSERT INTO changes (id, at, actor, action, app, object, detail, org, before, after, request_id, leaf)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
			c.ID, c.At, string(c.Actor), c.Action, c.App, c.Object, c.Detail, c.Org, c.Before, c.After, c.RequestID, n)
		fresh, err := tlog.StoredHashesForRecordHash(n, auditlog.LeafHash(c), &log)
		f.fail(err)
		for _, h := range fresh {
			f.exec(`INSERT INTO audit_hashes (idx, hash) VALUES ($1, $2)`, len(log), h[:])
			log = append(log, h)
		}
	}
}

// fail keeps the first error.
func (s *seeder) fail(err error) {
	if s.err == nil {
		s.err = err
	}
}
