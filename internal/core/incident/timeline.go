package incident

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// detail is what lines of a timeline may need of the record of a change.
type detail struct {
	Incident int64    `json:"incident"`
	Version  string   `json:"version"`
	From     string   `json:"from"`
	To       string   `json:"to"`
	Text     string   `json:"text"`
	Reason   string   `json:"reason"`
	Note     string   `json:"note"`
	Did      string   `json:"did"`
	State    string   `json:"state"`
	Channel  string   `json:"channel"`
	Serving  []string `json:"serving"`
	BPS      *int     `json:"percentage_bps"`
	Devices  *int64   `json:"devices"`
	Left     *int64   `json:"left"`
}

// Entry makes the line of a timeline from the record of a change; false = it has
// nothing to do with the incident. What names the incident belongs to it; what
// is about its channel or version is related.
func Entry(i *ota.Incident, c *ota.Change) (ota.IncidentEntry, bool) {
	d := decodeDetail(c.Detail)
	e := ota.IncidentEntry{Change: c.ID, At: c.At, Actor: c.Actor, Action: c.Action, Object: c.Object}
	switch {
	case d.Incident == i.ID:
	case d.Incident != 0 || !related(i, c, &d):
		return e, false
	default:
		e.Related = true
	}
	e.Text = say(c, &d)
	return e, true
}

// decodeDetail reads what it can: a field of another type is left out.
func decodeDetail(raw string) (d detail) {
	if json.Unmarshal([]byte(raw), &d) == nil {
		return d
	}
	fields := map[string]json.RawMessage{}
	if json.Unmarshal([]byte(raw), &fields) != nil {
		return detail{}
	}
	d = detail{}
	for name, to := range map[string]any{
		"incident": &d.Incident, "version": &d.Version, "from": &d.From, "to": &d.To, "text": &d.Text, "reason": &d.Reason, "note": &d.Note,
		"did": &d.Did, "state": &d.State, "channel": &d.Channel, "serving": &d.Serving, "percentage_bps": &d.BPS, "devices": &d.Devices, "left": &d.Left,
	} {
		if v, ok := fields[name]; ok {
			_ = json.Unmarshal(v, to) // a field of another type says nothing
		}
	}
	return d
}

func related(i *ota.Incident, c *ota.Change, d *detail) bool {
	noun, _, _ := strings.Cut(c.Action, ".")
	switch noun {
	case "release", "rollout", "channel", "guard", "alert", "approval":
		return i.Channel != "" && (c.Object == i.Channel || d.Channel == i.Channel) || i.Version != "" && (d.Version == i.Version || d.From == i.Version)
	case "bundle":
		return i.Version != "" && c.Object == i.Version
	case "key":
		return true
	}
	return false
}

func say(c *ota.Change, d *detail) string {
	why := d.Reason
	for _, s := range []string{d.Text, d.Note} {
		if why == "" {
			why = s
		}
	}
	with := func(format string, a ...any) string {
		s := fmt.Sprintf(format, a...)
		if why != "" {
			s += ": " + why
		}
		return s
	}
	switch c.Action {
	case "incident.open":
		return "incident declared: " + c.Object
	case "incident.note":
		return d.Text
	case "incident.contain":
		return with("contained")
	case "incident.recover":
		return with("recovery to %s began", or(d.To, "another version"))
	case "incident.resolve":
		if d.Devices != nil && d.Left != nil {
			return fmt.Sprintf("resolved: %d of %d affected devices left the version", *d.Left, *d.Devices)
		}
		return with("resolved by hand")
	case "incident.close":
		return with("closed")
	case "release.publish":
		return with("%s released on %s", d.Version, c.Object)
	case "release.rollback":
		return with("%s rolled back from %s to %s", c.Object, or(d.From, "nothing"), d.Version)
	case "rollout.start", "rollout.update", "rollout.promote", "rollout.abort", "rollout.step":
		_, verb, _ := strings.Cut(c.Action, ".")
		share := ""
		if d.BPS != nil {
			share = fmt.Sprintf(" at %d.%02d %%", *d.BPS/100, *d.BPS%100)
		}
		return with("rollout of %s on %s: %s%s", d.Version, c.Object, verb, share)
	case "channel.halt":
		return with("%s halted on %s (%s)", d.Version, c.Object, or(d.Did, "recorded"))
	case "channel.freeze":
		return with("channel %s frozen", c.Object)
	case "channel.thaw":
		return with("channel %s opened again", c.Object)
	case "bundle.quarantine":
		return with("version %s quarantined", c.Object)
	case "bundle.block":
		return with("version %s blocked for all devices", c.Object)
	case "bundle.release":
		return with("version %s in service again", c.Object)
	case "key.state":
		return with("signing key %s is %s", c.Object, d.State)
	case "token.delete":
		return with("token %s revoked", c.Object)
	}
	return with("%s %s", c.Action, c.Object)
}

func or(s, other string) string {
	if s == "" {
		return other
	}
	return s
}
