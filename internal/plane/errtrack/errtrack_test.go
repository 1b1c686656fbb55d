package errtrack_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/decide"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/sourcemap"
	"github.com/waxwing-ota/waxwing/internal/driver/blob"
	blobfs "github.com/waxwing-ota/waxwing/internal/driver/blob/fs"
	"github.com/waxwing-ota/waxwing/internal/driver/sqlstore"
	"github.com/waxwing-ota/waxwing/internal/plane/control"
	"github.com/waxwing-ota/waxwing/internal/plane/errtrack"
	"github.com/waxwing-ota/waxwing/internal/plane/ingest"
)

const (
	app = "com.example.shop"
	who = ota.Actor("user/ada")
)

// env is error tracking on a real database and real files.
type env struct {
	testing.TB
	db    *sqlstore.DB
	blobs blob.Store
	svc   *errtrack.Service
	view  *decide.App
	now   time.Time
	n     int64
}

func newEnv(t testing.TB) *env {
	t.Helper()
	e := &env{TB: t, now: time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC), view: &decide.App{Versions: decide.NewVersions([]string{"1.0.0", "1.1.0"})}}
	db, err := sqlstore.Open(t.Context(), filepath.Join(t.TempDir(), "test.db"))
	e.do(err)
	t.Cleanup(func() { _ = db.Close() })
	files, err := blobfs.Open(t.TempDir(), func() time.Time { return e.now })
	e.do(err)
	e.db, e.blobs = db, files
	e.do(db.Update(t.Context(), who, 1, func(tx control.Tx) (ota.Change, error) {
		if err := tx.InsertApp(t.Context(), ota.App{ID: app, Org: ota.MainOrg}); err != nil {
			return ota.Change{}, err
		}
		for _, v := range []string{"1.0.0", "1.1.0"} {
			if _, err := tx.InsertBundle(t.Context(), ota.Bundle{App: app, Version: v, Variants: []ota.Variant{}}, nil); err != nil {
				return ota.Change{}, err
			}
		}
		return ota.Change{Action: "app.create", App: app, Object: "app", Detail: "{}"}, nil
	}))
	e.svc = errtrack.New(errtrack.Deps{
		Store: sqlstore.Errors{DB: db}, Blobs: files, Now: func() time.Time { return e.now }, HoldBlobs: func(fn func() error) error { return fn() },
	})
	return e
}

func (e *env) do(err error) {
	e.Helper()
	if err != nil {
		e.Fatal(err)
	}
}

// put stores bytes as an upload does.
func (e *env) put(raw []byte) ota.Digest {
	e.Helper()
	d := ota.Sum(raw)
	_, _, err := e.blobs.Append(e.Context(), d, 0, bytes.NewReader(raw), sourcemap.MaxBytes+100)
	e.do(err)
	return d
}

// report has a device report an error of a version, and returns its fault.
func (e *env) report(version, stack string) *ota.Fault {
	e.Helper()
	e.n++
	ev := ota.Event{
		App: app, Device: ota.DeviceID{byte(e.n)}, Action: "webview_javascript_error", VersionName: version, Platform: "ios",
		Timestamp: e.n, ReceivedAt: e.now.UnixMilli() + e.n, Metadata: map[string]string{"message": "TypeError: no total", "stack": stack},
	}
	f := e.svc.Fault(e.Context(), app, e.view, &ev)
	_, err := e.db.Write(e.Context(), &ingest.Batch{Events: []ingest.EventRow{{Event: ev, Mark: e.n, Version: version, Fault: f}}})
	e.do(err)
	return f
}

// cartMap maps all of line 1 of a script to "return cart.total" in the sources.
func cartMap(lines int) []byte {
	raw, _ := json.Marshal(map[string]any{
		"version": 3, "sources": []string{"webpack:///src/cart.ts"}, "names": []string{},
		"sourcesContent": []string{strings.Repeat("\n", lines) + "return cart.total\n"}, "mappings": "AA" + string("ACEGIKM"[lines]) + "A",
	})
	return raw
}

func (e *env) addMap(version, script string, raw []byte) {
	e.Helper()
	_, err := e.svc.AddSourceMaps(e.Context(), who, app, version, ota.NewSourceMaps{Maps: []ota.NewSourceMap{{Path: script, Blob: e.put(raw)}}})
	e.do(err)
}

func (e *env) groups() []ota.ErrorGroup {
	e.Helper()
	all, _, err := e.svc.Groups(e.Context(), app, ota.ErrorFilter{}, ota.Page{})
	e.do(err)
	return all
}

