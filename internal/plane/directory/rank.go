package directory

import (
	"context"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// MayGrant says whether p may give or take the grant: that needs a role at
// least as high, over all of the grant's scope.
func MayGrant(p ota.Principal, g ota.Grant) error {
	if p.LevelIn(g.Scope) >= g.Role.GrantLevel() {
		return nil
	}
	need := g.Role
	if g.Role == ota.RoleAuditor {
		need = ota.RoleAdministrator
	}
	return ota.Errorf(ota.KindForbidden, CodeOutranked, "to give or take the role %s on %s takes the role %s there, or a higher one", g.Role, g.Scope, need).
		WithHint("ask somebody who is %s of %s", need, g.Scope)
}

// mayManage says whether p may change a subject that holds roles: none of them
// may be above p's own.
func mayManage(p ota.Principal, held []ota.RoleGrant) error {
	for _, g := range held {
		if MayGrant(p, g.Grant) != nil {
			return ota.Errorf(ota.KindForbidden, CodeOutranked, "who holds the role %s on %s can be changed only by somebody with that role, or a higher one", g.Role, g.Scope).
				WithHint("ask an owner of the organisation %s", g.Scope.Org)
		}
	}
	return nil
}

// MayManageUser says whether p may act on a user's account as a whole: change
// or disable it, reset how they sign in. Every role of the user, in any
// organisation, must be within p's own; a user without any is the business of
// administrators of the main organisation.
func (s *Service) MayManageUser(ctx context.Context, p ota.Principal, userID int64) error {
	return mayManageUser(ctx, s.store, p, userID)
}

func mayManageUser(ctx context.Context, r Reader, p ota.Principal, userID int64) error {
	held, err := r.HeldGrants(ctx, ota.SubjectUser, userID)
	if err != nil {
		return err
	}
	if len(held) == 0 {
		return MayGrant(p, ota.Grant{Role: ota.RoleAdministrator, Scope: ota.Scope{Org: ota.MainOrg}})
	}
	return mayManage(p, held)
}

// CheckGrant refuses a role that does not exist and a scope that is malformed or
// names what is not there.
func CheckGrant(ctx context.Context, r Reader, g ota.Grant) error {
	if g.Role.GrantLevel() > ota.RoleOwner.Level() {
		return ota.Invalid(CodeRoleInvalid, "there is no role %q", g.Role).WithField("role").
			WithHint("the roles are owner, administrator, release-manager, developer, tester, viewer and auditor")
	}
	if g.Scope.Org == "" || g.Scope.Channel != "" && g.Scope.App == "" {
		return ota.Invalid(CodeScopeInvalid, "a scope is an organisation, an app of it, or a channel of that app").WithField("scope").
			WithHint("write it like main, main/com.example.app or main/com.example.app/beta")
	}
	if _, err := r.Org(ctx, g.Scope.Org); err != nil {
		return err
	}
	if g.Scope.App == "" {
		return nil
	}
	a, err := r.App(ctx, g.Scope.App)
	if err != nil && ota.KindOf(err) != ota.KindNotFound {
		return err
	}
	if err != nil || a.Org != g.Scope.Org {
		return ota.NotFound("app_not_found", "the organisation %s has no app %q", g.Scope.Org, g.Scope.App).WithField("scope.app")
	}
	if g.Scope.Channel != "" {
		_, err = r.Channel(ctx, g.Scope.App, g.Scope.Channel)
	}
	return err
}
