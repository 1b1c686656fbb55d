package adminapi

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// failing is a server whose get-status fails as told.
func failing(t *testing.T, fail func() error) (http.Handler, *bytes.Buffer) {
	t.Helper()
	var log bytes.Buffer
	h, err := New(Deps{
		Authenticate: func(context.Context, string, netip.Addr) (ota.Principal, error) { return owner("ci"), nil },
		Access:       allAccess{},
		Status:       func(context.Context) (ota.ServerStatus, error) { return ota.ServerStatus{}, fail() },
		Log:          slog.New(slog.NewTextHandler(&log, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	return h, &log
}

func status200(h http.Handler) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, "/api/v1/status", nil)
	r.Header.Set("Authorization", "Bearer x")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestProblems(t *testing.T) {
	for _, tt := range []struct {
		err  error
		want Problem
	}{
		{ota.Invalid("c", "m").WithHint("h").WithField("f"), Problem{Status: 400, Title: "Bad Request", Code: "c", Detail: "m", Hint: "h", Field: "f"}},
		{ota.NotFound("c", "m"), Problem{Status: 404, Title: "Not Found", Code: "c", Detail: "m"}},
		{ota.Conflict("c", "m"), Problem{Status: 409, Title: "Conflict", Code: "c", Detail: "m"}},
		{ota.Errorf(ota.KindUnauthorized, "c", "m"), Problem{Status: 401, Title: "Unauthorized", Code: "c", Detail: "m"}},
		{ota.Errorf(ota.KindForbidden, "c", "m"), Problem{Status: 403, Title: "Forbidden", Code: "c", Detail: "m"}},
		{ota.Errorf(ota.KindTooLarge, "c", "m"), Problem{Status: 413, Title: "Request Entity Too Large", Code: "c", Detail: "m"}},
		{ota.Errorf(ota.KindUnavailable, "c", "m").WithCause(errors.New("private")), Problem{Status: 503, Title: "Service Unavailable", Code: "c", Detail: "m"}},
		{context.Canceled, Problem{Status: 503, Title: "Service Unavailable", Code: "interrupted", Detail: "the request was interrupted"}},
	} {
		h, log := failing(t, func() error { return tt.err })
		w := status200(h)
		var got Problem
		if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
			t.Fatalf("%v: %v: %q", tt.err, err, w.Body)
		}
		tt.want.Type = "urn:waxwing:problem:" + tt.want.Code
		tt.want.RequestID = w.Header().Get("X-Request-Id")
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%v: %s", tt.err, diff)
		}
		if w.Code != tt.want.Status || w.Header().Get("Content-Type") != problemType || w.Header().Get("Problem-Code") != tt.want.Code {
			t.Errorf("%v: status %d, header %v", tt.err, w.Code, w.Header())
		}
		if strings.Contains(w.Body.String(), "private") {
			t.Errorf("%v: the cause is in the answer: %s", tt.err, w.Body)
		}
		if n := strings.Count(log.String(), "\n"); n != 1 || !strings.Contains(log.String(), "actor=token:ci") {
			t.Errorf("%v: %d lines of log: %s", tt.err, n, log)
		}
	}
}

// TestFaultsStayPrivate: what went wrong inside goes to the log under the
// request's id, and not to the caller.
func TestFaultsStayPrivate(t *testing.T) {
	for name, fail := range map[string]func() error{
		"plain error": func() error { return errors.New("dial db.internal: refused") },
		"internal error": func() error {
			return ota.Errorf(ota.KindInternal, "x", "row 7 of db.internal is bad").WithHint("db.internal")
		},
		"panic": func() error { panic("db.internal is nil") },
	} {
		t.Run(name, func(t *testing.T) {
			h, log := failing(t, fail)
			w := status200(h)
			if w.Code != http.StatusInternalServerError || strings.Contains(w.Body.String(), "db.internal") {
				t.Errorf("status %d: %s", w.Code, w.Body)
			}
			id := w.Header().Get("X-Request-Id")
			if id == "" || !strings.Contains(w.Body.String(), id) || !strings.Contains(log.String(), id) {
				t.Errorf("the request id %q is not in the answer %s and the log %s", id, w.Body, log)
			}
			if !strings.Contains(log.String(), "db.internal") || !strings.Contains(log.String(), "level=ERROR") {
				t.Errorf("the log does not say what went wrong: %s", log)
			}
		})
	}
}

func TestRequestIDsDiffer(t *testing.T) {
	h, _ := failing(t, func() error { return nil })
	a, b := status200(h).Header().Get("X-Request-Id"), status200(h).Header().Get("X-Request-Id")
	if a == "" || a == b {
		t.Errorf("request ids %q and %q", a, b)
	}
}
