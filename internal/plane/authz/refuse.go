package authz

import (
	"slices"

	"github.com/cedar-policy/cedar-go"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// The forbids that have an answer of their own.
const (
	forbidStepUp cedar.PolicyID = "step-up"
	forbidLimits cedar.PolicyID = "token-is-limited"
)

// refusal makes the error for a decision against p.
func (s *Service) refusal(p *ota.Principal, action string, v verdict) error {
	if !sees(p, v.at) {
		if err := absent(v.at); err != nil {
			return err
		}
	}
	if slices.Contains(v.by, forbidStepUp) && s.provedWouldDo(p, action, v.at) {
		return ota.Errorf(ota.KindForbidden, CodeStepUp, "%s needs a proof that it is you", action).
			WithHint("confirm with your passkey or second factor, then repeat it within %d minutes", int(StrongFor.Minutes()))
	}
	if slices.Contains(v.by, forbidLimits) {
		return ota.Errorf(ota.KindForbidden, CodeNotAllowed, "this token is not for %s", action).
			WithHint("it was made for certain actions only; use another one")
	}
	if v.at.missing && s.judge(p, "channel.get", p.Effective(), v.at).allowed {
		return ota.NotFound("channel_not_found", "the app has no channel %q", v.at.Channel)
	}
	e := ota.Errorf(ota.KindForbidden, CodeNotAllowed, "%s may not do %s on %s", p.Actor(), action, v.at.Scope)
	if role := s.suffices(action, v.at); role != "" {
		return e.WithHint("the role %s on %s would be enough; its administrators can grant it", role, v.at.Scope)
	}
	return e.WithHint("no role on %s allows that; roles in the organisation %s may", v.at.Scope, ota.MainOrg)
}

// sees reports whether p holds any role on the app, or organisation, or a part of it.
func sees(p *ota.Principal, at place) bool {
	whole := ota.Scope{Org: at.Org, App: at.App}
	return slices.ContainsFunc(p.Effective(), func(g ota.Grant) bool { return g.Covers(whole) || whole.Contains(g.Scope) })
}

// absent is the answer about what the caller may not even know to exist. It is
// the same whether it does or not. Everybody knows the main organisation.
func absent(at place) error {
	switch {
	case at.App != "":
		return ota.NotFound("app_not_found", "there is no app %q, or you have no role in it", at.App).
			WithHint("waxwing apps list shows the apps you may see")
	case at.Org != ota.MainOrg:
		return ota.NotFound("org_not_found", "there is no organisation %q, or you have no role in it", at.Org).WithField("org").
			WithHint("waxwing orgs list shows the organisations you may see")
	}
	return nil
}

// provedWouldDo reports whether all that is missing is the proof.
func (s *Service) provedWouldDo(p *ota.Principal, action string, at place) bool {
	proved := *p
	proved.StrongAt = s.now().UnixMilli()
	return s.judge(&proved, action, p.Effective(), at).allowed
}

// suffices names the least powerful role on the place that allows the action, ""
// if none does.
func (s *Service) suffices(action string, at place) ota.Role {
	enough := ota.Role("")
	for _, r := range ota.Roles() { // the most powerful first, the auditor last
		reader := r == ota.RoleAuditor && enough.Level() < ota.RoleAdministrator.Level()
		if !reader && s.roleAllows(r, action, at) {
			enough = r
		}
	}
	return enough
}

// roleAllows reports what somebody may who holds just one role, on just the place.
func (s *Service) roleAllows(r ota.Role, action string, at place) bool {
	held := []ota.Grant{{Role: r, Scope: at.Scope}}
	return s.judge(&ota.Principal{Kind: ota.PrincipalUser, Name: string(r)}, action, held, at).allowed
}
