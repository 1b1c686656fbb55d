package conformance

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/waxwing-ota/waxwing/internal/client"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/run"
	"github.com/waxwing-ota/waxwing/internal/run/config"
	"github.com/waxwing-ota/waxwing/internal/secret"
)

const owner = "conformance-owner-token-0123456789"

// server is one whole server; each case has an app of its own on it.
type server struct {
	url  string
	data string
	api  *client.Client
}

func serve(t *testing.T, change func(*config.Config)) server {
	t.Helper()
	cfg := config.Default()
	cfg.Data, cfg.Listen, cfg.BootstrapToken = t.TempDir(), "127.0.0.1:0", secret.New(owner)
	cfg.ShutdownGrace = time.Second
	if change != nil {
		change(&cfg)
	}
	ctx, stop := context.WithCancel(context.Background())
	s, err := run.New(ctx, cfg)
	if err != nil {
		stop()
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	url := "http://" + s.Addr().String()
	api, err := client.New(client.Config{URL: url, Token: secret.New(owner)})
	if err != nil {
		t.Fatal(err)
	}
	return server{url, cfg.Data, api}
}

// world is the fixture of one case.
type world struct {
	*testing.T
	server
	app   string
	fix   *fixture
	state map[string]any
}

var serial int

func newWorld(t *testing.T, s server, fix *fixture, state map[string]any) *world {
	serial++
	return &world{T: t, server: s, app: fmt.Sprintf("com.test.case%d", serial), fix: fix, state: state}
}

func (w *world) must(_ any, err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// of returns the state that the case gives to a thing, such as "bundle 1.0.0".
func (w *world) of(name string) map[string]any {
	m, _ := w.state[name].(map[string]any)
	return m
}

// build seeds the app through the admin API, which is all a script has.
func (w *world) build(extra ...string) {
	w.Helper()
	ctx := w.Context()
	w.must(w.api.CreateApp(ctx, ota.NewApp{ID: w.app}))
	w.must(nil, w.api.DeleteChannel(ctx, w.app, "production")) // the seed makes its own, first
	app := w.of("app")
	patch := ota.AppPatch{ExposeMetadata: new(app["expose_metadata"] == true), AllowCustomID: new(app["allow_device_custom_id"] != false)}
	w.must(w.api.UpdateApp(ctx, w.app, patch))
	for _, b := range w.fix.Seed.Bundles {
		w.bundle(b.Name, b.Checksum)
	}
	for _, name := range extra {
		w.bundle(name, "")
	}
	for _, ch := range w.fix.Seed.Channels {
		w.channel(ch)
	}
	if own := w.of("channel"); own != nil {
		ch := map[string]any{"name": "own", "bundle": "1.0.0", "electron": true}
		maps.Copy(ch, own)
		w.channel(ch)
	}
	rows, _ := w.state["channel_devices"].([]any)
	for _, row := range rows {
		pair := row.([]any)
		id, _ := ota.ParseDeviceID(pair[0].(string))
		w.must(nil, w.api.SetOverride(ctx, w.app, id, pair[1].(string)))
	}
}

func str(m map[string]any, key string) string {
	s, _ := m[key].(string)
	return s
}

// bundle imports a bundle as another tool would have made it.
func (w *world) bundle(name, checksum string) {
	w.Helper()
	st := w.of("bundle " + name)
	in := ota.ImportBundle{
		Version: name, Unchecked: true, MinNative: str(st, "min_update_version"), Link: str(st, "link"), Comment: str(st, "comment"),
		Variant: ota.Variant{KeyID: str(st, "key_id"), SessionKey: str(st, "session_key"), Checksum: checksum, ExternalURL: str(st, "external_url")},
	}
	manifest, _ := w.state["manifest"].([]any)
	if name == "1.0.0" {
		for _, row := range manifest {
			m := row.(map[string]any)
			body := "content of " + str(m, "file_name")
			in.Variant.Files = append(in.Variant.Files, ota.VariantFile{
				Name: str(m, "file_name"), WireHash: str(m, "file_hash"),
				Blob: w.blob(body), StoredSize: int64(len(body)),
			})
		}
	}
	if in.Variant.ExternalURL == "" && w.state["zip "+name] != false {
		body := "zip of " + name
		in.Variant.Zip, in.Variant.ZipSize = w.blob(body), int64(len(body))
	}
	_, _, err := w.api.ImportBundle(w.Context(), w.app, in)
	w.must(nil, err)
}

func (w *world) blob(body string) ota.Digest {
	w.Helper()
	d := ota.Sum([]byte(body))
	if _, complete, err := w.api.BlobOffset(w.Context(), w.app, d); err == nil && complete {
		return d
	}
	w.must(w.api.PutBlob(w.Context(), w.app, d, 0, strings.NewReader(body)))
	return d
}

func (w *world) channel(ch map[string]any) {
	w.Helper()
	name := str(ch, "name")
	all := map[string]any{
		"disable_auto_update": "major", "disable_auto_update_under_native": true, "allow_device_self_set": true,
		"allow_emulator": true, "allow_device": true, "allow_dev": true, "allow_prod": true,
	}
	for _, m := range []map[string]any{ch, w.of("*"), w.of(name)} {
		maps.Copy(all, m)
	}
	flag := func(key string) *bool { return new(all[key] == true) }
	strategy := ota.Strategy(str(all, "disable_auto_update"))
	w.must(w.api.CreateChannel(w.Context(), w.app, name, ota.PolicyPatch{
		Public: flag("public"), AllowSelfSet: flag("allow_device_self_set"), IOS: flag("ios"), Android: flag("android"), Electron: flag("electron"),
		AllowDev: flag("allow_dev"), AllowProd: flag("allow_prod"), AllowEmulator: flag("allow_emulator"), AllowDevice: flag("allow_device"),
		Strategy: &strategy, UnderNative: flag("disable_auto_update_under_native"),
	}))
	version := str(ch, "bundle")
	if v, ok := w.of(name)["version"]; ok {
		if version, ok = v.(string); !ok {
			version = ota.Builtin
		}
	}
	if version == "manifest-only bundle" {
		version = "1.0.0"
	}
	_, _, err := w.api.Release(w.Context(), w.app, name, ota.ReleaseRequest{Version: version})
	w.must(nil, err)
	w.rollout(name, all)
}

func (w *world) rollout(channel string, m map[string]any) {
	w.Helper()
	version := str(m, "rollout_version")
	if version == "" {
		return
	}
	bps := 0
	if f, ok := m["rollout_percentage_bps"].(float64); ok {
		bps = int(f)
	}
	w.must(w.api.SetRollout(w.Context(), w.app, channel, ota.RolloutRequest{
		Version: version, BPS: &bps,
		Enabled: new(m["rollout_enabled"] == true), Paused: new(m["rollout_paused_at"] != nil),
	}))
}

func (w *world) device(id string) (ota.Device, error) {
	d, _ := ota.ParseDeviceID(id)
	return w.api.Device(w.Context(), w.app, d)
}

func (w *world) events(f client.EventFilter) []ota.Event {
	w.Helper()
	list, _, err := w.api.Events(w.Context(), w.app, f, ota.Page{Limit: 100})
	w.must(nil, err)
	return list
}

func (w *world) get(url string, headers map[string]string) *http.Response {
	w.Helper()
	r, err := http.NewRequestWithContext(w.Context(), http.MethodGet, url, nil)
	w.must(nil, err)
	for k, v := range headers {
		r.Header.Set(k, v)
	}
	res, err := http.DefaultClient.Do(r)
	w.must(nil, err)
	return res
}

// breakBlob makes a stored file unreadable: a folder stands in its place.
func (w *world) breakBlob(body string) {
	w.Helper()
	hex := ota.Sum([]byte(body)).String()
	path := filepath.Join(w.data, "blobs", hex[:2], hex[2:])
	if _, err := os.Stat(path); err != nil {
		path = filepath.Join(w.data, "blobs", hex[:2], hex)
	}
	kept, err := os.ReadFile(path)
	w.must(nil, err)
	w.must(nil, os.Remove(path))
	w.must(nil, os.Mkdir(path, 0o700))
	w.Cleanup(func() {
		_ = os.Remove(path)
		_ = os.WriteFile(path, kept, 0o600)
	})
}
