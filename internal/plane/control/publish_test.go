package control_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/waxwing-ota/waxwing/internal/core/decide"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/plane/control"
)

func TestCreateBundlePlain(t *testing.T) {
	e := newEnv(t)
	in := e.bundle("1.0.0")
	in.NativePackages = []ota.NativePackage{{Name: "@capacitor/core", Version: "8.0.0"}}
	in.MinNative, in.Link, in.Comment = "1.0", "https://example.com/notes", "first"
	b, created, err := e.CreateBundle(e.ctx(), actor, app, in)
	if err != nil || !created {
		t.Fatal(created, err)
	}
	got, err := e.Bundle(e.ctx(), app, "1.0.0")
	e.do(err)
	if diff := cmp.Diff(b, got); diff != "" {
		t.Errorf("returned against stored (-returned +stored):\n%s", diff)
	}
	if got.FileCount != 4 || got.CreatedBy != string(actor) || len(got.Variants) != 1 || got.NativePackages[0].Version != "8.0.0" {
		t.Errorf("bundle = %+v", got)
	}
	tree, err := e.BundleTree(e.ctx(), app, "1.0.0")
	e.do(err)
	if diff := cmp.Diff(in.Tree, tree); diff != "" {
		t.Errorf("tree (-want +got):\n%s", diff)
	}
	va, err := e.VariantFiles(e.ctx(), app, "1.0.0", "")
	e.do(err)
	if diff := cmp.Diff(in.Variants[0].Files, va.Files); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	_, err = e.VariantFiles(e.ctx(), app, "1.0.0", "other")
	wantCode(t, err, control.CodeVariantNotFound)
	list, next, err := e.Bundles(e.ctx(), app, ota.Page{})
	if err != nil || next != "" || len(list) != 1 {
		t.Fatalf("list = %v, %q, %v", list, next, err)
	}
	if diff := cmp.Diff(got, list[0]); diff != "" {
		t.Errorf("one against list (-one +list):\n%s", diff)
	}
}

func TestCreateBundleSigned(t *testing.T) {
	e := newEnv(t)
	for _, k := range keyPair() {
		_, err := e.RegisterKey(e.ctx(), who, app, k.Public().PEM())
		e.do(err)
	}
	in := e.bundle("1.0.0", keyPair()[0], keyPair()[1])
	_, created, err := e.CreateBundle(e.ctx(), actor, app, in)
	if err != nil || !created {
		t.Fatal(created, err)
	}
	e.release("1.0.0")
	variants := e.snap.App(app).ChannelByName(prod).Chain[0].Bundle.Variants
	if len(variants) != 2 || variants[0].KeyID != keyPair()[1].Public().ID() {
		t.Fatalf("the newest key does not come first")
	}
	for i, va := range []*decide.Variant{variants[1], variants[0]} {
		if diff := cmp.Diff(in.Variants[i].Files, va.Files); diff != "" {
			t.Errorf("files for key %d (-want +got):\n%s", i, diff)
		}
	}
}

func TestVersionIsImmutable(t *testing.T) {
	e := newEnv(t)
	in := e.bundle("1.0.0")
	first, created, err := e.CreateBundle(e.ctx(), actor, app, in)
	if err != nil || !created {
		t.Fatal(created, err)
	}
	again, created, err := e.CreateBundle(e.ctx(), actor, app, in)
	if err != nil || created {
		t.Fatal(created, err)
	}
	if diff := cmp.Diff(first, again); diff != "" {
		t.Errorf("again (-first +again):\n%s", diff)
	}
	other := e.bundle("1.0.1")
	other.Version = "1.0.0"
	_, _, err = e.CreateBundle(e.ctx(), actor, app, other)
	if got := wantCode(t, err, control.CodeVersionExists); got.Kind != ota.KindConflict || got.Hint == "" {
		t.Errorf("%+v", got)
	}
	e.do(e.DeleteBundle(e.ctx(), actor, app, "1.0.0", false))
	_, _, err = e.CreateBundle(e.ctx(), actor, app, in)
	wantCode(t, err, control.CodeVersionExists)
}

