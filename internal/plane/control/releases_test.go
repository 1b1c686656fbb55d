package control_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/plane/control"
)

func TestRelease(t *testing.T) {
	e := newEnv(t)
	e.publish("1.0.0", "1.1.0")
	e.release("1.0.0", "1.1.0")
	if diff := cmp.Diff([]string{"1.1.0", "1.0.0"}, e.chain(prod)); diff != "" {
		t.Errorf("chain (-want +got):\n%s", diff)
	}
	r, done, err := e.Release(e.ctx(), who, app, prod, ota.ReleaseRequest{Version: "1.1.0"})
	if err != nil || done || r.ID != 2 || r.Channel != prod {
		t.Errorf("the current one again: %+v, %v, %v", r, done, err)
	}
	r, done, err = e.Release(e.ctx(), who, app, prod, ota.ReleaseRequest{Version: "1.0.0", IfNew: true})
	if err != nil || done || r.ID != 1 {
		t.Errorf("an old one if new: %+v, %v, %v", r, done, err)
	}
	r, done, err = e.Release(e.ctx(), who, app, prod, ota.ReleaseRequest{Version: "1.0.0", Note: "again"})
	if err != nil || !done || r.Parent != 2 || r.Kind != ota.ReleasePublish || r.CreatedBy != string(actor) {
		t.Errorf("an old one: %+v, %v, %v", r, done, err)
	}
	r, done, err = e.Release(e.ctx(), who, app, prod, ota.ReleaseRequest{Version: ota.Builtin})
	if err != nil || !done || r.BundleID != 0 {
		t.Errorf("builtin: %+v, %v, %v", r, done, err)
	}
	list, _, err := e.Releases(e.ctx(), app, prod, ota.Page{})
	e.do(err)
	var got []string
	for _, r := range list {
		got = append(got, fmt.Sprintf("%d %s<%d", r.ID, r.Version, r.Parent))
	}
	if diff := cmp.Diff([]string{"4 builtin<3", "3 1.0.0<2", "2 1.1.0<1", "1 1.0.0<0"}, got); diff != "" {
		t.Errorf("history (-want +got):\n%s", diff)
	}
	_, _, err = e.Release(e.ctx(), who, app, prod, ota.ReleaseRequest{Version: "9.0.0"})
	wantCode(t, err, control.CodeBundleNotFound)
	_, _, err = e.Release(e.ctx(), who, app, "gone", ota.ReleaseRequest{Version: "1.0.0"})
	wantCode(t, err, control.CodeChannelNotFound)
	e.do(e.DeleteBundle(e.ctx(), actor, app, "1.1.0", false))
	_, _, err = e.Release(e.ctx(), who, app, prod, ota.ReleaseRequest{Version: "1.1.0"})
	wantCode(t, err, control.CodeBundleDeleted)
}

// Each step is "+V" to release, "-" or "-V" to roll back, "xV" to delete.
func TestRollbackChains(t *testing.T) {
	for _, tt := range []struct{ steps, chain, withdrawn string }{
		{"+1 +2 +3 -", "2 1", "3"},
		{"+1 +2 +3 - -", "1", "3 2"},
		{"+1 +2 +3 -1", "1", "3 2"},
		{"+1 +2 +3 -1 -3", "3 2 1", ""}, // 3 was fine after all
		{"+1 -", "builtin", "1"},
		{"+1 - +2", "2 builtin", "1"},
		{"+1 +2 -builtin", "builtin", "2 1"},
		{"+1 +2 -builtin -2", "2 1", ""},
		{"+1 +2 - +3", "3 1", "2"},
		{"+1 +2 +3 x2 -", "1", "3 2"}, // what was deleted is passed over
		{"+1 +2 +1 -", "2 1", ""},
		{"+1 +builtin -", "1", ""},
		{"+1 +builtin +2 -", "builtin", "2 1"},
	} {
		t.Run(tt.steps, func(t *testing.T) {
			e := newEnv(t)
			e.publish("1.0.0", "2.0.0", "3.0.0")
			for step := range strings.FieldsSeq(tt.steps) {
				v := long(step[1:])
				switch step[0] {
				case '+':
					e.release(v)
				case '-':
					_, err := e.Rollback(e.ctx(), actor, app, prod, ota.RollbackRequest{To: v})
					e.do(err)
				case 'x':
					e.do(e.DeleteBundle(e.ctx(), actor, app, v, false))
				}
			}
			if got := strings.ReplaceAll(strings.Join(e.chain(prod), " "), ".0.0", ""); got != tt.chain {
				t.Errorf("chain = %q, want %q", got, tt.chain)
			}
			withdrawn := e.snap.App(app).ChannelByName(prod).Withdrawn
			for v := range strings.FieldsSeq(tt.withdrawn) {
				if _, ok := withdrawn[long(v)]; !ok {
					t.Errorf("%s is not withdrawn", v)
				}
			}
			if n := len(strings.Fields(tt.withdrawn)); len(withdrawn) != n {
				t.Errorf("withdrawn = %v, want %q", withdrawn, tt.withdrawn)
			}
		})
	}
}

// long makes a version of a digit.
func long(v string) string {
	if len(v) == 1 {
		return v + ".0.0"
	}
	return v
}

func TestRollbackRefused(t *testing.T) {
	e := newEnv(t)
	rollback := func(to string) error {
		_, err := e.Rollback(e.ctx(), actor, app, prod, ota.RollbackRequest{To: to})
		return err
	}
	wantCode(t, rollback(""), control.CodeNothingBefore)
	e.publish("1.0.0", "1.1.0", "1.2.0", "2.0.0")
	e.release("1.0.0", "1.1.0", "1.2.0")
	wantCode(t, rollback("1.2.0"), control.CodeCurrent)
	got := wantCode(t, rollback("2.0.0"), control.CodeReleaseNotFound)
	if got.Kind != ota.KindNotFound || got.Hint != "possible: 1.1.0, 1.0.0, builtin" {
		t.Errorf("hint = %q", got.Hint)
	}
	e.do(e.DeleteBundle(e.ctx(), actor, app, "1.1.0", false))
	got = wantCode(t, rollback("1.1.0"), control.CodeBundleDeleted)
	if got.Hint != "possible: 1.0.0, builtin" {
		t.Errorf("hint = %q", got.Hint)
	}
	e.do(rollback(ota.Builtin))
	wantCode(t, rollback(""), control.CodeNothingBefore)
	wantCode(t, rollback(ota.Builtin), control.CodeCurrent)
}

func TestRollbackEndsRollout(t *testing.T) {
	e := newEnv(t)
	e.publish("1.0.0", "1.1.0", "1.2.0")
	e.release("1.0.0", "1.1.0")
	_, err := e.SetRollout(e.ctx(), who, app, prod, ota.RolloutRequest{Version: "1.2.0", BPS: new(5000)})
	e.do(err)
	_, err = e.Rollback(e.ctx(), actor, app, prod, ota.RollbackRequest{})
	e.do(err)
	ch, err := e.Channel(e.ctx(), app, prod)
	if err != nil || ch.Rollout != nil || e.snap.App(app).ChannelByName(prod).Rollout != nil {
		t.Errorf("rollout = %+v, %v", ch.Rollout, err)
	}
}
