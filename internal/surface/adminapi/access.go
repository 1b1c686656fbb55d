package adminapi

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// question asks to explain a decision.
type question struct {
	User             string `json:"user,omitempty" doc:"mail address; with no service account either, the caller"`
	ServiceAccountID int64  `json:"service_account_id,omitempty"`
	Action           string `json:"action"`
	Resource         string `json:"resource" doc:"main, main/com.example.app or main/com.example.app/beta"`
}

func (s *server) registerAccess() {
	const tag = "people"
	register(s, route{
		id: "get-access-matrix", method: http.MethodGet, path: "/access/matrix", action: "access.matrix", tag: tag,
		summary: "List what each role may do",
	},
		func(*call, *Request, none) (list[ota.MatrixRow], error) {
			return listOf(s.deps.Access.Matrix(), "", nil)
		})
	register(s, route{
		id: "explain-access", method: http.MethodPost, path: "/access/explain", action: "access.ask", tag: tag,
		summary: "Explain whether somebody may do something, and why; changes nothing",
	}, s.explainAccess)
}

func (s *server) explainAccess(c *call, _ *Request, in question) (ota.Decision, error) {
	on, err := parseScope(in.Resource)
	if err != nil {
		return ota.Decision{}, err
	}
	own := in.User == "" && in.ServiceAccountID == 0
	if !own {
		if err := c.may("access.explain", on); err != nil {
			return ota.Decision{}, err
		}
	}
	p, held, err := s.askedAbout(c, in, on)
	if err != nil {
		return ota.Decision{}, err
	}
	d, err := s.deps.Access.Explain(c, p, in.Action, ota.Resource{Scope: on})
	if err != nil {
		return d, err
	}
	d.Subject, d.Held = string(p.Actor()), []ota.HeldRole{}
	for _, h := range held {
		h.Applies = h.Covers(d.Resource)
		// Roles elsewhere are none of the business of who asks about others.
		if own || h.Applies || d.Resource.Contains(h.Scope) {
			d.Held = append(d.Held, h)
		}
	}
	return d, nil
}

// askedAbout is whom a question is about, and what they hold from where.
func (s *server) askedAbout(c *call, in question, on ota.Scope) (ota.Principal, []ota.HeldRole, error) {
	p := ota.Principal{Kind: ota.PrincipalUser}
	kind := ota.SubjectUser
	switch {
	case in.User != "" && in.ServiceAccountID != 0:
		return p, nil, ota.Invalid("subject_invalid", "ask about a user or about a service account").WithField("user")
	case in.User != "":
		u, err := s.deps.Directory.UserByEmail(c, in.User)
		if err != nil {
			return p, nil, err
		}
		p.ID, p.Name, p.Person = u.ID, u.Email, u.ID
	case in.ServiceAccountID != 0:
		a, err := s.deps.Directory.ServiceAccount(c, in.ServiceAccountID)
		if err == nil && a.Org != on.Org {
			err = ota.NotFound("service_account_not_found", "there is no service account %d", in.ServiceAccountID)
		}
		if err != nil {
			return p, nil, err
		}
		p.Kind, p.ID, p.Name, kind = ota.PrincipalService, a.ID, a.Name, ota.SubjectService
	default:
		var held []ota.HeldRole
		for _, g := range c.principal.Effective() {
			held = append(held, ota.HeldRole{Grant: g, Via: "credential"})
		}
		return c.principal, held, nil
	}
	var err error
	if p.Grants, err = s.deps.Directory.Effective(c, kind, p.ID); err != nil {
		return p, nil, err
	}
	stored, err := s.deps.Directory.Held(c, kind, p.ID)
	if err != nil || len(p.Grants) == 0 {
		return p, nil, err // a disabled subject holds nothing
	}
	held := make([]ota.HeldRole, 0, len(stored))
	for _, g := range stored {
		h := ota.HeldRole{Grant: g.Grant, Via: fmt.Sprintf("grant %d", g.ID)}
		if g.SubjectKind == ota.SubjectGroup {
			group, err := s.deps.Directory.Group(c, g.SubjectID)
			if err != nil {
				return p, nil, err
			}
			h.Via = fmt.Sprintf("group %s (grant %d)", group.Name, g.ID)
		}
		held = append(held, h)
	}
	return p, held, nil
}

// parseScope reads org, org/app or org/app/channel.
func parseScope(text string) (ota.Scope, error) {
	parts := strings.Split(text, "/")
	if len(parts) > 3 || strings.Contains("/"+text+"/", "//") {
		return ota.Scope{}, ota.Invalid("scope_invalid", "%q is no resource", clip(text)).WithField("resource").
			WithHint("write it like main, main/com.example.app or main/com.example.app/beta")
	}
	parts = append(parts, "", "")
	return ota.Scope{Org: parts[0], App: parts[1], Channel: parts[2]}, nil
}
