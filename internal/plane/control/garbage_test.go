package control_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/driver/blob"
	"github.com/waxwing-ota/waxwing/internal/plane/control"
	"github.com/waxwing-ota/waxwing/internal/plane/snap"
)

const days = 24 * time.Hour

func (e *env) collect() ota.GCReport {
	e.t.Helper()
	r, err := e.CollectGarbage(e.ctx(), actor)
	e.do(err)
	return r
}

// live lists the versions that are not deleted, oldest first, and checks that
// each of them is whole.
func (e *env) live() string {
	e.t.Helper()
	list, _, err := e.Bundles(e.ctx(), app, ota.Page{Limit: 500})
	e.do(err)
	var names []string
	for _, b := range list {
		if b.DeletedAt != 0 {
			continue
		}
		names = append([]string{b.Version}, names...)
		for _, v := range b.Variants {
			va, err := e.VariantFiles(e.ctx(), app, b.Version, v.KeyID)
			e.do(err)
			if len(va.Files) != b.FileCount {
				e.t.Errorf("%s has %d of %d files", b.Version, len(va.Files), b.FileCount)
			}
			for _, d := range append(blobsOf(va), va.Zip) {
				if _, ok, err := e.blobs.Has(e.ctx(), d); !ok || err != nil {
					e.t.Errorf("%s lost a blob: %v", b.Version, err)
				}
			}
		}
	}
	return strings.Join(names, " ")
}

func blobsOf(va ota.Variant) []ota.Digest {
	var out []ota.Digest
	for _, f := range va.Files {
		out = append(out, f.Blob)
	}
	return out
}

func TestGarbageRetention(t *testing.T) {
	e := newEnv(t)
	e.publish("1.0.0", "1.1.0", "1.2.0", "1.3.0", "1.4.0", "1.5.0")
	e.release("1.0.0", "1.1.0", "1.2.0")
	e.pass(50 * days)
	e.release("1.3.0") // 1.2.0 served until now
	e.pass(50 * days)
	_, err := e.SetRollout(e.ctx(), who, app, prod, ota.RolloutRequest{Version: "1.4.0", BPS: new(1)})
	e.do(err)
	e.publish("1.6.0") // young, never released
	e.collect()
	// 1.0.0 and 1.1.0 served long ago; 1.5.0 never did.
	if got, want := e.live(), "1.2.0 1.3.0 1.4.0 1.6.0"; got != want {
		t.Errorf("live: %s, want %s", got, want)
	}
	e.pass(50 * days)
	e.collect()
	// 1.2.0 is what 1.3.0 falls back to.
	if got, want := e.live(), "1.2.0 1.3.0 1.4.0 1.6.0"; got != want {
		t.Errorf("live: %s, want %s", got, want)
	}
	e.pass(50 * days)
	e.collect()
	if got, want := e.live(), "1.2.0 1.3.0 1.4.0"; got != want {
		t.Errorf("live: %s, want %s", got, want)
	}
	_, err = e.Rollback(e.ctx(), actor, app, prod, ota.RollbackRequest{})
	e.do(err)
	if diff := cmp.Diff([]string{"1.2.0", "1.1.0", "1.0.0"}, e.chain(prod)); diff != "" {
		t.Errorf("chain (-want +got):\n%s", diff)
	}
}

func TestGarbageOfDeletedBundle(t *testing.T) {
	e := newEnv(t)
	e.publish("1.0.0", "1.1.0")
	e.release("1.1.0")
	va, err := e.VariantFiles(e.ctx(), app, "1.0.0", "")
	e.do(err)
	e.pass(2 * days)
	e.do(e.DeleteBundle(e.ctx(), actor, app, "1.0.0", false))
	if r := e.collect(); r.Blobs != 0 || r.Kept != 7 {
		t.Errorf("right after: %+v; downloads may run", r)
	}
	e.pass(1*days + time.Second)
	r := e.collect()
	if r.Blobs != 2 || r.Bytes != va.ZipSize+int64(len("<html>1.0.0")) || r.Kept != 5 {
		t.Errorf("a day later: %+v; want its zip and index.html gone", r)
	}
	e.live()
	gone, err := e.VariantFiles(e.ctx(), app, "1.0.0", "")
	if err != nil || len(gone.Files) != 0 || !gone.Zip.IsZero() {
		t.Errorf("it still lists content: %+v, %v", gone, err)
	}
	if r := e.collect(); r.Blobs != 0 || r.Kept != 5 {
		t.Errorf("again: %+v", r)
	}
	// A push of the same content uploads what is gone and shares the rest.
	a, err := e.Missing(e.ctx(), app, query("1.0.0", ota.Encoding{}))
	if err != nil || len(a.Known[0]) != 3 {
		t.Errorf("known %+v, %v", a.Known, err)
	}
}

