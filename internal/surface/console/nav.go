package console

import (
	"strings"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// link is one entry of a navigation. It is shown to those who may do its action.
type link struct {
	Name      string
	To        string
	Current   bool
	Badge     int // shown beside the name; 0 = nothing
	action    string
	somewhere bool
}

// topLinks are at the top of every page.
var topLinks = []link{
	{Name: "Overview", To: Prefix + "/", action: "app.list", somewhere: true},
	{Name: "Apps", To: Prefix + "/apps", action: "app.list", somewhere: true},
	{Name: "Alerts", To: Prefix + "/alerts", action: "alert.list", somewhere: true},
	{Name: "Approvals", To: Prefix + "/approvals", action: "approval.list", somewhere: true},
	{Name: "Incidents", To: Prefix + "/incidents", action: "incident.list", somewhere: true},
	{Name: "People", To: Prefix + "/people", action: "access.matrix", somewhere: true},
	{Name: "Tokens", To: Prefix + "/tokens", action: "token.list", somewhere: true},
	{Name: "Webhooks", To: Prefix + "/webhooks", action: "webhook.list", somewhere: true},
	{Name: "Audit log", To: Prefix + "/audit", action: "audit.read", somewhere: true},
	{Name: "Settings", To: Prefix + "/settings", action: "status.get", somewhere: true},
}

// appLinks are the tabs of an app.
func appLinks(app string) []link {
	return []link{
		{Name: "App", To: address("apps", app), action: "app.get"},
		{Name: "Analytics", To: address("apps", app, "analytics"), action: "app.get"},
		{Name: "Alerts", To: address("apps", app, "alerts"), action: "alert.list"},
		{Name: "Channels", To: address("apps", app, "channels"), action: "channel.list"},
		{Name: "Cohorts", To: address("apps", app, "cohorts"), action: "cohort.list"},
		{Name: "Bundles", To: address("apps", app, "bundles"), action: "bundle.list"},
		{Name: "Scans", To: address("apps", app, "scans"), action: "scan.list"},
		{Name: "Suppressions", To: address("apps", app, "suppressions"), action: "suppression.list"},
		{Name: "Devices", To: address("apps", app, "devices"), action: "device.list"},
		{Name: "Events", To: address("apps", app, "events"), action: "event.list"},
		{Name: "Errors", To: address("apps", app, "errors"), action: "error.list"},
		{Name: "Changes", To: address("apps", app, "changes"), action: "change.list"},
		{Name: "Keys", To: address("apps", app, "keys"), action: "key.list"},
		{Name: "Sealed", To: address("apps", app, "sealed"), action: "trust.get"},
	}
}

// links leaves out what the visitor may not see, and marks where they are: at
// the link whose address is the longest beginning of this page's.
func (r *request) links(all []link) []link {
	var out []link
	best := -1
	for _, l := range all {
		if l.somewhere && !r.mayAnywhere(l.action) || !l.somewhere && !r.mayIn(l.action) {
			continue
		}
		at := r.URL.Path == l.To || strings.HasPrefix(r.URL.Path, strings.TrimSuffix(l.To, "/")+"/")
		if at && (best < 0 || len(l.To) > len(out[best].To)) && (l.To != Prefix+"/" || r.URL.Path == l.To) {
			best = len(out)
		}
		out = append(out, l)
	}
	if best >= 0 {
		out[best].Current = true
	}
	return out
}

// mayIn is may for the whole app, whatever channel the address names.
func (r *request) mayIn(action string) bool {
	res := ota.Resource{Scope: ota.Scope{App: r.app()}}
	err := r.console.deps.Access.Authorize(r, r.visitor.Principal, action, res)
	return err == nil || ota.CodeOf(err) == codeStepUp
}
