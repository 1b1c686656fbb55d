package control_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/driver/sqlstore"
	"github.com/waxwing-ota/waxwing/internal/plane/control"
	"github.com/waxwing-ota/waxwing/internal/plane/directory"
)

// team is an env with people in its database.
type team struct {
	*env
	barred map[int64]bool // who may not approve any more
}

func newTeam(t testing.TB) *team {
	e := newEnv(t)
	tm := &team{env: e, barred: map[int64]bool{}}
	d := tm.deps()
	e.Service = control.New(d)
	return tm
}

func (tm *team) deps() control.Deps {
	return control.Deps{
		Store: tm.db, Blobs: tm.blobs, Snap: tm.snap, Now: tm.now, Rand: rand.Reader,
		MayApprove: func(_ context.Context, person int64, _, _ string) (bool, error) { return !tm.barred[person], nil },
	}
}

// person adds a user and returns them as a caller.
func (tm *team) person(email string, invitedBy int64, by ota.Actor) ota.Principal {
	tm.t.Helper()
	var u ota.User
	err := sqlstore.Directory{DB: tm.db}.Update(tm.ctx(), by, 1, func(tx directory.Tx) (ota.Change, error) {
		var err error
		u, err = tx.InsertUser(tm.ctx(), ota.User{Email: email, Name: email, CreatedBy: by, InvitedBy: invitedBy})
		return ota.Change{Action: "user.create", Object: email, Detail: "{}"}, err
	})
	tm.do(err)
	return ota.Principal{Kind: ota.PrincipalUser, ID: u.ID, Name: email, Person: u.ID}
}

// machine adds a service account.
func (tm *team) machine(name string, by ota.Actor) ota.Principal {
	tm.t.Helper()
	var a ota.ServiceAccount
	err := sqlstore.Directory{DB: tm.db}.Update(tm.ctx(), by, 1, func(tx directory.Tx) (ota.Change, error) {
		var err error
		a, err = tx.InsertServiceAccount(tm.ctx(), ota.ServiceAccount{Org: ota.MainOrg, Name: name, CreatedBy: by})
		return ota.Change{Action: "service.create", Object: name, Detail: "{}"}, err
	})
	tm.do(err)
	return ota.Principal{Kind: ota.PrincipalService, ID: a.ID, Name: name}
}

// protect makes the first channel ask for n approvals.
func (tm *team) protect(n int) { tm.t.Helper(); tm.protectBy(ota.PolicyPatch{RequiredApprovals: &n}) }

func (tm *team) protectBy(in ota.PolicyPatch) {
	tm.t.Helper()
	_, err := tm.UpdateChannel(tm.ctx(), who, app, prod, in)
	tm.do(err)
}

// pending returns the request that a call waits for.
func pending(t testing.TB, err error) ota.Approval {
	t.Helper()
	p, ok := errors.AsType[*control.PendingError](err)
	if !ok {
		t.Fatalf("err = %v, want a request for approval", err)
	}
	return p.Approval
}

func (tm *team) ask(p ota.Principal, version string) ota.Approval {
	tm.t.Helper()
	_, done, err := tm.Release(tm.ctx(), p, app, prod, ota.ReleaseRequest{Version: version})
	if done {
		tm.t.Fatalf("%s released %s alone", p.Name, version)
	}
	return pending(tm.t, err)
}

func (tm *team) vote(p ota.Principal, a ota.Approval) (ota.Approval, error) {
	return tm.Approve(tm.ctx(), p, a.ID, ota.ApprovalVoteRequest{Digest: a.Digest})
}

// serves returns the version that a channel serves.
func (tm *team) serves(channel string) string {
	tm.t.Helper()
	ch, err := tm.Channel(tm.ctx(), app, channel)
	tm.do(err)
	if ch.Release == nil {
		return ""
	}
	return ch.Release.Version
}

func (tm *team) state(id int64) ota.ApprovalState {
	tm.t.Helper()
	a, err := tm.Approval(tm.ctx(), ota.Principal{}, id)
	tm.do(err)
	return a.State
}

