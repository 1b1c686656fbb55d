package logapi

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/tilelog"
)

type fakeLog struct{}

func (fakeLog) Checkpoint(context.Context) (ota.AuditCheckpoint, error) {
	return ota.AuditCheckpoint{Note: "signed"}, nil
}

func (fakeLog) Tile(_ context.Context, t tlog.Tile) ([]byte, error) {
	if !tilelog.Exists(t, 300) {
		return nil, ota.NotFound("tile_unknown", "no")
	}
	return make([]byte, t.W), nil
}

func TestWhoMayReadWhat(t *testing.T) {
	fail := func(w http.ResponseWriter, _ *http.Request, err error) {
		status := map[ota.Kind]int{ota.KindUnauthorized: 401, ota.KindNotFound: 404, ota.KindInvalid: 400}[ota.KindOf(err)]
		w.WriteHeader(status)
	}
	allowed := func(r *http.Request) error {
		if r.Header.Get("Authorization") != "ok" {
			return ota.Errorf(ota.KindUnauthorized, "x", "no")
		}
		return nil
	}
	const public, own = "public, max-age=31536000, immutable", "private, max-age=31536000, immutable"
	for _, row := range []struct {
		method, path   string
		token, private bool
		status         int
		cache          string
	}{
		{"GET", "/log/checkpoint", false, false, 200, "no-cache"},
		{"HEAD", "/log/checkpoint", false, false, 200, "no-cache"},
		{"GET", "/log/checkpoint", false, true, 401, "no-store"},
		{"GET", "/log/checkpoint", true, true, 200, "no-cache"},
		{"GET", "/log/tile/0/000", false, false, 200, public},
		{"GET", "/log/tile/0/001.p/44", false, false, 200, public},
		{"GET", "/log/tile/0/001.p/45", false, false, 404, "no-store"},
		{"GET", "/log/tile/1/000.p/1", false, false, 200, public},
		{"GET", "/log/tile/0/000", false, true, 401, "no-store"},
		{"GET", "/log/tile/0/000", true, true, 200, own},
		{"GET", "/log/tile/entries/000", false, false, 401, "no-store"},
		{"GET", "/log/tile/entries/000", true, false, 200, "no-store"},
		{"GET", "/log/tile/entries/000", false, true, 401, "no-store"},
		{"GET", "/log/tile/data/000", true, false, 404, "no-store"},
		{"GET", "/log/tile/0/../entries/000", false, false, 404, "no-store"},
		{"GET", "/log/", false, false, 404, "no-store"},
		{"POST", "/log/checkpoint", true, false, 400, "no-store"},
	} {
		r := httptest.NewRequest(row.method, "http://h/", http.NoBody)
		r.URL.Path = row.path
		if row.token {
			r.Header.Set("Authorization", "ok")
		}
		w := httptest.NewRecorder()
		New(Deps{Log: fakeLog{}, Allowed: allowed, Fail: fail, Private: row.private, Prefix: "/log/"}).ServeHTTP(w, r)
		if w.Code != row.status || w.Header().Get("Cache-Control") != row.cache {
			t.Errorf("%+v: %d %q", row, w.Code, w.Header().Get("Cache-Control"))
		}
		if row.method == "HEAD" && w.Body.Len() != 0 {
			t.Errorf("%+v: HEAD has a body", row)
		}
	}
}

func TestAnOpenLogIsPublic(t *testing.T) {
	h := New(Deps{Log: fakeLog{}, Fail: func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusNotFound) }, Prefix: "/sealed/log/", Open: true})
	for path, cache := range map[string]string{
		"/sealed/log/checkpoint": "no-cache", "/sealed/log/tile/0/000": "public, max-age=31536000, immutable",
		"/sealed/log/tile/entries/000": "public, max-age=31536000, immutable", "/log/checkpoint": "no-store", "/sealed/log/": "no-store",
	} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, http.NoBody))
		if w.Header().Get("Cache-Control") != cache || (w.Code == http.StatusOK) != (cache != "no-store") {
			t.Errorf("%s: %d %q", path, w.Code, w.Header().Get("Cache-Control"))
		}
	}
}
