package publish

import (
	"context"
	"errors"
	"io/fs"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/seal"
)

func options(dir fs.FS, keys ...*seal.PrivateKey) Options {
	return Options{App: testApp, Version: "1.2.0", Channel: "production", Dir: dir, Keys: keys}
}

func mustPush(t *testing.T, f *fake, o Options) Result {
	t.Helper()
	o.TempDir = t.TempDir()
	res, err := Push(t.Context(), f, o)
	if err != nil {
		t.Fatal(err)
	}
	if left, err := fs.Glob(dirFS(o.TempDir), "*"); err != nil || len(left) > 0 {
		t.Errorf("temporary files are left: %v, %v", left, err)
	}
	return res
}

// A push with two keys and a plain variant, and everything a device does with it.
func TestPushIsWhatDevicesTake(t *testing.T) {
	a, b := newKey(t), newKey(t)
	f := newFake(a, b)
	f.app.AllowPlain = true
	o := options(webApp(""), b, a)
	o.Plain = true
	res := mustPush(t, f, o)
	if !res.Created || !res.Released || res.Files != 8 || len(res.Variants) != 3 || res.Release == nil {
		t.Fatalf("got %+v", res)
	}
	for _, key := range []*seal.PublicKey{a.Public(), b.Public(), nil} {
		rep, err := Verify(t.Context(), f, Published{App: testApp, Version: "1.2.0", Key: key, TempDir: t.TempDir()})
		if err != nil {
			t.Fatal(err)
		}
		if !rep.OK || rep.Files.Count != 8 || rep.Zip == nil || rep.Zip.Entries != 8 {
			t.Errorf("key %v: %+v", key, rep)
		}
	}
	for _, v := range f.bundles["1.2.0"].Variants {
		for i, file := range v.Files {
			path := f.bundles["1.2.0"].Tree[i].Path
			switch {
			case strings.HasSuffix(path, ".br") && file.Name != path+".br":
				t.Errorf("%s is named %s: a name that ends in .br needs a second one", path, file.Name)
			case v.KeyID != "" && file.Size == 0 && !file.Brotli:
				t.Errorf("%s: an empty file in an encrypted bundle must be brotli", path)
			case v.KeyID == "" && file.Size == 0 && file.Brotli:
				t.Errorf("%s: an empty plain file needs no brotli", path)
			}
		}
	}
}

func TestPushReusesUnchangedFiles(t *testing.T) {
	k := newKey(t)
	f := newFake(k)
	mustPush(t, f, options(webApp("one"), k))
	o := options(webApp("two"), k)
	o.Version = "1.3.0"
	res := mustPush(t, f, o)
	if res.Uploaded.Count != 2 || res.Reused.Count != 7 { // index.html and the zip
		t.Errorf("uploaded %d and reused %d, want 2 and 7", res.Uploaded.Count, res.Reused.Count)
	}
	if got := res.Variants[0].Missing; got.Count != 1 {
		t.Errorf("missing %+v, want 1 file", got)
	}

	// A channel of fresh keys shares nothing, and a repeated push of it resumes.
	f.channel.Policy.FreshKey = true
	o.Version = "1.4.0"
	if res := mustPush(t, f, o); res.Reused.Count != 0 || res.Variants[0].Session != SessionFresh {
		t.Errorf("fresh: reused %d, session %s", res.Reused.Count, res.Variants[0].Session)
	}
	one, two := f.bundles["1.3.0"].Variants[0], f.bundles["1.4.0"].Variants[0]
	if one.SessionKey == two.SessionKey || one.Files[0].Blob == two.Files[0].Blob {
		t.Error("a fresh session key must give other bytes")
	}
	delete(f.bundles, "1.4.0")
	blobs := len(f.blobs)
	if mustPush(t, f, o); len(f.blobs) != blobs {
		t.Errorf("the same push again made %d other blobs", len(f.blobs)-blobs)
	}
}

