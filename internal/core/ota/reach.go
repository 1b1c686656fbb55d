package ota

// Reach is where somebody may do an action. A list of what they may see is cut
// to it.
type Reach struct {
	All    bool    // everywhere; Scopes says nothing then
	Scopes []Scope // these, with all that is in them
}

// Orgs lists the whole organisations within reach, nil = every one.
func (r Reach) Orgs() []string { return r.orgs(func(s Scope) bool { return s.App == "" }) }

// AnyOrgs lists the organisations that a part of is within reach, nil = every one.
func (r Reach) AnyOrgs() []string { return r.orgs(func(Scope) bool { return true }) }

func (r Reach) orgs(keep func(Scope) bool) []string {
	if r.All {
		return nil
	}
	out := []string{}
	seen := map[string]bool{}
	for _, s := range r.Scopes {
		if keep(s) && !seen[s.Org] {
			seen[s.Org] = true
			out = append(out, s.Org)
		}
	}
	return out
}

// Contains reports whether all of the scope is within reach.
func (r Reach) Contains(o Scope) bool {
	if r.All {
		return true
	}
	for _, s := range r.Scopes {
		if s.Contains(o) {
			return true
		}
	}
	return false
}
