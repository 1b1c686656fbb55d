package run_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// The map of all of app.js to one line of a source.
const storyMap = `{"version":3,"sources":["webpack:///src/cart.ts"],"sourcesContent":["// the secret source\nreturn cart.total\n"],"names":[],"mappings":"AACA"}`

// ask sends a request of a device and returns the status and the answer.
func (s *story) ask(method, path, body string) (int, string) {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), method, s.URL+path, strings.NewReader(body))
	s.ok(err)
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	s.ok(err)
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	s.ok(err)
	return res.StatusCode, string(b)
}

// TestErrorStory: a device reports an error of a minified script, people see it
// in the sources, and no device can be given the map that made that possible.
func TestErrorStory(t *testing.T) {
	s := newStory(t)
	ctx := t.Context()
	s.publish("1.1.0")
	d := ota.Sum([]byte(storyMap))
	must(s, func() (bool, error) { return s.c.PutBlob(ctx, app, d, 0, bytes.NewReader([]byte(storyMap))) })
	s.ok(s.c.AddSourceMaps(ctx, app, "1.1.0", ota.NewSourceMaps{Maps: []ota.NewSourceMap{{Path: "app.js", Blob: d}}}))
	s.release("production", "1.1.0")

	const device = `"app_id":"com.example.story","device_id":"0a000000-0000-4000-8000-00000000000%d","platform":"android","version_name":"%s","version_build":"1.0.0",
		"version_code":"1","version_os":"15","plugin_version":"8.51.23","is_emulator":false,"is_prod":true`
	for n, stack := range []string{`TypeError: x\n    at t (https://localhost/app.js:1:77)`, `q@capacitor://localhost/app.js:1:12`} {
		status, answer := s.ask("POST", "/stats", fmt.Sprintf(`{`+device+`,"action":"webview_javascript_error","timestamp":%d,"metadata":{"message":"TypeError: x","stack":%q}}`,
			n, "1.1.0", 1_700_000_000_000+n, strings.ReplaceAll(stack, `\n`, "\n")))
		if status != http.StatusOK {
			t.Fatalf("stats: %d %s", status, answer)
		}
	}
	groups := must(s, func() ([]ota.ErrorGroup, error) {
		items, _, err := s.c.Errors(ctx, app, ota.ErrorFilter{}, ota.Page{})
		return items, err
	})
	if len(groups) != 1 || groups[0].Count != 2 || groups[0].Devices != 2 || !groups[0].Symbolicated {
		t.Fatalf("groups: %+v", groups)
	}
	shown := must(s, func() (ota.ErrorGroupDetail, error) { return s.c.Error(ctx, app, groups[0].ID, 0) })
	if f := shown.Frames; len(f) != 1 || f[0].File != "src/cart.ts" || f[0].Line != 2 || f[0].Context[1].Text != "return cart.total" {
		t.Errorf("frames: %+v", shown.Frames)
	}

	// What a device gets names the map nowhere, and its links open nothing else.
	_, answer := s.ask("POST", "/updates", "{"+fmt.Sprintf(device, 1, "1.0.0")+"}")
	if !strings.Contains(answer, "/files/") || strings.Contains(answer, d.String()) || strings.Contains(answer, ".map") {
		t.Fatalf("the update: %s", answer)
	}
	link := answer[strings.Index(answer, s.URL+"/files/"):]
	link = strings.ReplaceAll(link[:strings.IndexByte(link, '"')], `\u0026`, "&")
	u, err := url.Parse(link)
	s.ok(err)
	if status, _ := s.ask("GET", u.RequestURI(), ""); status != http.StatusOK {
		t.Fatalf("the link of the bundle: %d", status)
	}
	for _, path := range []string{
		"/files/" + app + "/" + d.String() + "?" + u.RawQuery, "/files/" + app + "/" + d.String(), "/files/" + app + "/app.js.map",
		"/api/v1/apps/" + app + "/blobs/" + d.String(), "/api/v1/apps/" + app + "/bundles/1.1.0/sourcemaps/content?path=app.js",
	} {
		if status, body := s.ask("GET", path, ""); status < 400 || strings.Contains(body, "secret source") {
			t.Errorf("%s: %d", path, status)
		}
	}

	// Reading the maps needs a role that viewers do not have; garbage collection keeps them.
	if _, err := s.c.CollectGarbage(ctx); err != nil {
		t.Fatal(err)
	}
	if maps := must(s, func() ([]ota.SourceMap, error) { return s.c.SourceMaps(ctx, app, "1.1.0") }); len(maps) != 1 || maps[0].Blob != d {
		t.Errorf("maps: %+v", maps)
	}
}
