package ota

import (
	"context"
	"fmt"
)

// Role names what somebody may do in a scope. The policies of plane/authz say
// what each role is allowed.
type Role string

// The roles, from most to least powerful; an auditor reads everything and
// changes nothing.
const (
	RoleOwner          Role = "owner"
	RoleAdministrator  Role = "administrator"
	RoleReleaseManager Role = "release-manager"
	RoleDeveloper      Role = "developer"
	RoleTester         Role = "tester"
	RoleViewer         Role = "viewer"
	RoleAuditor        Role = "auditor"
)

// MainOrg is the organisation every server has. What concerns the server
// itself (settings, other organisations, the audit log) belongs to it.
const MainOrg = "main"

// Org is an organisation: apps and people belong to one.
type Org struct {
	ID        string `json:"id"` // a name such as "main"
	Name      string `json:"name"`
	CreatedAt int64  `json:"created_at"`
}

// Scope is where a grant holds: an organisation, one of its apps, or one
// channel of an app. An empty Channel is the whole app, an empty App the whole
// organisation.
type Scope struct {
	Org     string `json:"org"`
	App     string `json:"app,omitempty"`
	Channel string `json:"channel,omitempty"`
}

// String writes the scope as "org", "org/app" or "org/app/channel".
func (s Scope) String() string {
	switch {
	case s.App == "":
		return s.Org
	case s.Channel == "":
		return s.Org + "/" + s.App
	}
	return s.Org + "/" + s.App + "/" + s.Channel
}

// Contains reports whether o lies within s.
func (s Scope) Contains(o Scope) bool {
	return s.Org == o.Org && (s.App == "" || s.App == o.App && (s.Channel == "" || s.Channel == o.Channel))
}

// Grant gives a role in a scope.
type Grant struct {
	Role  Role  `json:"role"`
	Scope Scope `json:"scope"`
}

// Resource is what an operation is about; the most specific part that applies
// is set. Path is its address below /api/v1, for messages and policies.
type Resource struct {
	Scope
	Path string `json:"path"`
}

// PrincipalKind says what sort of caller a Principal is.
type PrincipalKind string

// The kinds of caller.
const (
	PrincipalUser    PrincipalKind = "user"    // a person, signed in or by an own token
	PrincipalService PrincipalKind = "service" // a service account's token
	PrincipalToken   PrincipalKind = "token"   // a token of nobody: the bootstrap token
	PrincipalCI      PrincipalKind = "ci"      // a CI run that proved where it comes from
	PrincipalSystem  PrincipalKind = "system"  // the server itself
)

// Principal is who makes a request, with everything that was granted to them
// directly or through groups, as of this request.
type Principal struct {
	Kind   PrincipalKind `json:"kind"`
	ID     int64         `json:"id"`   // of the user, service account or token
	Name   string        `json:"name"` // a person's mail address, or the name of the account or token
	Grants []Grant       `json:"grants"`

	// Limits narrows what the credential may be used for; nil = all that is granted.
	Limits *Limits `json:"limits,omitempty"`

	Token   *Token `json:"token,omitempty"`   // the token that was used, if one was
	Session int64  `json:"session,omitempty"` // the session that was used, if one was

	// Person is the user who is behind the request, 0 if none is: service
	// accounts, CI and the bootstrap token approve nothing.
	Person int64 `json:"person,omitempty"`
	// StrongAt is when the person last proved to be there in this session with a
	// passkey or second factor, Unix ms; 0 = not at all. Dangerous acts want it recent.
	StrongAt int64 `json:"strong_at,omitempty"`
}

// Limits narrows a credential: to scopes (empty = no narrowing) and to actions
// such as "bundle.create" (empty = no narrowing).
type Limits struct {
	Scopes  []Scope  `json:"scopes,omitempty"`
	Actions []string `json:"actions,omitempty"`
}

// Actor names the principal in records: "user:ada@example.com", "token:ci".
func (p *Principal) Actor() Actor { return Actor(fmt.Sprintf("%s:%s", p.Kind, p.Name)) }

// Is reports whether p has the role over all of the scope.
func (p *Principal) Is(r Role, over Scope) bool {
	for _, g := range p.Grants {
		if g.Role == r && g.Scope.Contains(over) {
			return true
		}
	}
	return false
}

type requestKey struct{}

// WithRequest returns a context that carries the id of a request, so that the
// record of a change can name it.
func WithRequest(ctx context.Context, id string) context.Context {
	return context.WithValue(ctx, requestKey{}, id)
}

// RequestOf returns the id of the request that ctx belongs to, or "".
func RequestOf(ctx context.Context) string {
	id, _ := ctx.Value(requestKey{}).(string)
	return id
}
