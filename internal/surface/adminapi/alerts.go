package adminapi

import (
	"net/http"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

type alertsInput struct {
	Request
	App   string         `query:"app" maxLength:"256" doc:"only those of this app"`
	State ota.AlertState `query:"state" enum:"pending,firing,resolved" doc:"only those in this state"`
	Rule  ota.AlertKind  `query:"rule" maxLength:"64" doc:"only those of this rule"`
	PageParams
}

type appAlertsInput struct {
	Request
	AppParams
	State ota.AlertState `query:"state" enum:"pending,firing,resolved" doc:"only those in this state"`
	Rule  ota.AlertKind  `query:"rule" maxLength:"64" doc:"only those of this rule"`
	PageParams
}

type alertInput struct {
	Request
	AppParams
	ID int64 `path:"id" minimum:"1"`
}

type alertRuleInput struct {
	Request
	AppParams
	Rule ota.AlertKind `path:"rule" maxLength:"64" doc:"name of the rule, such as failure_rate"`
}

type silencesInput struct {
	Request
	AppParams
	PageParams
}

const alertsTag = "alerts"

func (s *server) registerAlerts() {
	const tag = alertsTag
	register(s, route{
		id: "list-alerts", method: http.MethodGet, path: "/alerts", action: "alert.list", tag: tag, somewhere: true,
		summary: "List alerts of all apps, newest first",
	},
		func(c *call, in *alertsInput, _ none) (list[ota.Alert], error) {
			return listOf(s.deps.Alerts.Alerts(c, c.reach, ota.AlertFilter{App: in.App, State: in.State, Kind: in.Rule}, in.page()))
		})
	register(s, route{
		id: "list-app-alerts", method: http.MethodGet, path: "/apps/{app}/alerts", action: "alert.list", tag: tag,
		summary: "List alerts of an app, newest first",
	},
		func(c *call, in *appAlertsInput, _ none) (list[ota.Alert], error) {
			return listOf(s.deps.Alerts.Alerts(c, ota.Reach{All: true}, ota.AlertFilter{App: in.App, State: in.State, Kind: in.Rule}, in.page()))
		})
	register(s, route{
		id: "get-alert", method: http.MethodGet, path: "/apps/{app}/alerts/{id}", action: "alert.get", tag: tag,
		summary: "Get an alert",
	},
		func(c *call, in *alertInput, _ none) (ota.Alert, error) { return s.deps.Alerts.Alert(c, in.App, in.ID) })
	register(s, route{
		id: "ack-alert", method: http.MethodPost, path: "/apps/{app}/alerts/{id}/ack", action: "alert.ack", tag: tag,
		summary: "Say that somebody takes care of an alert, so that it is not told again",
	},
		func(c *call, in *alertInput, body ota.AlertNote) (ota.Alert, error) {
			return s.deps.Alerts.Ack(c, c.actor, in.App, in.ID, body.Note)
		})
	register(s, route{
		id: "test-alerts", method: http.MethodPost, path: "/apps/{app}/alerts/test", action: "alert.test", tag: tag, status: http.StatusCreated,
		summary: "Fire an alert that nothing is wrong with, to see who is told",
	},
		func(c *call, in *appInput, _ none) (ota.Alert, error) { return s.deps.Alerts.Test(c, c.actor, in.App) })
	s.registerAlertRules(tag)
	s.registerSilences(tag)
}

func (s *server) registerAlertRules(tag string) {
	register(s, route{
		id: "list-alert-rules", method: http.MethodGet, path: "/apps/{app}/alert-rules", action: "alert_rule.list", tag: tag,
		summary: "List the alert rules of an app as they are in force",
	},
		func(c *call, in *appInput, _ none) (list[ota.AlertRule], error) {
			items, err := s.deps.Alerts.Rules(c, in.App)
			return listOf(items, "", err)
		})
	register(s, route{
		id: "update-alert-rule", method: http.MethodPatch, path: "/apps/{app}/alert-rules/{rule}", action: "alert_rule.set", tag: tag,
		summary: "Change an alert rule of an app",
	},
		func(c *call, in *alertRuleInput, body ota.AlertRulePatch) (ota.AlertRule, error) {
			return s.deps.Alerts.SetRule(c, c.actor, in.App, in.Rule, body)
		})
	register(s, route{
		id: "reset-alert-rule", method: http.MethodDelete, path: "/apps/{app}/alert-rules/{rule}", action: "alert_rule.set", tag: tag,
		summary: "Make an alert rule of an app what it is as it comes",
	},
		func(c *call, in *alertRuleInput, _ none) (ota.AlertRule, error) {
			return s.deps.Alerts.ResetRule(c, c.actor, in.App, in.Rule)
		})
}

func (s *server) registerSilences(tag string) {
	register(s, route{
		id: "list-silences", method: http.MethodGet, path: "/apps/{app}/silences", action: "silence.list", tag: tag,
		summary: "List the silences of an app's alerts, newest first",
	},
		func(c *call, in *silencesInput, _ none) (list[ota.AlertSilence], error) {
			return listOf(s.deps.Alerts.Silences(c, in.App, in.page()))
		})
	register(s, route{
		id: "create-silence", method: http.MethodPost, path: "/apps/{app}/silences", action: "silence.create", tag: tag, status: http.StatusCreated,
		summary: "Keep alerts of an app from telling anybody for a while",
	},
		func(c *call, in *appInput, body ota.NewAlertSilence) (ota.AlertSilence, error) {
			return s.deps.Alerts.Silence(c, c.actor, in.App, body)
		})
	register(s, route{
		id: "end-silence", method: http.MethodDelete, path: "/apps/{app}/silences/{id}", action: "silence.delete", tag: tag,
		summary: "End a silence now: what still fires is told",
	},
		func(c *call, in *alertInput, _ none) (none, error) {
			return none{}, s.deps.Alerts.EndSilence(c, c.actor, in.App, in.ID)
		})
}
