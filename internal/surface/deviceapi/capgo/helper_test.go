package capgo

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/decide"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/semver"
	"github.com/waxwing-ota/waxwing/internal/plane/edge"
	"github.com/waxwing-ota/waxwing/internal/plane/ingest"
)

const (
	appID    = "com.example.shop"
	deviceID = "00009a6b-eefe-490a-9c60-8e965132ae51"
)

var testTime = time.Unix(1_800_000_000, 0)

// world is a handler with everything behind it in memory.
type world struct {
	apps    map[string]*decide.App
	reports map[string][]ingest.Report // by app
	seen    []ingest.Seen
	sent    []string                // what Downloaded was told
	chosen  map[ota.DeviceID]string // self channels; "" = cleared
	blobs   map[ota.Digest][]byte
	broken  error // what every store answers; nil = they work
	deps    Deps
	mu      sync.Mutex
}

func (w *world) App(id string) *decide.App { return w.apps[id] }

func (w *world) Record(_ context.Context, app string, r []ingest.Report) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.broken == nil {
		w.reports[app] = append(w.reports[app], r...)
	}
	return w.broken
}

func (w *world) Offer(s ingest.Seen) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.seen = append(w.seen, s)
}

func (w *world) Downloaded(app string, id ota.DeviceID, bytes int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.sent = append(w.sent, fmt.Sprint(app, " ", id, " ", bytes))
}

func (w *world) SetSelfChannel(_ context.Context, _ string, id ota.DeviceID, channel string) error {
	if w.broken == nil {
		w.chosen[id] = channel
	}
	return w.broken
}

func (w *world) ClearSelfChannel(ctx context.Context, app string, id ota.DeviceID) error {
	return w.SetSelfChannel(ctx, app, id, "")
}

func (w *world) Has(_ context.Context, d ota.Digest) (int64, bool, error) {
	b, ok := w.blobs[d]
	return int64(len(b)), ok, w.broken
}

func (w *world) Open(_ context.Context, d ota.Digest) (io.ReadSeekCloser, int64, error) {
	b, ok := w.blobs[d]
	switch {
	case w.broken != nil:
		return nil, 0, w.broken
	case !ok:
		return nil, 0, ota.NotFound("blob_not_found", "there is no such blob")
	}
	return nopCloser{bytes.NewReader(b)}, int64(len(b)), nil
}

type nopCloser struct{ io.ReadSeeker }

func (nopCloser) Close() error { return nil }

// blob stores bytes and returns their name.
func (w *world) blob(text string) ota.Digest {
	d := ota.Sum([]byte(text))
	w.blobs[d] = []byte(text)
	return d
}

// bundle makes a published version of which there are a zip and two files.
func (w *world) bundle(version string) *decide.Bundle {
	b := &decide.Bundle{Version: version}
	b.Semver, _ = semver.Parse(version)
	plain := &decide.Variant{Bundle: b, Variant: ota.Variant{Zip: w.blob("zip of " + version), Checksum: ota.Sum([]byte("zip of " + version)).String()}}
	for _, name := range []string{"index.html", "app.js"} {
		body := name + " of " + version
		plain.Files = append(plain.Files, ota.VariantFile{Name: name, WireHash: ota.Sum([]byte(body)).String(), Blob: w.blob(body)})
	}
	b.Variants = []*decide.Variant{plain}
	return b
}

func channelOf(id int64, name string, b *decide.Bundle, change func(*ota.Policy)) *decide.Channel {
	ch := &decide.Channel{ID: id, Name: name, Policy: ota.DefaultPolicy(), Chain: []decide.Release{{ID: id, Bundle: b}}}
	ch.Policy.AllowSelfSet = true
	change(&ch.Policy)
	return ch
}

