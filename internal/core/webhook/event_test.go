package webhook

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

func change(action, object, detail string) ota.Change {
	return ota.Change{ID: 7, At: 1_700_000_000_123, Actor: "user:ada@example.com", Action: action, Org: "main", App: "com.example.app", Object: object, Detail: detail}
}

func TestPublic(t *testing.T) {
	for _, tt := range []struct {
		action, object, detail string
		kind, headline         string
		data                   map[string]any
	}{
		{"release.publish", "production", `{"version":"1.2.0","release":9,"note":"hi"}`, "release.published", "com.example.app production: 1.2.0 released", map[string]any{"channel": "production", "version": "1.2.0", "release": 9.0, "note": "hi"}},
		{"rollout.promote", "production", `{"version":"1.2.0","release":9,"note":""}`, "release.published", "com.example.app production: 1.2.0 released", map[string]any{"channel": "production", "version": "1.2.0", "release": 9.0, "via": "rollout"}},
		{"release.rollback", "production", `{"version":"1.1.0","from":"1.2.0"}`, "release.rolled_back", "com.example.app production: rolled back to 1.1.0", map[string]any{"channel": "production", "version": "1.1.0", "from": "1.2.0"}},
		{"rollout.start", "beta", `{"id":"x","bundle_id":4,"version":"2.0.0","percentage_bps":500,"started_by":"user:eve"}`, "rollout.started", "com.example.app beta: rollout of 2.0.0 started", map[string]any{"channel": "beta", "version": "2.0.0", "percentage_bps": 500.0}},
		{"rollout.update", "beta", `{"version":"2.0.0","percentage_bps":2550,"paused_at":0}`, "rollout.updated", "com.example.app beta: rollout of 2.0.0 changed to 25.5 %", map[string]any{"channel": "beta", "version": "2.0.0", "percentage_bps": 2550.0, "paused_at": 0.0}},
		{"channel.halt", "production", `{"version":"1.2.0","reason":"7 of 12 devices failed","action":"rollback","did":"rolled back","to":"1.1.0"}`, "rollout.halted", "com.example.app production: 1.2.0 fails on too many devices", map[string]any{"channel": "production", "version": "1.2.0", "reason": "7 of 12 devices failed", "action": "rollback", "did": "rolled back", "to": "1.1.0"}},
		{"guard.halt", "production", `{"version":"1.2.0","reason":"guard: worse","action":"pause","did":"paused the rollout","decision":{"input":9,"kind":"pause","test":"ratio","e":140,"threshold":100,"treated":90,"treated_failed":12,"control":900,"control_failed":2,"text":"x"}}`, "guard.halted", "com.example.app production: the guard finds 1.2.0 worse", map[string]any{"channel": "production", "version": "1.2.0", "reason": "guard: worse", "action": "pause", "did": "paused the rollout", "test": "ratio", "e": 140.0, "threshold": 100.0, "treated": 90.0, "treated_failed": 12.0, "control": 900.0, "control_failed": 2.0}},
		{"guard.open", "production", `{"version":"1.2.0","decision":{"kind":"gate_open","test":"ratio","e":21,"threshold":20,"treated":900,"treated_failed":1,"control":90,"control_failed":2}}`, "guard.opened", "com.example.app production: the guard rules out that 1.2.0 fails twice as often", map[string]any{"channel": "production", "version": "1.2.0", "e": 21.0, "threshold": 20.0, "treated": 900.0, "treated_failed": 1.0, "control": 90.0, "control_failed": 2.0}},
		{"incident.open", "White", `{"incident":4,"title":"White","severity":"major","channel":"production","version":"2.0.0","commander":"user:ada"}`, "incident.declared", "com.example.app production: incident 4 declared: White", map[string]any{"incident": 4.0, "title": "White", "severity": "major", "channel": "production", "version": "2.0.0"}},
		{"incident.recover", "White", `{"incident":4,"title":"White","to":"1.0.0","devices":12}`, "incident.recovering", "com.example.app: incident 4 recovers to 1.0.0: White", map[string]any{"incident": 4.0, "title": "White", "to": "1.0.0", "devices": 12.0}},
		{"channel.freeze", "production", `{"reason":"fire","incident":4}`, "channel.frozen", "com.example.app production: frozen", map[string]any{"channel": "production", "reason": "fire", "incident": 4.0}},
		{"bundle.block", "2.0.0", `{"reason":"fire","hold":"blocked","serving":["production"]}`, "bundle.held", "com.example.app: 2.0.0 is blocked", map[string]any{"version": "2.0.0", "reason": "fire", "hold": "blocked"}},
		{"approval.request", "12", `{"channel":"production","version":"3.0.0","request":12,"digest":"abc"}`, "approval.wanted", "com.example.app production: 3.0.0 waits for approval", map[string]any{"channel": "production", "version": "3.0.0", "request": 12.0}},
		{"approval.approve", "12", `{"channel":"production","version":"3.0.0"}`, "approval.decided", "com.example.app production: 3.0.0 approved", map[string]any{"channel": "production", "version": "3.0.0", "decision": "approved"}},
		{"approval.breakglass", "12", `{"channel":"production","version":"3.0.0","reason":"fire"}`, "approval.break_glass", "com.example.app production: 3.0.0 changed WITHOUT approval (break-glass)", map[string]any{"channel": "production", "version": "3.0.0", "reason": "fire"}},
		{"key.register", "MIIB", `{}`, "key.registered", "com.example.app: signing key MIIB registered", map[string]any{"key": "MIIB"}},
		{"adoption.reached", "production", `{"version":"1.2.0","release":9,"threshold":90,"devices":90,"active":100}`, "adoption.reached", "com.example.app production: 90 % of active devices run 1.2.0", map[string]any{"channel": "production", "version": "1.2.0", "release": 9.0, "threshold": 90.0, "devices": 90.0, "active": 100.0}},
		{"session.create", "ada@example.com", `{"new_place":true,"method":"passkey","place":"203.0.113.7, Lisbon"}`, "sign_in.new_place", "Sign-in from a new place", map[string]any{"method": "passkey"}},
		{"user.invite", "bob@example.com", `{"role":"developer","email":"bob@example.com","link":"https://x/secret"}`, "user.invited", "A user was invited", map[string]any{"role": "developer"}},
		{"alert.fire", "failure_rate 2.0.0", `{"alert":5,"rule":"failure_rate","subject":"2.0.0","severity":"critical","summary":"12 of 30 devices failed","value":24.6,"threshold":5,"since":1,"device":"x"}`, "alert.fired", "com.example.app: critical: 12 of 30 devices failed", map[string]any{"alert": 5.0, "rule": "failure_rate", "subject": "2.0.0", "severity": "critical", "summary": "12 of 30 devices failed", "value": 24.6, "threshold": 5.0, "since": 1.0}},
		{"alert.resolve", "failure_rate 2.0.0", `{"alert":5,"rule":"failure_rate","subject":"2.0.0","minutes":40}`, "alert.resolved", "com.example.app: resolved: failure_rate 2.0.0", map[string]any{"alert": 5.0, "rule": "failure_rate", "subject": "2.0.0", "minutes": 40.0}},
		{"token.create", "ci", `{"secret":"wxt_123"}`, "token.created", "API token ci created", map[string]any{"token": "ci"}},
	} {
		e, ok := Public(change(tt.action, tt.object, tt.detail))
		if !ok || e.Type != tt.kind || e.Timestamp != "2023-11-14T22:13:20.123Z" {
			t.Errorf("%s: %v, %+v", tt.action, ok, e)
			continue
		}
		tt.data["org"], tt.data["app"], tt.data["actor"] = "main", "com.example.app", "user:ada@example.com"
		if d := cmp.Diff(tt.data, e.Data); d != "" {
			t.Errorf("%s (-want +got):\n%s", tt.action, d)
		}
		if e.Headline() != tt.headline {
			t.Errorf("%s: headline %q, want %q", tt.action, e.Headline(), tt.headline)
		}
	}
}