func TestSecondPersonReleases(t *testing.T) {
	tm := newTeam(t)
	ada, bob := tm.person("ada@example.com", 0, "system/setup"), tm.person("bob@example.com", 0, "system/sso")
	tm.publish("1.0.0", "1.1.0")
	tm.release("1.0.0")
	tm.protect(1)
	a := tm.ask(ada, "1.1.0")
	if again := tm.ask(ada, "1.1.0"); again.ID != a.ID {
		t.Errorf("asking again made request %d besides %d", again.ID, a.ID)
	}
	d, err := tm.Approval(t.Context(), bob, a.ID)
	tm.do(err)
	if ota.Sum(d.Document) != a.Digest || d.Need != 1 || d.Channel != prod || d.Link != fmt.Sprintf("/console/approvals/%d", a.ID) {
		t.Errorf("request %+v", d.Approval)
	}
	if f := d.Diff; f == nil || !f.Known || f.From != "1.0.0" || f.Changed != 1 || f.Added+f.Removed != 0 || f.Files[0].Path != "index.html" {
		t.Errorf("diff %+v", d.Diff)
	}
	if got := tm.serves(prod); got != "1.0.0" {
		t.Fatalf("before approval it serves %s", got)
	}
	_, err = tm.Approve(t.Context(), bob, a.ID, ota.ApprovalVoteRequest{Digest: ota.Sum(nil)})
	wantCode(t, err, control.CodeApprovalDigest)
	done, err := tm.vote(bob, a)
	tm.do(err)
	if done.State != ota.ApprovalExecuted || done.Have != 1 || tm.serves(prod) != "1.1.0" || tm.chain(prod)[0] != "1.1.0" {
		t.Errorf("after approval: %+v, serves %s", done, tm.serves(prod))
	}
	changes, _, err := tm.Changes(t.Context(), app, ota.Page{Limit: 2})
	tm.do(err)
	if c := changes[0]; c.Action != "release.publish" || c.Actor != ada.Actor() {
		t.Errorf("release recorded as %+v", c)
	}
	var detail struct {
		By []string `json:"approved_by"`
	}
	if err := json.Unmarshal([]byte(changes[0].Detail), &detail); err != nil || len(detail.By) != 1 || detail.By[0] != string(bob.Actor()) {
		t.Errorf("detail %s", changes[0].Detail)
	}
	if c := changes[1]; c.Action != "approval.approve" || c.Actor != bob.Actor() {
		t.Errorf("approval recorded as %+v", c)
	}
	_, err = tm.vote(bob, a)
	wantCode(t, err, control.CodeApprovalClosed)
}

// Who may not approve what somebody else asked for.
func TestWhoApprovesNot(t *testing.T) {
	tm := newTeam(t)
	ada := tm.person("ada@example.com", 0, "system/setup")
	bob := tm.person("bob@example.com", 0, "system/sso")
	child := tm.person("child@example.com", ada.Person, ada.Actor())
	grandchild := tm.person("grandchild@example.com", child.Person, child.Actor())
	ci := tm.machine("ci", ada.Actor())
	robot := tm.person("robot@example.com", 0, ci.Actor())
	orphan := tm.person("orphan@example.com", 0, "service:gone")
	barred := tm.person("barred@example.com", 0, "system/sso")
	tm.barred[barred.Person] = true
	tm.publish("1.0.0")
	tm.protectBy(ota.PolicyPatch{RequiredApprovals: new(1), IndependentApprovers: new(true)})
	for _, tt := range []struct {
		name   string
		author ota.Principal
		voter  ota.Principal
		want   string
	}{
		{"the author", ada, ada, control.CodeApprovalOwn},
		{"a token of nobody", ada, who, control.CodeApprovalPerson},
		{"a service account", ada, ci, control.CodeApprovalPerson},
		{"a user the author invited", ada, child, control.CodeApprovalRelated},
		{"one they invited", ada, grandchild, control.CodeApprovalRelated},
		{"who invited the author", child, ada, control.CodeApprovalRelated},
		{"one whom the author's machine made", ada, robot, control.CodeApprovalRelated},
		{"one whom a machine made that is gone", ada, orphan, control.CodeApprovalRelated},
		{"who made the machine that asks", ci, ada, control.CodeApprovalOwn},
		{"whom its maker invited", ci, child, control.CodeApprovalRelated},
		{"who may not approve", ada, barred, control.CodeApprovalNotAllowed},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a := tm.ask(tt.author, "1.0.0")
			_, err := tm.vote(tt.voter, a)
			wantCode(t, err, tt.want)
			if got := tm.serves(prod); got != "" {
				t.Fatalf("it serves %s", got)
			}
			_, err = tm.RejectApproval(t.Context(), bob, a.ID, ota.ApprovalReason{Reason: "next"})
			tm.do(err)
		})
	}
}

