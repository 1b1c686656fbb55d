package run_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/run/config"
	"github.com/waxwing-ota/waxwing/internal/testkit/live"
)

// TestErrorsOverTheWire: each kind of error comes back through the client as
// the kind and code it was.
func TestErrorsOverTheWire(t *testing.T) {
	s := newStory(t)
	ctx := t.Context()
	s.publish("1.1.0")
	s.release("production", "1.1.0")
	for _, tt := range []struct {
		name string
		call func() error
		kind ota.Kind
		code string
	}{
		{"no such app", func() error { _, err := s.c.App(ctx, "com.example.none"); return err }, ota.KindNotFound, "app_not_found"},
		{"no such app, HEAD", func() error { _, _, err := s.c.BlobOffset(ctx, "com.example.none", ota.Sum(nil)); return err }, ota.KindNotFound, "app_not_found"},
		{"no such channel", func() error { _, err := s.c.Channel(ctx, app, "none"); return err }, ota.KindNotFound, "channel_not_found"},
		{"no such version", func() error { _, err := s.c.Bundle(ctx, app, "9.9.9"); return err }, ota.KindNotFound, "bundle_not_found"},
		{"no such variant", func() error { _, err := s.c.VariantFiles(ctx, app, "1.1.0", "MII/+x"); return err }, ota.KindNotFound, "variant_not_found"},
		{"no such blob", func() error { _, _, err := s.c.OpenBlob(ctx, app, ota.Sum([]byte("none"))); return err }, ota.KindNotFound, "blob_not_found"},
		{"no such token", func() error { return s.c.DeleteToken(ctx, 999) }, ota.KindNotFound, "token_not_found"},
		{"app is there", func() error { _, err := s.c.CreateApp(ctx, ota.NewApp{ID: app}); return err }, ota.KindConflict, "app_exists"},
		{"version is there", func() error {
			in, _ := s.bundle("1.1.0")
			in.Tree, in.Variants[0].Files = in.Tree[:2], in.Variants[0].Files[:2]
			_, _, err := s.c.CreateBundle(ctx, app, in)
			return err
		}, ota.KindConflict, "version_exists"},
		{"blob is missing", func() error {
			in, _ := s.bundle("1.9.0")
			_, _, err := s.c.CreateBundle(ctx, app, in)
			return err
		}, ota.KindConflict, "blob_missing"},
		{"bundle is in use", func() error { return s.c.DeleteBundle(ctx, app, "1.1.0", false) }, ota.KindConflict, "bundle_in_use"},
		{"bad app id", func() error { _, err := s.c.CreateApp(ctx, ota.NewApp{ID: "app"}); return err }, ota.KindInvalid, "app_id_invalid"},
		{"bad key", func() error { _, err := s.c.RegisterKey(ctx, app, "hello"); return err }, ota.KindInvalid, "key_invalid"},
		{"bad probe", func() error { _, err := s.c.Probe(ctx, app, ota.ProbeRequest{Platform: "symbian"}); return err }, ota.KindInvalid, "platform_invalid"},
		{"bad cursor", func() error { _, _, err := s.c.Bundles(ctx, app, ota.Page{After: "!"}); return err }, ota.KindInvalid, "cursor_invalid"},
		{"bad limit", func() error { _, _, err := s.c.Bundles(ctx, app, ota.Page{Limit: 501}); return err }, ota.KindInvalid, "parameter_invalid"},
		{"wrong digest", func() error {
			_, err := s.c.PutBlob(ctx, app, ota.Sum([]byte("something else")), 0, strings.NewReader("content"))
			if err == nil { // it may only show once the upload is said to be over
				_, err = s.c.PutBlob(ctx, app, ota.Sum([]byte("something else")), 7, strings.NewReader(""))
			}
			return err
		}, ota.KindInvalid, "blob_digest_mismatch"},
		{"wrong token", func() error { _, err := s.As(t, "wxw_none").Status(ctx); return err }, ota.KindUnauthorized, "token_invalid"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := tt.call()
			if ota.KindOf(err) != tt.kind || ota.CodeOf(err) != tt.code {
				t.Errorf("got %v (kind %d, code %s)", err, ota.KindOf(err), ota.CodeOf(err))
			}
		})
	}
	if got := s.offered(""); got != "1.1.0" {
		t.Errorf("after all that a device gets %q", got)
	}
}

// TestSizesAreBounded: what is over a limit is refused whole, and the server
// goes on.
func TestSizesAreBounded(t *testing.T) {
	srv := live.Start(t, "", func(c *config.Config) {
		c.MaxBody, c.MaxBlob, c.MaxCheck, c.MaxStats, c.MaxManifest = 1000, 2000, 500, 600, 700
	})
	ctx := t.Context()
	if _, err := srv.Client.CreateApp(ctx, ota.NewApp{ID: app}); err != nil {
		t.Fatal(err)
	}
	_, err := srv.Client.CreateApp(ctx, ota.NewApp{ID: "com.example.big", Name: strings.Repeat("x", 1000)})
	if ota.KindOf(err) != ota.KindTooLarge || ota.CodeOf(err) != "body_too_large" {
		t.Errorf("a large body: %v", err)
	}
	for path, limit := range map[string]int{"/updates": 500, "/stats": 600, "/updates/manifest_size": 700} {
		res, err := http.Post(srv.URL+path, "application/json", strings.NewReader(`{"a":"`+strings.Repeat("x", limit)+`"}`))
		if err != nil {
			t.Fatal(err)
		}
		if err := res.Body.Close(); err != nil || res.StatusCode != http.StatusRequestEntityTooLarge {
			t.Errorf("a large request to %s: status %d, %v", path, res.StatusCode, err)
		}
	}
	content := bytes.Repeat([]byte("x"), 2001)
	for name, r := range map[string]io.Reader{
		"of known size":   bytes.NewReader(content),
		"of unknown size": io.MultiReader(bytes.NewReader(content)),
	} {
		if _, err := srv.Client.PutBlob(ctx, app, ota.Sum(content), 0, r); ota.KindOf(err) != ota.KindTooLarge {
			t.Errorf("a large file %s: %v", name, err)
		}
	}
	if complete, err := srv.Client.PutBlob(ctx, app, ota.Sum(content[:2000]), 0, bytes.NewReader(content[:2000])); !complete || err != nil {
		t.Errorf("a file of just the limit: %v, %v", complete, err)
	}
}

