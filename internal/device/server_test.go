package device

import (
	"archive/zip"
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/andybalholm/brotli"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/seal"
)

const testApp = "com.example.shop"

// twoKeys are made once: generating RSA keys is slow.
var twoKeys = sync.OnceValue(func() [2]*seal.PrivateKey {
	var k [2]*seal.PrivateKey
	for i := range k {
		var err error
		if k[i], err = seal.GenerateKey(rand.Reader); err != nil {
			panic(err)
		}
	}
	return k
})

func keyA() *seal.PrivateKey { return twoKeys()[0] }
func keyB() *seal.PrivateKey { return twoKeys()[1] }

// blob is one downloadable thing and the way the server misbehaves with it.
type blob struct {
	body     []byte
	cut      int // end the connection after so many bytes; 0 = never
	cutTimes int // only so often
	onCut    func()
	status   int  // answer this instead
	endless  bool // never stop sending
	redirect string
	encoding string             // claim this Content-Encoding
	ranges   func(n int) string // Content-Range to lie with; "" = do not honour ranges
}

// request is what the server saw.
type request struct {
	Method, Path, Query, Range, Agent string
	Body                              []byte
}

// server plays answers and records what a device does.
type server struct {
	*httptest.Server
	t  *testing.T
	mu sync.Mutex

	answer       any // of /updates: []byte as is, else JSON
	answerStatus int
	header       http.Header
	channel      any
	channelCode  int
	statsStatus  int
	statsBody    string
	blobs        map[string]*blob
	requests     []request
	events       []map[string]any
	posts        []string // shape of each stats body: "[n]" or "{}"
}

func newServer(t *testing.T) *server {
	s := &server{t: t, blobs: map[string]*blob{}, statsBody: `{"status":"ok"}`}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	s.mu.Lock()
	s.requests = append(s.requests, request{r.Method, r.URL.Path, r.URL.RawQuery, r.Header.Get("Range"), r.UserAgent(), body})
	s.mu.Unlock()
	switch r.URL.Path {
	case "/updates":
		s.reply(w, s.answerStatus, s.answer)
	case "/updates/manifest_size":
		s.reply(w, 200, map[string]any{"totalSize": 10, "knownFiles": 2, "unknownFiles": 0})
	case "/channel_self":
		s.reply(w, s.channelCode, s.channel)
	case "/stats":
		s.stats(w, body)
	default:
		s.mu.Lock()
		b := s.blobs[r.URL.Path]
		s.mu.Unlock()
		s.file(w, r, b)
	}
}

func (s *server) reply(w http.ResponseWriter, status int, v any) {
	for k := range s.header {
		w.Header().Set(k, s.header.Get(k))
	}
	b, raw := v.([]byte)
	if !raw {
		b, _ = json.Marshal(v)
	}
	if status == 0 {
		status = 200
	}
	w.WriteHeader(status)
	_, _ = w.Write(b)
}

func (s *server) stats(w http.ResponseWriter, body []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []map[string]any
	var one map[string]any
	switch {
	case json.Unmarshal(body, &list) == nil:
		s.posts = append(s.posts, fmt.Sprintf("[%d]", len(list)))
	case json.Unmarshal(body, &one) == nil:
		s.posts = append(s.posts, "{}")
		list = []map[string]any{one}
	default:
		s.t.Errorf("stats body %q is no JSON", body)
	}
	if s.statsStatus/100 == 2 || s.statsStatus == 0 {
		s.events = append(s.events, list...)
	}
	if s.statsStatus != 0 {
		w.WriteHeader(s.statsStatus)
	}
	_, _ = io.WriteString(w, s.statsBody)
}

func (s *server) file(w http.ResponseWriter, r *http.Request, b *blob) {
	switch {
	case b == nil:
		http.Error(w, "no such file", 404)
		return
	case b.redirect != "":
		http.Redirect(w, r, b.redirect, http.StatusFound)
		return
	case b.status != 0:
		w.WriteHeader(b.status)
		return
	case b.endless:
		for chunk := make([]byte, 1<<16); ; {
			if _, err := w.Write(chunk); err != nil {
				return
			}
		}
	}
	body, code := b.body, 200
	if n, ok := strings.CutPrefix(r.Header.Get("Range"), "bytes="); ok && (b.ranges == nil || b.ranges(0) != "") {
		from, _ := strconv.Atoi(strings.TrimSuffix(n, "-"))
		if from >= len(body) {
			w.Header().Set("Content-Range", fmt.Sprintf("bytes */%d", len(body)))
			w.WriteHeader(http.StatusRequestedRangeNotSatisfiable)
			return
		}
		w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, len(body)-1, len(body)))
		if b.ranges != nil {
			w.Header().Set("Content-Range", b.ranges(from))
		}
		body, code = body[from:], 206
	}
	if b.encoding != "" {
		w.Header().Set("Content-Encoding", b.encoding)
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(code)
	s.mu.Lock()
	cut := b.cut > 0 && b.cut < len(body) && b.cutTimes != 0
	b.cutTimes--
	s.mu.Unlock()
	if !cut {
		_, _ = w.Write(body)
		return
	}
	_, _ = w.Write(body[:b.cut])
	w.(http.Flusher).Flush()
	if b.onCut != nil {
		b.onCut()
		<-r.Context().Done() // the device hangs up
	}
	panic(http.ErrAbortHandler)
}

