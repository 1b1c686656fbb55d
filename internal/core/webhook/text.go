package webhook

import (
	"cmp"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// Headline says in one line what happened.
func (e Event) Headline() string {
	app, channel, version := e.text("app"), e.text("channel"), e.text("version")
	where := strings.Trim(app+" "+channel, " ")
	switch e.Type {
	case typeReleased:
		return join(where+":", version, "released")
	case typeRolledBack:
		return join(where+":", "rolled back to", version)
	case typeRolloutStarted:
		return join(where+":", "rollout of", version, "started")
	case typeRolloutUpdated:
		if e.text("paused_at") != "" && e.text("paused_at") != "0" {
			return join(where+":", "rollout of", version, "paused")
		}
		return join(where+":", "rollout of", version, "changed to", percent(e.Data["percentage_bps"]))
	case typeRolloutStep:
		return join(where+":", "rollout of", version, "went on to", percent(e.Data["percentage_bps"]))
	case typeRolloutHeld:
		return join(where+":", "rollout of", version, "cannot go on")
	case typeRolloutEnded:
		return join(where+":", "rollout of", version, "ended")
	case typeRolloutHalted:
		return join(where+":", version, "fails on too many devices")
	case typeGuardHalted:
		return join(where+":", "the guard finds", version, "worse")
	case typeGuardOpened:
		return join(where+":", "the guard rules out that", version, "fails twice as often")
	case ActionAdoption:
		return join(where+":", e.text("threshold")+" % of active devices run", version)
	case typeBundleCreated:
		return join(app+":", "bundle", version, "uploaded")
	case typeApprovalWanted:
		return join(where+":", version, "waits for approval")
	case typeApprovalDecided:
		return join(where+":", version, e.text("decision"))
	case typeBreakGlass:
		return join(where+":", version, "changed WITHOUT approval (break-glass)")
	case typeKeyRegistered:
		return join(app+":", "signing key", e.text("key"), "registered")
	case typeNewPlace:
		return "Sign-in from a new place"
	case typeUserInvited:
		return "A user was invited"
	case typeRoleGranted:
		return join("Role", e.text("role"), "granted")
	case typeRoleRevoked:
		return join("Role", e.text("role"), "revoked")
	case typeTokenCreated:
		return join("API token", e.text("token"), "created")
	case TypeDisabled:
		return join("Webhook", e.text("webhook"), "was switched off")
	case TypeTest:
		return join("Test of webhook", e.text("webhook"))
	}
	return cmp.Or(e.emergency(where), e.Type)
}

// emergency is the headline of alerts, incidents and what they lead to.
func (e Event) emergency(where string) string {
	app, version := e.text("app"), e.text("version")
	switch e.Type {
	case typeIncident:
		return join(where+":", "incident", e.text("incident"), "declared:", e.text("title"))
	case typeContained, typeResolved, typeClosed:
		_, what, _ := strings.Cut(e.Type, ".")
		return join(app+":", "incident", e.text("incident"), what+":", e.text("title"))
	case typeRecovering:
		return join(app+":", "incident", e.text("incident"), "recovers to", e.text("to")+":", e.text("title"))
	case typeFrozen:
		return join(where+":", "frozen")
	case typeThawed:
		return join(where+":", "open again")
	case typeHeld:
		return join(app+":", version, "is", e.text("hold"))
	case typeUnheld:
		return join(app+":", version, "is in service again")
	case typeAlertFired:
		if e.text("repeat") != "" {
			return join(app+":", "still", e.text("severity")+":", e.text("summary"))
		}
		return join(app+":", e.text("severity")+":", e.text("summary"))
	case typeAlertResolved:
		return join(app+":", "resolved:", e.text("rule"), e.text("subject"))
	case typeAlertAcked:
		return join(app+":", "alert", e.text("rule"), e.text("subject"), "is taken care of")
	case typeAlertSilenced:
		return join(app+":", "alerts", e.text("rule"), e.text("subject"), "are silenced")
	}
	return ""
}

// Facts are the further lines of a message: names and values.
func (e Event) Facts() [][2]string {
	var out [][2]string
	for _, f := range [][2]string{
		{"from", "Before"},
		{"percentage_bps", "Share"},
		{"reason", "Reason"},
		{"pause_reason", "Reason"},
		{"why", "Reason"},
		{"did", "Done"},
		{"note", "Note"},
		{"devices", "Devices"},
		{"active", "Active devices"},
		{"summary", "Alert"},
		{"rule", "Rule"},
		{"subject", "About"},
		{"severity", "Severity"},
		{"value", "Value"},
		{"threshold", "Limit"},
		{"minutes", "Minutes"},
		{"repeat", "Told"},
		{"acknowledged_by", "Acknowledged by"},
		{"required", "Approvals needed"},
		{"request", "Request"},
		{"scope", "Scope"},
		{"method", "Method"},
		{"test", "Test"},
		{"treated", "Devices with it"},
		{"treated_failed", "of which failed"},
		{"control", "Devices without it"},
		{"control_failed", "of which failed"},
		{"actor", "By"},
		{"org", "Organisation"},
	} {
		v := e.text(f[0])
		if f[0] == "percentage_bps" {
			v = percent(e.Data[f[0]])
		}
		if v != "" {
			out = append(out, [2]string{f[1], v})
		}
	}
	return out
}

// text is a value of the data as text, "" if it is not there.
func (e Event) text(key string) string {
	switch v := e.Data[key].(type) {
	case string:
		return v
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case bool:
		return strconv.FormatBool(v)
	}
	return ""
}

func percent(v any) string {
	n, ok := v.(float64)
	if !ok {
		return ""
	}
	return strconv.FormatFloat(n/100, 'f', -1, 64) + " %"
}

func join(words ...string) string {
	return strings.TrimPrefix(strings.Join(strings.Fields(strings.Join(words, " ")), " "), ": ")
}

// slackEscape escapes the three characters that Slack reads as markup of links,
// mentions and commands.
var slackEscape = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

type slackText struct {
	Type string `json:"type"`
	Text string `json:"text"`
}

type slackBlock struct {
	Type     string      `json:"type"`
	Text     *slackText  `json:"text,omitempty"`
	Fields   []slackText `json:"fields,omitempty"`
	Elements []slackText `json:"elements,omitempty"`
}

// maxSlackFields is the most fields that a section takes.
const maxSlackFields = 10

// Slack renders the event as an incoming webhook of Slack and its likes takes it.
func (e Event) Slack() ([]byte, error) {
	head := slackEscape.Replace(e.Headline())
	blocks := []slackBlock{{Type: "section", Text: &slackText{"mrkdwn", "*" + head + "*"}}}
	var fields []slackText
	for _, f := range e.Facts() {
		if len(fields) == maxSlackFields {
			break
		}
		fields = append(fields, slackText{"mrkdwn", "*" + f[0] + "*\n" + slackEscape.Replace(f[1])})
	}
	if len(fields) > 0 {
		blocks = append(blocks, slackBlock{Type: "section", Fields: fields})
	}
	blocks = append(blocks, slackBlock{Type: "context", Elements: []slackText{{"mrkdwn", fmt.Sprintf("%s · %s", e.Type, e.Timestamp)}}})
	return json.Marshal(map[string]any{"text": head, "blocks": blocks})
}