func TestPushAgain(t *testing.T) {
	k := newKey(t)
	f := newFake(k)
	mustPush(t, f, options(webApp(""), k))
	before := f.writes

	res := mustPush(t, f, options(webApp(""), k))
	if res.Created || res.Released || res.Skipped != SkippedHad || f.writes != before {
		t.Errorf("the same again: %+v, %d writes", res, f.writes-before)
	}
	_, err := Push(t.Context(), f, options(webApp("other"), k))
	if ota.CodeOf(err) != "version_exists" || ota.KindOf(err) != ota.KindConflict || f.writes != before {
		t.Errorf("other content: %v, %d writes", err, f.writes-before)
	}

	// Published and never released, it is released now, without an upload.
	f.had, f.channel.Release = map[string]bool{}, nil
	puts := f.puts
	if res := mustPush(t, f, options(webApp(""), k)); res.Created || !res.Released || f.puts != puts {
		t.Errorf("released late: %+v, %d uploads", res, f.puts-puts)
	}

	// Rolled back since, it stays so, and the push says it.
	f.channel.Release = &ota.Release{Version: "1.1.0"}
	if res := mustPush(t, f, options(webApp(""), k)); res.Released || !warned(res, "not_current") {
		t.Errorf("after a rollback: %+v", res)
	}
}

func warned(r Result, code string) bool {
	return slices.ContainsFunc(r.Warnings, func(w Warning) bool { return w.Code == code })
}

func TestPushRollout(t *testing.T) {
	k := newKey(t)
	f := newFake(k)
	o := options(webApp(""), k)
	bps := 500
	o.RolloutBPS = &bps
	if res := mustPush(t, f, o); !res.Released || res.Rollout == nil || f.channel.Release != nil || f.channel.Rollout.BPS != 500 {
		t.Fatalf("got %+v", res)
	}
	f.channel.Rollout.BPS = 5000 // it grew since
	if res := mustPush(t, f, o); res.Released || res.Skipped != SkippedRollout || f.channel.Rollout.BPS != 5000 || !warned(res, "rollout_kept") {
		t.Errorf("a repeated push took the share back: %+v", res)
	}
	f.channel.Release, f.channel.Rollout = &ota.Release{Version: "1.2.0"}, nil
	if res := mustPush(t, f, o); res.Skipped != SkippedHad || f.channel.Rollout != nil {
		t.Errorf("promoted since: %+v", res)
	}
}

func TestPushRefuses(t *testing.T) {
	k, stranger := newKey(t), newKey(t)
	tests := []struct {
		name, code string
		change     func(*fake, *Options)
	}{
		{"an app id that is none", "app_id_invalid", func(_ *fake, o *Options) { o.App = "x" }},
		{"an unknown app", "app_not_found", func(_ *fake, o *Options) { o.App = "com.example.other" }},
		{"an unknown channel", "channel_not_found", func(_ *fake, o *Options) { o.Channel = "beta" }},
		{"no channel", "channel_missing", func(_ *fake, o *Options) { o.Channel = "" }},
		{"a version that is none", "version_invalid", func(_ *fake, o *Options) { o.Version = "1.2" }},
		{"a reserved version", "version_reserved", func(_ *fake, o *Options) { o.Version = "builtin" }},
		{"a minimum that is none", "version_invalid", func(_ *fake, o *Options) { o.MinNative = "x" }},
		{"a stranger's key", "key_mismatch", func(_ *fake, o *Options) { o.Keys = []*seal.PrivateKey{stranger} }},
		{"a stranger's key beside ours", "key_mismatch", func(_ *fake, o *Options) { o.Keys = []*seal.PrivateKey{k, stranger} }},
		{"a key for an app without", "key_mismatch", func(f *fake, _ *Options) { f.keys = nil }},
		{"no key", "key_missing", func(_ *fake, o *Options) { o.Keys = nil }},
		{"a retired key", "key_retired", func(f *fake, _ *Options) { f.keys[0].State = ota.KeyRetired }},
		{"only retired keys", "no_active_key", func(f *fake, o *Options) { f.keys[0].State, o.Keys = ota.KeyRetired, nil }},
		{"an id that is the same and a key that is not", "key_mismatch", func(f *fake, _ *Options) { f.keys[0].PublicPEM = stranger.Public().PEM() }},
		{"plain beside keys", "plain_not_allowed", func(_ *fake, o *Options) { o.Plain = true }},
		{"a build without index.html", "bundle_no_index", func(_ *fake, o *Options) { delete(o.Dir.(fstest.MapFS), "index.html") }},
		{"a build without notifyAppReady", "notify_app_ready_missing", func(_ *fake, o *Options) { delete(o.Dir.(fstest.MapFS), "app.js") }},
		{"a share over all", "rollout_percentage_invalid", func(_ *fake, o *Options) { n := 10_001; o.RolloutBPS = &n }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := newFake(k)
			o := options(webApp(""), k)
			tt.change(f, &o)
			_, err := Push(t.Context(), f, o)
			if ota.CodeOf(err) != tt.code {
				t.Errorf("got %v (%s), want %s", err, ota.CodeOf(err), tt.code)
			}
			if f.writes != 0 {
				t.Errorf("%d writes", f.writes)
			}
		})
	}
}

