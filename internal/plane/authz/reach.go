package authz

import (
	"context"
	"fmt"
	"slices"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// Reach says where p may do an action. It is for lists, and for requests whose
// address does not say what they are about: those ask Authorize once it is
// known. If p may do it nowhere, it fails as Authorize does.
func (s *Service) Reach(ctx context.Context, p ota.Principal, action string) (ota.Reach, error) {
	a, known := s.rules.actions[action]
	if !known {
		return ota.Reach{}, fmt.Errorf("authorize: the schema has no action %q", action)
	}
	var out ota.Reach
	held := p.Effective()
	refused := verdict{at: place{Scope: ota.Scope{Org: ota.MainOrg}}}
	for _, g := range held {
		if slices.Contains(out.Scopes, g.Scope) {
			continue
		}
		at, err := s.locate(ctx, g.Scope)
		if err != nil {
			return ota.Reach{}, err
		}
		if at.Org == "" || !asked(a, at.uid().Type) {
			continue // the app is gone, or the action is about something larger
		}
		v := s.judge(&p, action, held, at)
		if !v.allowed {
			refused = v
			continue
		}
		out.Scopes = append(out.Scopes, g.Scope)
		everywhere := ota.Grant{Role: ota.RoleOwner, Scope: ota.Scope{Org: ota.MainOrg}}
		out.All = out.All || g == everywhere
	}
	if len(out.Scopes) == 0 {
		return out, s.refusal(&p, action, refused)
	}
	return out, nil
}
