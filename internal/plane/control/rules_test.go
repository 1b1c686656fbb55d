package control_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/driver/sqlstore"
	"github.com/waxwing-ota/waxwing/internal/plane/trust"
)

// logged lists what is in the log of sealed updates, as "kind what name: state".
func (e *env) logged() []string {
	e.t.Helper()
	all, err := e.db.SealedEntries(e.ctx(), 0, 500)
	if err != nil {
		e.t.Fatal(err)
	}
	out := []string{}
	for _, x := range all {
		if x.Document == nil {
			e.t.Fatalf("entry %d has no document", x.Leaf)
		}
		_, state, _ := strings.Cut(x.Document.Text, `"state":`)
		if state != "null}" {
			state = "{}"
		} else {
			state = "gone"
		}
		out = append(out, x.Kind+" "+x.Document.What+" "+x.Document.Name+": "+state)
	}
	return out
}

func (e *env) seal() {
	e.t.Helper()
	e.do(sqlstore.Trust{DB: e.db}.Update(e.ctx(), actor, 1, func(tx trust.Tx) (ota.Change, error) {
		return ota.Change{Action: "trust.publish", App: app}, tx.PutTrustDocument(e.ctx(), trust.Document{App: app, Role: "root", Version: 1, Body: []byte("x")})
	}))
}

// TestRulesAreLogged changes whom things are for in every way there is.
func TestRulesAreLogged(t *testing.T) {
	e := newEnv(t)
	e.publish("1.0.0", "1.1.0")
	e.release("1.0.0")
	if got := e.logged(); len(got) != 0 {
		t.Fatalf("an app without sealed updates is logged: %q", got)
	}
	e.seal()
	e.do(e.LogRules(e.ctx(), app))
	e.do(e.LogRules(e.ctx(), app)) // nothing new
	id, _ := ota.ParseDeviceID("11111111-2222-3333-4444-555555555555")
	_, err := e.CreateChannel(e.ctx(), who, app, "beta", ota.PolicyPatch{})
	e.do(err)
	e.do(e.SetOverride(e.ctx(), actor, app, id, "beta"))
	e.do(e.SetOverride(e.ctx(), actor, app, id, "beta")) // it is so already
	e.roll(ota.RolloutRequest{Version: "1.1.0", BPS: new(100)})
	_, err = e.SetCohort(e.ctx(), actor, app, "testers", ota.CohortRequest{CustomIDs: []string{"ada"}})
	e.do(err)
	e.do(e.ClearOverride(e.ctx(), actor, app, id))
	e.do(e.DeleteCohort(e.ctx(), actor, app, "testers"))
	_, err = e.UpdateChannel(e.ctx(), who, app, "beta", ota.PolicyPatch{Public: new(true)})
	e.do(err)
	e.do(e.DeleteChannel(e.ctx(), who, app, "beta"))
	if e.SetOverride(e.ctx(), actor, app, id, "no-such") == nil {
		t.Error("bound to a channel that is not there")
	}
	want := []string{
		"rule channel production: {}", "policy channel production: {}",
		"rule channel beta: {}", "policy channel beta: {}",
		"rule device " + id.String() + ": {}",
		"rule channel production: {}", // the rollout
		"rule cohort testers: {}",
		"rule device " + id.String() + ": gone",
		"rule cohort testers: gone",
		"policy channel beta: {}", "policy channel production: {}", // which is public no more
		"rule channel beta: gone",
	}
	if d := cmp.Diff(want, e.logged()); d != "" {
		t.Error(d)
	}
	e.do(e.DeleteApp(e.ctx(), who, app))
	all, err := e.db.SealedEntries(e.ctx(), 0, 500)
	e.do(err)
	for _, x := range all {
		if x.Document != nil {
			t.Errorf("entry %d tells of an app that is deleted", x.Leaf)
		}
	}
	if len(all) != len(want) {
		t.Errorf("the log has %d entries", len(all))
	}
}

// TestApprovalsAreLogged asks, votes and rejects.
func TestApprovalsAreLogged(t *testing.T) {
	tm := newTeam(t)
	ada, bob := tm.person("ada@example.com", 0, "setup"), tm.person("bob@example.com", 0, "setup")
	tm.publish("1.0.0", "1.1.0")
	tm.protect(1)
	tm.seal()
	if _, err := tm.vote(bob, tm.ask(ada, "1.0.0")); err != nil {
		t.Fatal(err)
	}
	asked := tm.ask(ada, "1.1.0")
	if _, err := tm.RejectApproval(tm.ctx(), bob, asked.ID, ota.ApprovalReason{Reason: "not today, please"}); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"approval approval 1: {}",                                                                 // asked
		"rule channel production: {}", "policy channel production: {}", "approval approval 1: {}", // the vote carries it out
		"approval approval 2: {}", "approval approval 2: {}", // asked, rejected
	}
	if d := cmp.Diff(want, tm.logged()); d != "" {
		t.Error(d)
	}
}
