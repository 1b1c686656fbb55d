package device

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/pack"
)

func TestUpdateInstalls(t *testing.T) {
	v2 := func() map[string][]byte { return content("2.0.0") }
	wrapped := map[string][]byte{}
	for n, b := range v2() {
		wrapped["dist/"+n] = b
	}
	old := func(c *Config) { c.PluginVersion = "7.20.0" }
	for name, tt := range map[string]struct {
		change func(*Config)
		answer func(*server) map[string]any
	}{
		"zip plain":     {nil, func(s *server) map[string]any { return s.zipAnswer("2.0.0", zipOf(v2()), nil) }},
		"zip encrypted": {keyed, func(s *server) map[string]any { return s.zipAnswer("2.0.0", zipOf(v2()), keyA()) }},
		"zip in folder": {nil, func(s *server) map[string]any { return s.zipAnswer("2.0.0", zipOf(wrapped), nil) }},
		"zip with base64 checksum": {keyed, func(s *server) map[string]any {
			a := s.zipAnswer("2.0.0", zipOf(v2()), keyA())
			base64Sum(a)
			return a
		}},
		"zip for an old plugin": {both(keyed, old), func(s *server) map[string]any {
			z := zipOf(v2())
			a := s.zipAnswer("2.0.0", z, keyA())
			a["checksum"] = must(keyA().SealHashV2(ota.Sum(z)))
			return a
		}},
		"manifest plain":     {nil, func(s *server) map[string]any { return s.manifestAnswer("2.0.0", v2(), nil) }},
		"manifest encrypted": {keyed, func(s *server) map[string]any { return s.manifestAnswer("2.0.0", v2(), keyA()) }},
		"manifest on an older iOS plugin": {both(keyed, func(c *Config) { c.PluginVersion = "8.51.20" }), func(s *server) map[string]any {
			return s.manifestAnswer("2.0.0", v2(), keyA())
		}},
	} {
		for _, platform := range []string{Android, IOS} {
			t.Run(name+" "+platform, func(t *testing.T) {
				r := newRig(t, both(tt.change, func(c *Config) { c.Platform = platform }))
				r.srv.answer = tt.answer(r.srv)
				u, err := r.update()
				if err != nil {
					t.Fatal(err)
				}
				if u.Bundle == nil || u.Transfer.Files != 6 || u.Transfer.Bytes == 0 {
					t.Errorf("update = %+v", u)
				}
				if l := r.launch(true); !l.Applied || l.Running.Version != "2.0.0" || l.Running.Status != Success {
					t.Errorf("launched = %+v", l)
				}
				if got := r.installed(); got != treeOf(v2()) {
					t.Errorf("installed tree %v, want that of the published files", got)
				}
				if left := slices.Concat(r.left(partialDir), r.left(tmpDir)); len(left) > 0 {
					t.Errorf("left behind: %v", left)
				}
				if u, err = r.update(); err != nil || u.Answer.Kind != UpToDate {
					t.Errorf("second check = %+v, %v; want up to date", u.Answer, err)
				}
			})
		}
	}
}

// flip changes one bit in the middle.
func flip(b []byte) []byte {
	b = bytes.Clone(b)
	b[len(b)/2] ^= 1
	return b
}

func stored(s *server, a map[string]any) *blob {
	return s.blobs[strings.TrimPrefix(a["url"].(string), s.URL)]
}

func fileBlob(s *server, a map[string]any, name string) *blob {
	return s.blobs["/delta/"+a["version"].(string)+"/"+name]
}

type refusalCase struct {
	name    string
	change  func(*Config)
	answer  func(s *server) map[string]any
	code    string
	nothing bool // not one byte of the bundle may be asked for
}

// plainZip is an answer with a good zip, changed by f.
func plainZip(f func(s *server, a map[string]any)) func(*server) map[string]any {
	return func(s *server) map[string]any {
		a := s.zipAnswer("2.0.0", zipOf(content("2.0.0")), nil)
		f(s, a)
		return a
	}
}

func sealedZip(f func(s *server, a map[string]any)) func(*server) map[string]any {
	return func(s *server) map[string]any {
		a := s.zipAnswer("2.0.0", zipOf(content("2.0.0")), keyA())
		f(s, a)
		return a
	}
}

func zipWith(name, text string) func(*server) map[string]any {
	return func(s *server) map[string]any {
		return s.zipAnswer("2.0.0", zipOf(with(content("2.0.0"), name, text)), nil)
	}
}

