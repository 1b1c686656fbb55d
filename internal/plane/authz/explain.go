package authz

import (
	"context"
	"slices"
	"strings"

	"github.com/cedar-policy/cedar-go/types"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// Explain decides as [Service.Authorize] does and says why. It fails with
// KindInvalid for an action that does not exist or is not asked about such a
// resource.
func (s *Service) Explain(ctx context.Context, p ota.Principal, action string, r ota.Resource) (ota.Decision, error) {
	a, known := s.rules.actions[action]
	if !known {
		return ota.Decision{}, ota.Invalid(CodeActionUnknown, "there is no action %q", action).WithField("action").
			WithHint("waxwing access matrix lists the actions")
	}
	at, err := s.locate(ctx, r.Scope)
	if err != nil {
		return ota.Decision{}, err
	}
	if !asked(a, at.uid().Type) {
		return ota.Decision{}, ota.Invalid(CodeActionMisplaced, "%s is not asked about such a resource", action).WithField("resource").
			WithHint("it is asked about: %s", resources(a.AppliesTo.Resources))
	}
	v := s.judge(&p, action, p.Effective(), at)
	d := ota.Decision{Allowed: v.allowed, Action: action, Resource: at.Scope, Policies: []ota.PolicyNote{}}
	if !v.allowed {
		e := s.refusal(&p, action, v)
		d.Code, d.Reason = ota.CodeOf(e), e.Error()
	}
	for _, id := range v.by {
		d.Policies = append(d.Policies, ota.PolicyNote{ID: string(id), File: s.rules.pages[id]})
	}
	slices.SortFunc(d.Policies, func(x, y ota.PolicyNote) int { return strings.Compare(x.ID, y.ID) })
	return d, nil
}

func resources(of []types.EntityType) string {
	forms := map[types.EntityType]string{orgType: "an organisation (main)", appType: "an app (main/com.example.app)", channelType: "a channel (main/com.example.app/beta)"}
	var out []string
	for _, t := range []types.EntityType{orgType, appType, channelType} {
		if slices.Contains(of, t) {
			out = append(out, forms[t])
		}
	}
	return strings.Join(out, ", ")
}

// Matrix says for every action what each role may, asking the policies.
func (s *Service) Matrix() []ota.MatrixRow {
	rows := make([]ota.MatrixRow, 0, len(s.rules.order))
	for _, name := range s.rules.order {
		a := s.rules.actions[name]
		row := ota.MatrixRow{Action: name, Dangerous: inSet(a, "dangerous"), Server: inSet(a, "server"), Roles: map[ota.Role]ota.Permission{}}
		at := widest(a.AppliesTo.Resources)
		for _, r := range ota.Roles() {
			row.Roles[r] = s.permission(r, name, at)
		}
		rows = append(rows, row)
	}
	return rows
}

func (s *Service) permission(r ota.Role, action string, at place) ota.Permission {
	hidden := at
	hidden.public = false
	switch {
	case s.roleAllows(r, action, at):
		return ota.PermissionYes
	case s.roleAllows(r, action, hidden):
		return ota.PermissionNotPublic
	}
	return ota.PermissionNo
}

// widest is an example of the largest resource that an action is asked about.
func widest(of []types.EntityType) place {
	at := place{Scope: ota.Scope{Org: ota.MainOrg}, public: true}
	if !slices.Contains(of, orgType) {
		at.App = "com.example.app"
		if !slices.Contains(of, appType) {
			at.Channel = "production"
		}
	}
	return at
}

// Actions lists every action there is, sorted.
func (s *Service) Actions() []string { return slices.Clone(s.rules.order) }

// Asks reports whether the action exists and is asked about resources such as the scope.
func (s *Service) Asks(action string, scope ota.Scope) bool {
	a, known := s.rules.actions[action]
	return known && asked(a, place{Scope: scope}.uid().Type)
}
