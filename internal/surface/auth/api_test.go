package auth_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"testing"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/driver/sqlstore"
	"github.com/waxwing-ota/waxwing/internal/plane/authz"
	"github.com/waxwing-ota/waxwing/internal/plane/control"
	"github.com/waxwing-ota/waxwing/internal/secret"
	"github.com/waxwing-ota/waxwing/internal/surface/adminapi"
	"github.com/waxwing-ota/waxwing/internal/surface/auth"
)

func baseOf(r *http.Request) string { return "http://" + r.Host }

// inDB answers from the database, as the server does from its snapshot.
type inDB struct{ db *sqlstore.DB }

func (d inDB) OrgOf(ctx context.Context, app string) (string, error) {
	a, err := d.db.App(ctx, app)
	if ota.KindOf(err) == ota.KindNotFound {
		return "", nil
	}
	return a.Org, err
}

func (d inDB) Channel(ctx context.Context, app, channel string) (exists, public bool, err error) {
	c, err := d.db.Channel(ctx, app, channel)
	if ota.KindOf(err) == ota.KindNotFound {
		return false, false, nil
	}
	return err == nil, c.Policy.Public, err
}

// api is the API as the person that a browser is signed in as, which is what
// the console makes of it. Without a cookie it is the owner token's.
func (w *world) api() http.Handler {
	w.t.Helper()
	access, err := authz.New(authz.Deps{Places: inDB{w.db}, Now: w.clock.now})
	if err != nil {
		w.t.Fatal(err)
	}
	h, err := adminapi.New(adminapi.Deps{
		Directory: w.dir, Identity: w.id, Access: access, Base: baseOf, MaxBody: 1 << 20, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		p := owner()
		if sec := auth.SessionSecret(r, baseOf(r)); sec != "" {
			var err error
			if p, _, err = w.id.Resolve(r.Context(), secret.New(sec)); err != nil {
				p = ota.Principal{Kind: ota.PrincipalUser, Name: "signed out"}
			}
		}
		h.ServeHTTP(rw, r.WithContext(adminapi.WithPrincipal(r.Context(), p)))
	})
}

// call makes a request to the API.
func (b *browser) call(method, path string, body any) *reply {
	b.w.t.Helper()
	if body == nil {
		return b.do(method, "/api/v1"+path, "", nil)
	}
	raw, err := json.Marshal(body)
	if err != nil {
		b.w.t.Fatal(err)
	}
	return b.do(method, "/api/v1"+path, "application/json", raw)
}

// refused fails the test unless the answer has the status and the code.
func (r *reply) refused(t *testing.T, what string, status int, code string) {
	t.Helper()
	if r.status != status || r.code() != code {
		t.Errorf("%s: %d %s, want %d %s", what, r.status, r.raw, status, code)
	}
}

// items is a list in an answer.
func (r *reply) items() []any { l, _ := r.body["items"].([]any); return l }

// apps makes the organisation acme, and an app in it and in main.
func (w *world) apps() {
	w.t.Helper()
	w.browser().call("POST", "/orgs", m{"id": "acme"}).must(w.t, 201)
	for app, org := range map[string]string{"com.example.shop": ota.MainOrg, "com.acme.app": "acme"} {
		err := w.db.Update(w.t.Context(), "test", 1, func(tx control.Tx) (ota.Change, error) {
			return ota.Change{Action: "app.create", App: app, Detail: "{}"}, tx.InsertApp(w.t.Context(), ota.App{ID: app, Org: org, Name: app})
		})
		if err != nil {
			w.t.Fatal(err)
		}
	}
}

func grant(role ota.Role, org string, app ...string) ota.Grant {
	g := ota.Grant{Role: role, Scope: ota.Scope{Org: org}}
	if len(app) > 0 {
		g.Scope.App = app[0]
	}
	return g
}

func at(format string, a ...any) string { return fmt.Sprintf(format, a...) }