func plainFiles(f func(s *server, a map[string]any)) func(*server) map[string]any {
	return func(s *server) map[string]any {
		a := s.manifestAnswer("2.0.0", content("2.0.0"), nil)
		f(s, a)
		return a
	}
}

func sealedFiles(f func(s *server, a map[string]any)) func(*server) map[string]any {
	return func(s *server) map[string]any {
		a := s.manifestAnswer("2.0.0", content("2.0.0"), keyA())
		f(s, a)
		return a
	}
}

func asIs(*server, map[string]any) {}

func set(key string, v any) func(*server, map[string]any) {
	return func(_ *server, a map[string]any) { a[key] = v }
}

func zipRefusals() []refusalCase {
	return []refusalCase{
		{"wrong checksum", nil, plainZip(set("checksum", ota.Sum([]byte("x")).String())), CodeChecksum, false},
		{"uppercase checksum", nil, plainZip(func(_ *server, a map[string]any) { a["checksum"] = strings.ToUpper(a["checksum"].(string)) }), CodeChecksum, true},
		{"no checksum", nil, plainZip(set("checksum", "")), CodeNoChecksum, true},
		{"crc checksum", nil, plainZip(set("checksum", "0a1b2c3d")), CodeChecksum, true},
		{"short file", nil, plainZip(func(s *server, a map[string]any) { b := stored(s, a); b.body = b.body[:len(b.body)/2] }), CodeChecksum, false},
		{"bit flip", nil, plainZip(func(s *server, a map[string]any) { b := stored(s, a); b.body = flip(b.body) }), CodeChecksum, false},
		{"bit flip, encrypted", keyed, sealedZip(func(s *server, a map[string]any) { b := stored(s, a); b.body = flip(b.body) }), CodeChecksum, false},
		{"made with another key", keyed, func(s *server) map[string]any { return s.zipAnswer("2.0.0", zipOf(content("2.0.0")), keyB()) }, CodeDecrypt, true},
		{"checksum of another key", keyed, sealedZip(set("checksum", must(keyB().SealHash(ota.Sum([]byte("x")))))), CodeChecksum, true},
		{"unsigned checksum", keyed, sealedZip(set("checksum", ota.Sum([]byte("x")).String())), CodeChecksum, true},
		{"no session key", keyed, sealedZip(set("session_key", "")), CodeSessionKey, true},
		{"half a session key", keyed, sealedZip(set("session_key", "AAAA:")), CodeSessionKey, true},
		{"plain to an app with a key", keyed, plainZip(asIs), CodeSessionKey, true},
		{"encrypted to an app without", nil, sealedZip(asIs), CodeKeyMissing, true},
		{"ciphertext of a wrong length", keyed, sealedZip(func(s *server, a map[string]any) { b := stored(s, a); b.body = b.body[:len(b.body)-1] }), CodeDecrypt, false},
		{"path up", nil, zipWith("../../evil.txt", "evil"), CodeUnzip, false},
		{"path absolute", nil, zipWith("/tmp/evil.txt", "evil"), CodeUnzip, false},
		{"path with backslash", nil, zipWith(`a\..\evil.txt`, "evil"), CodeUnzip, false},
		{"file and folder of one name", nil, zipWith("index.html/x.txt", "evil"), "", false},
		{"html", nil, func(s *server) map[string]any { return s.zipAnswer("2.0.0", []byte("<html>not a zip</html>"), nil) }, CodeUnzip, false},
		{"empty archive", nil, func(s *server) map[string]any { return s.zipAnswer("2.0.0", zipOf(nil), nil) }, "", false},
		{"no index.html", nil, func(s *server) map[string]any {
			return s.zipAnswer("2.0.0", zipOf(without(content("2"), "index.html")), nil)
		}, CodeNoIndex, false},
		{"404", nil, plainZip(func(s *server, a map[string]any) { stored(s, a).status = 404 }), CodeHTTP, false},
		{"403", nil, plainZip(func(s *server, a map[string]any) { stored(s, a).status = 403 }), CodeHTTP, false},
		{"500", nil, plainZip(func(s *server, a map[string]any) { stored(s, a).status = 500 }), CodeInterrupted, false},
		{"429", nil, plainZip(func(s *server, a map[string]any) { stored(s, a).status = 429 }), CodeInterrupted, false},
		{"206 without a range", nil, plainZip(func(s *server, a map[string]any) { stored(s, a).status = 206 }), CodeHTTP, false},
		{"connection cut", nil, plainZip(func(s *server, a map[string]any) { b := stored(s, a); b.cut, b.cutTimes = len(b.body)/2, -1 }), CodeInterrupted, false},
		{"redirect in circles", nil, plainZip(func(s *server, a map[string]any) { stored(s, a).redirect = a["url"].(string) }), CodeRedirect, false},
		{"redirect to another scheme", nil, plainZip(func(s *server, a map[string]any) { stored(s, a).redirect = "https://127.0.0.1:1/x.zip" }), CodeRedirect, false},
		{"content encoding", nil, plainZip(func(s *server, a map[string]any) { stored(s, a).encoding = "gzip" }), CodeEncoded, false},
		{"endless body", smallLimits, plainZip(func(s *server, a map[string]any) { stored(s, a).endless = true }), CodeTooLarge, false},
		{"announced too large", smallLimits, plainZip(func(s *server, a map[string]any) { stored(s, a).body = make([]byte, 2<<20) }), CodeTooLarge, false},
		{"zip bomb", smallLimits, zipWith("big.txt", strings.Repeat("0", 900<<10)), CodeUnzip, false},
		{"too many files", func(c *Config) { c.Limits.MaxFiles = 3 }, plainZip(asIs), CodeUnzip, false},
	}
}

