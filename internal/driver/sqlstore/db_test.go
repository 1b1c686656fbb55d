package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/plane/control"
)

func openAt(t testing.TB, path string) *DB {
	t.Helper()
	db, err := Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

func temp(t testing.TB) *DB {
	t.Helper()
	return openAt(t, filepath.Join(t.TempDir(), "waxwing.db"))
}

func TestOpen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "odd name? #1 100%.db")
	db := openAt(t, path)
	addApp(t, db, "com.example.a")
	fi, err := os.Stat(path)
	if err != nil || fi.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v; want 0600", fi.Mode(), err)
	}
	if err := db.Ping(t.Context()); err != nil {
		t.Errorf("Ping: %v", err)
	}
	if _, err := db.r.ExecContext(t.Context(), `DELETE FROM apps`); err == nil {
		t.Error("a reader may write")
	}
	for name, want := range map[string]string{"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1", "busy_timeout": "5000"} {
		var got string
		if err := db.w.QueryRowContext(t.Context(), "PRAGMA "+name).Scan(&got); err != nil || got != want {
			t.Errorf("%s = %q, %v; want %s", name, got, err, want)
		}
	}
	again := openAt(t, path)
	if _, err := again.App(t.Context(), "com.example.a"); err != nil {
		t.Errorf("opened again: %v", err)
	}
}

func TestOpenRefused(t *testing.T) {
	dir := t.TempDir()
	if _, err := Open(t.Context(), filepath.Join(dir, "no", "such", "folder.db")); ota.CodeOf(err) != "database_unopenable" {
		t.Errorf("missing folder: %v", err)
	}
	junk := filepath.Join(dir, "junk.db")
	if err := os.WriteFile(junk, []byte("this is not a database, whatever its name may say"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), junk); err == nil {
		t.Error("opened a file that is no database")
	}
	newer := filepath.Join(dir, "newer.db")
	db := openAt(t, newer)
	if _, err := db.w.ExecContext(t.Context(), `INSERT INTO goose_db_version (version_id, is_applied) VALUES (99999, 1)`); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), newer); ota.CodeOf(err) != "database_newer" {
		t.Errorf("newer database: %v", err)
	}
}

func addApp(t testing.TB, db *DB, id string) {
	t.Helper()
	err := db.Update(t.Context(), "test", 1, func(tx control.Tx) (ota.Change, error) {
		return ota.Change{Action: "app.create", App: id, Object: id, Detail: "{}"}, tx.InsertApp(t.Context(), ota.App{ID: id})
	})
	if err != nil {
		t.Fatal(err)
	}
}

// What is not recorded is not written.
func TestUpdateNeedsAChange(t *testing.T) {
	db := temp(t)
	ctx := t.Context()
	no := errors.New("no")
	insert := func(c ota.Change, err error) func(control.Tx) (ota.Change, error) {
		return func(tx control.Tx) (ota.Change, error) {
			if err := tx.InsertApp(ctx, ota.App{ID: "com.example.a"}); err != nil {
				return c, err
			}
			if _, err := tx.App(ctx, "com.example.a"); err != nil {
				t.Errorf("the transaction does not read what it wrote: %v", err)
			}
			return c, err
		}
	}
	if err := db.Update(ctx, "test", 1, insert(ota.Change{}, nil)); err != nil {
		t.Errorf("no change: %v", err)
	}
	if err := db.Update(ctx, "test", 1, insert(ota.Change{Action: "app.create"}, no)); !errors.Is(err, no) {
		t.Errorf("failed: %v", err)
	}
	func() {
		defer func() { _ = recover() }()
		_ = db.Update(ctx, "test", 1, func(tx control.Tx) (ota.Change, error) {
			_, _ = insert(ota.Change{}, nil)(tx)
			panic("bug")
		})
	}()
	if _, err := db.App(ctx, "com.example.a"); ota.CodeOf(err) != control.CodeAppNotFound {
		t.Errorf("App = %v, want nothing stored", err)
	}
	if changes, _, err := db.Changes(ctx, "", ota.Page{}); len(changes) != 0 || err != nil {
		t.Errorf("changes = %+v, %v", changes, err)
	}
	// The writer is free again after all that.
	addApp(t, db, "com.example.a")
}

func TestChangesAreAppendOnly(t *testing.T) {
	db := temp(t)
	addApp(t, db, "com.example.a")
	for _, q := range []string{`DELETE FROM changes`, `UPDATE changes SET actor = 'nobody'`} {
		if _, err := db.w.ExecContext(t.Context(), q); err == nil {
			t.Errorf("%s passed", q)
		}
	}
}

// A full disk is told as such, and the transaction leaves nothing behind.
func TestFullDisk(t *testing.T) {
	db := temp(t)
	ctx := t.Context()
	addApp(t, db, "com.example.a")
	var pages int64
	if err := db.w.QueryRowContext(ctx, `PRAGMA page_count`).Scan(&pages); err != nil {
		t.Fatal(err)
	}
	if _, err := db.w.ExecContext(ctx, `PRAGMA max_page_count = 1`); err != nil { // never below what there is
		t.Fatal(err)
	}
	err := db.Update(ctx, "test", 1, func(tx control.Tx) (ota.Change, error) {
		a, err := tx.App(ctx, "com.example.a")
		if err != nil {
			return ota.Change{}, err
		}
		a.Name = string(make([]byte, 1<<20))
		return ota.Change{Action: "app.update"}, tx.UpdateApp(ctx, a)
	})
	if ota.CodeOf(err) != "disk_full" || ota.KindOf(err) != ota.KindUnavailable {
		t.Errorf("err = %v, want disk_full", err)
	}
	if a, err := db.App(ctx, "com.example.a"); err != nil || a.Name != "" {
		t.Errorf("app = %d bytes of name, %v", len(a.Name), err)
	}
}

func TestEnsureSetting(t *testing.T) {
	db := temp(t)
	var wg sync.WaitGroup
	got := make([][]byte, 8)
	for i := range got {
		wg.Go(func() {
			var err error
			if got[i], err = db.EnsureSetting(context.Background(), "secret", []byte{byte(i)}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	for i := range got {
		if string(got[i]) != string(got[0]) || len(got[i]) != 1 {
			t.Errorf("caller %d got %v, caller 0 %v", i, got[i], got[0])
		}
	}
}

// Readers do not wait for a writer, and see nothing of it before it commits.
func TestReadersDuringWrite(t *testing.T) {
	db := temp(t)
	err := db.tx(t.Context(), func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(t.Context(), `INSERT INTO settings (key, value) VALUES ('k', x'00')`); err != nil {
			return err
		}
		var n int
		if err := db.r.QueryRowContext(t.Context(), `SELECT COUNT(*) FROM settings`).Scan(&n); err != nil || n != 0 {
			t.Errorf("a reader sees %d rows, %v", n, err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
