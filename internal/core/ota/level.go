package ota

// roles is in the order of power; it is never changed.
var roles = [...]Role{
	RoleOwner, RoleAdministrator, RoleReleaseManager, RoleDeveloper, RoleTester, RoleViewer, RoleAuditor,
}

// Roles lists every role, from most to least powerful; the auditor, which
// stands beside the others, is last.
func Roles() []Role { return append([]Role(nil), roles[:]...) }

// Level orders roles by power: an owner has 6, a viewer 1. An auditor has 0,
// and so has what is no role: it raises nobody.
func (r Role) Level() int {
	for i, o := range roles {
		if o == r && r != RoleAuditor {
			return len(roles) - 1 - i
		}
	}
	return 0
}

// GrantLevel is the level that somebody needs to give or take the role: its own,
// and for the auditor, who reads everything, that of an administrator. Nobody
// has the level of what is no role.
func (r Role) GrantLevel() int {
	if r == RoleAuditor {
		return RoleAdministrator.Level()
	}
	if n := r.Level(); n > 0 {
		return n
	}
	return len(roles) + 1
}

// Covers reports whether the grant holds in all of the scope. An owner of the
// main organisation owns every other one.
func (g Grant) Covers(s Scope) bool {
	return g.Scope.Contains(s) || g == Grant{Role: RoleOwner, Scope: Scope{Org: MainOrg}}
}

// Effective returns what p holds once the scopes its credential is limited to
// are taken into account: of a grant that is wider than such a scope only that
// scope is left, of one that lies outside nothing.
func (p *Principal) Effective() []Grant {
	if p.Limits == nil || len(p.Limits.Scopes) == 0 {
		return p.Grants
	}
	var out []Grant
	for _, g := range p.Grants {
		for _, s := range p.Limits.Scopes {
			switch {
			case s.Org == "": // broken: it narrows to nothing
			case s.Contains(g.Scope):
				out = append(out, g)
			case g.Covers(s):
				out = append(out, Grant{Role: g.Role, Scope: s})
			}
		}
	}
	return out
}

// LevelIn is the level of the most powerful role that p has over all of the
// scope, 0 if none.
func (p *Principal) LevelIn(s Scope) int {
	level := 0
	for _, g := range p.Effective() {
		if g.Covers(s) {
			level = max(level, g.Role.Level())
		}
	}
	return level
}