func smallLimits(c *Config) {
	c.Limits = pack.Limits{MaxFiles: 100, MaxFileSize: 256 << 10, MaxTotal: 1 << 20}
}

func fileRefusals() []refusalCase {
	edit := func(name, key string, v any) func(*server) map[string]any {
		return plainFiles(func(_ *server, a map[string]any) { entry(a, name)[key] = v })
	}
	const css, js = "assets/style.css", "assets/app.js.br"
	return []refusalCase{
		{"wrong hash", nil, edit(css, "file_hash", ota.Sum([]byte("x")).String()), CodeFileHash, false},
		{"uppercase hash", nil, edit(css, "file_hash", strings.ToUpper(ota.Sum([]byte("body{margin:0}\n")).String())), CodeManifest, true},
		{"no hash", nil, edit(css, "file_hash", ""), CodeManifest, true},
		{"no url", nil, edit(css, "download_url", ""), CodeManifest, true},
		{"file url", nil, edit(css, "download_url", "file:///etc/passwd"), CodeManifest, true},
		{"no name", nil, edit(css, "file_name", ""), CodePath, true},
		{"path up", nil, edit(css, "file_name", "../../evil.css"), CodePath, true},
		{"path absolute", nil, edit(css, "file_name", "/tmp/evil.css"), CodePath, true},
		{"path with backslash", nil, edit(css, "file_name", `a\..\evil.css`), CodePath, true},
		{"path up behind .br", nil, edit(css, "file_name", "../evil.css.br"), CodePath, true},
		{"only .br", nil, edit(css, "file_name", ".br"), CodePath, true},
		{"duplicate", nil, edit(css, "file_name", "index.html"), CodePath, true},
		{"duplicate after .br", nil, edit(css, "file_name", "assets/app.js"), CodePath, true},
		{"duplicate by case", nil, edit(css, "file_name", "INDEX.html"), CodePath, true},
		{"file and folder of one name", nil, edit(css, "file_name", "index.html/x.css"), CodePath, true},
		{"file and folder of one letter", nil, plainFiles(func(_ *server, a map[string]any) {
			entry(a, css)["file_name"], entry(a, "assets/vendor.js.br")["file_name"] = "a", "a/b.br"
		}), CodePath, true},
		{"no index.html", nil, edit("index.html", "file_name", "start.html"), CodeNoIndex, true},
		{"bad brotli", nil, plainFiles(func(s *server, a map[string]any) { fileBlob(s, a, js).body = []byte("not brotli at all, really") }), CodeBrotli, false},
		{"cut brotli", nil, plainFiles(func(s *server, a map[string]any) { b := fileBlob(s, a, js); b.body = b.body[:len(b.body)/2] }), CodeBrotli, false},
		{"bit flip", nil, plainFiles(func(s *server, a map[string]any) { b := fileBlob(s, a, css); b.body = flip(b.body) }), CodeFileHash, false},
		{"404", nil, plainFiles(func(s *server, a map[string]any) { fileBlob(s, a, css).status = 404 }), CodeHTTP, false},
		{"500", nil, plainFiles(func(s *server, a map[string]any) { fileBlob(s, a, css).status = 500 }), CodeInterrupted, false},
		{"connection cut", nil, plainFiles(func(s *server, a map[string]any) { b := fileBlob(s, a, js); b.cut, b.cutTimes = 20, -1 }), CodeInterrupted, false},
		{"redirect to another scheme", nil, plainFiles(func(s *server, a map[string]any) { fileBlob(s, a, css).redirect = "https://127.0.0.1:1/x" }), CodeRedirect, false},
		{"endless body", smallLimits, plainFiles(func(s *server, a map[string]any) { fileBlob(s, a, css).endless = true }), CodeTooLarge, false},
		{"brotli bomb", smallLimits, func(s *server) map[string]any {
			return s.manifestAnswer("2.0.0", with(content("2"), "big.txt", strings.Repeat("0", 300<<10)), nil)
		}, CodeBrotli, false},
		{"together too large", func(c *Config) { c.Limits.MaxTotal = 30 << 10 }, plainFiles(asIs), CodeTooLarge, false},
		{"too many files", func(c *Config) { c.Limits.MaxFiles = 3 }, plainFiles(asIs), CodeTooLarge, true},
		{"made with another key", keyed, func(s *server) map[string]any { return s.manifestAnswer("2.0.0", content("2"), keyB()) }, CodeDecrypt, true},
		{"one hash of another key", keyed, sealedFiles(func(_ *server, a map[string]any) {
			entry(a, css)["file_hash"] = must(keyB().SealHash(ota.Sum([]byte("body{margin:0}\n"))))
		}), CodeManifest, true},
		{"unsigned hash", keyed, sealedFiles(func(_ *server, a map[string]any) {
			entry(a, css)["file_hash"] = ota.Sum([]byte("body{margin:0}\n")).String()
		}), CodeManifest, true},
		{"plain to an app with a key", keyed, plainFiles(asIs), CodeSessionKey, true},
		{"encrypted to an app without", nil, sealedFiles(asIs), CodeKeyMissing, true},
		{"encrypted empty file as such", keyed, sealedFiles(func(s *server, a map[string]any) {
			entry(a, "assets/empty.txt.br")["file_name"] = "assets/empty.txt"
			fileBlob(s, a, "assets/empty.txt.br").body = keyA().EpochSession(testApp, 1).EncryptBytes(nil)
		}), CodeDecrypt, false},
		{"checksum unsigned, older iOS", both(keyed, onIOS, func(c *Config) { c.PluginVersion = "8.51.20" }), sealedFiles(set("checksum", "")), CodeChecksum, true},
	}
}