// newWorld serves one app: a public channel "production" with 1.0.1, a private
// "beta" with 1.1.0 that devices may choose, and "secret" that they may not.
func newWorld() *world {
	w := &world{
		apps: map[string]*decide.App{}, reports: map[string][]ingest.Report{}, chosen: map[ota.DeviceID]string{},
		blobs: map[ota.Digest][]byte{},
	}
	app := &decide.App{ID: appID, AllowCustomID: true, Versions: decide.NewVersions([]string{"1.0.0", "1.0.1", "1.1.0"})}
	app.Channels = []*decide.Channel{
		channelOf(2, "beta", w.bundle("1.1.0"), func(*ota.Policy) {}),
		channelOf(1, "production", w.bundle("1.0.1"), func(p *ota.Policy) { p.Public = true }),
		channelOf(3, "secret", w.bundle("1.1.0"), func(p *ota.Policy) { p.AllowSelfSet = false }),
	}
	w.apps[appID] = app
	now := func() time.Time { return testTime }
	w.deps = Deps{
		Apps: w, Recorder: w, Channels: w, Blobs: w, Edge: edge.New([32]byte{1}, now), Now: now,
		Log: slog.New(slog.DiscardHandler), PublicURL: "https://ota.example.com/",
	}
	return w
}

func (w *world) app() *decide.App { return w.apps[appID] }

// bind makes facts known of the one device of the tests.
func (w *world) bind(f decide.Facts) { w.app().Devices = factsOf{f} }

type factsOf struct{ facts decide.Facts }

func (f factsOf) Facts(ota.DeviceID) decide.Facts { return f.facts }

// sent is what a current plugin sends, with changes; a nil removes a field.
func sent(changes map[string]any) map[string]any {
	f := map[string]any{
		"platform": "android", "device_id": deviceID, "app_id": appID, "custom_id": "", "version_build": "1.0.0",
		"version_code": "420", "version_os": "15", "version_name": "1.0.0", "plugin_version": "8.51.23",
		"is_emulator": false, "is_prod": true, "install_source": "google_play", "defaultChannel": "",
	}
	maps.Copy(f, changes)
	for k, v := range f {
		if v == nil {
			delete(f, k)
		}
	}
	return f
}

// null is a field that is there and null.
var null = json.RawMessage("null")

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   string
	doc    map[string]any // nil if the body is no object
}

// do sends a request; body is a string, or is encoded.
func (w *world) do(method, path string, body any, header ...string) answer {
	var r io.Reader
	switch b := body.(type) {
	case nil:
	case string:
		r = strings.NewReader(b)
	default:
		raw, err := json.Marshal(b)
		if err != nil {
			return answer{body: err.Error()}
		}
		r = bytes.NewReader(raw)
	}
	req := httptest.NewRequest(method, path, r)
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	rec := httptest.NewRecorder()
	New(w.deps).ServeHTTP(rec, req)
	a := answer{status: rec.Code, header: rec.Header(), body: rec.Body.String()}
	_ = json.Unmarshal(rec.Body.Bytes(), &a.doc)
	return a
}

// queryOf writes fields as a query.
func queryOf(f map[string]any) string {
	q := url.Values{}
	for k, v := range f {
		raw, _ := json.Marshal(v)
		q.Set(k, strings.Trim(string(raw), `"`))
	}
	return "?" + q.Encode()
}

// want checks the status and some fields of an answer; a nil is "must be absent".
func (a answer) want(t *testing.T, status int, fields map[string]any) {
	t.Helper()
	if a.status != status {
		t.Errorf("status %d, want %d: %s", a.status, status, a.body)
	}
	for k, want := range fields {
		got, ok := a.doc[k]
		if ok != (want != nil) || ok && got != want {
			t.Errorf("%s is %v, want %v in %s", k, got, want, a.body)
		}
	}
}

var errBroken = errors.New("broken for the test")

// postCheck posts a check to a handler that lasts for several.
func postCheck(h http.Handler, f map[string]any) string {
	raw, err := json.Marshal(f)
	if err != nil {
		return err.Error()
	}
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, httptest.NewRequest(http.MethodPost, "/updates", bytes.NewReader(raw)))
	return rec.Body.String()
}