// put stores a blob and returns its address.
func (s *server) put(name string, b *blob) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.blobs["/"+name] = b
	return s.URL + (&url.URL{Path: "/" + name}).EscapedPath()
}

// actions lists the reported actions, each with the version it names: "set 2.0.0".
func (s *server) actions() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []string
	for _, e := range s.events {
		v, ok := e["version_name"].(string)
		if !ok {
			v = "-"
		}
		list = append(list, e["action"].(string)+" "+v)
	}
	return list
}

// fetched lists the paths that were downloaded since request n, with ranges.
func (s *server) fetched(n int) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []string
	for _, r := range s.requests[n:] {
		if r.Method == "GET" && r.Path != "/channel_self" {
			list = append(list, strings.TrimSpace(filepath.Base(r.Path)+" "+r.Range))
		}
	}
	slices.Sort(list)
	return list
}

func (s *server) seen() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.requests)
}

// lastBody returns the body of the newest request to path.
func (s *server) lastBody(path string) map[string]any {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range slices.Backward(s.requests) {
		if r.Path == path {
			var m map[string]any
			_ = json.Unmarshal(r.Body, &m)
			return m
		}
	}
	return nil
}

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

// rig is a device and the server it talks to. The device's folder lies within
// another, in which nothing may ever appear.
type rig struct {
	*Device
	t    *testing.T
	srv  *server
	cfg  Config
	now  time.Time
	home string
}

func newRig(t *testing.T, change func(*Config)) *rig {
	t.Helper()
	r := &rig{t: t, srv: newServer(t), now: time.UnixMilli(1_800_000_000_000), home: t.TempDir()}
	r.cfg = Config{
		UpdateURL: r.srv.URL + "/updates", StatsURL: r.srv.URL + "/stats", ChannelURL: r.srv.URL + "/channel_self",
		AppID: testApp, Dir: filepath.Join(r.home, "a", "device"), Now: func() time.Time { return r.now },
	}
	if change != nil {
		change(&r.cfg)
	}
	r.open()
	t.Cleanup(func() {
		_ = r.Close()
		r.outside()
	})
	return r
}

func (r *rig) open() {
	r.t.Helper()
	d, err := New(r.cfg)
	if err != nil {
		r.t.Fatal(err)
	}
	r.Device = d
}

// restart is a killed process: what was only in memory is gone.
func (r *rig) restart() {
	r.t.Helper()
	_ = r.root.Close()
	r.open()
}

// outside fails if anything lies beside the device's folder.
func (r *rig) outside() {
	r.t.Helper()
	_ = filepath.WalkDir(r.home, func(p string, e fs.DirEntry, err error) error {
		if p == r.cfg.Dir {
			return filepath.SkipDir
		}
		if err == nil && !e.IsDir() {
			r.t.Errorf("%s was written outside the device's folder", p)
		}
		return nil
	})
}

// installed returns the tree of what runs and checks it against the record.
func (r *rig) installed() ota.Digest {
	r.t.Helper()
	b := r.Running()
	if b.ID == builtinID {
		return ota.Digest{}
	}
	files, err := r.files(versionsDir + "/" + b.ID)
	if err != nil || ota.TreeDigest(files) != b.Tree {
		r.t.Fatalf("bundle %s is not what was recorded: %v", b.Version, err)
	}
	return b.Tree
}

func (r *rig) update() (Updated, error) { return r.Update(r.t.Context(), "") }

func (r *rig) launch(ready bool) Launched {
	r.t.Helper()
	l, err := r.Launch(r.t.Context(), ready)
	if err != nil {
		r.t.Fatal(err)
	}
	return l
}

// left lists what lies in a folder of the device.
func (r *rig) left(dir string) []string {
	r.t.Helper()
	list := []string{}
	entries, err := os.ReadDir(filepath.Join(r.cfg.Dir, dir))
	if err != nil {
		r.t.Fatal(err)
	}
	for _, e := range entries {
		list = append(list, e.Name())
	}
	return list
}

func keyed(c *Config) { c.PublicKeyPEM = keyA().Public().PEM() }

func onIOS(c *Config) { c.Platform = IOS }

func both(fs ...func(*Config)) func(*Config) {
	return func(c *Config) {
		for _, f := range fs {
			if f != nil {
				f(c)
			}
		}
	}
}

// zipWithLink is an archive with an entry that is a symbolic link.
func zipWithLink(t *testing.T) []byte {
	t.Helper()
	var buf bytes.Buffer
	w := zip.NewWriter(&buf)
	h := &zip.FileHeader{Name: "index.html", Method: zip.Deflate}
	f := must(w.CreateHeader(h))
	_, _ = io.WriteString(f, "<!doctype html>")
	link := &zip.FileHeader{Name: "link", Method: zip.Deflate}
	link.SetMode(fs.ModeSymlink | 0o777)
	f = must(w.CreateHeader(link))
	_, _ = io.WriteString(f, "../../state.json")
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}
