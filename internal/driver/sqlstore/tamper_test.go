package sqlstore

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/waxwing-ota/waxwing/internal/core/auditlog"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/tilelog"
	"github.com/waxwing-ota/waxwing/internal/plane/audit"
)

// tamperedEntries is how many entries a log has before somebody changes it.
const tamperedEntries = 21

func logOf(t testing.TB, db *DB, seed byte, retention time.Duration) *audit.Service {
	t.Helper()
	s, err := tilelog.NewSigner("waxwing.local/log", [32]byte{seed})
	if err != nil {
		t.Fatal(err)
	}
	return audit.New(audit.Deps{Store: Audit{db}, Signer: s, Retention: retention, Now: func() time.Time { return time.UnixMilli(1_000_000_000_000) }})
}

// verifyDB verifies the log in the database as an auditor would.
func verifyDB(t testing.TB, s *audit.Service, key string, kept auditlog.Kept) (auditlog.Report, error) {
	t.Helper()
	e, err := s.Export(t.Context(), 0, 0, 0)
	if err != nil {
		return auditlog.Report{}, err
	}
	var b bytes.Buffer
	if err := e.Write(t.Context(), &b); err != nil {
		return auditlog.Report{}, err
	}
	return auditlog.Verify(&b, key, kept, nil)
}

// filled returns a database with some history and a checkpoint that somebody kept.
func filled(t testing.TB, path string) (*DB, tilelog.Checkpoint) {
	t.Helper()
	db := openAt(t, path)
	for i := range tamperedEntries {
		addChange(t, db, int64(1000*i), ota.Change{
			Action: "app.update", App: "com.example.a", Object: fmt.Sprint("object", i), Detail: "{}", Org: "main", Before: fmt.Sprint(i), After: fmt.Sprint(i + 1),
		})
	}
	s := logOf(t, db, 1, 0)
	r, err := verifyDB(t, s, s.Key().Key, nil)
	if err != nil {
		t.Fatal(err)
	}
	return db, r.Checkpoint
}

// attack runs statements as somebody who has the database file.
func attack(t testing.TB, db *DB, statements ...string) {
	t.Helper()
	for _, q := range append([]string{
		`DROP TRIGGER changes_keep_rows`, `DROP TRIGGER changes_keep_text`, `DROP TRIGGER audit_hashes_keep_rows`, `DROP TRIGGER audit_hashes_keep_text`,
	}, statements...) {
		if _, err := db.w.ExecContext(t.Context(), q); err != nil {
			t.Fatalf("%s: %v", q, err)
		}
	}
}