func TestGarbageKeepsPushesInFlight(t *testing.T) {
	e := newEnv(t)
	in := e.bundle("1.0.0")
	e.pass(23 * time.Hour)
	if r := e.collect(); r.Blobs != 0 {
		t.Errorf("%+v", r)
	}
	if _, _, err := e.CreateBundle(e.ctx(), actor, app, in); err != nil {
		t.Error(err)
	}
	// One that nothing came of goes, and so do parts.
	idle := e.put([]byte("idle"))
	part := ota.Sum([]byte("partial"))
	_, err := e.PutBlob(e.ctx(), app, part, 0, strings.NewReader("part"))
	e.do(err)
	e.pass(8 * days)
	if r := e.collect(); r.Blobs != 1 || r.Partial != 1 {
		t.Errorf("%+v", r)
	}
	if _, ok, _ := e.blobs.Has(e.ctx(), idle); ok {
		t.Error("the idle blob is still there")
	}
}

// An app that is gone leaves nothing behind.
func TestGarbageOfDeletedApp(t *testing.T) {
	e := newEnv(t)
	e.publish("1.0.0")
	e.do(e.DeleteApp(e.ctx(), who, app))
	e.pass(2 * days)
	if r := e.collect(); r.Blobs != 5 || r.Kept != 0 {
		t.Errorf("%+v", r)
	}
}

// However far a collection came before the process was killed, what devices
// may get is whole, and the next one finishes the work.
func TestGarbageKilledAnywhere(t *testing.T) {
	for steps := 0; ; steps++ {
		e := newEnv(t)
		e.publish("1.0.0", "1.1.0", "1.2.0")
		e.release("1.1.0")
		e.do(e.DeleteBundle(e.ctx(), actor, app, "1.0.0", false))
		e.pass(100 * days)
		left := steps
		svc := control.New(control.Deps{
			Store: dyingStore{e.db, &left}, Blobs: dyingBlobs{e.blobs, &left}, Snap: snap.NewHolder(e.db), Now: e.now,
		})
		_, err := svc.CollectGarbage(e.ctx(), actor)
		if err != nil && !errors.Is(err, errKilled) {
			t.Fatal(err)
		}
		if got := e.live(); got != "1.1.0" && got != "1.1.0 1.2.0" {
			t.Errorf("killed after %d steps: live %s", steps, got)
		}
		e.collect()
		e.pass(2 * days)
		e.collect()
		if got := e.live(); got != "1.1.0" {
			t.Errorf("killed after %d steps, then collected: live %s", steps, got)
		}
		n := 0
		e.do(e.blobs.Walk(e.ctx(), func(blob.Info) error { n++; return nil }))
		if n != 5 {
			t.Errorf("killed after %d steps, then collected: %d blobs left, want 5", steps, n)
		}
		if err == nil {
			return
		}
	}
}

var errKilled = errors.New("killed")

// dyingStore and dyingBlobs change nothing any more once left is used up.
type dyingStore struct {
	control.Store
	left *int
}

func (s dyingStore) Update(ctx context.Context, a ota.Actor, at int64, fn func(control.Tx) (ota.Change, error)) error {
	if *s.left--; *s.left < 0 {
		return errKilled
	}
	return s.Store.Update(ctx, a, at, fn)
}

type dyingBlobs struct {
	blob.Store
	left *int
}

func (b dyingBlobs) Delete(ctx context.Context, d ota.Digest) error {
	if *b.left--; *b.left < 0 {
		return errKilled
	}
	return b.Store.Delete(ctx, d)
}