func TestUpdateRefuses(t *testing.T) {
	for kind, cases := range map[string][]refusalCase{"zip": zipRefusals(), "files": fileRefusals()} {
		for _, tt := range cases {
			t.Run(kind+" "+tt.name, func(t *testing.T) {
				r := newRig(t, tt.change)
				r.srv.answer = tt.answer(r.srv)
				u, err := r.update()
				if err == nil {
					t.Fatalf("installed %+v", u)
				}
				if tt.code != "" && ota.CodeOf(err) != tt.code {
					t.Errorf("error %v has code %s, want %s", err, ota.CodeOf(err), tt.code)
				}
				if tt.name == "announced too large" && u.Transfer.Bytes > 0 {
					t.Errorf("%d bytes were taken of a body that was announced too large", u.Transfer.Bytes)
				}
				if got := r.srv.fetched(0); tt.nothing && len(got) > 0 {
					t.Errorf("fetched %v before it refused", got)
				}
				if left := slices.Concat(r.left(versionsDir), r.left(tmpDir)); len(left) > 0 {
					t.Errorf("left behind: %v", left)
				}
				// Files that were under way beside the bad one may be resumed.
				if left := r.left(partialDir); len(left) > 0 && kind == "zip" && tt.code != CodeInterrupted {
					t.Errorf("kept for resuming: %v", left)
				}
				l := r.launch(true)
				if l.Applied || l.Running.ID != builtinID {
					t.Errorf("launched %+v, want the built-in bundle", l)
				}
				r.restart()
				if s := r.State(); s.Running.ID != builtinID || s.Next != nil {
					t.Errorf("state after restart: %+v", s)
				}
			})
		}
	}
}

func TestSymlinkEntryIsRefused(t *testing.T) {
	r := newRig(t, nil)
	r.srv.answer = r.srv.zipAnswer("2.0.0", zipWithLink(t), nil)
	if _, err := r.update(); ota.CodeOf(err) != CodeUnzip {
		t.Errorf("err = %v, want %s", err, CodeUnzip)
	}
}