// rehash computes all stored hashes anew, as an attacker who knows how would.
func rehash(t testing.TB, db *DB) {
	t.Helper()
	attackOnly(t, db, `DELETE FROM audit_hashes`)
	if err := db.growLog(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func attackOnly(t testing.TB, db *DB, q string) {
	t.Helper()
	if _, err := db.w.ExecContext(t.Context(), q); err != nil {
		t.Fatalf("%s: %v", q, err)
	}
}

func TestTamperingIsDetected(t *testing.T) {
	tests := map[string]struct {
		do   []string
		want string // of verification
		self string // of the check at the start; "" = the same
	}{
		"delete in the middle":  {[]string{`DELETE FROM changes WHERE leaf = 7`}, "entry_missing", ""},
		"delete the first":      {[]string{`DELETE FROM changes WHERE leaf = 0`}, "audit_damaged", ""},
		"delete the last":       {[]string{`DELETE FROM changes WHERE leaf = 20`}, "audit_damaged", ""},
		"delete all":            {[]string{`DELETE FROM changes`}, "audit_damaged", ""},
		"insert at the end":     {[]string{`INSERT INTO changes (at, actor, action, app, object, detail, leaf) VALUES (1, 'a', 'b.c', '', '', '', 21)`}, "audit_damaged", ""},
		"insert before":         {[]string{`INSERT INTO changes (at, actor, action, app, object, detail, leaf) VALUES (1, 'a', 'b.c', '', '', '', -1)`}, "audit_damaged", ""},
		"insert in the middle":  {[]string{`UPDATE changes SET leaf = -leaf WHERE leaf > 7`, `UPDATE changes SET leaf = 1 - leaf WHERE leaf < 0`, `INSERT INTO changes (at, actor, action, app, object, detail, leaf) VALUES (1, 'a', 'b.c', '', '', '', 8)`}, "audit_damaged", ""},
		"reorder":               {[]string{`UPDATE changes SET leaf = -5 WHERE leaf = 5`, `UPDATE changes SET leaf = 5 WHERE leaf = 6`, `UPDATE changes SET leaf = 6 WHERE leaf = -5`}, "entry_altered", ""},
		"blank":                 {[]string{`UPDATE changes SET kept = FALSE WHERE leaf = 3`}, "retention_unproven", "none"},
		"blank as retention":    {[]string{`UPDATE audit_retention SET upto = 5`, `UPDATE changes SET kept = FALSE, actor = '' WHERE leaf < 5`}, "retention_unproven", "none"},
		"a leaf's hash":         {[]string{fmt.Sprintf(`UPDATE audit_hashes SET hash = zeroblob(32) WHERE idx = %d`, tlog.StoredHashIndex(0, 9))}, "entry_altered", ""},
		"a node's hash":         {[]string{fmt.Sprintf(`UPDATE audit_hashes SET hash = zeroblob(32) WHERE idx = %d`, tlog.StoredHashIndex(4, 0))}, "log_altered", ""},
		"a hash is gone":        {[]string{fmt.Sprintf(`DELETE FROM audit_hashes WHERE idx = %d`, tlog.StoredHashIndex(0, 9))}, "audit_damaged", ""},
		"a hash is short":       {[]string{fmt.Sprintf(`UPDATE audit_hashes SET hash = x'00' WHERE idx = %d`, tlog.StoredHashIndex(0, 9))}, "audit_damaged", ""},
		"the end of the hashes": {[]string{`DELETE FROM audit_hashes WHERE idx = (SELECT MAX(idx) FROM audit_hashes)`}, "audit_damaged", ""},
	}
	for _, column := range []string{"actor", "action", "app", "object", "detail", "org", "before", "after", "request_id"} {
		tests["column "+column] = struct {
			do         []string
			want, self string
		}{[]string{`UPDATE changes SET ` + column + ` = 'forged' WHERE leaf = 12`}, "entry_altered", ""}
	}
	tests["column at"] = struct {
		do         []string
		want, self string
	}{[]string{`UPDATE changes SET at = at + 1 WHERE leaf = 12`}, "entry_altered", ""}
	tests["column id"] = struct {
		do         []string
		want, self string
	}{[]string{`UPDATE changes SET id = 900 WHERE leaf = 12`}, "entry_altered", ""}

	for name, row := range tests {
		t.Run(name, func(t *testing.T) {
			db, cp := filled(t, filepath.Join(t.TempDir(), "waxwing.db"))
			s := logOf(t, db, 1, 0)
			if err := s.Check(t.Context()); err != nil {
				t.Fatalf("before: %v", err)
			}
			attack(t, db, row.do...)
			for _, kept := range []auditlog.Kept{nil, {cp}} {
				if _, err := verifyDB(t, s, s.Key().Key, kept); ota.CodeOf(err) != row.want {
					t.Errorf("with %d kept checkpoints: %v; want %s", len(kept), err, row.want)
				}
			}
			want := row.self
			if want == "" {
				want = row.want
			}
			if err := s.Check(t.Context()); want != "none" && ota.CodeOf(err) != want {
				t.Errorf("the check at the start: %v; want %s", err, want)
			}
		})
	}
}

// Who rewrites rows and hashes alike has a log that is whole in itself: only a
// checkpoint from elsewhere tells.
func TestRewritingIsDetectedByKeptCheckpoints(t *testing.T) {
	for name, row := range map[string]struct {
		do   []string
		want string
	}{
		"change":           {[]string{`UPDATE changes SET actor = 'user:somebody.else' WHERE leaf = 12`}, "log_forked"},
		"delete":           {[]string{`DELETE FROM changes WHERE leaf = 12`, `UPDATE changes SET leaf = leaf - 1 WHERE leaf > 12`}, "log_shrunk"},
		"truncate":         {[]string{`DELETE FROM changes WHERE leaf >= 16`}, "log_shrunk"},
		"truncate, refill": {[]string{`UPDATE changes SET object = 'x' WHERE leaf >= 16`}, "log_forked"},
		"insert":           {[]string{`INSERT INTO changes (at, actor, action, app, object, detail, leaf) VALUES (1, 'a', 'b.c', '', '', '', 21)`, `UPDATE changes SET object = 'x' WHERE leaf = 20`}, "log_forked"},
	} {
		t.Run(name, func(t *testing.T) {
			db, cp := filled(t, filepath.Join(t.TempDir(), "waxwing.db"))
			attack(t, db, row.do...)
			rehash(t, db)
			s := logOf(t, db, 1, 0)
			if _, err := verifyDB(t, s, s.Key().Key, nil); err != nil {
				t.Errorf("the forgery is not whole in itself: %v", err)
			}
			if _, err := verifyDB(t, s, s.Key().Key, auditlog.Kept{cp}); ota.CodeOf(err) != row.want {
				t.Errorf("%v; want %s", err, row.want)
			}
		})
	}
}

func TestAnotherKeyIsDetected(t *testing.T) {
	db, _ := filled(t, filepath.Join(t.TempDir(), "waxwing.db"))
	if _, err := verifyDB(t, logOf(t, db, 2, 0), logOf(t, db, 1, 0).Key().Key, nil); ota.CodeOf(err) != "checkpoint_unsigned" {
		t.Error(err)
	}
}

func TestAnOlderBackupIsDetected(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "waxwing.db")
	db, _ := filled(t, path)
	old := filepath.Join(dir, "old.db")
	attackOnly(t, db, `VACUUM INTO '`+old+`'`)
	addChange(t, db, 99_000, ota.Change{Action: "release.publish"})
	s := logOf(t, db, 1, 0)
	r, err := verifyDB(t, s, s.Key().Key, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(old); err != nil {
		t.Fatal(err)
	}
	restored := openAt(t, old)
	s = logOf(t, restored, 1, 0)
	if _, err := verifyDB(t, s, s.Key().Key, auditlog.Kept{r.Checkpoint}); ota.CodeOf(err) != "log_shrunk" {
		t.Errorf("restored: %v", err)
	}
	addChange(t, restored, 99_000, ota.Change{Action: "something.else"})
	if _, err := verifyDB(t, s, s.Key().Key, auditlog.Kept{r.Checkpoint}); ota.CodeOf(err) != "log_forked" {
		t.Errorf("restored and gone on: %v", err)
	}
}

func TestRetentionKeepsTheProofs(t *testing.T) {
	db, cp := filled(t, filepath.Join(t.TempDir(), "waxwing.db"))
	now := int64(1_000_000_000_000)
	s := logOf(t, db, 1, time.Duration(now-10_500)*time.Millisecond) // leaves 0 to 10 are older
	n, err := s.Retain(t.Context())
	if err != nil || n != 11 {
		t.Fatalf("retained %d, %v", n, err)
	}
	if n, err := s.Retain(t.Context()); err != nil || n != 0 {
		t.Fatalf("a second time: %d, %v", n, err)
	}
	r, err := verifyDB(t, s, s.Key().Key, auditlog.Kept{cp})
	if err != nil || r.HashOnly != 11 || r.Checkpoint.Size != tamperedEntries+1 {
		t.Fatalf("%+v, %v", r, err)
	}
	if err := s.Check(t.Context()); err != nil {
		t.Error(err)
	}
	p, err := s.Proof(t.Context(), 3)
	if err != nil {
		t.Fatal(err)
	}
	c, err := tilelog.OpenCheckpoint(p.Checkpoint.Note, s.Key().Key)
	if err != nil {
		t.Fatal(err)
	}
	if err := tilelog.CheckInclusion(c, p.Leaf, tlog.Hash(p.Hash), p.Proof); err != nil {
		t.Error(err)
	}
	for _, w := range []struct {
		tile tlog.Tile
		want string
	}{{tlog.Tile{H: 8, L: -1, N: 0, W: 20}, "entries_gone"}, {tlog.Tile{H: 8, L: 0, N: 0, W: 22}, ""}, {tlog.Tile{H: 8, L: 0, N: 0, W: 23}, "tile_unknown"}} {
		if _, err := s.Tile(t.Context(), w.tile); w.want == "" && err != nil || w.want != "" && ota.CodeOf(err) != w.want {
			t.Errorf("%+v: %v", w.tile, err)
		}
	}
	last, err := s.Entry(t.Context(), tamperedEntries+1)
	if err != nil || last.Action != auditlog.RetainAction || last.Actor != auditlog.RetainActor {
		t.Errorf("the record of it: %+v, %v", last, err)
	}
}

func TestADamagedLogTakesNoChanges(t *testing.T) {
	db, _ := filled(t, filepath.Join(t.TempDir(), "waxwing.db"))
	attack(t, db, `DELETE FROM changes WHERE leaf = 20`)
	err := db.update(t.Context(), "token:test", 1, func(*txn) (ota.Change, error) { return ota.Change{Action: "app.create"}, nil })
	if ota.CodeOf(err) != "audit_damaged" {
		t.Errorf("after its last row went: %v", err)
	}
}
