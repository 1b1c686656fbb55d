package console_test

import (
	"crypto/rand"
	"strconv"
	"testing"
	"testing/fstest"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/seal"
)

// TestContainKeysAndTokens: the form of an incident ends a key and a token in the
// same act as it freezes and blocks; what it does not know does nothing at all.
func TestContainKeysAndTokens(t *testing.T) {
	s := newSite(t, nil)
	ada := s.setup("ada@example.com")
	ctx, c := t.Context(), s.Client
	if _, err := c.CreateApp(ctx, ota.NewApp{ID: shop}); err != nil {
		t.Fatal(err)
	}
	s.push("1.0.0", fstest.MapFS{"app.js": {Data: []byte("console.log(1);")}})
	if _, _, err := c.Release(ctx, shop, "production", ota.ReleaseRequest{Version: "1.0.0"}); err != nil {
		t.Fatal(err)
	}
	key := s.register()
	secret, token, err := c.CreateToken(ctx, ota.NewToken{Name: "leaked"})
	if err != nil {
		t.Fatal(err)
	}
	i, err := c.DeclareIncident(ctx, ota.NewIncident{App: shop, Channel: "production", Title: "a key leaked", Severity: ota.IncidentCritical})
	if err != nil {
		t.Fatal(err)
	}
	at := "/console/incidents/" + strconv.FormatInt(i.ID, 10)
	id := strconv.FormatInt(token.ID, 10)
	ada.sees(at, "Retire the key", "Revoke the token leaked")

	ada.fails(at+"/contain", 422, "named by its number", "freeze", "on", "hold", "block", "key", key, "token", "x")
	for _, pairs := range [][]string{{"key", "none"}, {"token", "999999"}} {
		if code, to := ada.send(at+"/contain", append(pairs, "freeze", "on", "hold", "block")...); code < 400 || code >= 500 || to != "" {
			t.Errorf("%q: %d to %q", pairs, code, to)
		}
	}
	if d, err := c.Incident(ctx, i.ID); err != nil || d.State != ota.IncidentOpen || d.Blast.Frozen || d.Blast.Held != ota.NotHeld {
		t.Errorf("what was refused did something: %+v, %v", d, err)
	}

	ada.does(at+"/contain", "incident_contained", "freeze", "on", "hold", "block", "key", key, "token", id, "reason", "a laptop is gone")
	if d, err := c.Incident(ctx, i.ID); err != nil || d.State != ota.IncidentContained || !d.Blast.Frozen || d.Blast.Held != ota.Blocked {
		t.Errorf("contained: %+v, %v", d, err)
	}
	keys, err := c.Keys(ctx, shop)
	if err != nil || len(keys) != 1 || keys[0].State == ota.KeyActive {
		t.Errorf("keys: %+v, %v", keys, err)
	}
	if _, err := s.As(t, secret.Reveal()).Me(ctx); ota.KindOf(err) != ota.KindUnauthorized {
		t.Errorf("the token: %v", err)
	}
	ada.sees(at, "contained", "blocked")
}

// register gives the shop a signing key.
func (s *site) register() string {
	s.t.Helper()
	private, err := seal.GenerateKey(rand.Reader)
	if err != nil {
		s.t.Fatal(err)
	}
	key, err := s.Client.RegisterKey(s.t.Context(), shop, private.Public().PEM())
	if err != nil {
		s.t.Fatal(err)
	}
	return key.ID
}

// TestNumbersOfARule: the form changes the numbers of one rule; what is no number,
// or out of its bounds, changes none and comes back with the form open.
func TestNumbersOfARule(t *testing.T) {
	s := newSite(t, nil)
	ada := s.setup("ada@example.com")
	ctx, c := t.Context(), s.Client
	if _, err := c.CreateApp(ctx, ota.NewApp{ID: shop}); err != nil {
		t.Fatal(err)
	}
	rule := func() ota.AlertRule {
		all, err := c.AlertRules(ctx, shop)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range all {
			if r.Kind == ota.AlertFailureRate {
				return r
			}
		}
		t.Fatal("no rule")
		return ota.AlertRule{}
	}
	const list = "/console/apps/" + shop + "/alerts"
	ada.sees(list, "min failures", "Told again after minutes")
	for text, pairs := range map[string][]string{
		"whole number":     {"for_minutes", "soon", "repeat_minutes", "60"},
		"must be a number": {"for_minutes", "1", "repeat_minutes", "60", "param.rate_percent", "many"},
		"it must be":       {"for_minutes", "1", "repeat_minutes", "60", "param.rate_percent", "-3"},
		"no parameter":     {"for_minutes", "1", "repeat_minutes", "60", "param.bogus", "3"},
	} {
		ada.fails(list+"/numbers", 422, text, append(pairs, "rule", "failure_rate")...)
	}
	for _, n := range []string{"NaN", "Inf", "-inf", "1e999"} {
		ada.fails(list+"/numbers", 422, "must be a number", "for_minutes", "1", "repeat_minutes", "60", "param.rate_percent", n, "rule", "failure_rate")
	}
	if code, _ := ada.send(list+"/numbers", "for_minutes", "1", "repeat_minutes", "60", "rule", "nothing"); code < 400 || code >= 500 {
		t.Errorf("no such rule: %d", code)
	}
	if r := rule(); r.Changed {
		t.Errorf("what was refused changed %+v", r)
	}
	ada.does(list+"/numbers", "alert_rule_changed", "for_minutes", "3", "repeat_minutes", "0", "param.rate_percent", "2.5", "rule", "failure_rate")
	if r := rule(); r.ForMinutes != 3 || r.RepeatMinutes != 0 || r.Params["rate_percent"] != 2.5 || r.Params["min_failures"] != 5 {
		t.Errorf("%+v", r)
	}
}