func TestPushWithoutKeysIsPlainAndSaysSo(t *testing.T) {
	f := newFake()
	res := mustPush(t, f, options(webApp("")))
	if !warned(res, "unsigned") || len(res.Variants) != 1 || res.Variants[0].Session != SessionNone {
		t.Errorf("got %+v", res)
	}
	if v := f.bundles["1.2.0"].Variants[0]; v.SessionKey != "" || v.Checksum != v.Zip.String() {
		t.Errorf("got %+v", v)
	}
}

// What the server claims to have is believed only if our key signed it.
func TestPushDoesNotBelieveTheServer(t *testing.T) {
	k, stranger := newKey(t), newKey(t)
	f := newFake(k)
	mustPush(t, f, options(webApp(""), k))
	sealed, err := stranger.SealHash(f.bundles["1.2.0"].Tree[0].Hash)
	if err != nil {
		t.Fatal(err)
	}
	for e, list := range f.known {
		for i := range list {
			switch i % 3 {
			case 0:
				list[i].WireHash = sealed
			case 1:
				list[i].Hash = f.bundles["1.2.0"].Tree[2].Hash // another file's signature
			default:
				list[i].Blob = ota.Digest{}
			}
		}
		f.known[e] = list
	}
	o := options(webApp(""), k)
	o.Version = "1.3.0"
	mustPush(t, f, o)
	rep, err := Verify(t.Context(), f, Published{App: testApp, Version: "1.3.0", Key: k.Public(), TempDir: t.TempDir()})
	if err != nil || !rep.OK {
		t.Errorf("published what the server made up: %+v, %v", rep, err)
	}
}

func TestPushDryRun(t *testing.T) {
	k := newKey(t)
	f := newFake(k)
	o := options(webApp(""), k)
	o.DryRun = true
	res := mustPush(t, f, o)
	if f.writes != 0 || !res.DryRun || res.Released || res.Variants[0].Missing.Count != 8 {
		t.Errorf("got %+v, %d writes", res, f.writes)
	}
}

func TestPushNoManifest(t *testing.T) {
	k := newKey(t)
	f := newFake(k)
	o := options(webApp(""), k)
	o.NoManifest = true
	res := mustPush(t, f, o)
	if res.Uploaded.Count != 1 || len(f.bundles["1.2.0"].Variants[0].Files) != 0 {
		t.Errorf("got %+v", res)
	}
}

func TestPushWarnsAboutVersions(t *testing.T) {
	k := newKey(t)
	for native, code := range map[string]string{"1.2.0": "version_is_native", "1.3": "version_under_native"} {
		f := newFake(k)
		o := options(webApp(""), k)
		o.NativeVersion = native
		if res := mustPush(t, f, o); !warned(res, code) {
			t.Errorf("native %s: %+v", native, res.Warnings)
		}
	}
}

func TestPushKeepsOldBundleButSaysWhatItLacks(t *testing.T) {
	k, second := newKey(t), newKey(t)
	f := newFake(k)
	mustPush(t, f, options(webApp(""), k))
	f.keys = append(f.keys, ota.Key{ID: second.Public().ID(), PublicPEM: second.Public().PEM(), State: ota.KeyActive})
	o := options(webApp(""), k, second)
	o.MinNative = "2.0.0"
	if res := mustPush(t, f, o); !warned(res, "variant_missing") || !warned(res, "settings_kept") {
		t.Errorf("got %+v", res.Warnings)
	}
}