const (
	chrome = "TypeError: no total\n    at t (https://localhost/assets/main.js:1:77)"
	safari = "qx@capacitor://localhost/assets/main.js:1:44"
)

// With the maps there when reports come, one error is one group in two versions
// and two engines, and it is shown in the sources.
func TestSymbolicatedAtIngestion(t *testing.T) {
	e := newEnv(t)
	e.addMap("1.0.0", "assets/main.js", cartMap(0))
	e.addMap("1.1.0", "assets/main.js", cartMap(4))
	a, b := e.report("1.0.0", chrome), e.report("1.1.0", safari)
	if a.Print != b.Print || !a.Mapped || a.Version != "1.0.0" {
		t.Fatalf("faults %+v and %+v", a, b)
	}
	all := e.groups()
	if len(all) != 1 || all[0].Count != 2 || all[0].Devices != 2 || !all[0].Symbolicated || !strings.Contains(all[0].Culprit, "src/cart.ts") {
		t.Fatalf("groups: %+v", all)
	}
	d, err := e.svc.Group(t.Context(), app, all[0].ID, 0)
	e.do(err)
	if len(d.Frames) != 1 || d.Frames[0].File != "src/cart.ts" || d.Frames[0].Line != 5 || d.Frames[0].Raw == "" || len(d.Frames[0].Context) == 0 {
		t.Errorf("frames: %+v", d.Frames)
	}
	if len(d.Versions) != 2 || len(d.Hours) != 2 || len(d.Samples) != 2 || d.Sample != d.Samples[0].ID {
		t.Errorf("detail: %+v", d)
	}
	older, err := e.svc.Group(t.Context(), app, all[0].ID, d.Samples[1].ID)
	e.do(err)
	if older.Frames[0].Line != 1 {
		t.Errorf("the older sample is at line %d", older.Frames[0].Line)
	}
	if _, err := e.svc.Group(t.Context(), app, all[0].ID, 9999); ota.CodeOf(err) != errtrack.CodeErrorNotFound {
		t.Errorf("a sample that is not there: %v", err)
	}
}

// Maps that come late bring groups of minified stacks together.
func TestMapsThatComeLate(t *testing.T) {
	e := newEnv(t)
	e.report("1.0.0", chrome)
	e.report("1.1.0", safari)
	if n := len(e.groups()); n != 2 {
		t.Fatalf("%d groups without maps, want 2", n)
	}
	s, err := e.svc.Symbolicate(t.Context(), who, app)
	e.do(err)
	if s != (ota.Symbolication{Looked: 2}) {
		t.Errorf("without maps: %+v", s)
	}
	e.addMap("1.0.0", "assets/main.js", cartMap(0))
	e.addMap("1.1.0", "assets/main.js", cartMap(2))
	s, err = e.svc.Symbolicate(t.Context(), who, app)
	e.do(err)
	if s != (ota.Symbolication{Looked: 2, Changed: 2, Merged: 1}) {
		t.Errorf("with maps: %+v", s)
	}
	e.report("1.1.0", safari)
	if all := e.groups(); len(all) != 1 || all[0].Count != 3 || all[0].Devices != 3 {
		t.Errorf("groups: %+v", all)
	}
}

// What was remembered of a stack is forgotten when maps come.
func TestNewMapsCountAtOnce(t *testing.T) {
	e := newEnv(t)
	e.addMap("1.0.0", "assets/other.js", cartMap(0))
	if f := e.report("1.0.0", chrome); f.Mapped {
		t.Fatal("it was mapped with the map of another script")
	}
	e.addMap("1.0.0", "assets/main.js", cartMap(0))
	if f := e.report("1.0.0", chrome); !f.Mapped {
		t.Error("the new map does not count")
	}
}

func TestVersionsThatCount(t *testing.T) {
	e := newEnv(t)
	for name, want := range map[string]string{
		"1.0.0": "1.0.0", "1.0.0:main.js": "1.0.0", "builtin": "builtin", "": "builtin", "9.9.9": "other", "<script>": "other", "unknown": "other",
	} {
		if f := e.report(name, chrome); f.Version != want {
			t.Errorf("%q counts as %q, want %q", name, f.Version, want)
		}
	}
	if f := e.svc.Fault(t.Context(), app, e.view, &ota.Event{Action: "set"}); f != nil {
		t.Errorf("an installation is the error %+v", f)
	}
}

