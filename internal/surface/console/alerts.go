package console

import (
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

type alertsView struct {
	Numbers alertNumbers
	State   ota.AlertState // only those; "" = all
	States  []ota.AlertState
	Rules   []ota.AlertRule    // of the app, on its page
	Holds   []ota.AlertSilence // silences of the app that hold
	Next    string
}

// alertNumbers is the part of the page that is sent again when it changes.
type alertNumbers struct {
	App    string // "" = all
	State  ota.AlertState
	Alerts []ota.Alert
	Live   string // address of the stream; "" = the page is not the first
	Mark   string
}

type alertView struct {
	Alert ota.Alert
	Open  bool
}

// alertsEvery is the pace of live alerts: the server looks every 30 seconds.
const alertsEvery = 5 * time.Second

func (c *Console) registerAlerts() {
	const ofApp, one = "/apps/{app}/alerts", "/apps/{app}/alerts/{alert}"
	c.page(route{method: "GET", path: "/alerts", action: "alert.list", somewhere: true}, c.showAlerts)
	c.page(route{method: "GET", path: "/alerts/live", action: "alert.list", somewhere: true}, c.liveAlerts)
	c.page(route{method: "GET", path: ofApp, action: "alert.list"}, c.showAlerts)
	c.page(route{method: "GET", path: ofApp + "/live", action: "alert.list"}, c.liveAlerts)
	c.act(route{method: "POST", path: ofApp + "/test", action: "alert.test"}, c.testAlerts, c.showAlerts)
	c.act(route{method: "POST", path: ofApp + "/silence", action: "silence.create"}, c.silenceAlerts, c.showAlerts)
	c.act(route{method: "POST", path: ofApp + "/unsilence", action: "silence.delete"}, c.endSilence, c.showAlerts)
	c.act(route{method: "POST", path: ofApp + "/rule", action: "alert_rule.set"}, c.switchRule, c.showAlerts)
	c.act(route{method: "POST", path: ofApp + "/numbers", action: "alert_rule.set"}, c.setRule, c.showAlerts)
	c.page(route{method: "GET", path: one, action: "alert.get"}, c.showAlert)
	c.act(route{method: "POST", path: one + "/ack", action: "alert.ack"}, c.ackAlert, c.showAlert)
}

func (c *Console) alertNumbers(r *request) (n alertNumbers, next string, err error) {
	n = alertNumbers{App: r.app(), State: ota.AlertState(r.query("state"))}
	if n.Alerts, next, err = r.api.Alerts(r, ota.AlertFilter{App: n.App, State: n.State}, r.listPage()); err != nil {
		return n, "", err
	}
	if n.Mark, err = markOf(n); err == nil && r.query("after") == "" {
		n.Live = address("alerts", "live")
		if n.App != "" {
			n.Live = address("apps", n.App, "alerts", "live")
		}
		n.Live += "?state=" + string(n.State) + "&shown=" + n.Mark
	}
	return n, next, err
}

func (c *Console) showAlerts(r *request) (answer, error) {
	v := alertsView{State: ota.AlertState(r.query("state")), States: []ota.AlertState{ota.AlertFiring, ota.AlertPending, ota.AlertResolved}}
	var err error
	if v.Numbers, v.Next, err = c.alertNumbers(r); err != nil {
		return answer{}, err
	}
	if r.app() == "" {
		return r.show("alerts", "Alerts", v), nil
	}
	if v.Rules, err = r.api.AlertRules(r, r.app()); err != nil {
		return answer{}, err
	}
	silences, _, err := r.api.Silences(r, r.app(), ota.Page{Limit: 50})
	for _, s := range silences {
		if !s.Over {
			v.Holds = append(v.Holds, s)
		}
	}
	return r.show("alerts", "Alerts", v), err
}

// liveAlerts sends the list whenever it has changed.
func (c *Console) liveAlerts(r *request) (answer, error) {
	return c.watch(r, "alerts", alertsEvery, func() (any, string, error) {
		n, _, err := c.alertNumbers(r)
		return n, n.Mark, err
	})
}

func (c *Console) showAlert(r *request) (answer, error) {
	id, err := r.id("alert")
	if err != nil {
		return answer{}, err
	}
	a, err := r.api.Alert(r, r.app(), id)
	return r.show("alert", "Alert", alertView{a, a.State != ota.AlertResolved}), err
}

func (c *Console) ackAlert(r *request) (answer, error) {
	id, err := r.id("alert")
	if err == nil {
		_, err = r.api.AckAlert(r, r.app(), id, r.text("note"))
	}
	return r.done("alert_acked", "apps", r.app(), "alerts", numPlain(id)), err
}

func (c *Console) testAlerts(r *request) (answer, error) {
	_, err := r.api.TestAlerts(r, r.app())
	return r.done("alert_tested", "apps", r.app(), "alerts"), err
}

func (c *Console) silenceAlerts(r *request) (answer, error) {
	n, err := r.number("minutes")
	if err == nil {
		_, err = r.api.CreateSilence(r, r.app(), ota.NewAlertSilence{Kind: r.text("kind"), Subject: r.text("subject"), Reason: r.text("reason"), Minutes: n})
	}
	return r.done("alerts_silenced", "apps", r.app(), "alerts"), err
}

func (c *Console) endSilence(r *request) (answer, error) {
	id, err := r.formID("silence")
	if err == nil {
		err = r.api.EndSilence(r, r.app(), id)
	}
	return r.done("silence_ended", "apps", r.app(), "alerts"), err
}

func (c *Console) switchRule(r *request) (answer, error) {
	on := r.text("to") == "on"
	_, err := r.api.SetAlertRule(r, r.app(), ota.AlertKind(r.text("rule")), ota.AlertRulePatch{Enabled: &on})
	return r.done("alert_rule_changed", "apps", r.app(), "alerts"), err
}

// numberPrefix begins the names of a rule's parameters in its form.
const numberPrefix = "param."

// setRule changes the numbers of a rule.
func (c *Console) setRule(r *request) (answer, error) {
	in := ota.AlertRulePatch{Params: map[string]float64{}}
	after, err := r.number("for_minutes")
	if err != nil {
		return answer{}, err
	}
	repeat, err := r.number("repeat_minutes")
	if err != nil {
		return answer{}, err
	}
	in.ForMinutes, in.RepeatMinutes = &after, &repeat
	for field := range r.PostForm {
		name, ok := strings.CutPrefix(field, numberPrefix)
		if !ok {
			continue
		}
		n, err := strconv.ParseFloat(r.text(field), 64)
		if err != nil || math.IsNaN(n) || math.IsInf(n, 0) { // JSON knows neither
			return answer{}, ota.Invalid("number_invalid", "%s must be a number", name).WithField(field)
		}
		in.Params[name] = n
	}
	_, err = r.api.SetAlertRule(r, r.app(), ota.AlertKind(r.text("rule")), in)
	return r.done("alert_rule_changed", "apps", r.app(), "alerts"), err
}

// firing counts the alerts that fire where the visitor may see them, as far as one
// page of them goes: for the badge of the navigation, which must cost little. That
// they cannot be read is no reason not to show the page.
func (r *request) firing() int {
	items, _, err := r.api.Alerts(r, ota.AlertFilter{State: ota.AlertFiring}, ota.Page{Limit: 50})
	if err != nil {
		return 0
	}
	n := 0
	for i := range items {
		if items[i].Kind != ota.AlertTest {
			n++
		}
	}
	return n
}
