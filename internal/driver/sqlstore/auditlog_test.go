package sqlstore

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/waxwing-ota/waxwing/internal/core/auditlog"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/tilelog"
)

func addChange(t testing.TB, db *DB, at int64, c ota.Change) {
	t.Helper()
	err := db.update(t.Context(), "token:test", at, func(*txn) (ota.Change, error) { return c, nil })
	if err != nil {
		t.Fatal(err)
	}
}

// rootOf is the root that the stored rows have, computed anew.
func rootOf(t testing.TB, db *DB) tlog.Hash {
	t.Helper()
	entries, err := db.AuditEntries(t.Context(), 0, 100_000)
	if err != nil {
		t.Fatal(err)
	}
	var r tilelog.Range
	for i, e := range entries {
		if e.Leaf != int64(i) {
			t.Fatalf("entry %d is leaf %d", i, e.Leaf)
		}
		r.Append(auditlog.LeafHash(e.Change))
	}
	return r.Root()
}

func checkLog(t testing.TB, db *DB, want int64) {
	t.Helper()
	size, err := db.AuditSize(t.Context())
	if err != nil || size != want {
		t.Fatalf("the log has %d entries, %v; want %d", size, err, want)
	}
	root, err := tlog.TreeHash(size, db.treeReader(t.Context(), auditTree))
	if err != nil || root != rootOf(t, db) {
		t.Fatalf("the stored hashes do not belong to the rows: %v", err)
	}
}

func TestEveryChangeIsALeaf(t *testing.T) {
	db := temp(t)
	checkLog(t, db, 0)
	hostile := "a\x00b\"\\\u2028\xff<script>"
	for i := range 20 {
		addChange(t, db, int64(1000+i), ota.Change{Action: "app.update", App: "com.example.a", Object: hostile, Detail: "{}", Before: fmt.Sprint(i)})
		checkLog(t, db, int64(i+1))
	}
	// What is not committed is no leaf.
	err := db.update(t.Context(), "token:test", 1, func(*txn) (ota.Change, error) { return ota.Change{Action: "x.y"}, fmt.Errorf("no") })
	if err == nil {
		t.Fatal("the error is gone")
	}
	checkLog(t, db, 20)
}

func TestRowsFromBeforeTheLogGetLeaves(t *testing.T) {
	path := filepath.Join(t.TempDir(), "waxwing.db")
	db := openAt(t, path)
	for i := range growBatch + 5 {
		if _, err := db.w.ExecContext(t.Context(), `INSERT INTO changes (id, at, actor, action, app, object, detail, leaf) VALUES ($1, $2, 'a', 'b.c', '', '', '{}', $3)`,
			i+1, i, i); err != nil {
			t.Fatal(err)
		}
	}
	again := openAt(t, path)
	checkLog(t, again, growBatch+5)
	addChange(t, again, 9999, ota.Change{Action: "app.create"})
	checkLog(t, again, growBatch+6)
}

func TestLogIsAppendOnly(t *testing.T) {
	db := temp(t)
	addChange(t, db, 1, ota.Change{Action: "app.create", Detail: "{}"})
	addChange(t, db, 2, ota.Change{Action: "app.create", Detail: "{}"})
	for _, q := range []string{
		`DELETE FROM changes`, `UPDATE changes SET detail = 'x'`, `UPDATE changes SET kept = FALSE`, `UPDATE changes SET leaf = leaf + 10`,
		`UPDATE changes SET actor = '', object = '', detail = '', before = '', after = '', request_id = '', kept = FALSE`,
		`DELETE FROM audit_hashes`, `UPDATE audit_hashes SET hash = x'00'`,
	} {
		if _, err := db.w.ExecContext(t.Context(), q); err == nil {
			t.Errorf("the database took %s", q)
		}
	}
	checkLog(t, db, 2)
}

