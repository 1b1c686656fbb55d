package capgo

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// link returns the path of a stored text.
func (w *world) link(text string) string {
	return w.deps.Edge.Link(appID, w.blob(text), testTime.Add(time.Hour).Unix())
}

func TestDownload(t *testing.T) {
	const text = "0123456789"
	w := newWorld()
	good := w.link(text)
	tag := `"` + ota.Sum([]byte(text)).String() + `"`
	for _, c := range []struct {
		name    string
		method  string
		path    string
		header  []string
		status  int
		body    string
		headers map[string]string
	}{
		{"whole", "GET", good, nil, 200, text, map[string]string{
			"Content-Length": "10", "Accept-Ranges": "bytes", "ETag": tag, "Content-Type": "application/octet-stream", "Content-Disposition": "attachment",
			"Cache-Control": "public, max-age=31536000, immutable, no-transform", "X-Content-Type-Options": "nosniff", "Content-Encoding": "", "Last-Modified": "",
		}},
		{"head", "HEAD", good, nil, 200, "", map[string]string{"Content-Length": "10", "ETag": tag}},
		{"who asks does not matter", "GET", good + "&device_id=x", nil, 200, text, nil},
		{"below the old prefix", "GET", "/plugin" + good, nil, 200, text, nil},
		{"compression offered", "GET", good, []string{"Accept-Encoding", "gzip, br"}, 200, text, map[string]string{"Content-Encoding": ""}},
		{"begin", "GET", good, []string{"Range", "bytes=0-3"}, 206, "0123", map[string]string{"Content-Range": "bytes 0-3/10", "Content-Length": "4"}},
		{"rest", "GET", good, []string{"Range", "bytes=7-"}, 206, "789", map[string]string{"Content-Range": "bytes 7-9/10"}},
		{"end", "GET", good, []string{"Range", "bytes=-2"}, 206, "89", map[string]string{"Content-Range": "bytes 8-9/10"}},
		{"past the end", "GET", good, []string{"Range", "bytes=10-"}, 416, "", map[string]string{"Content-Range": "bytes */10", "Cache-Control": ""}},
		{"range nobody can read", "GET", good, []string{"Range", "bytes=x-"}, 416, "", nil},
		{"same file still", "GET", good, []string{"Range", "bytes=7-", "If-Range", tag}, 206, "789", nil},
		{"another file meanwhile", "GET", good, []string{"Range", "bytes=7-", "If-Range", `"other"`}, 200, text, nil},
		{"has it", "GET", good, []string{"If-None-Match", tag}, 304, "", nil},
		{"forged", "GET", strings.Replace(good, "&s=", "&s=A", 1), nil, 403, `"link_invalid"`, nil},
		{"unsigned", "GET", good[:strings.Index(good, "?")], nil, 403, `"link_invalid"`, nil},
		{"expired", "GET", w.deps.Edge.Link(appID, w.blob(text), testTime.Unix()-1), nil, 403, `"link_expired"`, nil},
		{"of no app", "GET", w.deps.Edge.Link("com.example.none", w.blob(text), testTime.Unix()+60), nil, 404, `"not_found"`, nil},
		{"of another app", "GET", strings.Replace(good, appID, "com.example.none", 1), nil, 404, `"not_found"`, nil},
		{"not stored", "GET", w.deps.Edge.Link(appID, ota.Sum([]byte("gone")), testTime.Unix()+60), nil, 404, `"not_found"`, nil},
		{"no digest", "GET", "/files/" + appID + "/../../etc/passwd", nil, 404, `"not_found"`, nil},
		{"upper-case digest", "GET", "/files/" + appID + "/" + strings.ToUpper(strings.Trim(tag, `"`)), nil, 404, `"not_found"`, nil},
		{"no file", "GET", "/files/nonexistent-file.zip", nil, 404, `"not_found"`, nil},
		{"write", "PUT", good, nil, 405, `"method_not_allowed"`, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := w.do(c.method, c.path, nil, c.header...)
			if a.status != c.status {
				t.Errorf("status %d, want %d: %s", a.status, c.status, a.body)
			}
			if c.status < 300 && a.body != c.body || c.status >= 300 && !strings.Contains(a.body, c.body) {
				t.Errorf("got %q, want %q", a.body, c.body)
			}
			for k, v := range c.headers {
				if got := a.header.Get(k); got != v {
					t.Errorf("%s: %q, want %q", k, got, v)
				}
			}
		})
	}
	w.broken = errBroken
	w.do("GET", good, nil).want(t, http.StatusServiceUnavailable, map[string]any{"error": "upstream_unavailable"})
}