func TestUnknownAuthorNeedsOneMore(t *testing.T) {
	tm := newTeam(t)
	ada, bob := tm.person("ada@example.com", 0, "system/setup"), tm.person("bob@example.com", 0, "system/sso")
	tm.publish("1.0.0")
	tm.protect(1)
	a := tm.ask(who, "1.0.0")
	if a.Need != 2 {
		t.Fatalf("need %d", a.Need)
	}
	got, err := tm.vote(ada, a)
	tm.do(err)
	if got.State != ota.ApprovalRequested || tm.serves(prod) != "" {
		t.Fatalf("one approval of an unknown author's request did it: %+v", got)
	}
	_, err = tm.vote(ada, a)
	tm.do(err)
	if got := tm.serves(prod); got != "" {
		t.Fatalf("one person's two votes released %s", got)
	}
	_, err = tm.vote(bob, a)
	tm.do(err)
	if got := tm.serves(prod); got != "1.0.0" {
		t.Errorf("it serves %q", got)
	}
}

// An approval counts only while the approver may approve.
func TestApproverLostTheRight(t *testing.T) {
	tm := newTeam(t)
	ada := tm.person("ada@example.com", 0, "system/setup")
	bob, cyd, dan := tm.person("bob@example.com", 0, "system/sso"), tm.person("cyd@example.com", 0, "system/sso"), tm.person("dan@example.com", 0, "system/sso")
	tm.publish("1.0.0")
	tm.protect(2)
	a := tm.ask(ada, "1.0.0")
	_, err := tm.vote(bob, a)
	tm.do(err)
	tm.barred[bob.Person] = true
	got, err := tm.vote(cyd, a)
	tm.do(err)
	if got.State != ota.ApprovalRequested || got.Have != 1 {
		t.Fatalf("%+v", got)
	}
	_, err = tm.vote(dan, a)
	tm.do(err)
	if got := tm.serves(prod); got != "1.0.0" {
		t.Errorf("it serves %q", got)
	}
}

func TestRequestsEnd(t *testing.T) {
	tm := newTeam(t)
	ada, bob := tm.person("ada@example.com", 0, "system/setup"), tm.person("bob@example.com", 0, "system/sso")
	tm.publish("1.0.0", "1.1.0")
	tm.release("1.0.0")
	tm.protect(1)
	t.Run("rejected", func(t *testing.T) {
		a := tm.ask(ada, "1.1.0")
		_, err := tm.RejectApproval(t.Context(), bob, a.ID, ota.ApprovalReason{})
		wantCode(t, err, control.CodeReasonMissing)
		_, err = tm.RejectApproval(t.Context(), bob, a.ID, ota.ApprovalReason{Reason: "broken"})
		tm.do(err)
		_, err = tm.vote(bob, a)
		wantCode(t, err, control.CodeApprovalClosed)
	})
	t.Run("cancelled", func(t *testing.T) {
		a := tm.ask(ada, "1.1.0")
		_, err := tm.CancelApproval(t.Context(), bob, a.ID)
		wantCode(t, err, control.CodeApprovalNotYours)
		_, err = tm.CancelApproval(t.Context(), ada, a.ID)
		tm.do(err)
		if st := tm.state(a.ID); st != ota.ApprovalCancelled {
			t.Errorf("it is %s", st)
		}
	})
	t.Run("expired", func(t *testing.T) {
		a := tm.ask(ada, "1.1.0")
		tm.pass(24*time.Hour + time.Second)
		_, err := tm.vote(bob, a)
		wantCode(t, err, control.CodeApprovalClosed)
		if st := tm.state(a.ID); st != ota.ApprovalExpired {
			t.Errorf("it is %s", st)
		}
		if b := tm.ask(ada, "1.1.0"); b.ID == a.ID {
			t.Error("an expired request was found again")
		} else {
			tm.pass(25 * time.Hour)
			if n, err := tm.SweepApprovals(t.Context()); err != nil || n != 1 {
				t.Errorf("swept %d, %v", n, err)
			}
		}
		changes, _, err := tm.Changes(t.Context(), app, ota.Page{Limit: 1})
		tm.do(err)
		if changes[0].Action != "approval.expire" || changes[0].Actor != "system/approvals" {
			t.Errorf("recorded %+v", changes[0])
		}
	})
	t.Run("superseded", func(t *testing.T) {
		a := tm.ask(ada, "1.1.0")
		_, err := tm.Rollback(t.Context(), actor, app, prod, ota.RollbackRequest{To: ota.Builtin})
		tm.do(err)
		_, err = tm.vote(bob, a)
		wantCode(t, err, control.CodeApprovalClosed)
		if st := tm.state(a.ID); st != ota.ApprovalSuperseded || tm.serves(prod) != ota.Builtin {
			t.Errorf("it is %s, served %s", st, tm.serves(prod))
		}
	})
}

