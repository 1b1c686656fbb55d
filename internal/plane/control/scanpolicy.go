package control

import (
	"context"
	"maps"

	"github.com/waxwing-ota/waxwing/internal/core/approve"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/scanpolicy"
)

// scanPolicyCall is a request to set a scan policy, as it is approved. A nil
// policy takes a channel's own away.
type scanPolicyCall struct {
	Channel string          `json:"channel"` // "" = the app
	Policy  *ota.ScanPolicy `json:"policy"`
}

// ScanPolicy returns the policy that holds for a channel; "" = the app's own.
func (s *Service) ScanPolicy(ctx context.Context, app, channel string) (ota.ScanPolicyInfo, error) {
	id, err := s.policyPlace(ctx, s.store, app, channel)
	if err != nil {
		return ota.ScanPolicyInfo{}, err
	}
	return scanPolicy(ctx, s.store, app, id)
}

func (s *Service) policyPlace(ctx context.Context, r Reader, app, channel string) (int64, error) {
	if channel == "" {
		_, err := r.App(ctx, app)
		return 0, err
	}
	ch, err := findChannel(ctx, r, app, channel)
	return ch.ID, err
}

// SetScanPolicy sets the policy of an app or of one of its channels, which then
// does without the app's; nil takes it away. What lets more pass onto a
// protected channel waits for approval.
func (s *Service) SetScanPolicy(ctx context.Context, p ota.Principal, app, channel string, in *ota.ScanPolicy) (ota.ScanPolicyInfo, error) {
	if in != nil {
		if in.Rules == nil {
			in.Rules = map[string]string{}
		}
		if err := scanpolicy.Check(*in, s.rules); err != nil {
			return ota.ScanPolicyInfo{}, err
		}
	}
	err := s.guarded(ctx, p, s.scanPolicyAct(app, scanPolicyCall{channel, in}))
	if err != nil {
		return ota.ScanPolicyInfo{}, err
	}
	return s.ScanPolicy(ctx, app, channel)
}

func (s *Service) scanPolicyAct(app string, in scanPolicyCall) *act {
	object := in.Channel
	if object == "" {
		object = app
	}
	a := &act{kind: ota.ActScanPolicy, app: app, object: object, request: in}
	a.plan = func(ctx context.Context, tx Tx) (*plan, error) {
		id, err := s.policyPlace(ctx, tx, app, in.Channel)
		if err != nil {
			return nil, err
		}
		was, had, err := tx.ScanPolicy(ctx, app, id)
		if err != nil {
			return nil, err
		}
		if !had && in.Policy == nil || had && in.Policy != nil && samePolicy(was.ScanPolicy, *in.Policy) {
			return nothing(), nil
		}
		var before any
		if had {
			before = was.ScanPolicy
		}
		pl := &plan{change: &approve.Change{Before: before, After: in.Policy}}
		pl.run = func(ctx context.Context, tx Tx, actor ota.Actor) (ota.Change, error) {
			c := changed(change("scan_policy.update", app, object, fields{"channel": in.Channel}), before, orNil(in.Policy))
			return c, tx.SetScanPolicy(ctx, app, id, in.Policy, s.nowMS(), actor)
		}
		pl.protects, err = s.loosened(ctx, tx, app, id, in.Policy)
		return pl, err
	}
	return a
}

// loosened returns the protected channels onto which more would pass.
func (s *Service) loosened(ctx context.Context, tx Tx, app string, at int64, to *ota.ScanPolicy) ([]ota.Channel, error) {
	all, err := tx.Channels(ctx, app)
	if err != nil {
		return nil, err
	}
	var out []ota.Channel
	for _, ch := range all {
		if !ch.Policy.Protected() || at != 0 && at != ch.ID {
			continue
		}
		was, err := scanPolicy(ctx, tx, app, ch.ID)
		if err != nil {
			return nil, err
		}
		if at == 0 && was.From == ota.PolicyChannel {
			continue // it has its own
		}
		after := ota.DefaultScanPolicy()
		switch {
		case to != nil:
			after = *to
		case at != 0:
			own, err := scanPolicy(ctx, tx, app, 0)
			if err != nil {
				return nil, err
			}
			after = own.ScanPolicy
		}
		if scanpolicy.Weaker(was.ScanPolicy, after) {
			out = append(out, ch)
		}
	}
	return out, nil
}

func samePolicy(a, b ota.ScanPolicy) bool {
	return a.OnBlock == b.OnBlock && a.OnWarn == b.OnWarn && a.OnInfo == b.OnInfo &&
		a.Demand == b.Demand && a.NewOnly == b.NewOnly && maps.Equal(a.Rules, b.Rules)
}