func TestDownloadsAreCounted(t *testing.T) {
	const text, id = "0123456789", "11112222-3333-4444-8555-666677778888"
	w := newWorld()
	good := w.link(text)
	for _, c := range []struct {
		method, path string
		header       []string
		want         string // device and bytes
	}{
		{"GET", good + "&device_id=" + id, nil, id + " 10"},
		{"GET", good + "&device_id=" + strings.ToUpper(id), []string{"Range", "bytes=0-3"}, id + " 4"},
		{"GET", good, nil, ota.DeviceID{}.String() + " 10"},
		{"GET", good + "&device_id=nobody", nil, ota.DeviceID{}.String() + " 10"},
		{"HEAD", good + "&device_id=" + id, nil, id + " 0"},
	} {
		w.sent = nil
		w.do(c.method, c.path, nil, c.header...)
		if len(w.sent) != 1 || w.sent[0] != appID+" "+c.want {
			t.Errorf("%s %s %v: counted %q, want %q", c.method, c.path, c.header, w.sent, c.want)
		}
	}
	w.sent = nil
	w.do("GET", strings.Replace(good, "&s=", "&s=A", 1)+"&device_id="+id, nil)
	if len(w.sent) != 0 {
		t.Errorf("a refused download counted: %q", w.sent)
	}
}

func TestDownloadEmpty(t *testing.T) {
	w := newWorld()
	if a := w.do("GET", w.link(""), nil); a.status != 200 || a.body != "" || a.header.Get("Content-Length") != "0" {
		t.Errorf("an empty file: %d %v", a.status, a.header)
	}
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errBroken }

func TestManifestSize(t *testing.T) {
	w := newWorld()
	a := w.do(http.MethodPost, "/updates", sent(nil))
	list := a.doc["manifest"].([]any)
	first, second := list[0].(map[string]any), list[1].(map[string]any)
	entry := func(name, hash, url string) map[string]any {
		return map[string]any{"file_name": name, "file_hash": hash, "download_url": url}
	}
	forged := strings.Replace(second["download_url"].(string), "&s=", "&s=A", 1)
	body := sent(map[string]any{"version": "1.0.1", "manifest": []any{
		first, first, second, entry("other", "h", "https://elsewhere.example.com/x"), entry("none", "h", ""), entry("forged", "h", forged),
		entry("no hash", "", first["download_url"].(string)), entry("bad", "h", "http://%zz"),
	}})
	size := func(f map[string]any) int { return len(f["file_name"].(string) + " of 1.0.1") }
	got := w.do(http.MethodPost, "/updates/manifest_size", body)
	got.want(t, 200, map[string]any{"totalSize": float64(size(first) + size(second)), "knownFiles": 2.0, "unknownFiles": 4.0})
	files := got.doc["files"].([]any)
	if len(files) != 6 || files[0].(map[string]any)["size"] != float64(size(first)) || files[2].(map[string]any)["error"] != "size_unknown" {
		t.Errorf("files %v", files)
	}
	w.do(http.MethodPost, "/updates/manifest_size", sent(map[string]any{"files": []any{second}})).want(t, 200, map[string]any{"knownFiles": 1.0})
	w.do(http.MethodPost, "/updates/manifest_size", sent(nil)).want(t, 200, map[string]any{"totalSize": 0.0, "knownFiles": 0.0, "unknownFiles": 0.0})
	w.do(http.MethodPost, "/updates/manifest_size", sent(map[string]any{"manifest": "x"})).want(t, 400, map[string]any{"error": "invalid_json_body"})
	w.do(http.MethodPost, "/updates/manifest_size", sent(map[string]any{"app_id": "com.example.none"})).want(t, 200, map[string]any{"error": "on_premise_app"})
	w.do(http.MethodPost, "/updates/manifest_size", "{").want(t, 400, map[string]any{"error": "invalid_json_parse_body"})
	many := make([]any, maxSized+1)
	for i := range many {
		many[i] = map[string]any{"file_hash": "h"}
	}
	w.do(http.MethodPost, "/updates/manifest_size", sent(map[string]any{"manifest": many})).want(t, 413, map[string]any{"error": "body_too_large"})
	w.broken = errBroken
	w.do(http.MethodPost, "/updates/manifest_size", body).want(t, 200, map[string]any{"knownFiles": 0.0, "unknownFiles": 6.0})
}