// changing is a build that a watcher rewrites: reads after the first differ.
type changing struct {
	fstest.MapFS
	open, read bool          // which way of reading sees the change
	opened     *atomic.Int32 // how often same.css was; several goroutines read a build
}

func (c changing) Open(name string) (fs.File, error) {
	if c.open && name == "same.css" && c.opened.Add(1) > 1 {
		return fstest.MapFS{name: &fstest.MapFile{Data: []byte("other")}}.Open(name)
	}
	return c.MapFS.Open(name)
}

func (c changing) ReadFile(name string) ([]byte, error) {
	if c.read && name == "same.css" {
		return []byte("other"), nil
	}
	return c.MapFS.ReadFile(name)
}

func TestPushNoticesAChangingBuild(t *testing.T) {
	k := newKey(t)
	for _, dir := range []changing{{open: true}, {read: true}} {
		dir.MapFS, dir.opened = webApp(""), new(atomic.Int32)
		f := newFake(k)
		_, err := Push(t.Context(), f, options(dir, k))
		if ota.CodeOf(err) != "file_changed" || len(f.bundles) != 0 {
			t.Errorf("got %v, %d bundles", err, len(f.bundles))
		}
	}
}

// Uploads that break off are resumed where they ended, with growing pauses.
func TestPushResumes(t *testing.T) {
	k := newKey(t)
	synctest.Test(t, func(t *testing.T) {
		f := newFake(k)
		f.cut = func(nth, size int) int {
			if nth == 3 {
				return -1
			}
			return size / 2
		}
		res := mustPush(t, f, options(webApp(""), k))
		if !res.Created || len(f.partial) != 0 {
			t.Errorf("got %+v, %d partial", res, len(f.partial))
		}
	})
}

// What the server kept of an earlier upload may be damaged; it says so at the
// end, and the upload begins anew.
func TestPushOverDamagedRests(t *testing.T) {
	k := newKey(t)
	before := newFake(k)
	mustPush(t, before, options(webApp(""), k))
	synctest.Test(t, func(t *testing.T) {
		f := newFake(k)
		for d := range before.blobs {
			f.partial[d] = []byte{0xff}
		}
		if res := mustPush(t, f, options(webApp(""), k)); !res.Created || len(f.partial) != 0 {
			t.Errorf("got %+v, %d partial", res, len(f.partial))
		}
	})
}

func TestPushGivesUp(t *testing.T) {
	k := newKey(t)
	for _, tt := range []struct {
		err  *ota.Error
		puts func(int) bool
	}{
		{ota.Errorf(ota.KindUnavailable, "disk_full", "full"), func(n int) bool { return n >= maxAttempts }},
		{ota.Errorf(ota.KindForbidden, "forbidden", "no"), func(n int) bool { return n <= parallelUploads+1 }},
	} {
		synctest.Test(t, func(t *testing.T) {
			f := newFake(k)
			f.err = tt.err
			_, err := Push(t.Context(), f, options(webApp(""), k))
			if !errors.Is(err, tt.err) || !tt.puts(f.puts) || len(f.bundles) != 0 {
				t.Errorf("%s: got %v after %d uploads", tt.err.Code, err, f.puts)
			}
		})
	}
}

func TestPushStopsWhenCancelled(t *testing.T) {
	k := newKey(t)
	synctest.Test(t, func(t *testing.T) {
		f := newFake(k)
		ctx, cancel := context.WithCancel(t.Context())
		f.cut = func(int, int) int { cancel(); return 0 }
		_, err := Push(ctx, f, options(webApp(""), k))
		if !errors.Is(err, context.Canceled) || len(f.bundles) != 0 {
			t.Errorf("got %v, %d bundles", err, len(f.bundles))
		}
	})
}

// Two pushes of one build from one key make the very same bundle.
func TestPushIsDeterministic(t *testing.T) {
	k := newKey(t)
	a, b := newFake(k), newFake(k)
	mustPush(t, a, options(webApp(""), k))
	mustPush(t, b, options(webApp(""), k))
	if d := cmp.Diff(a.bundles, b.bundles); d != "" {
		t.Error(d)
	}
}