func TestAuditBlank(t *testing.T) {
	db := temp(t)
	for i := range 10 {
		addChange(t, db, int64(100*i), ota.Change{Action: "app.update", App: "com.example.a", Object: "o", Detail: "{}"})
	}
	a := Audit{db}
	record := func(n, upto int64) ota.Change {
		return ota.Change{Action: "audit.retain", Detail: fmt.Sprintf(`{"n":%d,"upto":%d}`, n, upto)}
	}
	for _, step := range []struct {
		before int64
		limit  int
		want   int64
	}{{0, 100, 0}, {450, 3, 3}, {450, 100, 2}, {450, 100, 0}} {
		n, err := a.AuditBlank(t.Context(), "system/retention", 5000, step.before, step.limit, record)
		if err != nil || n != step.want {
			t.Fatalf("blanked %d, %v; want %d", n, err, step.want)
		}
	}
	entries, err := db.AuditEntries(t.Context(), 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	var got []bool
	for _, e := range entries {
		got = append(got, e.Kept)
		if !e.Kept && (e.Actor != "" || e.Object != "") {
			t.Errorf("entry %d still has text: %+v", e.Leaf, e)
		}
	}
	want := []bool{false, false, false, false, false, true, true, true, true, true, true, true}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if size, err := db.AuditSize(t.Context()); err != nil || size != 12 {
		t.Errorf("size %d, %v", size, err)
	}
}

func TestAuditSearch(t *testing.T) {
	db := temp(t)
	for i, c := range []ota.Change{
		{Action: "app.create", App: "a", Object: "a", Org: "main"},
		{Action: "release.publish", App: "a", Object: "production", Org: "main"},
		{Action: "release.rollback", App: "b", Object: "production", Org: "other"},
		{Action: "released", App: "b"},
	} {
		addChange(t, db, int64(1000*(i+1)), c)
	}
	for name, row := range map[string]struct {
		f    ota.AuditFilter
		want []int64
	}{
		"all":     {ota.AuditFilter{}, []int64{4, 3, 2, 1}},
		"noun":    {ota.AuditFilter{Action: "release."}, []int64{3, 2}},
		"action":  {ota.AuditFilter{Action: "release.publish"}, []int64{2}},
		"app":     {ota.AuditFilter{App: "b"}, []int64{4, 3}},
		"org":     {ota.AuditFilter{Org: "other"}, []int64{3}},
		"main":    {ota.AuditFilter{Org: "main"}, []int64{4, 2, 1}},
		"object":  {ota.AuditFilter{Object: "production", App: "a"}, []int64{2}},
		"actor":   {ota.AuditFilter{Actor: "token:nobody"}, nil},
		"time":    {ota.AuditFilter{Since: 2000, Until: 4000}, []int64{3, 2}},
		"hostile": {ota.AuditFilter{Actor: "' OR 1=1 --"}, nil},
	} {
		var got []int64
		p := ota.Page{Limit: 1}
		for {
			items, next, err := db.AuditSearch(t.Context(), row.f, p)
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range items {
				got = append(got, e.ID)
			}
			if next == "" {
				break
			}
			p.After = next
		}
		if d := cmp.Diff(row.want, got); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
	if from, to, err := db.AuditSpan(t.Context(), 2000, 4000); err != nil || from != 1 || to != 3 {
		t.Errorf("span %d to %d, %v", from, to, err)
	}
}

// BenchmarkUpdate is a change that writes nothing but its record.
func BenchmarkUpdate(b *testing.B) {
	db := temp(b)
	if _, err := db.w.ExecContext(b.Context(), `PRAGMA synchronous = OFF`); err != nil { // the log's part, not the disk's
		b.Fatal(err)
	}
	for b.Loop() {
		if err := db.update(context.Background(), "token:bench", 1, func(*txn) (ota.Change, error) {
			return ota.Change{Action: "app.update", App: "com.example.a", Object: "com.example.a", Detail: `{"name":"x"}`, Before: `{"name":"y"}`, After: `{"name":"x"}`}, nil
		}); err != nil {
			b.Fatal(err)
		}
	}
}