// TestNobodysBusiness: what is no event, and sign-ins from known places.
func TestNobodysBusiness(t *testing.T) {
	for _, c := range []ota.Change{
		change("device.bind", "0000-device", `{"channel":"beta"}`), change("session.create", "x", `{"new_place":false}`),
		change("channel.halt", "production", `{"version":"1.2.0","reason":"guard: worse","did":"paused the rollout","guard":true}`), // guard.halt says it
		change("session.create", "x", `{"new_place":"true"}`), change("session.create", "x", `not json`), change("garbage.forget", "", `{}`),
		change("webhook.test", "x", `{}`), change("", "", ""),
	} {
		if e, ok := Public(c); ok {
			t.Errorf("%s became %+v", c.Action, e)
		}
	}
}

// TestOnlyTextsAndNumbers: nested values and what reorders or hides text stay out.
func TestOnlyTextsAndNumbers(t *testing.T) {
	e, _ := Public(change("release.publish", "prod\u202euction\x00", `{"version":{"secret":1},"note":"a\nb\u0000\u200bc","release":[1]}`))
	want := map[string]any{"org": "main", "app": "com.example.app", "actor": "user:ada@example.com", "channel": "production", "note": "a bc"}
	if d := cmp.Diff(want, e.Data); d != "" {
		t.Error(d)
	}
	e, _ = Public(change("release.publish", strings.Repeat("é", 5000), `{}`))
	if n := len([]rune(e.Data["channel"].(string))); n != maxText {
		t.Errorf("%d runes", n)
	}
}