func TestBreakGlassIsLoud(t *testing.T) {
	tm := newTeam(t)
	ada := tm.person("ada@example.com", 0, "system/setup")
	ci := tm.machine("ci", ada.Actor())
	tm.publish("1.0.0")
	tm.protect(1)
	a := tm.ask(ada, "1.0.0")
	_, err := tm.BreakGlass(t.Context(), ci, a.ID, ota.ApprovalReason{Reason: "down"})
	wantCode(t, err, control.CodeApprovalPerson)
	_, err = tm.BreakGlass(t.Context(), ada, a.ID, ota.ApprovalReason{})
	wantCode(t, err, control.CodeReasonMissing)
	got, err := tm.BreakGlass(t.Context(), ada, a.ID, ota.ApprovalReason{Reason: "shop is down"})
	tm.do(err)
	if !got.BrokeGlass || got.Reason != "shop is down" || tm.serves(prod) != "1.0.0" {
		t.Errorf("%+v", got)
	}
	changes, _, err := tm.Changes(t.Context(), app, ota.Page{Limit: 2})
	tm.do(err)
	if changes[1].Action != "approval.breakglass" || changes[0].Action != "release.publish" {
		t.Errorf("recorded %s, %s", changes[1].Action, changes[0].Action)
	}
	ch, err := tm.Channel(t.Context(), app, prod)
	tm.do(err)
	if ch.BrokeGlassAt == 0 {
		t.Error("the channel does not show it")
	}
	tm.pass(7 * 24 * time.Hour)
	if ch, err = tm.Channel(t.Context(), app, prod); err != nil || ch.BrokeGlassAt != 0 {
		t.Errorf("after a week: %d, %v", ch.BrokeGlassAt, err)
	}
}

func TestPasskeyMustSign(t *testing.T) {
	tm := newTeam(t)
	ada, bob := tm.person("ada@example.com", 0, "system/setup"), tm.person("bob@example.com", 0, "system/sso")
	d := tm.deps()
	d.NeedsAssertion = func(context.Context, int64) (bool, error) { return true, nil }
	d.Assert = func(_ context.Context, person int64, digest ota.Digest, response json.RawMessage) error {
		if string(response) != fmt.Sprintf("%q", fmt.Sprint(person, digest)) {
			return ota.Errorf(ota.KindForbidden, "assertion_wrong", "no")
		}
		return nil
	}
	tm.Service = control.New(d)
	tm.publish("1.0.0")
	tm.protect(1)
	a := tm.ask(ada, "1.0.0")
	_, err := tm.vote(bob, a)
	wantCode(t, err, control.CodeApprovalAssertion)
	sign := func(d ota.Digest) json.RawMessage { return fmt.Appendf(nil, "%q", fmt.Sprint(bob.Person, d)) }
	_, err = tm.Approve(t.Context(), bob, a.ID, ota.ApprovalVoteRequest{Digest: a.Digest, Assertion: sign(ota.Sum(nil))})
	wantCode(t, err, "assertion_wrong")
	got, err := tm.Approve(t.Context(), bob, a.ID, ota.ApprovalVoteRequest{Digest: a.Digest, Assertion: sign(a.Digest)})
	tm.do(err)
	if !got.Votes[0].Asserted || tm.serves(prod) != "1.0.0" {
		t.Errorf("%+v", got)
	}
}
