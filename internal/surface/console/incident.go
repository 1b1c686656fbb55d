package console

import (
	"net/http"
	"net/url"
	"strconv"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// incidentView is one incident with all that a person who leads it looks at.
type incidentView struct {
	I        ota.IncidentDetail
	Timeline []ota.IncidentEntry
	Devices  []ota.AffectedDevice
	State    string // only devices of it; "" = all
	States   []string
	Next     string
	Impact   []ota.Impact
	Blocker  string   // why there is no impact; "" = there is one
	Choices  []string // versions to recover to
	To       string
	Keys     []ota.Key   // of the app, in use; none if the visitor may not retire any
	Tokens   []ota.Token // that the visitor may see and revoke
	Manage   bool        // the visitor could contain and recover
	Note     bool
}

func (c *Console) registerIncident() {
	const one = "/incidents/{incident}"
	c.page(route{method: "GET", path: one, action: "incident.get", somewhere: true}, c.showIncident)
	c.page(route{method: "GET", path: one + "/report", action: "incident.get", somewhere: true}, c.incidentReport)
	for _, a := range []struct {
		verb, action, notice string
		do                   func(r *request, id int64) error
	}{
		{"contain", "incident.contain", "incident_contained", containIncident},
		{"recover", "incident.recover", "incident_recovering", func(r *request, id int64) error {
			_, err := r.api.RecoverIncident(r, id, ota.Recovery{To: r.text("to"), Note: r.text("note")})
			return err
		}},
		{"note", "incident.note", "incident_noted", func(r *request, id int64) error {
			_, err := r.api.NoteIncident(r, id, r.text("text"))
			return err
		}},
		{"resolve", "incident.resolve", "incident_resolved", func(r *request, id int64) error {
			_, err := r.api.ResolveIncident(r, id, r.text("text"))
			return err
		}},
		{"close", "incident.close", "incident_closed", func(r *request, id int64) error {
			_, err := r.api.CloseIncident(r, id, r.text("text"))
			return err
		}},
	} {
		c.act(route{method: "POST", path: one + "/" + a.verb, action: a.action, somewhere: true}, func(r *request) (answer, error) {
			id, err := r.id("incident")
			if err == nil {
				err = a.do(r, id)
			}
			return r.done(a.notice, "incidents", numPlain(id)), err
		}, c.showIncident)
	}
}

// containIncident does what is ticked.
func containIncident(r *request, id int64) error {
	d, err := r.api.Incident(r, id)
	if err != nil {
		return err
	}
	in := ota.Containment{Reason: r.text("reason")}
	if *r.checked("freeze") {
		if in.Freeze = d.Blast.Channels; d.Channel != "" {
			in.Freeze = []string{d.Channel}
		}
	}
	switch r.text("hold") {
	case "block":
		in.Block = []string{d.Version}
	case "quarantine":
		in.Quarantine = []string{d.Version}
	}
	in.RetireKeys = r.PostForm["key"]
	for _, s := range r.PostForm["token"] {
		n, err := strconv.ParseInt(s, 10, 64)
		if err != nil {
			return ota.Invalid("number_invalid", "a token is named by its number").WithField("token")
		}
		in.Tokens = append(in.Tokens, n)
	}
	_, err = r.api.ContainIncident(r, id, in)
	return err
}

// revocable lists the keys and tokens that the visitor may end with the incident.
// That they cannot be listed is no reason not to show the page.
func (v *incidentView) revocable(r *request, on ota.Scope) {
	if r.mayOn("key.update", on) {
		keys, err := r.api.Keys(r, v.I.App)
		for _, k := range keys {
			if err == nil && k.State == ota.KeyActive {
				v.Keys = append(v.Keys, k)
			}
		}
	}
	tokens, _, err := r.api.Tokens(r, ota.TokenFilter{All: r.mayAnywhere("service_account.list")}, ota.Page{Limit: 50})
	for _, t := range tokens {
		if err == nil && t.Warning != ota.TokenExpired {
			v.Tokens = append(v.Tokens, t)
		}
	}
}

func (c *Console) showIncident(r *request) (answer, error) {
	id, err := r.id("incident")
	if err != nil {
		return answer{}, err
	}
	v := incidentView{
		State: r.query("state"), To: r.query("to"),
		States: []string{"offered", "downloading", "downloaded", "installed", "healthy", "failed", "rolled_back"},
	}
	if v.I, err = r.api.Incident(r, id); err != nil {
		return answer{}, err
	}
	on := ota.Scope{Org: v.I.Org, App: v.I.App}
	if v.Manage = r.mayOn("incident.contain", on); v.Manage && v.I.State != ota.IncidentClosed {
		v.revocable(r, on)
	}
	v.Note = r.mayOn("incident.note", on)
	if v.Timeline, err = r.api.IncidentTimeline(r, id); err != nil {
		return answer{}, err
	}
	if v.Devices, v.Next, err = r.api.IncidentDevices(r, id, v.State, r.listPage()); err != nil {
		return answer{}, err
	}
	if v.Manage && v.I.Version != "" && v.I.State != ota.IncidentClosed {
		if v.Impact, err = r.api.IncidentImpact(r, id, v.To); err != nil {
			v.Blocker = asProblem(err).Msg
		}
		v.Choices = c.recoverChoices(r, &v.I)
	}
	return r.show("incident", v.I.Title, v), nil
}

// recoverChoices lists what the incident's channel can go back to.
func (c *Console) recoverChoices(r *request, i *ota.IncidentDetail) []string {
	seen, out := map[string]bool{i.Version: true}, []string{}
	if i.Channel != "" {
		if history, _, err := r.api.Releases(r, i.App, i.Channel, ota.Page{Limit: 50}); err == nil {
			for _, h := range history {
				if !seen[h.Version] {
					seen[h.Version] = true
					out = append(out, h.Version)
				}
			}
		}
	}
	if !seen[ota.Builtin] {
		out = append(out, ota.Builtin)
	}
	return out
}

// incidentReport downloads the post-mortem.
func (c *Console) incidentReport(r *request) (answer, error) {
	id, err := r.id("incident")
	if err != nil {
		return answer{}, err
	}
	rep, err := r.api.IncidentReport(r, id)
	if err != nil {
		return answer{}, err
	}
	return answer{raw: func(w http.ResponseWriter) error {
		w.Header().Set("Content-Type", "text/markdown; charset=utf-8")
		w.Header().Set("Content-Disposition", "attachment; filename="+url.PathEscape("incident-"+numPlain(id)+".md"))
		_, err := w.Write([]byte(rep.Markdown))
		return err
	}}, nil
}