func TestCORS(t *testing.T) {
	w := newWorld()
	w.deps.Origins = []string{"https://console.example.com", "myapp://app"}
	for origin, ok := range map[string]bool{
		"capacitor://localhost": true, "ionic://localhost": true, "localhost://localhost": true, "http://localhost": true, "https://localhost": true,
		"http://localhost:5173": true, "http://127.0.0.1:8100": true, "http://[::1]:8080": true, "https://ota.example.com": true,
		"https://console.example.com": true, "myapp://app": true,
		"https://evil.example.com": false, "https://localhost.evil.example.com": false, "null": false, "http://localhost@evil.example.com": false, "http://me@localhost": false,
		"capacitor://evil": false, "http://127.0.0.2": false, "http://localhost/path": false, "ftp://localhost": false, "http://%zz": false,
	} {
		a := w.do(http.MethodGet, "/ok", nil, "Origin", origin)
		if got := a.header.Get("Access-Control-Allow-Origin"); (got == origin) != ok || !ok && got != "" || a.header.Get("Vary") != "Origin" || a.status != 200 {
			t.Errorf("%s: allowed %q", origin, got)
		}
		a = w.do(http.MethodOptions, "/updates/manifest_size", nil, "Origin", origin, "Access-Control-Request-Method", "POST")
		if got := a.header.Get("Access-Control-Allow-Origin"); a.status != 204 || (got == origin) != ok || !strings.Contains(a.header.Get("Access-Control-Allow-Methods"), "POST") {
			t.Errorf("preflight from %s: %d, allowed %q", origin, a.status, got)
		}
	}
	if a := w.do(http.MethodPost, "/updates", sent(nil)); a.header.Get("Vary") != "" || a.header.Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("native code was answered with %v", a.header)
	}
}

// TestLinksLeadBack holds that the links of an answer lead to where the device
// came from, unless the operator says otherwise, and that they work.
func TestLinksLeadBack(t *testing.T) {
	w := newWorld()
	w.deps.PublicURL = ""
	srv := httptest.NewServer(New(w.deps))
	defer srv.Close()
	answer := w.do(http.MethodPost, "/updates", sent(nil))
	if url := answer.doc["url"].(string); !strings.HasPrefix(url, "http://example.com/files/") {
		t.Errorf("url %s", url)
	}
	w.deps.PublicURL = srv.URL + "/"
	url := w.do(http.MethodPost, "/updates", sent(nil)).doc["url"].(string)
	req, err := http.NewRequestWithContext(context.Background(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if b, _ := io.ReadAll(res.Body); string(b) != "zip of 1.0.1" || res.StatusCode != 200 {
		t.Errorf("%s: %d %q", url, res.StatusCode, b)
	}
}
