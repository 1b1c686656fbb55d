package device

import (
	"archive/zip"
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"slices"
	"strings"

	"github.com/andybalholm/brotli"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/seal"
)

// content is a small web app. app.js is long enough to be worth compressing.
func content(version string) map[string][]byte {
	return map[string][]byte{
		"index.html":                 []byte("<!doctype html><title>app " + version + "</title>\n"),
		"assets/app.js":              []byte("// version " + version + "\n" + strings.Repeat("console.log(\"hello from the bundle\");\n", 600)),
		"assets/vendor.js":           []byte("// same in each version\n" + strings.Repeat("export const v = 1;\n", 900)),
		"assets/style.css":           []byte("body{margin:0}\n"),
		"assets/empty.txt":           {},
		"assets/sub/dir/ü-name.json": []byte("{\"a\":1}\n"),
	}
}

func with(files map[string][]byte, name, text string) map[string][]byte {
	files[name] = []byte(text)
	return files
}

func without(files map[string][]byte, name string) map[string][]byte {
	delete(files, name)
	return files
}

func names(files map[string][]byte) []string {
	var list []string
	for n := range files {
		list = append(list, n)
	}
	slices.Sort(list)
	return list
}

func treeOf(files map[string][]byte) ota.Digest {
	var tree []ota.TreeFile
	for _, n := range names(files) {
		tree = append(tree, ota.TreeFile{Path: n, Hash: ota.Sum(files[n]), Size: int64(len(files[n]))})
	}
	return ota.TreeDigest(tree)
}

func zipOf(files map[string][]byte) []byte {
	var buf bytes.Buffer
	w := zip.NewWriter(&buf)
	for _, n := range names(files) {
		f, err := w.Create(n)
		if err == nil {
			_, err = f.Write(files[n])
		}
		if err != nil {
			panic(err)
		}
	}
	if err := w.Close(); err != nil {
		panic(err)
	}
	return buf.Bytes()
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// zipAnswer publishes raw as the zip of a version, encrypted if k is given.
func (s *server) zipAnswer(version string, raw []byte, k *seal.PrivateKey) map[string]any {
	a := map[string]any{"version": version, "checksum": ota.Sum(raw).String()}
	if k != nil {
		session := k.EpochSession(testApp, 1)
		a["session_key"] = must(k.SealSession(session))
		a["checksum"] = must(k.SealHash(ota.Sum(raw)))
		raw = session.EncryptBytes(raw)
	}
	a["url"] = s.put("zip/"+version+".zip", &blob{body: raw})
	return a
}

// manifestAnswer publishes files one by one.
func (s *server) manifestAnswer(version string, files map[string][]byte, k *seal.PrivateKey) map[string]any {
	a := map[string]any{"version": version, "url": s.URL + "/none.zip", "checksum": ""}
	var session seal.Session
	if k != nil {
		session = k.EpochSession(testApp, 1)
		a["session_key"] = must(k.SealSession(session))
		a["checksum"] = must(k.SealHash(ota.Sum(nil)))
	}
	var list []map[string]any
	for _, n := range names(files) {
		stored, name, hash := files[n], n, ota.Sum(files[n]).String()
		switch {
		case len(stored) >= 8192:
			stored, name = brotliOf(stored), n+".br"
		case len(stored) == 0 && k != nil:
			stored, name = []byte{0x1b, 0, 6}, n+".br"
		}
		if k != nil {
			stored, hash = session.EncryptBytes(stored), must(k.SealHash(ota.Sum(files[n])))
		}
		u := s.put("delta/"+version+"/"+name, &blob{body: stored})
		list = append(list, map[string]any{"file_name": name, "file_hash": hash, "download_url": u})
	}
	a["manifest"] = list
	return a
}

func brotliOf(b []byte) []byte {
	var buf bytes.Buffer
	w := brotli.NewWriter(&buf)
	_, _ = w.Write(b)
	_ = w.Close()
	return buf.Bytes()
}

func entries(a map[string]any) []map[string]any { return a["manifest"].([]map[string]any) }

func entry(a map[string]any, name string) map[string]any {
	for _, e := range entries(a) {
		if e["file_name"] == name {
			return e
		}
	}
	panic("no entry " + name)
}

// base64Sum is the other form of a signed checksum that the plugin takes.
func base64Sum(a map[string]any) {
	a["checksum"] = base64.StdEncoding.EncodeToString(must(hex.DecodeString(a["checksum"].(string))))
}