func TestMapsThatAreRefused(t *testing.T) {
	e := newEnv(t)
	good := e.put(cartMap(0))
	many := ota.NewSourceMaps{Maps: make([]ota.NewSourceMap, 2001)}
	one := func(path string, d ota.Digest) ota.NewSourceMaps {
		return ota.NewSourceMaps{Maps: []ota.NewSourceMap{{Path: "a.js", Blob: good}, {Path: path, Blob: d}}}
	}
	for name, tc := range map[string]struct {
		version string
		in      ota.NewSourceMaps
		want    string
	}{
		"none":             {"1.0.0", ota.NewSourceMaps{}, errtrack.CodeSourceMapTooMany},
		"too many":         {"1.0.0", many, errtrack.CodeSourceMapTooMany},
		"no such version":  {"3.0.0", one("main.js", good), "bundle_not_found"},
		"not uploaded":     {"1.0.0", one("main.js", ota.Digest{1}), errtrack.CodeSourceMapMissing},
		"a path out":       {"1.0.0", one("../main.js", good), errtrack.CodeSourceMapPath},
		"a map's path":     {"1.0.0", one("main.js.map", good), errtrack.CodeSourceMapPath},
		"no map":           {"1.0.0", one("main.js", e.put([]byte("<html>"))), sourcemap.CodeInvalid},
		"larger than read": {"1.0.0", one("main.js", e.put(make([]byte, sourcemap.MaxBytes+1))), sourcemap.CodeInvalid},
	} {
		if _, err := e.svc.AddSourceMaps(t.Context(), who, app, tc.version, tc.in); ota.CodeOf(err) != tc.want {
			t.Errorf("%s: %v, want %s", name, err, tc.want)
		}
		if all, err := e.db.SourceMaps(t.Context(), app, "1.0.0"); err != nil || len(all) != 0 {
			t.Fatalf("%s: %d maps are there, %v", name, len(all), err)
		}
	}
}

// A map that is sent again changes nothing; nobody but callers of the API reads
// one, and a bundle's maps are needed as long as the bundle is.
func TestMapsAreKept(t *testing.T) {
	e := newEnv(t)
	e.addMap("1.0.0", "assets/main.js", cartMap(0))
	before, _, err := e.db.Changes(t.Context(), app, ota.Page{})
	e.do(err)
	e.addMap("1.0.0", "assets/main.js", cartMap(0))
	after, _, err := e.db.Changes(t.Context(), app, ota.Page{})
	e.do(err)
	if len(before) != len(after) || before[0].Action != "sourcemap.create" {
		t.Errorf("%d changes, then %d, the last %s", len(before), len(after), before[0].Action)
	}
	d := ota.Sum(cartMap(0))
	use, err := e.db.BlobUse(t.Context(), 0)
	e.do(err)
	if _, ok := use.Blobs[d]; !ok {
		t.Error("the map would be collected as garbage")
	}
	if owns, err := e.db.OwnsBlob(t.Context(), app, d); err != nil || owns {
		t.Errorf("the map counts as content of the app: %v, %v", owns, err)
	}
	r, size, err := e.svc.OpenSourceMap(t.Context(), app, "1.0.0", "assets/main.js")
	e.do(err)
	_ = r.Close()
	if size != int64(len(cartMap(0))) {
		t.Errorf("size %d", size)
	}
	if _, _, err := e.svc.OpenSourceMap(t.Context(), app, "1.0.0", "other.js"); ota.CodeOf(err) != errtrack.CodeSourceMapNotFound {
		t.Errorf("another script: %v", err)
	}
}

// A device is not kept waiting for maps: when its time is over the error is
// grouped as it was reported, and the next one may have more time.
func TestTimeIsBounded(t *testing.T) {
	e := newEnv(t)
	e.addMap("1.0.0", "assets/main.js", cartMap(0))
	e.svc = errtrack.New(errtrack.Deps{Store: sqlstore.Errors{DB: e.db}, Blobs: slow{e.blobs}, Now: func() time.Time { return e.now }, HoldBlobs: func(fn func() error) error { return fn() }})
	ctx, cancel := context.WithCancel(t.Context())
	ev := ota.Event{Action: "webview_javascript_error", VersionName: "1.0.0", Metadata: map[string]string{"stack": chrome}}
	_ = e.svc.Fault(t.Context(), app, e.view, &ota.Event{Action: ev.Action, VersionName: "1.0.0"}) // knows the lists
	cancel()
	if f := e.svc.Fault(ctx, app, e.view, &ev); f == nil || f.Mapped {
		t.Errorf("fault %+v", f)
	}
}