// Each row spoils a good request.
func TestCreateBundleRefused(t *testing.T) {
	e := newEnv(t)
	key, other := keyPair()[0], keyPair()[1]
	_, err := e.RegisterKey(e.ctx(), who, app, key.Public().PEM())
	e.do(err)
	_, err = e.UpdateApp(e.ctx(), actor, app, ota.AppPatch{AllowPlain: new(true)})
	e.do(err)
	good := e.bundle("1.0.0", key, nil) // encrypted, then plain
	at := func(va ota.Variant, path string) int {
		return slices.IndexFunc(va.Files, func(f ota.VariantFile) bool { return strings.TrimSuffix(f.Name, ".br") == path })
	}
	file := func(in *ota.NewBundle, v int, path string) *ota.VariantFile {
		return &in.Variants[v].Files[at(in.Variants[v], path)]
	}
	absent := ota.Digest{1}
	for name, tt := range map[string]struct {
		spoil func(*ota.NewBundle)
		code  string
	}{
		"version missing":    {func(in *ota.NewBundle) { in.Version = "" }, "version_invalid"},
		"version reserved":   {func(in *ota.NewBundle) { in.Version = "builtin" }, "version_reserved"},
		"version not semver": {func(in *ota.NewBundle) { in.Version = "1.0" }, control.CodeVersionNotSemver},
		"version with v":     {func(in *ota.NewBundle) { in.Version = "v1.0.0" }, control.CodeVersionNotSemver},
		"native version":     {func(in *ota.NewBundle) { in.MinNative = "one" }, control.CodeNativeInvalid},
		"link":               {func(in *ota.NewBundle) { in.Link = "javascript:alert(1)" }, control.CodeURLInvalid},
		"comment":            {func(in *ota.NewBundle) { in.Comment = strings.Repeat("a", 5000) }, control.CodeTextTooLong},
		"no files":           {func(in *ota.NewBundle) { in.Tree = nil }, control.CodeTreeInvalid},
		"unsorted":           {func(in *ota.NewBundle) { slices.Reverse(in.Tree) }, control.CodeTreeInvalid},
		"path":               {func(in *ota.NewBundle) { in.Tree[0].Path = "../up" }, "path_invalid"},
		"no index":           {func(in *ota.NewBundle) { in.Tree[1].Path = "index.htm" }, control.CodeTreeInvalid},
		"case duplicate":     {func(in *ota.NewBundle) { in.Tree[0].Path = "INDEX.html" }, control.CodeTreeInvalid},
		"file and folder":    {func(in *ota.NewBundle) { in.Tree[0].Path = "JS" }, control.CodeTreeInvalid},
		"negative size":      {func(in *ota.NewBundle) { in.Tree[0].Size = -1 }, control.CodeTreeInvalid},
		"huge file":          {func(in *ota.NewBundle) { in.Tree[0].Size = 1 << 40 }, control.CodeTreeInvalid},
		"no variants":        {func(in *ota.NewBundle) { in.Variants = nil }, control.CodeKeyMissing},
		"active key without": {func(in *ota.NewBundle) { in.Variants = in.Variants[1:] }, control.CodeKeyMissing},
		"twice":              {func(in *ota.NewBundle) { in.Variants = append(in.Variants, in.Variants[0]) }, control.CodeVariantInvalid},
		"unregistered key":   {func(in *ota.NewBundle) { in.Variants[0].KeyID = other.Public().ID() }, control.CodeKeyUnknown},
		"external":           {func(in *ota.NewBundle) { in.Variants[0].ExternalURL = "https://x.example/" }, control.CodeVariantInvalid},
		"no content":         {func(in *ota.NewBundle) { in.Variants[0].Zip, in.Variants[0].Files = ota.Digest{}, nil }, control.CodeVariantInvalid},
		"file list short":    {func(in *ota.NewBundle) { in.Variants[0].Files = in.Variants[0].Files[1:] }, control.CodeVariantInvalid},
		"session of other key": {func(in *ota.NewBundle) {
			in.Variants[0].SessionKey = must(other.SealSession(other.EpochSession(app, 1)))
		}, control.CodeSignatureWrong},
		"session missing":       {func(in *ota.NewBundle) { in.Variants[0].SessionKey = "" }, control.CodeSignatureWrong},
		"checksum of other key": {func(in *ota.NewBundle) { in.Variants[0].Checksum = must(other.SealHash(absent)) }, control.CodeSignatureWrong},
		"checksums differ":      {func(in *ota.NewBundle) { in.Variants[0].ChecksumV2 = must(key.SealHashV2(absent)) }, control.CodeSignatureWrong},
		"no checksum V2":        {func(in *ota.NewBundle) { in.Variants[0].ChecksumV2 = "" }, control.CodeSignatureWrong},
		"plain checksum wrong":  {func(in *ota.NewBundle) { in.Variants[1].Checksum = absent.String() }, control.CodeChecksumMismatch},
		"plain checksum form":   {func(in *ota.NewBundle) { in.Variants[1].Checksum = "12345678" }, control.CodeChecksumMismatch},
		"plain with session":    {func(in *ota.NewBundle) { in.Variants[1].SessionKey = in.Variants[0].SessionKey }, control.CodeVariantInvalid},
		"zip not uploaded":      {func(in *ota.NewBundle) { in.Variants[0].Zip = absent }, control.CodeBlobMissing},
		"zip size":              {func(in *ota.NewBundle) { in.Variants[0].ZipSize++ }, control.CodeVariantFile},
		"file not uploaded":     {func(in *ota.NewBundle) { file(in, 0, "index.html").Blob = absent }, control.CodeBlobMissing},
		"file without blob":     {func(in *ota.NewBundle) { file(in, 0, "index.html").Blob = ota.Digest{} }, control.CodeVariantFile},
		"stored size":           {func(in *ota.NewBundle) { file(in, 0, "index.html").StoredSize += 16 }, control.CodeVariantFile},
		"file of other tree":    {func(in *ota.NewBundle) { file(in, 0, "index.html").Hash = absent }, control.CodeVariantFile},
		"file name":             {func(in *ota.NewBundle) { file(in, 0, "index.html").Name = "index.htm" }, control.CodeVariantFile},
		"file hash other key":   {func(in *ota.NewBundle) { f := file(in, 0, "index.html"); f.WireHash = must(other.SealHash(f.Hash)) }, control.CodeSignatureWrong},
		"file hash other file":  {func(in *ota.NewBundle) { file(in, 0, "index.html").WireHash = must(key.SealHash(absent)) }, control.CodeSignatureWrong},
		"plain file hash":       {func(in *ota.NewBundle) { file(in, 1, "index.html").WireHash = absent.String() }, control.CodeVariantFile},
		"plain other blob":      {func(in *ota.NewBundle) { file(in, 1, "index.html").Blob = in.Variants[1].Zip }, control.CodeVariantFile},
		"br stored raw": {func(in *ota.NewBundle) {
			f := file(in, 1, "packed.js.br")
			f.Brotli, f.Name, f.Blob, f.StoredSize = false, "packed.js.br", f.Hash, f.Size
		}, control.CodeVariantFile},
		"empty stored raw": {func(in *ota.NewBundle) {
			f := file(in, 0, "empty.css")
			f.Brotli, f.Name, f.StoredSize = false, "empty.css", 16
		}, control.CodeVariantFile},
	} {
		t.Run(name, func(t *testing.T) {
			in := good
			in.Tree = slices.Clone(in.Tree)
			in.Variants = slices.Clone(in.Variants)
			for i := range in.Variants {
				in.Variants[i].Files = slices.Clone(in.Variants[i].Files)
			}
			tt.spoil(&in)
			_, created, err := e.CreateBundle(t.Context(), actor, app, in)
			wantCode(t, err, tt.code)
			if created {
				t.Error("created nevertheless")
			}
		})
	}
	if list, _, err := e.Bundles(e.ctx(), app, ota.Page{}); err != nil || len(list) != 0 {
		t.Errorf("%d bundles, %v; want none", len(list), err)
	}
	if _, created, err := e.CreateBundle(e.ctx(), actor, app, good); err != nil || !created {
		t.Errorf("the good one: %v, %v", created, err)
	}
	_, err = e.UpdateApp(e.ctx(), actor, app, ota.AppPatch{AllowPlain: new(false)})
	e.do(err)
	_, _, err = e.CreateBundle(e.ctx(), actor, app, e.bundle("1.0.1", key, nil))
	wantCode(t, err, control.CodePlainRefused)
}

