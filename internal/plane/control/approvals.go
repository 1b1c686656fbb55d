package control

import (
	"context"
	"encoding/json"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/approve"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// approvalActor is who records that time or a change closed a request.
const approvalActor ota.Actor = "system/approvals"

const maxReason = 1000

// Approvals lists requests, newest first. One that is past its time is shown as
// expired even before that is recorded.
func (s *Service) Approvals(ctx context.Context, f ota.ApprovalFilter, p ota.Page) ([]ota.Approval, string, error) {
	if f.Voter != 0 {
		f.State = ota.ApprovalRequested
	}
	items, next, err := s.store.Approvals(ctx, f, p)
	if err == nil && f.Voter != 0 {
		items, err = s.waitingFor(ctx, items, f.Voter)
	}
	for i := range items {
		s.linked(&items[i])
		if items[i].State == ota.ApprovalRequested && s.nowMS() >= items[i].ExpiresAt {
			items[i].State = ota.ApprovalExpired
		}
	}
	return items, next, err
}

// ApprovalScope says which app and channel a request is about.
func (s *Service) ApprovalScope(ctx context.Context, id int64) (ota.Scope, error) {
	a, err := s.store.Approval(ctx, id)
	return ota.Scope{App: a.App, Channel: a.Channel}, err
}

// Approval returns a request with what it changes. One that does not hold any
// more is closed first.
func (s *Service) Approval(ctx context.Context, p ota.Principal, id int64) (ota.ApprovalDetail, error) {
	a, err := s.settleApproval(ctx, id)
	if err != nil {
		return ota.ApprovalDetail{}, err
	}
	d := ota.ApprovalDetail{Approval: a}
	if a.State == ota.ApprovalRequested {
		if d.You, err = s.standingOf(ctx, p, &d.Approval); err != nil {
			return ota.ApprovalDetail{}, err
		}
	}
	d.Diff, err = s.approvalDiff(ctx, &a)
	return d, err
}

// settleApproval closes a request that does not hold any more, and returns it.
func (s *Service) settleApproval(ctx context.Context, id int64) (ota.Approval, error) {
	a, err := s.store.Approval(ctx, id)
	if err == nil && a.State == ota.ApprovalRequested {
		err = s.store.Update(ctx, approvalActor, s.nowMS(), func(tx Tx) (ota.Change, error) {
			var c ota.Change
			var err error
			a, _, c, err = s.standing(ctx, tx, id)
			return c, err
		})
	}
	s.linked(&a)
	return a, err
}

// standing reads a request in a transaction. An open one that expired, or whose
// digest is not that of what would be done now, is closed: then the plan is nil
// and the change is the record of that.
func (s *Service) standing(ctx context.Context, tx Tx, id int64) (ota.Approval, *plan, ota.Change, error) {
	a, err := tx.Approval(ctx, id)
	if err != nil || a.State != ota.ApprovalRequested {
		return a, nil, ota.Change{}, err
	}
	if s.nowMS() >= a.ExpiresAt {
		c, err := s.closeApproval(ctx, tx, &a, ota.ApprovalExpired, approvalActor, "")
		return a, nil, c, err
	}
	pl, why, err := s.replan(ctx, tx, &a)
	if err != nil || pl != nil {
		return a, pl, ota.Change{}, err
	}
	c, err := s.closeApproval(ctx, tx, &a, ota.ApprovalSuperseded, approvalActor, why)
	return a, nil, c, err
}

// replan plans a request again; nil if that is not what was requested, and why.
func (s *Service) replan(ctx context.Context, tx Tx, a *ota.Approval) (*plan, string, error) {
	do, err := s.actOf(a)
	if err != nil {
		return nil, "", err
	}
	pl, err := do.plan(ctx, tx)
	switch ota.KindOf(err) {
	case ota.KindInvalid, ota.KindNotFound, ota.KindConflict:
		return nil, err.Error(), nil
	default:
		if err != nil {
			return nil, "", err
		}
	}
	_, digest, err := do.document(pl).Seal()
	if err != nil {
		return nil, "", err
	}
	if digest != a.Digest || len(pl.protects) == 0 {
		return nil, "what it is about has changed since", nil
	}
	return pl, "", nil
}

// closeApproval ends a request and returns the record of it.
func (s *Service) closeApproval(ctx context.Context, tx Tx, a *ota.Approval, st ota.ApprovalState, by ota.Actor, reason string) (ota.Change, error) {
	a.State, a.ClosedAt, a.ClosedBy, a.Reason = st, s.nowMS(), by, reason
	action := map[ota.ApprovalState]string{
		ota.ApprovalExecuted: "approval.approve", ota.ApprovalRejected: "approval.reject", ota.ApprovalExpired: "approval.expire",
		ota.ApprovalSuperseded: "approval.supersede", ota.ApprovalCancelled: "approval.cancel",
	}[st]
	return approvalChange(action, a, fields{"reason": reason}), tx.UpdateApproval(ctx, *a)
}

// closedError says that a request is not open any more.
func closedError(a *ota.Approval) error {
	e := ota.Conflict(CodeApprovalClosed, "request %d is %s already", a.ID, a.State)
	switch a.State {
	case ota.ApprovalExpired, ota.ApprovalSuperseded:
		return e.WithHint("ask again: what will be done must be looked at anew")
	case ota.ApprovalRequested, ota.ApprovalExecuted, ota.ApprovalRejected, ota.ApprovalCancelled:
	}
	return e.WithHint("nothing is left to do for it")
}

// onOpen runs fn on a request that is open and holds. One that does not is
// closed, and that is an error.
func (s *Service) onOpen(ctx context.Context, actor ota.Actor, id int64, fn func(tx Tx, a *ota.Approval, pl *plan) (ota.Change, error)) (ota.Approval, error) {
	a, err := s.store.Approval(ctx, id)
	if err != nil {
		return a, err
	}
	var closed error
	err = s.update(ctx, actor, a.App, func(tx Tx) (ota.Change, error) {
		var pl *plan
		var c ota.Change
		var err error
		if a, pl, c, err = s.standing(ctx, tx, id); err != nil {
			return c, err
		}
		if pl == nil {
			closed = closedError(&a)
			c.Actor = approvalActor
			return c, nil
		}
		return fn(tx, &a, pl)
	})
	s.linked(&a)
	if err == nil {
		err = closed
	}
	return a, err
}

// Approve records a person's approval of exactly the digest they saw. The last
// approval that is needed carries the request out, in the same transaction.
func (s *Service) Approve(ctx context.Context, p ota.Principal, id int64, in ota.ApprovalVoteRequest) (ota.Approval, error) {
	if p.Person == 0 {
		return ota.Approval{}, refusal(approve.RefusedNobody)
	}
	asserted, err := s.asserted(ctx, p.Person, id, in)
	if err != nil {
		return ota.Approval{}, err
	}
	var after func()
	a, err := s.onOpen(ctx, p.Actor(), id, func(tx Tx, a *ota.Approval, pl *plan) (ota.Change, error) {
		if in.Digest != a.Digest {
			return ota.Change{}, otherDigest(a)
		}
		if err := ownToken(ctx, tx, p); err != nil {
			return ota.Change{}, err
		}
		n, err := s.count(ctx, tx, a, p.Person)
		if err != nil {
			return ota.Change{}, err
		}
		if n.refused != "" {
			return ota.Change{}, refusal(n.refused)
		}
		vote := ota.ApprovalVote{Person: p.Person, Actor: p.Actor(), At: s.nowMS(), Asserted: asserted, Related: n.related}
		detail := fields{"asserted": asserted, "related": n.related}
		if err := tx.InsertVote(ctx, a.ID, vote); err != nil {
			return ota.Change{}, err
		}
		a.Votes, a.Have = append(a.Votes, vote), n.have
		if n.have < a.Need {
			return approvalChange("approval.approve", a, detail), tx.UpdateApproval(ctx, *a)
		}
		after = pl.after
		detail["executed"] = true
		return s.execute(ctx, tx, a, pl, p.Actor(), detail)
	})
	if err == nil && after != nil {
		after()
	}
	return a, err
}

// execute carries an approved request out, in the name of who asked for it.
func (s *Service) execute(ctx context.Context, tx Tx, a *ota.Approval, pl *plan, by ota.Actor, detail fields) (ota.Change, error) {
	did, err := pl.run(ctx, tx, a.Actor)
	if err != nil {
		return ota.Change{}, err
	}
	c, err := s.closeApproval(ctx, tx, a, ota.ApprovalExecuted, by, a.Reason)
	if err != nil {
		return ota.Change{}, err
	}
	c = withDetail(c, detail)
	if did.Action == "" {
		return c, nil
	}
	approvers, related := []ota.Actor{}, map[ota.Actor]string{}
	for _, v := range a.Votes {
		approvers = append(approvers, v.Actor)
		if v.Related != "" {
			related[v.Actor] = v.Related
		}
	}
	did.Actor = a.Actor
	c.More = []ota.Change{withDetail(did, fields{"approval": a.ID, "approved_by": approvers, "related": related, "broke_glass": a.BrokeGlass})}
	return c, nil
}

func otherDigest(a *ota.Approval) error {
	return ota.Conflict(CodeApprovalDigest, "request %d is about something else than the digest says", a.ID).WithField("digest").
		WithHint("look at it again: waxwing approvals show %d", a.ID)
}

// asserted checks the passkey's signature over the digest, which people with a
// passkey must send. It happens before the transaction: what checks it stores too.
func (s *Service) asserted(ctx context.Context, person, id int64, in ota.ApprovalVoteRequest) (bool, error) {
	if s.needsAssertion == nil || s.assert == nil {
		return false, nil
	}
	if len(in.Assertion) == 0 {
		needs, err := s.needsAssertion(ctx, person)
		if err != nil || !needs {
			return false, err
		}
		a := ota.Approval{ID: id}
		s.linked(&a)
		return false, ota.Errorf(ota.KindForbidden, CodeApprovalAssertion, "you have a passkey, so your approval must be signed with it").
			WithHint("approve it in the console: %s", a.Link).WithField("assertion")
	}
	return true, s.assert(ctx, person, in.Digest, in.Assertion)
}

// ApprovalChallenge returns what a browser needs to sign the digest of an open
// request with a passkey of the person.
func (s *Service) ApprovalChallenge(ctx context.Context, p ota.Principal, id int64) (json.RawMessage, error) {
	if p.Person == 0 {
		return nil, refusal(approve.RefusedNobody)
	}
	a, err := s.settleApproval(ctx, id)
	if err != nil {
		return nil, err
	}
	if a.State != ota.ApprovalRequested {
		return nil, closedError(&a)
	}
	if s.challenge == nil {
		return nil, ota.Errorf(ota.KindUnavailable, CodeApprovalAssertion, "this server has no passkeys").WithHint("approve without an assertion")
	}
	return s.challenge(ctx, p.Person, a.Digest)
}

// RejectApproval ends a request: one rejection is enough.
func (s *Service) RejectApproval(ctx context.Context, p ota.Principal, id int64, why ota.ApprovalReason) (ota.Approval, error) {
	reason, err := neededReason(why)
	if err != nil {
		return ota.Approval{}, err
	}
	return s.onOpen(ctx, p.Actor(), id, func(tx Tx, a *ota.Approval, _ *plan) (ota.Change, error) {
		return s.closeApproval(ctx, tx, a, ota.ApprovalRejected, p.Actor(), reason)
	})
}

// CancelApproval takes a request back; only who is behind it may.
func (s *Service) CancelApproval(ctx context.Context, p ota.Principal, id int64) (ota.Approval, error) {
	return s.onOpen(ctx, p.Actor(), id, func(tx Tx, a *ota.Approval, _ *plan) (ota.Change, error) {
		if !isBehind(p, a) {
			return ota.Change{}, ota.Errorf(ota.KindForbidden, CodeApprovalNotYours, "request %d is %s's", a.ID, a.Actor).
				WithHint("reject it instead")
		}
		return s.closeApproval(ctx, tx, a, ota.ApprovalCancelled, p.Actor(), "")
	})
}

// BreakGlass carries a request out without the approvals, for the night when
// nobody else can be reached. It is loud: a record of its own, a mark on the
// channels for a week. Machines cannot.
func (s *Service) BreakGlass(ctx context.Context, p ota.Principal, id int64, why ota.ApprovalReason) (ota.Approval, error) {
	reason, err := neededReason(why)
	if err != nil {
		return ota.Approval{}, err
	}
	if p.Person == 0 && p.Kind != ota.PrincipalToken {
		return ota.Approval{}, refusal(approve.RefusedNobody)
	}
	var after func()
	a, err := s.onOpen(ctx, p.Actor(), id, func(tx Tx, a *ota.Approval, pl *plan) (ota.Change, error) {
		a.BrokeGlass, a.Reason = true, reason
		after = pl.after
		c, err := s.execute(ctx, tx, a, pl, p.Actor(), fields{"reason": reason})
		if err != nil {
			return c, err
		}
		c.Action = "approval.breakglass"
		for i := range pl.protects {
			if err := tx.MarkBrokenGlass(ctx, pl.protects[i].ID, s.nowMS()); err != nil {
				return c, err
			}
		}
		return c, nil
	})
	if err == nil && after != nil {
		after()
	}
	return a, err
}

func neededReason(in ota.ApprovalReason) (string, error) {
	reason, err := cleanText("reason", in.Reason, maxReason)
	if err == nil && reason == "" {
		err = ota.Invalid(CodeReasonMissing, "say why").WithField("reason").WithHint("it is kept in the record, for those who ask later")
	}
	return reason, err
}

// SweepApprovals closes the requests that do not hold any more and says how many.
func (s *Service) SweepApprovals(ctx context.Context) (int, error) {
	open, err := s.store.OpenApprovals(ctx, "")
	if err != nil {
		return 0, err
	}
	n := 0
	for _, o := range open {
		a, err := s.settleApproval(ctx, o.ID)
		if err != nil {
			return n, err
		}
		if a.State != ota.ApprovalRequested {
			n++
		}
	}
	return n, nil
}

// glassDays is how long a channel shows that the glass was broken.
const glassDays = 7

// shown hides what a channel does not show any more.
func (s *Service) shown(c ota.Channel) ota.Channel {
	if c.BrokeGlassAt+(glassDays*24*time.Hour).Milliseconds() <= s.nowMS() {
		c.BrokeGlassAt = 0
	}
	return c
}