// TestBadRequests: what no client of ours would send.
func TestBadRequests(t *testing.T) {
	s := newStory(t)
	long := strings.Repeat("x", 40<<10)
	for _, tt := range []struct {
		name, method, path, body string
		status                   int
		code                     string
	}{
		{"broken JSON", "POST", "/apps", `{"id":`, 400, "json_broken"},
		{"wrong type", "POST", "/apps", `{"id":["com.example.x"]}`, 400, "json_wrong_type"},
		{"unknown field", "POST", "/apps", `{"id":"com.example.x","public":true}`, 400, "json_unknown_field"},
		{"field twice", "POST", "/apps", `{"id":"com.example.x","id":"com.example.y"}`, 400, "json_duplicate_field"},
		{"no body", "POST", "/apps", ``, 400, "body_missing"},
		{"deep nesting", "POST", "/apps", strings.Repeat(`{"a":`, 20_000), 400, "json_unknown_field"},
		{"unknown parameter", "GET", "/apps?lmit=5", ``, 400, "parameter_invalid"},
		{"offset below zero", "PUT", "/apps/" + app + "/blobs/" + strings.Repeat("ab", 32) + "?offset=-1", `x`, 400, "parameter_invalid"},
		{"digest of zeros", "PUT", "/apps/" + app + "/blobs/" + strings.Repeat("00", 32), `x`, 400, "digest_invalid"},
		{"digest in capitals", "PUT", "/apps/" + app + "/blobs/" + strings.Repeat("AB", 32), `x`, 400, "digest_invalid"},
		{"no UUID", "GET", "/apps/" + app + "/devices/7", ``, 400, "device_id_invalid"},
		{"traversal", "GET", "/apps/..%2f..%2fetc", ``, 404, "app_not_found"},
		{"no route", "GET", "/nonsense", ``, 404, "route_unknown"},
		{"no method", "PATCH", "/apps", `{}`, 405, "route_unknown"},
		{"long name", "POST", "/apps", `{"id":"com.example.x","` + long + `":1}`, 400, "json_unknown_field"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			req, err := http.NewRequestWithContext(t.Context(), tt.method, s.URL+"/api/v1"+tt.path, strings.NewReader(tt.body))
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("Authorization", "Bearer "+live.Token)
			res, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			defer res.Body.Close()
			raw, err := io.ReadAll(res.Body)
			if err != nil {
				t.Fatal(err)
			}
			var p struct {
				Status              int
				Code, Type, Title   string
				Detail, Hint, Field string
				RequestID           string `json:"request_id"`
			}
			if err := json.Unmarshal(raw, &p); err != nil {
				t.Fatalf("%v: %q", err, raw)
			}
			if res.StatusCode != tt.status || p.Status != tt.status || p.Code != tt.code || len(raw) > 2000 {
				t.Errorf("status %d: %s", res.StatusCode, raw)
			}
			if p.Type != "urn:waxwing:problem:"+p.Code || p.Title == "" || p.Detail == "" || p.RequestID != res.Header.Get("X-Request-Id") ||
				res.Header.Get("Content-Type") != "application/problem+json" {
				t.Errorf("not a whole problem: %s, %v", raw, res.Header)
			}
		})
	}
	if items, _, err := s.c.Apps(t.Context(), ota.Page{}); err != nil || len(items) != 1 {
		t.Errorf("after all that there are the apps %+v, %v", items, err)
	}
}

// TestProxyIsBelievedOnlyIfTold: links lead to where the device asked, unless
// the operator says that a proxy tells better.
func TestProxyIsBelievedOnlyIfTold(t *testing.T) {
	for trusted, want := range map[bool]string{false: "http://127.0.0.1:", true: "https://ota.example.com/"} {
		srv := live.Start(t, "", func(c *config.Config) { c.TrustProxy = trusted })
		s := &story{t: t, Server: srv, c: srv.Client}
		must(s, func() (ota.App, error) { return s.c.CreateApp(t.Context(), ota.NewApp{ID: app}) })
		s.publish("1.1.0")
		s.release("production", "1.1.0")
		body := `{"app_id":"` + app + `","device_id":"` + deviceText + `","platform":"android","version_name":"1.0.0","version_build":"1.0.0",
			"version_os":"15","plugin_version":"8.51.23","is_emulator":false,"is_prod":true}`
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, srv.URL+"/updates", strings.NewReader(body))
		s.ok(err)
		req.Header.Set("X-Forwarded-Host", "ota.example.com")
		req.Header.Set("X-Forwarded-Proto", "https")
		res, err := http.DefaultClient.Do(req)
		s.ok(err)
		raw, err := io.ReadAll(res.Body)
		s.ok(err)
		s.ok(res.Body.Close())
		if !strings.Contains(string(raw), `"url":"`+want) {
			t.Errorf("trusted = %v: %s", trusted, raw)
		}
	}
}