// A key registered while a push runs must not be missed by it.
func TestKeyRegisteredDuringPush(t *testing.T) {
	e := newEnv(t)
	in := e.bundle("1.0.0")
	blobs := &hookBlobs{Store: e.blobs, sync: func() {
		_, err := e.RegisterKey(e.ctx(), who, app, keyPair()[0].Public().PEM())
		e.do(err)
	}}
	svc := control.New(control.Deps{Store: e.db, Blobs: blobs, Snap: e.snap, Now: e.now})
	_, _, err := svc.CreateBundle(e.ctx(), actor, app, in)
	wantCode(t, err, control.CodePlainRefused)
}

// Blobs that may not survive a power cut must not be published.
func TestBlobsAreFlushedBeforeCommit(t *testing.T) {
	e := newEnv(t)
	in := e.bundle("1.0.0")
	svc := control.New(control.Deps{Store: e.db, Blobs: &hookBlobs{Store: e.blobs, err: errors.New("no")}, Snap: e.snap, Now: e.now})
	if _, _, err := svc.CreateBundle(e.ctx(), actor, app, in); err == nil {
		t.Fatal("published without a flush")
	}
	_, err := e.Bundle(e.ctx(), app, "1.0.0")
	wantCode(t, err, control.CodeBundleNotFound)
}

