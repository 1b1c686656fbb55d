package publish

import (
	"io/fs"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

const goodMap = `{"version":3,"sources":["src/a.ts"],"sourcesContent":["the secret source"],"mappings":"AAAA"}`

// mapped is a web build with source maps, good and bad.
func mapped() fstest.MapFS {
	app := webApp("")
	for name, text := range map[string]string{
		"main.js.map": goodMap, "assets/chunk.mjs.map": goodMap, "style.css.map": goodMap, "broken.js.map": "<html>", "Upper.JS.MAP": goodMap,
		"node_modules/x/x.js.map": goodMap,
	} {
		app[name] = &fstest.MapFile{Data: []byte(text)}
	}
	app["level1.map"] = &fstest.MapFile{Data: []byte("###")} // of a game: no source map
	return app
}

// Nothing of a source map may reach a device: not as a file, not within the zip.
func TestSourceMapsAreNoPartOfTheBundle(t *testing.T) {
	k := newKey(t)
	f := newFake(k)
	res := mustPush(t, f, options(mapped(), k))
	if res.SourceMaps != 2 {
		t.Errorf("sent %d source maps, want 2", res.SourceMaps)
	}
	if diff := cmp.Diff([]string{"assets/chunk.mjs", "main.js"}, slices.Sorted(maps.Keys(f.sourceMaps))); diff != "" {
		t.Errorf("maps (-want +got):\n%s", diff)
	}
	b := f.bundles["1.2.0"]
	for _, file := range b.Tree {
		if isMap(file.Path) {
			t.Errorf("the bundle has %s", file.Path)
		}
	}
	for _, v := range b.Variants {
		for _, file := range v.Files {
			for _, d := range f.sourceMaps {
				if file.Blob == d {
					t.Errorf("devices can be given the map as %s", file.Name)
				}
			}
		}
	}
	// The same build without maps is the same bundle.
	plain := newFake(k)
	same := webApp("")
	same["level1.map"] = &fstest.MapFile{Data: []byte("###")}
	mustPush(t, plain, options(same, k))
	if ota.TreeDigest(plain.bundles["1.2.0"].Tree) != ota.TreeDigest(b.Tree) {
		t.Error("source maps change what the bundle is")
	}
	warned := slices.ContainsFunc(res.Warnings, func(w Warning) bool {
		return w.Code == "source_map_invalid" && strings.Contains(w.Message, "broken.js.map")
	})
	if !warned {
		t.Errorf("warnings: %+v", res.Warnings)
	}
}

func TestSourceMapOptions(t *testing.T) {
	k := newKey(t)
	f := newFake(k)
	o := options(mapped(), k)
	o.NoSourceMaps = true
	if res := mustPush(t, f, o); res.SourceMaps != 0 || len(f.sourceMaps) != 0 {
		t.Error("maps were sent though none were to be")
	}
	f = newFake(k)
	o = options(webApp(""), k)
	o.SourceMaps = fstest.MapFS{"other.js.map": {Data: []byte(goodMap)}}
	if res := mustPush(t, f, o); res.SourceMaps != 1 {
		t.Errorf("sent %d maps of another folder, want 1", res.SourceMaps)
	}
	f = newFake(k)
	f.mapsErr = ota.Errorf(ota.KindForbidden, "forbidden", "the token may not do that")
	res := mustPush(t, f, options(mapped(), k))
	if !res.Released || !slices.ContainsFunc(res.Warnings, func(w Warning) bool { return w.Code == "source_maps_refused" }) {
		t.Errorf("a token that may not send maps: released %v, %+v", res.Released, res.Warnings)
	}
	f = newFake(k)
	o = options(mapped(), k)
	o.DryRun = true
	if res := mustPush(t, f, o); f.writes != 0 || res.SourceMaps != 0 {
		t.Error("a dry run sent something")
	}
}

func TestReferencesToSourceMaps(t *testing.T) {
	k := newKey(t)
	for _, tc := range []struct {
		name, file, text string
		refused          bool
		warning          string
	}{
		{"inside a script", "a.js", "x()\n//# sourceMappingURL=data:application/json;base64,e30=\n", true, ""},
		{"inside a style", "a.css", "a{}\n/*# sourceMappingURL=data:application/json;base64,e30= */", true, ""},
		{"named", "a.js", "x()\n//# sourceMappingURL=a.js.map", false, "source_map_named"},
		{"public", "a.js", "x()\n//# sourceMappingURL=https://maps.example.com/a.js.map\n", false, "source_map_public"},
		{"as data of a program", "a.js", `var p="sourceMappingURL="+u;`, false, ""},
		{"none", "a.js", "x()", false, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			app := webApp("")
			app[tc.file] = &fstest.MapFile{Data: []byte(tc.text)}
			f := newFake(k)
			o := options(app, k)
			o.TempDir = t.TempDir()
			res, err := Push(t.Context(), f, o)
			if tc.refused {
				if ota.CodeOf(err) != "source_map_inline" || f.writes != 0 {
					t.Fatalf("Push = %v after %d writes", err, f.writes)
				}
				o.AllowInlineMaps = true
				if _, err := Push(t.Context(), f, o); err != nil {
					t.Errorf("allowed: %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			got := ""
			for _, w := range res.Warnings {
				if strings.HasPrefix(w.Code, "source_map") {
					got = w.Code
				}
			}
			if got != tc.warning {
				t.Errorf("warning %q, want %q", got, tc.warning)
			}
		})
	}
}

func TestFolderWithoutMaps(t *testing.T) {
	dir := withoutMaps{mapped()}
	for _, name := range []string{"main.js.map", "Upper.JS.MAP", "assets/chunk.mjs.map"} {
		if _, err := fs.ReadFile(dir, name); err == nil {
			t.Errorf("%s can be read", name)
		}
	}
	err := fs.WalkDir(dir, ".", func(p string, _ fs.DirEntry, err error) error {
		if err == nil && isMap(p) {
			t.Errorf("%s is listed", p)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
