package control_test

import (
	"testing"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/plane/control"
)

// TestStanding: a request says to everybody who looks whether their approval
// would count and why not, and waits only for those whose would.
func TestStanding(t *testing.T) {
	tm := newTeam(t)
	ada, bob := tm.person("ada@example.com", 0, "system/setup"), tm.person("bob@example.com", 0, "system/sso")
	eve := tm.person("eve@example.com", ada.Person, "user:ada@example.com")
	tm.publish("1.0.0", "1.1.0")
	tm.release("1.0.0")
	tm.protect(2)
	a := tm.ask(ada, "1.1.0")
	check := func(p ota.Principal, code string, yours, waits bool) {
		t.Helper()
		d, err := tm.Approval(t.Context(), p, a.ID)
		tm.do(err)
		if d.You == nil || d.You.MayApprove != (code == "") || d.You.Code != code || d.You.Yours != yours {
			t.Errorf("%s stands %+v, want code %q", p.Name, d.You, code)
		}
		list, _, err := tm.Approvals(t.Context(), ota.ApprovalFilter{Voter: p.Person, Within: ota.Reach{All: true}}, ota.Page{})
		tm.do(err)
		if p.Person != 0 && (len(list) == 1) != waits {
			t.Errorf("%d requests wait for %s", len(list), p.Name)
		}
	}
	check(ada, control.CodeApprovalOwn, true, false)
	check(eve, "", false, true)
	if d, err := tm.Approval(t.Context(), eve, a.ID); err != nil || d.You.Related != "invited by the author" {
		t.Errorf("eve stands %+v, %v", d.You, err)
	}
	check(bob, "", false, true)
	check(tm.machine("ci", "user:ada@example.com"), control.CodeApprovalPerson, false, false)
	_, err := tm.vote(bob, a)
	tm.do(err)
	check(bob, control.CodeApprovalTwice, false, false)
	d, err := tm.Approval(t.Context(), ada, a.ID)
	tm.do(err)
	if len(d.Votes) != 1 || !d.Votes[0].Counts || d.Have != 1 {
		t.Errorf("bob's vote does not count: %+v", d.Votes)
	}
	tm.barred[bob.Person] = true
	d, err = tm.Approval(t.Context(), ada, a.ID)
	tm.do(err)
	if d.Votes[0].Counts || d.Have != 0 {
		t.Errorf("bob may not approve any more, but his vote counts: %+v", d.Votes)
	}
}
