package adminapi

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/driver/blob/mem"
	"github.com/waxwing-ota/waxwing/internal/driver/sqlstore"
	"github.com/waxwing-ota/waxwing/internal/plane/authz"
	"github.com/waxwing-ota/waxwing/internal/plane/control"
	"github.com/waxwing-ota/waxwing/internal/plane/directory"
	"github.com/waxwing-ota/waxwing/internal/plane/snap"
)

// office is the API on a real database with the real policies.
type office struct {
	t    *testing.T
	http http.Handler
}

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

func newOffice(t *testing.T) *office {
	t.Helper()
	db, err := sqlstore.Open(t.Context(), filepath.Join(t.TempDir(), "waxwing.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	access, err := authz.New(authz.Deps{Places: inDB{db}, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	h, err := New(Deps{
		Control:   control.New(control.Deps{Store: db, Blobs: mem.New(time.Now), Snap: snap.NewHolder(db), Now: time.Now, Rand: rand.Reader}),
		Directory: directory.New(directory.Deps{Store: sqlstore.Directory{DB: db}, Now: time.Now}),
		Access:    access, MaxBody: 1 << 20, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	o := &office{t: t, http: h}
	root := owner("root")
	o.want(root, 201, "POST", "/orgs", `{"id":"acme"}`)
	for _, app := range []string{"com.example.one", "com.example.two", "com.example.three"} {
		o.want(root, 201, "POST", "/apps", `{"id":"`+app+`"}`)
		o.want(root, 201, "POST", "/apps/"+app+"/channels", `{"name":"beta"}`)
	}
	o.want(root, 201, "POST", "/apps", `{"id":"com.acme.app","org":"acme"}`)
	return o
}

// want makes a request as somebody and checks the status.
func (o *office) want(as ota.Principal, status int, method, path, body string) []byte {
	o.t.Helper()
	r := httptest.NewRequestWithContext(WithPrincipal(o.t.Context(), as), method, prefix+path, strings.NewReader(body))
	w := httptest.NewRecorder()
	o.http.ServeHTTP(w, r)
	if w.Code != status {
		o.t.Errorf("%s %s as %s: status %d, want %d: %s", method, path, as.Name, w.Code, status, w.Body)
	}
	return w.Body.Bytes()
}

// ids pages through a list, one item at a time.
func (o *office) ids(as ota.Principal, path string) (out []string) {
	o.t.Helper()
	for after := ""; ; {
		var page struct {
			Items []map[string]any `json:"items"`
			Next  string           `json:"next"`
		}
		if err := json.Unmarshal(o.want(as, 200, "GET", path+"?limit=1&after="+after, ""), &page); err != nil {
			o.t.Fatal(err)
		}
		for _, it := range page.Items {
			name := it["id"]
			if mail := it["email"]; mail != nil {
				name = mail
			}
			out = append(out, fmt.Sprint(name))
		}
		if after = page.Next; after == "" {
			return out
		}
	}
}

// TestListsShowWhatTheCallerMaySee also checks that pages stay whole.
func TestListsShowWhatTheCallerMaySee(t *testing.T) {
	o := newOffice(t)
	one := ota.Scope{Org: ota.MainOrg, App: "com.example.one"}
	beta := ota.Scope{Org: ota.MainOrg, App: "com.example.three", Channel: "beta"}
	both := with(ota.RoleViewer, one)
	both.Grants = append(both.Grants, ota.Grant{Role: ota.RoleDeveloper, Scope: beta})
	for name, tt := range map[string]struct {
		as   ota.Principal
		path string
		want []string
	}{
		"the owner sees all apps":     {owner("root"), "/apps", []string{"com.acme.app", "com.example.three", "com.example.two", "com.example.one"}},
		"roles on two apps":           {both, "/apps", []string{"com.example.three", "com.example.one"}},
		"another organisation":        {with(ota.RoleViewer, ota.Scope{Org: "acme"}), "/apps", []string{"com.acme.app"}},
		"an administrator of main":    {with(ota.RoleAdministrator, ota.Scope{Org: ota.MainOrg}), "/apps", []string{"com.example.three", "com.example.two", "com.example.one"}},
		"organisations":               {both, "/orgs", []string{"main"}},
		"organisations for the owner": {owner("root"), "/orgs", []string{"acme", "main"}},
		"an app under a wrong name":   {with(ota.RoleViewer, ota.Scope{Org: "acme", App: "com.example.one"}), "/orgs", nil},
	} {
		if tt.want == nil {
			o.want(tt.as, 403, "GET", tt.path, "")
			continue
		}
		if diff := cmp.Diff(tt.want, o.ids(tt.as, tt.path)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	for path, n := range map[string]int{"/apps/com.example.three/channels": 1, "/apps/com.example.one/channels": 2} {
		if got := strings.Count(string(o.want(both, 200, "GET", path, "")), `"policy"`); got != n {
			t.Errorf("%s has %d channels, want %d", path, got, n)
		}
	}
	nobody := ota.Principal{Kind: ota.PrincipalUser, Name: "nobody"}
	o.want(nobody, 403, "GET", "/apps", "")
	o.want(nobody, 200, "GET", "/me", "")
}

// TestPeopleAcrossOrganisations: what is of another organisation is as if it were not there.
func TestPeopleAcrossOrganisations(t *testing.T) {
	o := newOffice(t)
	root := owner("root")
	acme := with(ota.RoleOwner, ota.Scope{Org: "acme"})
	o.want(root, 201, "POST", "/users", `{"email":"ada@example.com","role":"viewer","scope":{"org":"main"}}`)
	o.want(acme, 201, "POST", "/users", `{"email":"eve@acme.com","role":"viewer","scope":{"org":"acme"}}`)
	o.want(root, 201, "POST", "/groups", `{"name":"testers"}`)
	o.want(root, 201, "POST", "/service-accounts", `{"name":"ci"}`)
	if diff := cmp.Diff([]string{"eve@acme.com"}, o.ids(acme, "/users")); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"eve@acme.com", "ada@example.com"}, o.ids(with(ota.RoleAuditor, ota.Scope{Org: ota.MainOrg}), "/users")); diff != "" {
		t.Error(diff)
	}
	for _, q := range [][3]string{
		{"GET", "/users/1", ""},
		{"PATCH", "/users/1", `{"disabled":true}`},
		{"GET", "/groups/1", ""},
		{"PATCH", "/groups/1", `{"name":"x"}`},
		{"DELETE", "/groups/1", ""},
		{"GET", "/groups/1/members", ""},
		{"PUT", "/groups/1/members/2", ""},
		{"DELETE", "/groups/1/members/2", ""},
		{"GET", "/service-accounts/1", ""},
		{"PATCH", "/service-accounts/1", `{"disabled":true}`},
		{"DELETE", "/service-accounts/1", ""},
		{"DELETE", "/grants/1", ""},
		{"GET", "/apps/com.example.one", ""},
	} {
		there := string(o.want(acme, 404, q[0], q[1], q[2]))
		absent := string(o.want(acme, 404, q[0], strings.NewReplacer("/1", "/77", "example.one", "example.none").Replace(q[1]), q[2]))
		if codeOf(there) != codeOf(absent) {
			t.Errorf("%s %s tells what is there: %s %s", q[0], q[1], there, absent)
		}
	}
	o.want(acme, 403, "POST", "/orgs", `{"id":"more"}`)
	o.want(acme, 404, "PATCH", "/orgs/nowhere", `{"name":"x"}`)
	o.want(acme, 403, "POST", "/apps", `{"id":"com.example.four"}`)
	o.want(acme, 201, "POST", "/apps", `{"id":"com.acme.two","org":"acme"}`)
	o.want(acme, 403, "POST", "/grants", `{"subject_kind":"user","subject":"eve@acme.com","role":"viewer","scope":{"org":"main"}}`)
	o.want(acme, 403, "POST", "/access/explain", `{"user":"ada@example.com","action":"gc.run","resource":"main"}`)
	o.want(acme, 200, "POST", "/access/explain", `{"action":"gc.run","resource":"main"}`)
}

func codeOf(problem string) string {
	var p Problem
	_ = json.Unmarshal([]byte(problem), &p)
	return p.Code
}

// TestPowerfulGrantsWantProof: giving a powerful role from a session needs a
// proof of presence, giving a viewer's does not.
func TestPowerfulGrantsWantProof(t *testing.T) {
	o := newOffice(t)
	p := with(ota.RoleOwner, ota.Scope{Org: ota.MainOrg})
	p.Session = 1
	user := func(email string, role ota.Role) string {
		return `{"email":"` + email + `","role":"` + string(role) + `","scope":{"org":"main"}}`
	}
	o.want(p, 201, "POST", "/users", user("a@example.com", ota.RoleViewer))
	if code := codeOf(string(o.want(p, 403, "POST", "/users", user("b@example.com", ota.RoleOwner)))); code != authz.CodeStepUp {
		t.Errorf("an owner was made with %q", code)
	}
	if code := codeOf(string(o.want(p, 403, "PATCH", "/users/1", `{"disabled":true}`))); code != authz.CodeStepUp {
		t.Errorf("a user was disabled with %q", code)
	}
	p.StrongAt = time.Now().UnixMilli()
	o.want(p, 201, "POST", "/users", user("b@example.com", ota.RoleOwner))
	o.want(p, 200, "PATCH", "/users/1", `{"disabled":true}`)
}
