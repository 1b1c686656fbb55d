package authz

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/cedar-policy/cedar-go"
	"github.com/cedar-policy/cedar-go/types"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// Places knows where things are. It must answer from what is committed.
type Places interface {
	// OrgOf returns the organisation of an app, "" if there is no such app.
	OrgOf(ctx context.Context, app string) (string, error)
	// Channel reports whether a channel exists and is public.
	Channel(ctx context.Context, app, channel string) (exists, public bool, err error)
}

// StrongFor is how long a person's proof of being there is enough for dangerous actions.
const StrongFor = 10 * time.Minute

// Deps is what a Service stands on.
type Deps struct {
	Places Places
	Now    func() time.Time
}

// Service decides. Its methods may be called by many goroutines.
type Service struct {
	rules  *rules
	places Places
	now    func() time.Time
}

// New returns a Service. It fails if the policies do not fit the schema.
func New(d Deps) (*Service, error) {
	r, err := load(files)
	if err != nil {
		return nil, fmt.Errorf("policies: %w", err)
	}
	return &Service{rules: r, places: d.Places, now: d.Now}, nil
}

// verdict is a decision with what it was made from.
type verdict struct {
	at      place
	allowed bool
	by      []cedar.PolicyID // that permit; or that forbid, or none, if it is not allowed
}

// Authorize returns nil if p may do the action to the resource. Else it is the
// error to answer with: KindForbidden, or KindNotFound for an app or
// organisation that p has no role in, whether there is one or not. A resource
// with an app may come without its organisation.
func (s *Service) Authorize(ctx context.Context, p ota.Principal, action string, r ota.Resource) error {
	v, err := s.decide(ctx, &p, action, r.Scope)
	if err != nil || v.allowed {
		return err
	}
	return s.refusal(&p, action, v)
}

func (s *Service) decide(ctx context.Context, p *ota.Principal, action string, scope ota.Scope) (verdict, error) {
	at, err := s.locate(ctx, scope)
	if err != nil {
		return verdict{}, err
	}
	a, known := s.rules.actions[action]
	if !known {
		return verdict{}, fmt.Errorf("authorize: the schema has no action %q", action)
	}
	if !asked(a, at.uid().Type) {
		return verdict{}, fmt.Errorf("authorize: the schema does not ask for %q on a resource of type %s", action, at.uid().Type)
	}
	v := s.judge(p, action, p.Effective(), at)
	return v, nil
}

// judge asks the policies.
func (s *Service) judge(p *ota.Principal, action string, grants []ota.Grant, at place) verdict {
	caller := types.NewEntityUID(callerType, types.String(p.Actor()))
	answer, why := cedar.Authorize(s.rules.policies, worldOf(s.rules.entities, caller, p.Kind, grants, at), cedar.Request{
		Principal: caller, Action: types.NewEntityUID(actionType, types.String(action)), Resource: at.uid(),
		Context: types.NewRecord(types.RecordMap{
			"session": types.Boolean(p.Session != 0),
			"recent":  types.Boolean(s.recent(p)),
			"within":  types.Boolean(within(p, action)),
		}),
	})
	v := verdict{at: at, allowed: bool(answer) && len(why.Errors) == 0}
	for _, r := range why.Reasons {
		v.by = append(v.by, r.PolicyID)
	}
	return v
}

func (s *Service) recent(p *ota.Principal) bool {
	age := s.now().UnixMilli() - p.StrongAt
	return p.StrongAt != 0 && age >= 0 && age <= StrongFor.Milliseconds()
}

// within reports whether the credential may be used for the action.
func within(p *ota.Principal, action string) bool {
	return p.Limits == nil || len(p.Limits.Actions) == 0 || slices.Contains(p.Limits.Actions, action)
}

// locate finds the organisation of a scope, and what a channel is like.
func (s *Service) locate(ctx context.Context, scope ota.Scope) (place, error) {
	at := place{Scope: scope, public: true}
	if scope.App == "" {
		at.Channel = ""
		return at, nil
	}
	org, err := s.places.OrgOf(ctx, scope.App)
	if err != nil {
		return at, err
	}
	if scope.Org != "" && scope.Org != org {
		org = "" // there is no such app in that organisation
	}
	at.Org = org
	if scope.Channel == "" || org == "" {
		return at, nil
	}
	exists, public, err := s.places.Channel(ctx, scope.App, scope.Channel)
	at.missing, at.public = !exists, public || !exists
	return at, err
}
