package sqlstore

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/p256"
	"github.com/waxwing-ota/waxwing/internal/core/tilelog"
	"github.com/waxwing-ota/waxwing/internal/core/tlogproof"
	"github.com/waxwing-ota/waxwing/internal/plane/sealedlog"
)

func sealedLogOf(t testing.TB, db *DB, witnesses ...sealedlog.Witness) *sealedlog.Service {
	t.Helper()
	signer, err := tilelog.NewSigner("waxwing.local/sealed/log", [32]byte{1})
	if err != nil {
		t.Fatal(err)
	}
	key, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), bytes.Repeat([]byte{1}, 32))
	if err != nil {
		t.Fatal(err)
	}
	s, err := sealedlog.New(sealedlog.Deps{
		Store: SealedLog{db}, Signer: signer, P256: p256.Software(key), Witnesses: witnesses, Threshold: len(witnesses),
		Now: func() time.Time { return time.UnixMilli(1_000_000_000_000) }, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func devicePolicy(s *sealedlog.Service) tlogproof.Policy {
	return tlogproof.Policy{Origin: s.Origin(), P256: s.P256()}
}

func addLeaf(t testing.TB, db *DB, kind string, d ota.Digest) {
	t.Helper()
	err := db.update(t.Context(), "test", 1, func(tx *txn) (ota.Change, error) {
		return ota.Change{Action: "test.add"}, tx.AppendSealedLeaf(t.Context(), kind, d)
	})
	if err != nil {
		t.Fatal(err)
	}
}

func manifest(i int) ota.Digest { return ota.Sum(fmt.Append(nil, i)) }

// TestSealedLog lets a device follow the log while it grows.
func TestSealedLog(t *testing.T) {
	db := temp(t)
	s := sealedLogOf(t, db)
	woken := 0
	db.OnSealedLeaf(func() { woken++ })
	var kept tlogproof.Checkpoint
	for i := range 40 {
		addLeaf(t, db, "manifest", manifest(i))
		addLeaf(t, db, "manifest", manifest(i)) // it is there already
		for _, j := range []int{0, i / 2, i} {
			p, err := s.Proof(t.Context(), tlogproof.KindManifest, manifest(j), kept.Size)
			if err != nil {
				t.Fatal(err)
			}
			if kept, err = tlogproof.Check(p.Proof, manifest(j), tlogproof.KindManifest, devicePolicy(s), kept, p.Consistency); err != nil {
				t.Fatalf("entry %d of %d: %v", j, i+1, err)
			}
		}
	}
	if kept.Size != 40 || woken != 40 {
		t.Errorf("the log has %d entries, was woken %d times", kept.Size, woken)
	}
	if _, err := s.Proof(t.Context(), tlogproof.KindMetadata, manifest(1), 0); ota.CodeOf(err) != "entry_not_found" {
		t.Errorf("another kind: %v", err)
	}
	if _, err := s.Proof(t.Context(), tlogproof.KindManifest, manifest(1), 41); ota.CodeOf(err) != "size_invalid" {
		t.Errorf("a longer log was kept: %v", err)
	}
	bundle, err := s.Tile(t.Context(), tlog.Tile{H: 8, L: -1, N: 0, W: 40})
	if err != nil {
		t.Fatal(err)
	}
	entries, err := tilelog.ParseBundle(bundle)
	if err != nil || len(entries) != 40 || !bytes.Equal(entries[7], tlogproof.Entry(tlogproof.KindManifest, manifest(7))) {
		t.Errorf("%d entries, %v", len(entries), err)
	}
	if _, err := s.Tile(t.Context(), tlog.Tile{H: 8, L: 0, N: 0, W: 41}); ota.CodeOf(err) != "tile_unknown" {
		t.Errorf("a tile beyond the end: %v", err)
	}
}

func TestSealedLeavesAreOfTheTransaction(t *testing.T) {
	db := temp(t)
	s := sealedLogOf(t, db)
	addLeaf(t, db, "manifest", manifest(1))
	before, err := s.Checkpoint(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	stop := errors.New("no")
	err = db.update(t.Context(), "test", 1, func(tx *txn) (ota.Change, error) {
		if err := tx.AppendSealedLeaf(t.Context(), "metadata", manifest(2)); err != nil {
			t.Error(err)
		}
		return ota.Change{Action: "test.add"}, stop
	})
	if !errors.Is(err, stop) {
		t.Fatal(err)
	}
	after, err := s.Checkpoint(t.Context())
	if err != nil || after != before {
		t.Errorf("a transaction that failed added to the log: %+v, %v", after, err)
	}
	err = db.update(t.Context(), "test", 1, func(tx *txn) (ota.Change, error) {
		return ota.Change{Action: "test.add"}, tx.AppendSealedLeaf(t.Context(), "nonsense", manifest(2))
	})
	if err == nil {
		t.Error("an unknown kind was taken")
	}
}

func TestSealedDocuments(t *testing.T) {
	db := temp(t)
	s := sealedLogOf(t, db)
	add := func(kind, what, name, text string) {
		t.Helper()
		err := db.update(t.Context(), "test", 1, func(tx *txn) (ota.Change, error) {
			_, err := tx.AppendSealedDocument(t.Context(), kind, "com.example.a", what, name, []byte(text))
			return ota.Change{Action: "test.add"}, err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	add("rule", "channel", "production", "one")
	add("rule", "channel", "production", "one") // nothing new
	add("policy", "channel", "production", "one")
	add("rule", "channel", "beta", "one")
	add("rule", "channel", "production", "two")
	add("rule", "channel", "production", "one") // back again
	all, _, err := s.Entries(t.Context(), ota.LogFilter{App: "com.example.a"}, ota.Page{})
	if err != nil || len(all) != 5 {
		t.Fatalf("%d entries, %v", len(all), err)
	}
	seen := map[ota.Digest]bool{}
	for _, e := range all {
		var salt tlogproof.Salt
		if n, err := hex.Decode(salt[:], []byte(e.Document.Salt)); err != nil || n != len(salt) {
			t.Fatal(n, err)
		}
		if tlogproof.Salted(salt, []byte(e.Document.Text)) != e.Digest || seen[e.Digest] {
			t.Errorf("entry %d is not its document: %+v", e.Leaf, e)
		}
		seen[e.Digest] = true
	}
	some, next, err := s.Entries(t.Context(), ota.LogFilter{Kind: "rule", What: "channel", Name: "production"}, ota.Page{Limit: 2})
	if err != nil || len(some) != 2 || next == "" || some[0].Leaf != 4 {
		t.Fatalf("%+v %q %v", some, next, err)
	}
	rest, next, err := s.Entries(t.Context(), ota.LogFilter{Kind: "rule", What: "channel", Name: "production"}, ota.Page{Limit: 2, After: next})
	if err != nil || len(rest) != 1 || next != "" || rest[0].Leaf != 0 {
		t.Fatalf("%+v %q %v", rest, next, err)
	}
	if _, _, err := s.Entries(t.Context(), ota.LogFilter{Kind: "x"}, ota.Page{}); ota.CodeOf(err) != "kind_invalid" {
		t.Error(err)
	}
}

// TestCheckpointsNeverGoBack changes the database behind the server's back.
func TestCheckpointsNeverGoBack(t *testing.T) {
	drop := []string{
		`DROP TRIGGER sealedlog_leaves_keep_rows`, `DROP TRIGGER sealedlog_leaves_keep_text`, `DROP TRIGGER sealedlog_hashes_keep_rows`,
		`DROP TRIGGER sealedlog_hashes_keep_text`, `DROP TRIGGER sealedlog_checkpoints_keep_rows`,
	}
	cut := []string{`DELETE FROM sealedlog_hashes WHERE idx >= 8`, `DELETE FROM sealedlog_leaves WHERE leaf >= 5`}
	for name, row := range map[string]struct {
		attack []string
		add    int // entries afterwards
		want   string
	}{
		"entries cut":               {cut, 0, "sealed_log_behind"},
		"entries cut, others added": {cut, 7, "sealed_log_damaged"},
		"a hash changed":            {[]string{`UPDATE sealedlog_hashes SET hash = zeroblob(32) WHERE idx = 14`}, 1, "sealed_log_damaged"},
		"a leaf gone":               {[]string{`DELETE FROM sealedlog_leaves WHERE leaf = 9`}, 0, "sealed_log_damaged"},
		"a hash gone":               {[]string{`DELETE FROM sealedlog_hashes WHERE idx = 17`}, 0, "sealed_log_damaged"},
		"another's checkpoint":      {[]string{`UPDATE sealedlog_checkpoints SET note = 'x'`}, 1, "sealed_log_damaged"},
	} {
		t.Run(name, func(t *testing.T) {
			db := temp(t)
			s := sealedLogOf(t, db)
			for i := range 10 {
				addLeaf(t, db, "manifest", manifest(i))
			}
			was, err := s.Checkpoint(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for _, q := range append(append([]string(nil), drop...), row.attack...) {
				attackOnly(t, db, q)
			}
			for i := range row.add {
				addLeaf(t, db, "manifest", manifest(100+i))
			}
			if err := s.Sign(t.Context()); ota.CodeOf(err) != row.want {
				t.Errorf("signed: %v", err)
			}
			now, err := db.SealedCheckpoint(t.Context(), false)
			if err != nil || now.Size != was.Size {
				t.Errorf("a checkpoint of %d entries was signed", now.Size)
			}
		})
	}
	db := temp(t)
	s := sealedLogOf(t, db)
	addLeaf(t, db, "manifest", manifest(1))
	if err := s.Sign(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, q := range []string{
		`DELETE FROM sealedlog_checkpoints`, `INSERT INTO sealedlog_checkpoints (size, note, at, published) VALUES (0, 'x', 1, TRUE)`,
		`UPDATE sealedlog_checkpoints SET size = 7`, `UPDATE sealedlog_checkpoints SET published = FALSE`,
		`DELETE FROM sealedlog_leaves`, `UPDATE sealedlog_leaves SET kind = 'rule'`, `DELETE FROM sealedlog_hashes`, `UPDATE sealedlog_hashes SET idx = 9`,
	} {
		if _, err := db.w.ExecContext(t.Context(), q); err == nil {
			t.Errorf("%s was done", q)
		}
	}
}