// slow is a store whose blobs never come.
type slow struct{ blob.Store }

func (slow) Open(ctx context.Context, _ ota.Digest) (io.ReadSeekCloser, int64, error) {
	<-ctx.Done()
	return nil, 0, ctx.Err()
}

func TestStates(t *testing.T) {
	e := newEnv(t)
	e.report("1.0.0", chrome)
	e.report("1.1.0", chrome)
	id := e.groups()[0].ID
	g, err := e.svc.Resolve(t.Context(), who, app, id, ota.ResolveError{})
	e.do(err)
	if g.State != ota.ErrorResolved || g.ResolvedIn != "1.1.0" || g.ResolvedBy != who {
		t.Errorf("resolved: %+v", g)
	}
	if _, err := e.svc.Resolve(t.Context(), who, app, id, ota.ResolveError{Version: "new"}); ota.CodeOf(err) != errtrack.CodeVersionInvalid {
		t.Errorf("resolved in a version that is none: %v", err)
	}
	_, err = e.svc.Resolve(t.Context(), who, app, id, ota.ResolveError{Version: "9.9.9"})
	var refused *ota.Error
	if !errors.As(err, &refused) || refused.Kind != ota.KindNotFound || refused.Field != "version" || refused.Hint == "" {
		t.Errorf("resolved in a version that was never published: %v", err)
	}
	if g, err = e.svc.Resolve(t.Context(), who, app, id, ota.ResolveError{Version: "1.0.0"}); err != nil || g.ResolvedIn != "1.0.0" {
		t.Errorf("resolved in a published version: %+v, %v", g, err)
	}
	if g, err = e.svc.Ignore(t.Context(), who, app, id); err != nil || g.State != ota.ErrorIgnored {
		t.Errorf("ignored: %+v, %v", g, err)
	}
	if g, err = e.svc.Reopen(t.Context(), who, app, id); err != nil || g.State != ota.ErrorOpen || g.ResolvedAt != 0 {
		t.Errorf("reopened: %+v, %v", g, err)
	}
	if _, err = e.svc.Reopen(t.Context(), who, app, id); ota.CodeOf(err) != errtrack.CodeErrorState {
		t.Errorf("reopened twice: %v", err)
	}
	for _, other := range []int64{0, id + 1} {
		if _, err := e.svc.Ignore(t.Context(), who, app, other); ota.CodeOf(err) != errtrack.CodeErrorNotFound {
			t.Errorf("error %d: %v", other, err)
		}
	}
	if _, err := e.svc.Ignore(t.Context(), who, "com.example.other", id); ota.KindOf(err) != ota.KindNotFound {
		t.Errorf("an error of another app: %v", err)
	}
	for _, f := range []ota.ErrorFilter{{State: "new"}, {Sort: "title"}} {
		if _, _, err := e.svc.Groups(t.Context(), app, f, ota.Page{}); ota.CodeOf(err) != errtrack.CodeErrorFilter {
			t.Errorf("%+v: %v", f, err)
		}
	}
	changes, _, err := e.db.Changes(t.Context(), app, ota.Page{})
	e.do(err)
	for i, want := range []string{"error.reopen", "error.ignore", "error.resolve"} {
		if changes[i].Action != want || strings.Contains(fmt.Sprint(changes[i]), "no total") {
			t.Errorf("change %d: %+v", i, changes[i])
		}
	}
}

// Reports, maps and looks at groups may come at the same time.
func TestAtTheSameTime(t *testing.T) {
	e := newEnv(t)
	e.report("1.0.0", chrome)
	id := e.groups()[0].ID
	var wg sync.WaitGroup
	for n := range 4 {
		wg.Go(func() {
			ev := ota.Event{Action: "webview_javascript_error", VersionName: "1.0.0", Metadata: map[string]string{"stack": fmt.Sprintf("at f (https://localhost/assets/main.js:1:%d)", n+1)}}
			for range 50 {
				e.svc.Fault(t.Context(), app, e.view, &ev)
			}
		})
	}
	wg.Go(func() {
		for range 20 {
			if _, err := e.svc.Group(t.Context(), app, id, 0); err != nil {
				t.Error(err)
			}
		}
	})
	for lines := range 3 {
		e.addMap("1.0.0", "assets/main.js", cartMap(lines))
	}
	wg.Wait()
	if f := e.report("1.0.0", chrome); !f.Mapped {
		t.Error("the map does not count")
	}
}