func TestDownloadOverHTTPIsRefusedAfterCheckOverHTTPS(t *testing.T) {
	r := newRig(t, func(c *Config) { c.UpdateURL = "https://updates.example.com/updates" })
	a := Answer{Kind: Update, Version: "2.0.0", URL: r.srv.URL + "/x.zip", Checksum: ota.Sum(nil).String()}
	if _, _, err := r.Download(t.Context(), a); ota.CodeOf(err) != CodeURL {
		t.Errorf("err = %v, want %s", err, CodeURL)
	}
	if got := r.srv.fetched(0); len(got) > 0 {
		t.Errorf("fetched %v", got)
	}
}

func TestDeltaReusesFiles(t *testing.T) {
	r := newRig(t, keyed)
	r.srv.answer = r.srv.manifestAnswer("2.0.0", content("2.0.0"), keyA())
	must(r.update())
	r.launch(true)
	n := r.srv.seen()
	r.srv.answer = r.srv.manifestAnswer("3.0.0", content("3.0.0"), keyA())
	u := must(r.update())
	if diff := cmp.Diff([]string{"app.js.br", "index.html"}, r.srv.fetched(n)); diff != "" {
		t.Errorf("fetched (-want +got):\n%s", diff)
	}
	if u.Transfer.Cached != 4 || u.Transfer.Fetched != 2 {
		t.Errorf("transfer = %+v", u.Transfer)
	}
	r.launch(true)
	if r.installed() != treeOf(content("3.0.0")) {
		t.Error("the bundle made from reused files is another")
	}
}

func TestZipFillsTheCache(t *testing.T) {
	r := newRig(t, nil)
	r.srv.answer = r.srv.zipAnswer("2.0.0", zipOf(content("2.0.0")), nil)
	must(r.update())
	r.launch(true)
	r.srv.answer = r.srv.manifestAnswer("3.0.0", content("3.0.0"), nil)
	if u := must(r.update()); u.Transfer.Cached != 4 || u.Transfer.Fetched != 2 {
		t.Errorf("transfer = %+v", u.Transfer)
	}
}

func TestSpoiltCacheIsNotTrusted(t *testing.T) {
	r := newRig(t, nil)
	r.srv.answer = r.srv.manifestAnswer("2.0.0", content("2.0.0"), nil)
	must(r.update())
	r.launch(true)
	for _, name := range r.left(cacheDir) {
		if err := r.root.WriteFile(cacheDir+"/"+name, []byte("evil"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	r.srv.answer = r.srv.manifestAnswer("3.0.0", content("3.0.0"), nil)
	if u := must(r.update()); u.Transfer.Fetched != 6 {
		t.Errorf("transfer = %+v", u.Transfer)
	}
	r.launch(true)
	if r.installed() != treeOf(content("3.0.0")) {
		t.Error("spoilt files were used")
	}
}

func TestBuiltinFilesAreReused(t *testing.T) {
	assets := fstest.MapFS{}
	for n, b := range content("1.0.0") {
		assets[n] = &fstest.MapFile{Data: b}
	}
	r := newRig(t, func(c *Config) { c.Builtin = assets })
	r.srv.answer = r.srv.manifestAnswer("2.0.0", content("2.0.0"), nil)
	size := must(r.Size(t.Context(), must(r.Check(t.Context(), ""))))
	if size.TotalSize != 10 || len(r.srv.lastBody("/updates/manifest_size")["manifest"].([]any)) != 2 {
		t.Errorf("size = %+v, asked %v", size, r.srv.lastBody("/updates/manifest_size")["manifest"])
	}
	if u := must(r.update()); u.Transfer.Builtin != 4 || u.Transfer.Fetched != 2 {
		t.Errorf("transfer = %+v", u.Transfer)
	}
}

func TestKnownVersionIsNotDownloadedAgain(t *testing.T) {
	r := newRig(t, nil)
	good := r.srv.zipAnswer("2.0.0", zipOf(content("2.0.0")), nil)
	r.srv.answer = good
	must(r.update())
	n := r.srv.seen()
	if u := must(r.update()); !u.Known || len(r.srv.fetched(n)) > 0 {
		t.Errorf("update = %+v, fetched %v", u, r.srv.fetched(n))
	}
	r.srv.answer = r.srv.zipAnswer("2.0.0", zipOf(content("other")), nil)
	if _, err := r.update(); ota.CodeOf(err) != CodeChecksum {
		t.Errorf("other content under the same version: %v, want %s", err, CodeChecksum)
	}
	if s := r.State(); s.Next != nil {
		t.Errorf("next = %+v, want none", s.Next)
	}
}