// A push whose sender hangs up after the commit must still reach devices.
func TestCallerGoneAfterCommit(t *testing.T) {
	e := newEnv(t)
	e.publish("1.0.0")
	ctx, cancel := context.WithCancel(e.ctx())
	store := &hookStore{DB: e.db, after: cancel}
	svc := control.New(control.Deps{Store: store, Blobs: e.blobs, Snap: e.snap, Now: e.now})
	if _, _, err := svc.Release(ctx, who, app, prod, ota.ReleaseRequest{Version: "1.0.0"}); err != nil {
		t.Fatal(err)
	}
	if got := e.chain(prod); len(got) != 1 {
		t.Errorf("devices see %v", got)
	}
}

func TestConcurrentPush(t *testing.T) {
	e := newEnv(t)
	var wg sync.WaitGroup
	var mu sync.Mutex
	made := 0
	for i := range 8 {
		in := e.bundle("1.0.0")
		if i%2 == 1 {
			in = e.bundle("1.0." + string(rune('0'+i)))
			in.Version = "1.0.0" // same name, other content
		}
		wg.Go(func() {
			_, created, err := e.CreateBundle(e.ctx(), actor, app, in)
			if err != nil && ota.CodeOf(err) != control.CodeVersionExists {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			if created {
				made++
			}
		})
	}
	wg.Wait()
	if made != 1 {
		t.Errorf("created %d times", made)
	}
}

func TestUpdateBundle(t *testing.T) {
	e := newEnv(t)
	e.publish("1.0.0")
	e.release("1.0.0")
	b, err := e.UpdateBundle(e.ctx(), who, app, "1.0.0", ota.BundlePatch{MinNative: new("2.1"), Comment: new("notes")})
	e.do(err)
	if b.MinNative != "2.1" || b.Comment != "notes" {
		t.Errorf("bundle = %+v", b)
	}
	seen := e.snap.App(app).ChannelByName(prod).Chain[0].Bundle
	if !seen.HasMinNative || seen.MinNative.Minor != 1 || seen.Comment != "notes" || len(seen.Variants) != 1 || len(seen.Variants[0].Files) != 4 {
		t.Errorf("snapshot has %+v", seen)
	}
	_, err = e.UpdateBundle(e.ctx(), who, app, "1.0.0", ota.BundlePatch{Link: new("ftp://example.com")})
	wantCode(t, err, control.CodeURLInvalid)
	_, err = e.UpdateBundle(e.ctx(), who, app, "9.0.0", ota.BundlePatch{})
	wantCode(t, err, control.CodeBundleNotFound)
}

func TestDeleteBundle(t *testing.T) {
	e := newEnv(t)
	e.publish("1.0.0", "1.1.0", "1.2.0")
	e.release("1.0.0", "1.1.0")
	_, err := e.SetRollout(e.ctx(), who, app, prod, ota.RolloutRequest{Version: "1.2.0", BPS: new(10)})
	e.do(err)
	for _, v := range []string{"1.1.0", "1.2.0"} {
		got := wantCode(t, e.DeleteBundle(e.ctx(), actor, app, v, false), control.CodeBundleInUse)
		if got.Kind != ota.KindConflict || !strings.Contains(got.Msg, prod) {
			t.Errorf("%+v", got)
		}
		e.do(e.DeleteBundle(e.ctx(), actor, app, v, true))
		e.do(e.DeleteBundle(e.ctx(), actor, app, v, true))
	}
	ch := e.snap.App(app).ChannelByName(prod)
	if ch.Rollout != nil || ch.Selectable() {
		t.Errorf("rollout %v, selectable %v", ch.Rollout, ch.Selectable())
	}
	wantCode(t, e.DeleteBundle(e.ctx(), actor, app, "9.0.0", true), control.CodeBundleNotFound)
}
