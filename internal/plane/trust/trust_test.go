package trust_test

import (
	"context"
	"crypto/rand"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/p256"
	"github.com/waxwing-ota/waxwing/internal/core/sealed"
	"github.com/waxwing-ota/waxwing/internal/core/tuf"
	"github.com/waxwing-ota/waxwing/internal/driver/blob/fs"
	"github.com/waxwing-ota/waxwing/internal/driver/sqlstore"
	"github.com/waxwing-ota/waxwing/internal/plane/control"
	"github.com/waxwing-ota/waxwing/internal/plane/snap"
	"github.com/waxwing-ota/waxwing/internal/plane/trust"
	"github.com/waxwing-ota/waxwing/internal/testkit/sealedrepo"
)

const app = "com.example.sealed"

// paper is a log that proves everything.
type paper struct{ key p256.Key }

func (l paper) Public() ota.TrustLog {
	return ota.TrustLog{Name: "example.com/log", Ed25519: ota.Sum(nil).String(), P256: ota.TrustKey{ID: l.key.ID(), Public: l.key.Val.Public}}
}

func (paper) Proof(context.Context, string, ota.Digest, int64) (ota.LogProof, error) {
	return ota.LogProof{Proof: "proof"}, nil
}

// world is the plane on a real database, with a clock that tests turn.
type world struct {
	t   *testing.T
	db  *sqlstore.DB
	now time.Time
	s   *trust.Service
	d   trust.Deps

	root, release []p256.Signer
}

