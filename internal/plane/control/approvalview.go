package control

import (
	"context"
	"errors"
	"slices"

	"github.com/waxwing-ota/waxwing/internal/core/approve"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// standingOf says how a caller stands to an open request, and marks the votes
// of it that count.
func (s *Service) standingOf(ctx context.Context, p ota.Principal, a *ota.Approval) (*ota.ApprovalStanding, error) {
	_, counted, err := s.counted(ctx, s.store, a, 0)
	if err != nil {
		return nil, err
	}
	a.Have = len(counted)
	for i := range a.Votes {
		a.Votes[i].Counts = slices.ContainsFunc(counted, func(v approve.Voter) bool { return v.Person == a.Votes[i].Person })
	}
	you := &ota.ApprovalStanding{Yours: isBehind(p, a)}
	refused := approve.RefusedNobody
	if p.Person != 0 {
		n, err := s.count(ctx, s.store, a, p.Person)
		if err != nil {
			return nil, err
		}
		refused, you.Related = n.refused, n.related
		if slices.ContainsFunc(a.Votes, func(v ota.ApprovalVote) bool { return v.Person == p.Person }) {
			refused = approve.RefusedTwice
		}
		if s.needsAssertion != nil {
			if you.NeedsPasskey, err = s.needsAssertion(ctx, p.Person); err != nil {
				return nil, err
			}
		}
	}
	if you.MayApprove = refused == ""; !you.MayApprove {
		if e, ok := errors.AsType[*ota.Error](refusal(refused)); ok {
			you.Code, you.Reason, you.Hint = e.Code, e.Msg, e.Hint
		}
	}
	return you, nil
}

// isBehind reports whether a caller is behind a request.
func isBehind(p ota.Principal, a *ota.Approval) bool {
	return a.Actor == p.Actor() || p.Person != 0 && slices.Contains(a.Authors, p.Person)
}

// waitingFor keeps the open requests that a person could approve now.
func (s *Service) waitingFor(ctx context.Context, items []ota.Approval, person int64) ([]ota.Approval, error) {
	out := []ota.Approval{}
	for i := range items {
		a := &items[i]
		if s.nowMS() >= a.ExpiresAt || slices.ContainsFunc(a.Votes, func(v ota.ApprovalVote) bool { return v.Person == person }) {
			continue
		}
		n, err := s.count(ctx, s.store, a, person)
		if err != nil {
			return nil, err
		}
		if n.refused == "" {
			out = append(out, *a)
		}
	}
	return out, nil
}
