package webhook

import (
	"slices"
	"strings"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// Type describes one type of event.
type Type struct {
	Name    string
	Meaning string
	Data    []string // what data may hold besides org, app, channel and actor
}

// The types that others refer to.
const (
	TypeTest            = "webhook.test"
	TypeDisabled        = "webhook.disabled"
	ActionAdoption      = "adoption.reached"
	ActionDisabled      = "webhook.disable"
	typeReleased        = "release.published"
	typeRolledBack      = "release.rolled_back"
	typeRolloutStarted  = "rollout.started"
	typeRolloutUpdated  = "rollout.updated"
	typeRolloutStep     = "rollout.step"
	typeRolloutHeld     = "rollout.held"
	typeRolloutEnded    = "rollout.ended"
	typeRolloutHalted   = "rollout.halted"
	typeGuardHalted     = "guard.halted"
	typeGuardOpened     = "guard.opened"
	typeApprovalWanted  = "approval.wanted"
	typeApprovalDecided = "approval.decided"
	typeBreakGlass      = "approval.break_glass"
	typeKeyRegistered   = "key.registered"
	typeBundleCreated   = "bundle.created"
	typeNewPlace        = "sign_in.new_place"
	typeUserInvited     = "user.invited"
	typeTokenCreated    = "token.created"
	typeRoleGranted     = "role.granted"
	typeRoleRevoked     = "role.revoked"
	typeIncident        = "incident.declared"
	typeContained       = "incident.contained"
	typeRecovering      = "incident.recovering"
	typeResolved        = "incident.resolved"
	typeClosed          = "incident.closed"
	typeFrozen          = "channel.frozen"
	typeThawed          = "channel.thawed"
	typeHeld            = "bundle.held"
	typeUnheld          = "bundle.released"
	typeAlertFired      = "alert.fired"
	typeAlertResolved   = "alert.resolved"
	typeAlertAcked      = "alert.acknowledged"
	typeAlertSilenced   = "alert.silenced"
)

// Types returns every type, in the order of the documentation.
func Types() []Type {
	return []Type{
		{typeReleased, "a channel serves a version to everybody", []string{"version", "release", "note", "via"}},
		{typeRolledBack, "a channel was taken back", []string{"version", "from", "release", "note", "rollout_ended"}},
		{typeRolloutStarted, "a version goes to a part of the devices", []string{"version", "percentage_bps"}},
		{typeRolloutUpdated, "a rollout was widened, narrowed, paused or resumed", []string{"version", "percentage_bps", "enabled", "paused_at", "pause_reason"}},
		{typeRolloutStep, "a rollout went on by its plan", []string{"version", "percentage_bps", "was", "step", "why", "deadline"}},
		{typeRolloutHeld, "a step of a rollout is due, and something refuses it", []string{"version", "why"}},
		{typeRolloutEnded, "a rollout was given up", []string{"version", "percentage_bps"}},
		{typeRolloutHalted, "the threshold rule or a person halted a version", []string{"version", "reason", "action", "did", "to"}},
		{typeGuardHalted, "the guard found a version worse; it says what was done, which is only recorded if the action is notify", []string{"version", "reason", "action", "did", "to", "test", "e", "threshold", "treated", "treated_failed", "control", "control_failed"}},
		{typeGuardOpened, "the guard ruled out that a rollout's version fails twice as often as what it replaces", []string{"version", "e", "threshold", "treated", "treated_failed", "control", "control_failed"}},
		{ActionAdoption, "so many of the active devices run the channel's version", []string{"version", "release", "threshold", "devices", "active"}},
		{typeBundleCreated, "a bundle was uploaded", []string{"version", "files", "size"}},
		{typeApprovalWanted, "a release waits for other people", []string{"version", "request", "kind", "required", "expires_at"}},
		{typeApprovalDecided, "somebody approved or rejected, or time ran out", []string{"version", "request", "kind", "decision"}},
		{typeBreakGlass, "a protected channel was changed without approval", []string{"version", "request", "kind", "reason"}},
		{typeKeyRegistered, "an app has another signing key", []string{"key"}},
		{typeNewPlace, "somebody signed in from a place not seen before", []string{"method"}},
		{typeUserInvited, "somebody was invited", []string{"role"}},
		{typeRoleGranted, "a role was given", []string{"role", "scope"}},
		{typeRoleRevoked, "a role was taken", []string{"role", "scope"}},
		{typeTokenCreated, "an API token was made", []string{"token"}},
		{typeIncident, "somebody declared an incident", []string{"incident", "title", "severity", "version", "channel"}},
		{typeContained, "an incident was contained", []string{"incident", "title", "severity", "reason"}},
		{typeRecovering, "devices are being taken off an incident's version", []string{"incident", "title", "severity", "version", "to", "devices"}},
		{typeResolved, "enough devices left an incident's version, or somebody says so", []string{"incident", "title", "severity", "devices", "left"}},
		{typeClosed, "an incident was closed", []string{"incident", "title", "severity"}},
		{typeFrozen, "nothing new goes on a channel", []string{"reason", "incident", "paused"}},
		{typeThawed, "a channel is open again", []string{"reason"}},
		{typeHeld, "a version was quarantined or blocked", []string{"reason", "incident", "hold"}},
		{typeUnheld, "a version is in service again", []string{"reason", "was"}},
		{typeAlertFired, "a rule of an app is broken, or still is and nobody acknowledged it", []string{"alert", "rule", "subject", "severity", "summary", "value", "threshold", "since", "repeat"}},
		{typeAlertResolved, "an alert is over", []string{"alert", "rule", "subject", "severity", "summary", "minutes", "acknowledged_by"}},
		{typeAlertAcked, "somebody takes care of an alert", []string{"alert", "rule", "subject", "severity", "summary", "note"}},
		{typeAlertSilenced, "alerts are not told for a while", []string{"rule", "subject", "reason", "minutes"}},
		{TypeDisabled, "a webhook was switched off because it failed for too long", []string{"webhook", "reason"}},
		{TypeTest, "somebody tries a webhook; goes to that one only, whatever it listens to", []string{"webhook"}},
	}
}

// typesOf maps the actions of changes to the types that others hear of them as.
var typesOf = map[string]string{
	"release.publish":     typeReleased,
	"rollout.promote":     typeReleased,
	"release.rollback":    typeRolledBack,
	"rollout.start":       typeRolloutStarted,
	"rollout.update":      typeRolloutUpdated,
	"rollout.step":        typeRolloutStep,
	"rollout.hold":        typeRolloutHeld,
	"rollout.abort":       typeRolloutEnded,
	"guard.halt":          typeGuardHalted,
	"guard.open":          typeGuardOpened,
	"bundle.create":       typeBundleCreated,
	"approval.request":    typeApprovalWanted,
	"approval.approve":    typeApprovalDecided,
	"approval.reject":     typeApprovalDecided,
	"approval.expire":     typeApprovalDecided,
	"approval.breakglass": typeBreakGlass,
	"key.register":        typeKeyRegistered,
	"key.create":          typeKeyRegistered,
	"user.invite":         typeUserInvited,
	"grant.create":        typeRoleGranted,
	"grant.delete":        typeRoleRevoked,
	"token.create":        typeTokenCreated,
	"incident.open":       typeIncident,
	"incident.contain":    typeContained,
	"incident.recover":    typeRecovering,
	"incident.resolve":    typeResolved,
	"incident.close":      typeClosed,
	"channel.freeze":      typeFrozen,
	"channel.thaw":        typeThawed,
	"bundle.quarantine":   typeHeld,
	"bundle.block":        typeHeld,
	"bundle.release":      typeUnheld,
	"alert.fire":          typeAlertFired,
	"alert.resolve":       typeAlertResolved,
	"alert.ack":           typeAlertAcked,
	"alert.silence":       typeAlertSilenced,
	ActionAdoption:        ActionAdoption,
	ActionDisabled:        TypeDisabled,
}

// typeOf finds the type of a change; ok is false for what is nobody else's
// business.
func typeOf(c *ota.Change, detail map[string]any) (name string, ok bool) {
	switch c.Action {
	case "channel.halt":
		byGuard, _ := detail["guard"].(bool) // told with the decision, by its own record
		return typeRolloutHalted, !byGuard
	case "session.create":
		seen, _ := detail["new_place"].(bool)
		return typeNewPlace, seen
	}
	name, ok = typesOf[c.Action]
	return name, ok
}

func dataOf(name string) []string {
	all := Types()
	if i := slices.IndexFunc(all, func(t Type) bool { return t.Name == name }); i >= 0 {
		return all[i].Data
	}
	return nil
}

// Wanted reports whether a filter lets a type pass. No filter lets all pass;
// "rollout.*" lets all types pass that begin with "rollout.".
func Wanted(filter []string, name string) bool {
	if len(filter) == 0 {
		return true
	}
	return slices.ContainsFunc(filter, func(f string) bool {
		if group, ok := strings.CutSuffix(f, "*"); ok {
			return strings.HasPrefix(name, group)
		}
		return f == name
	})
}

// CheckFilter refuses a filter that names what does not exist.
func CheckFilter(filter []string) error {
	if len(filter) > 50 {
		return ota.Invalid("events_invalid", "%d event types are too many", len(filter)).WithField("events")
	}
	all := Types()
	for _, f := range filter {
		known := f == "*" || slices.ContainsFunc(all, func(t Type) bool {
			group, ok := strings.CutSuffix(f, ".*")
			return t.Name == f || ok && group != "" && strings.HasPrefix(t.Name, group+".")
		})
		if !known {
			names := make([]string, len(all))
			for i, t := range all {
				names[i] = t.Name
			}
			return ota.Invalid("events_invalid", "there is no event type %q", f).WithField("events").
				WithHint("use %s, or a group such as rollout.*", strings.Join(names, ", "))
		}
	}
	return nil
}