func TestFilter(t *testing.T) {
	for _, tt := range []struct {
		filter []string
		name   string
		want   bool
	}{
		{nil, "release.published", true},
		{[]string{"*"}, "release.published", true},
		{[]string{"release.published"}, "release.published", true},
		{[]string{"release.published"}, "release.rolled_back", false},
		{[]string{"rollout.*", "key.registered"}, "rollout.halted", true},
		{[]string{"rollout.*", "key.registered"}, "release.published", false},
	} {
		if got := Wanted(tt.filter, tt.name); got != tt.want {
			t.Errorf("%v, %s: %v", tt.filter, tt.name, got)
		}
		if err := CheckFilter(tt.filter); err != nil {
			t.Errorf("%v: %v", tt.filter, err)
		}
	}
	for _, bad := range []string{"", "release", "release.", "r*", ".*", "release.published ", "nothing.*"} {
		if CheckFilter([]string{bad}) == nil {
			t.Errorf("%q is let through", bad)
		}
	}
}

func TestSlack(t *testing.T) {
	for _, tt := range []struct{ channel, want string }{
		{"production", "production"},
		{"<!channel>", "&lt;!channel&gt;"},
		{"<https://evil.example|safe>", "&lt;https://evil.example|safe&gt;"},
		{"a & b", "a &amp; b"},
		{"&lt;", "&amp;lt;"},
		{"<@U123>", "&lt;@U123&gt;"},
	} {
		e, _ := Public(change("release.publish", tt.channel, `{"version":"1.0.0","note":"<!here>"}`))
		b, err := e.Slack()
		if err != nil {
			t.Fatal(err)
		}
		var got struct {
			Text   string
			Blocks []struct {
				Type   string
				Text   struct{ Type, Text string }
				Fields []struct{ Type, Text string }
			}
		}
		if err := json.Unmarshal(b, &got); err != nil {
			t.Fatal(err)
		}
		if want := "com.example.app " + tt.want + ": 1.0.0 released"; got.Text != want || got.Blocks[0].Text.Text != "*"+want+"*" {
			t.Errorf("text %q, want %q", got.Text, want)
		}
		if f := got.Blocks[1].Fields[0]; f.Type != "mrkdwn" || f.Text != "*Note*\n&lt;!here&gt;" {
			t.Errorf("field %+v", f)
		}
	}
}

// TestEveryTypeReads: no type without a headline of its own.
func TestEveryTypeReads(t *testing.T) {
	for _, ty := range Types() {
		e := New(ty.Name, 0, ota.Scope{Org: "main", App: "a"}, "system")
		if e.Headline() == ty.Name || e.Headline() == "" || ty.Meaning == "" {
			t.Errorf("%s: %q", ty.Name, e.Headline())
		}
	}
}
