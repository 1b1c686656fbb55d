package adminapi

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"log/slog"
	"net/http/httptest"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/driver/sqlstore"
	"github.com/waxwing-ota/waxwing/internal/plane/token"
)

// nobodySigned finds no signature good.
type nobodySigned struct{}

func (nobodySigned) Verify(context.Context, string, string) ([]byte, error) {
	return nil, ota.Errorf(ota.KindUnauthorized, "signature_wrong", "nobody signed that")
}

// FuzzExchangeBody: the one operation that takes callers whom nobody
// authenticated answers every body with a problem that has a code, never a
// token, and never fails inside.
func FuzzExchangeBody(f *testing.F) {
	for _, s := range []string{
		"", "{}", "null", "[]", `{"id_token":"a.b.c"}`, `{"id_token":"eyJhbGciOiJSUzI1NiIsImtpZCI6ImEifQ.eyJpc3MiOiJodHRwczovL2EifQ.AA","org":"main"}`,
		`{"id_token":1}`, `{"ID_TOKEN":"x"}`, `{"id_token":"x","id_token":"y"}`, `{"id_token":"x","more":1}`, "{\"id_token\":\"\xff\"}",
	} {
		f.Add([]byte(s))
	}
	db, err := sqlstore.Open(f.Context(), filepath.Join(f.TempDir(), "waxwing.db"))
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = db.Close() })
	var minutes atomic.Int64
	now := func() time.Time { return time.Unix(1_750_000_000+60*minutes.Add(1), 0) }
	tokens := token.New(token.Deps{
		Store: sqlstore.Tokens{DB: db}, Grants: db.EffectiveGrants, Now: now, Rand: rand.Reader, Verifier: nobodySigned{}, Audience: "https://updates.example.com",
	})
	h, err := New(Deps{Tokens: tokens, Authenticate: tokens.Authenticate, MaxBody: 1 << 20, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		r := httptest.NewRequestWithContext(t.Context(), "POST", prefix+"/token-exchange", bytes.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		var p Problem
		if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil || p.Code == "" {
			t.Fatalf("%q is answered %d %q", body, w.Code, w.Body)
		}
		if w.Code != 400 && w.Code != 401 && w.Code != 413 {
			t.Errorf("%q is answered %d %q", body, w.Code, w.Body)
		}
	})
}