func newWorld(t *testing.T) *world {
	dir := t.TempDir()
	db, err := sqlstore.Open(t.Context(), filepath.Join(dir, "waxwing.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	w := &world{t: t, db: db, now: time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC), root: sealedrepo.Signers(t, 3), release: sealedrepo.Signers(t, 2)}
	clock := func() time.Time { return w.now }
	blobs, err := fs.Open(filepath.Join(dir, "blobs"), clock)
	if err != nil {
		t.Fatal(err)
	}
	holder := snap.NewHolder(db)
	w.d = trust.Deps{
		Store: sqlstore.Trust{DB: db}, Blobs: blobs, Snap: holder, Log: paper{sealedrepo.Signers(t, 1)[0].Public()}, Now: clock, Rand: rand.Reader,
		Key: [32]byte{1}, Err: slog.New(slog.DiscardHandler),
	}
	c := control.New(control.Deps{Store: db, Blobs: blobs, Snap: holder, Now: clock, Rand: rand.Reader})
	if _, err := c.CreateApp(t.Context(), "user:1", ota.NewApp{ID: app, Name: "Sealed"}); err != nil {
		t.Fatal(err)
	}
	w.open()
	return w
}

// open starts the plane anew on what is stored.
func (w *world) open() {
	w.t.Helper()
	w.s = sealedrepo.Must(trust.New(w.d))(w.t)
	if err := w.s.Load(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
}

func keys(t *testing.T, list []ota.TrustKey) []p256.Key {
	t.Helper()
	out := make([]p256.Key, len(list))
	for i, k := range list {
		out[i] = sealedrepo.Must(p256.ParsePEM(k.Public))(t)
	}
	return out
}

// begin publishes a root and targets.
func (w *world) begin() {
	w.t.Helper()
	t := w.t
	online := sealedrepo.Must(w.s.Status(t.Context(), app))(t).Online
	root := sealedrepo.Must(tuf.NewRoot(tuf.RootPlan{
		Expires:   w.now.Add(365 * 24 * time.Hour),
		Root:      tuf.Keys{Keys: sealedrepo.Publics(w.root), Threshold: 2},
		Targets:   tuf.Keys{Keys: sealedrepo.Publics(w.release), Threshold: 2},
		Snapshot:  tuf.Keys{Keys: keys(t, online.Snapshot), Threshold: 1},
		Timestamp: tuf.Keys{Keys: keys(t, online.Timestamp), Threshold: 1},
	}))(t)
	w.publish(ota.TrustRoleRoot, sealedrepo.Must(tuf.Sign(t.Context(), root, w.root[1:]...))(t))
	tr := sealedrepo.Must(sealed.Encode(&sealed.Trust{
		Version: 1, App: app, Director: keys(t, online.Director), Authority: keys(t, online.Authority),
		Log:       sealed.TrustLog{Name: online.Log.Name, Ed25519: online.Log.Ed25519, P256: keys(t, []ota.TrustKey{online.Log.P256})[0]},
		Witnesses: sealed.Witnesses{Keys: []sealed.Witness{}}, Broker: []sealed.Broker{},
		MinAssurance: sealed.AssuranceNone, MinClass: sealed.ClassProduction,
	}))(t)
	targets := sealedrepo.Must(tuf.NewTargets(tuf.TargetsPlan{
		Expires: w.now.Add(90 * 24 * time.Hour), Targets: map[string]tuf.TargetFile{tuf.TrustPath: sealedrepo.Must(tuf.File(tuf.TrustPath, tr))(t)},
	}))(t)
	w.publish(ota.TrustRoleTargets, sealedrepo.Must(tuf.Sign(t.Context(), targets, w.release...))(t), tr)
}

func (w *world) publish(role string, document []byte, files ...[]byte) {
	w.t.Helper()
	sealedrepo.Must(w.s.Publish(w.t.Context(), "user:1", app, role, ota.TrustUpload{Document: document, Files: files}))(w.t)
}

func (w *world) version(role string) uint32 {
	w.t.Helper()
	return sealedrepo.Must(w.s.Metadata(w.t.Context(), app, role, 0))(w.t).Version
}

// TestRenewal holds that what the server signs never expires while it runs, is
// signed anew only when half of the time is over, and that a server which stood
// still comes back by itself.
func TestRenewal(t *testing.T) {
	w := newWorld(t)
	w.begin()
	if w.version(ota.TrustRoleTimestamp) != 1 || w.version(ota.TrustRoleSnapshot) != 1 {
		t.Fatal("not signed once")
	}
	step := func(d time.Duration, timestamp, snapshot uint32) {
		t.Helper()
		w.now = w.now.Add(d)
		if err := w.s.Renew(t.Context()); err != nil {
			t.Fatal(err)
		}
		if ts, sn := w.version(ota.TrustRoleTimestamp), w.version(ota.TrustRoleSnapshot); ts != timestamp || sn != snapshot {
			t.Errorf("after %s more: timestamp %d, snapshot %d, want %d, %d", d, ts, sn, timestamp, snapshot)
		}
	}
	step(11*time.Hour, 1, 1)
	step(2*time.Hour, 2, 1)
	step(3*24*time.Hour, 3, 2)
	step(20*24*time.Hour, 4, 3) // all had expired
	w.open()
	step(0, 4, 3)
	list, err := w.d.Store.TrustDocuments(t.Context(), app)
	if err != nil {
		t.Fatal(err)
	}
	kept := map[string]int{}
	for _, d := range list {
		kept[d.Role]++
	}
	if kept[ota.TrustRoleTimestamp] != 3 || kept[ota.TrustRoleRoot] != 1 {
		t.Errorf("kept %v", kept)
	}
	if soon := w.s.Expiring(app, w.now.Add(100*24*time.Hour).UnixMilli()); len(soon) != 1 || soon[0].Name != ota.TrustRoleTargets {
		t.Errorf("what expires in 100 days: %+v", soon)
	}
}

// TestKeysStaySealed holds that the private halves are not in the database in a
// form that opens elsewhere: not with another secret, nor as a key of another app.
func TestKeysStaySealed(t *testing.T) {
	w := newWorld(t)
	w.begin()
	first := sealedrepo.Must(w.s.Status(t.Context(), app))(t).Online
	w.open()
	if again := sealedrepo.Must(w.s.Status(t.Context(), app))(t).Online; again.Director[0] != first.Director[0] {
		t.Error("another director after a restart")
	}
	w.d.Key = [32]byte{2}
	s := sealedrepo.Must(trust.New(w.d))(t)
	if err := s.Load(t.Context()); ota.CodeOf(err) != "secret_damaged" {
		t.Errorf("opened with another secret: %v", err)
	}
}

// TestRootRotation holds that a root is followed only by the next one, signed by
// the thresholds of both, and that targets which its keys no longer cover count
// for nothing until they are signed anew.
func TestRootRotation(t *testing.T) {
	w := newWorld(t)
	w.begin()
	have := sealedrepo.Must(w.s.Metadata(t.Context(), app, ota.TrustRoleRoot, 0))(t)
	root := sealedrepo.Must(tuf.ParseRoot(have.Document))(t)
	plan := root.Plan()
	fresh := sealedrepo.Signers(t, 2)
	plan.Root = tuf.Keys{Keys: sealedrepo.Publics(append(fresh, w.root[0])), Threshold: 2}
	plan.Targets = tuf.Keys{Keys: sealedrepo.Publics(fresh), Threshold: 2}
	next := sealedrepo.Must(root.Next(plan))(t)
	for name, signers := range map[string][]p256.Signer{
		"the old keys alone": w.root[:2], "the new keys alone": fresh, "one of each": {w.root[0], fresh[0]},
	} {
		doc := sealedrepo.Must(tuf.Sign(t.Context(), next, signers...))(t)
		if _, err := w.s.Publish(t.Context(), "user:1", app, ota.TrustRoleRoot, ota.TrustUpload{Document: doc}); ota.CodeOf(err) != ota.CodeTrustThreshold {
			t.Errorf("%s: %v", name, err)
		}
	}
	w.publish(ota.TrustRoleRoot, sealedrepo.Must(tuf.Sign(t.Context(), next, w.root[0], w.root[1], fresh[0]))(t))
	if w.version(ota.TrustRoleRoot) != 2 || w.version(ota.TrustRoleTargets) != 1 {
		t.Error("the root was not replaced")
	}
	old := sealedrepo.Must(w.s.Metadata(t.Context(), app, ota.TrustRoleTargets, 0))(t)
	doc := sealedrepo.Must(tuf.ParseTargets(old.Document))(t)
	again := sealedrepo.Must(doc.Next(doc.Plan()))(t)
	if _, err := w.s.Publish(t.Context(), "user:1", app, ota.TrustRoleTargets, ota.TrustUpload{Document: sealedrepo.Must(tuf.Sign(t.Context(), again, w.release...))(t)}); ota.CodeOf(err) != ota.CodeTrustThreshold {
		t.Errorf("keys that were retired: %v", err)
	}
	w.publish(ota.TrustRoleTargets, sealedrepo.Must(tuf.Sign(t.Context(), again, fresh...))(t))
}
