package adminapi

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/go-cmp/cmp"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/plane/authz"
)

const permissionsFile = "../../../docs/permissions.md"

// oneApp is a server with one app in main, one in another organisation, and on
// each the public channel production and the channel beta.
type oneApp struct{}

func (oneApp) OrgOf(_ context.Context, app string) (string, error) {
	return map[string]string{"com.example.app": ota.MainOrg, "com.example.blog": ota.MainOrg, "com.other.app": "other"}[app], nil
}

func (oneApp) Channel(_ context.Context, _, channel string) (exists, public bool, err error) {
	return channel == "production" || channel == "beta", channel == "production", nil
}

func realAccess(t *testing.T) *authz.Service {
	t.Helper()
	s, err := authz.New(authz.Deps{Places: oneApp{}, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// target is the scope that requests to an operation are about, and the action.
func target(op *huma.Operation, channel string) (action string, on ota.Scope) {
	action, _ = op.Metadata[metaAction].(string)
	on = ota.Scope{Org: ota.MainOrg}
	if strings.Contains(op.Path, "{app}") {
		on.App = "com.example.app"
	}
	if strings.Contains(op.Path, "{channel}") {
		on.Channel = channel
	}
	return action, on
}

func somewhere(op *huma.Operation) bool { return op.Metadata[metaSomewhere] == true }

func with(role ota.Role, at ota.Scope) ota.Principal {
	return ota.Principal{Kind: ota.PrincipalUser, Name: "ada@example.com", Grants: []ota.Grant{{Role: role, Scope: at}}}
}

// allowed asks as the API would.
func allowed(t *testing.T, s *authz.Service, op *huma.Operation, p ota.Principal, channel string) bool {
	t.Helper()
	action, on := target(op, channel)
	var err error
	if somewhere(op) {
		_, err = s.Reach(t.Context(), p, action)
	} else {
		err = s.Authorize(t.Context(), p, action, ota.Resource{Scope: on})
	}
	switch ota.KindOf(err) {
	case ota.KindForbidden, ota.KindNotFound:
		return false
	default:
		if err != nil {
			t.Fatalf("%s %s: %v", op.Method, op.Path, err)
		}
		return true
	}
}

// TestEveryActionIsInTheSchema: a route that was added without a line in the
// policies fails here.
func TestEveryActionIsInTheSchema(t *testing.T) {
	s := realAccess(t)
	for _, op := range operations(t) {
		action, on := target(op, "beta")
		if somewhere(op) {
			if !slices.Contains(s.Actions(), action) {
				t.Errorf("%s %s: the schema has no action %q", op.Method, op.Path, action)
			}
		} else if !s.Asks(action, on) {
			t.Errorf("%s %s: the schema has no action %q about %s; add a line to internal/plane/authz/policies/waxwing.cedarschema", op.Method, op.Path, action, on)
		}
	}
}

// cell says with a role granted where the operation is open.
func cell(t *testing.T, s *authz.Service, op *huma.Operation, role ota.Role) string {
	t.Helper()
	grants := []struct {
		letter string
		at     ota.Scope
	}{
		{"o", ota.Scope{Org: ota.MainOrg}},
		{"a", ota.Scope{Org: ota.MainOrg, App: "com.example.app"}},
		{"c", ota.Scope{Org: ota.MainOrg, App: "com.example.app", Channel: "production"}},
	}
	out, note := "", ""
	for _, g := range grants {
		beta := g.at
		if beta.Channel != "" {
			beta.Channel = "beta"
		}
		switch {
		case allowed(t, s, op, with(role, g.at), "production"):
			out += g.letter
		case allowed(t, s, op, with(role, beta), "beta"):
			out += g.letter
			note = "*"
		}
	}
	if out == "" {
		return "-"
	}
	return out + note
}

// TestPermissions writes down what every role may on every route.
func TestPermissions(t *testing.T) {
	s := realAccess(t)
	ops := operations(t)
	slices.SortFunc(ops, func(a, b *huma.Operation) int { return strings.Compare(a.Path+" "+a.Method, b.Path+" "+b.Method) })
	var b strings.Builder
	b.WriteString(permissionsHead)
	b.WriteString("| route | action |")
	for _, r := range ota.Roles() {
		fmt.Fprintf(&b, " %s |", r)
	}
	b.WriteString("\n|---|---|" + strings.Repeat("---|", len(ota.Roles())) + "\n")
	for _, op := range ops {
		action, _ := target(op, "")
		if somewhere(op) {
			action += " ~"
		}
		fmt.Fprintf(&b, "| %s %s | %s |", op.Method, strings.TrimPrefix(op.Path, prefix), action)
		for _, r := range ota.Roles() {
			fmt.Fprintf(&b, " %s |", cell(t, s, op, r))
		}
		b.WriteString("\n")
	}
	if *update {
		if err := os.WriteFile(permissionsFile, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(permissionsFile)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), b.String()); diff != "" {
		t.Errorf("docs/permissions.md is not what the policies say; is that meant? then run this test with -update:\n%s", diff)
	}
}

const permissionsHead = `# Who may call what

Written by a test from the routes and the policies in
` + "`internal/plane/authz/policies`" + `; do not edit it.

A cell says where a role must be granted for the call to be allowed: **o** in the
organisation, **a** on the app, **c** on the channel; **-** never. With an
asterisk, only on channels that are not public. An action with **~** is asked
about what the body or the rows are about; the cell then says who gets in at all.
An owner of the organisation ` + "`main`" + ` owns every other one.

`

// TestNobodyReachesAcross: no role on another app, another channel or in another
// organisation opens a route, unless it is open to every caller.
func TestNobodyReachesAcross(t *testing.T) {
	s := realAccess(t)
	elsewhere := []ota.Scope{
		{Org: "other"},
		{Org: "other", App: "com.other.app"},
		{Org: "other", App: "com.example.app"}, // its name, but not there
		{Org: ota.MainOrg, App: "com.example.blog"},
		{Org: ota.MainOrg, App: "com.example.blog", Channel: "beta"},
	}
	nobody := ota.Principal{Kind: ota.PrincipalUser, Name: "nobody@example.com"}
	for _, op := range operations(t) {
		if somewhere(op) || allowed(t, s, op, nobody, "beta") {
			continue
		}
		_, on := target(op, "beta")
		for _, role := range ota.Roles() {
			for _, at := range elsewhere {
				if on.App == "" && at.Org == ota.MainOrg {
					continue // a part of the organisation shows that it is there
				}
				if allowed(t, s, op, with(role, at), "beta") {
					t.Errorf("%s %s: %s of %s may", op.Method, op.Path, role, at)
				}
			}
			if on.Channel != "" && allowed(t, s, op, with(role, ota.Scope{Org: on.Org, App: on.App, Channel: "production"}), "beta") {
				t.Errorf("%s %s: %s of another channel may", op.Method, op.Path, role)
			}
		}
	}
}
