package webhook

import (
	"encoding/json"
	"strings"
	"time"
	"unicode"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// maxText bounds a text of an event, in runes.
const maxText = 500

// Event is what others get to know of a change.
type Event struct {
	Type      string         `json:"type"`
	Timestamp string         `json:"timestamp"` // RFC 3339, UTC, milliseconds
	ID        string         `json:"id"`        // of the message
	Data      map[string]any `json:"data"`
}

// Public returns what others may know of a change, without its ID. ok is false
// if the change is nobody else's business. The change must name its
// organisation.
func Public(c ota.Change) (e Event, ok bool) {
	detail := map[string]any{}
	if json.Unmarshal([]byte(c.Detail), &detail) != nil {
		detail = nil
	}
	name, ok := typeOf(&c, detail)
	if !ok {
		return Event{}, false
	}
	e = New(name, c.At, ota.Scope{Org: c.Org, App: c.App}, c.Actor)
	for _, key := range dataOf(name) {
		if v, ok := plain(detail[key]); ok {
			e.Data[key] = v
		}
	}
	if strings.HasPrefix(name, "guard.") {
		e.addDecision(name, detail)
	}
	e.add(&c)
	if name == typeRoleGranted || name == typeRoleRevoked {
		e.addGrant(&c)
	}
	return e, true
}

// New makes an event of what is the same for all types.
func New(name string, at int64, where ota.Scope, actor ota.Actor) Event {
	e := Event{Type: name, Timestamp: time.UnixMilli(at).UTC().Format("2006-01-02T15:04:05.000Z07:00"), Data: map[string]any{
		"org": where.Org, "actor": clean(string(actor)),
	}}
	if where.App != "" {
		e.Data["app"] = clean(where.App)
	}
	return e
}

// add puts in what the record of a change holds elsewhere than in its detail.
func (e *Event) add(c *ota.Change) {
	switch group, _, _ := strings.Cut(e.Type, "."); group {
	case "release", "rollout", "adoption", "channel", "guard":
		e.Data["channel"] = clean(c.Object)
	case "bundle":
		e.Data["version"] = clean(c.Object)
	case "key":
		e.Data["key"] = clean(c.Object)
	case "token":
		e.Data["token"] = clean(c.Object)
	case "webhook":
		e.Data["webhook"] = clean(c.Object)
	case "approval":
		var detail struct {
			Channel string `json:"channel"`
		}
		if json.Unmarshal([]byte(c.Detail), &detail) == nil && detail.Channel != "" {
			e.Data["channel"] = clean(detail.Channel)
		}
	}
	switch c.Action {
	case "rollout.promote":
		e.Data["via"] = "rollout"
	case "approval.approve":
		e.Data["decision"] = "approved"
	case "approval.reject":
		e.Data["decision"] = "rejected"
	case "approval.expire":
		e.Data["decision"] = "expired"
	}
}

// plain lets texts, numbers and booleans pass; whatever else a detail holds
// stays here.
func plain(v any) (any, bool) {
	switch v := v.(type) {
	case string:
		return clean(v), v != ""
	case float64, bool:
		return v, true
	}
	return nil, false
}

// clean makes a text safe to show: one line, without invisible characters that
// reorder or hide, and not too long.
func clean(s string) string {
	n := 0
	return strings.Map(func(r rune) rune {
		if n++; n > maxText {
			return -1
		}
		switch {
		case unicode.IsSpace(r):
			return ' '
		case r == unicode.ReplacementChar, unicode.Is(unicode.C, r):
			return -1
		}
		return r
	}, s)
}

// addDecision takes the figures of the guard's decision out of its record.
func (e *Event) addDecision(name string, detail map[string]any) {
	d, _ := detail["decision"].(map[string]any)
	for _, key := range dataOf(name) {
		if _, ok := e.Data[key]; ok {
			continue
		}
		if v, ok := plain(d[key]); ok {
			e.Data[key] = v
		}
	}
}

// addGrant takes role and scope out of the grant that a record holds whole.
func (e *Event) addGrant(c *ota.Change) {
	whole := c.After
	if whole == "" {
		whole = c.Before
	}
	var g ota.RoleGrant
	if json.Unmarshal([]byte(whole), &g) != nil || g.Role == "" {
		return
	}
	e.Data["role"] = clean(string(g.Role))
	e.Data["scope"] = clean(g.Scope.String())
	if g.Scope.App != "" {
		e.Data["app"] = clean(g.Scope.App)
	}
}
