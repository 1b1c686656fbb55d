package console

import (
	"strings"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// grantRow is a grant with the name of whom it was given to.
type grantRow struct {
	ota.RoleGrant
	Name, To string // To is the address of the subject's page
}

type grantsView struct {
	Grants []grantRow
	Next   string
	Roles  []ota.Role
}

func (c *Console) registerGrants() {
	const all = "/people/grants"
	c.page(route{method: "GET", path: all, action: "grant.list", somewhere: true}, c.showGrants)
	c.act(route{method: "POST", path: all, action: "grant.create", somewhere: true}, c.createGrant, c.showGrants)
	c.confirmed(route{path: all + "/{grant}/delete", action: "grant.delete", somewhere: true}, c.askDeleteGrant, c.deleteGrant)
}

// names are the names of subjects, by kind and id.
type names map[ota.SubjectKind]map[int64]string

func (n names) of(g ota.RoleGrant) string {
	if name := n[g.SubjectKind][g.SubjectID]; name != "" {
		return name
	}
	return "no. " + numText(g.SubjectID)
}

// subjects reads the names that grants are shown with; of very many, the first.
func (r *request) subjects() (names, error) {
	n := names{ota.SubjectUser: {}, ota.SubjectGroup: {}, ota.SubjectService: {}}
	page := ota.Page{Limit: 500}
	users, _, err := r.api.Users(r, "", page)
	for _, u := range users {
		n[ota.SubjectUser][u.ID] = u.Email
	}
	if err == nil {
		var groups []ota.Group
		groups, _, err = r.api.Groups(r, "", page)
		for _, g := range groups {
			n[ota.SubjectGroup][g.ID] = g.Name
		}
	}
	if err == nil {
		var accounts []ota.ServiceAccount
		accounts, _, err = r.api.ServiceAccounts(r, "", page)
		for _, a := range accounts {
			n[ota.SubjectService][a.ID] = a.Name
		}
	}
	return n, err
}

func (c *Console) showGrants(r *request) (answer, error) {
	all, next, err := r.api.Grants(r, r.query("org"), r.listPage())
	if err != nil {
		return answer{}, err
	}
	n, err := r.subjects()
	v := grantsView{Next: next, Roles: ota.Roles()}
	for _, g := range all {
		v.Grants = append(v.Grants, grantRow{g, n.of(g), subjectAddress(g.SubjectKind, numPlain(g.SubjectID))})
	}
	return r.show("grants", "Grants", v), err
}

func subjectAddress(kind ota.SubjectKind, id string) string {
	folder := map[ota.SubjectKind]string{ota.SubjectUser: "users", ota.SubjectGroup: "groups", ota.SubjectService: "machines"}[kind]
	return address("people", folder, id)
}

// createGrant gives a role. Pages of a subject have this form too, and get the
// browser back.
func (c *Console) createGrant(r *request) (answer, error) {
	scope, err := ota.ParseScope(r.text("scope"))
	if err != nil {
		return answer{}, err
	}
	in := ota.NewGrant{SubjectKind: ota.SubjectKind(r.text("kind")), Subject: r.text("subject"), Grant: ota.Grant{Role: ota.Role(r.text("role")), Scope: scope}}
	if r.text("subject_id") != "" {
		if in.SubjectID, err = r.formID("subject_id"); err != nil {
			return answer{}, err
		}
		in.Subject = ""
	}
	_, err = r.api.CreateGrant(r, in)
	return r.doneAt("grant_created", localPath(r.text("back"), address("people", "grants"))), err
}

// grant looks for a grant among those that the visitor may see.
func (r *request) grant() (ota.RoleGrant, error) {
	id, err := r.id("grant")
	if err != nil {
		return ota.RoleGrant{}, err
	}
	return r.api.Grant(r, id)
}

func (c *Console) askDeleteGrant(r *request) (confirmView, error) {
	g, err := r.grant()
	if err != nil {
		return confirmView{}, err
	}
	n, err := r.subjects()
	back := localPath(r.query("back"), address("people", "grants"))
	return confirmView{
		Heading: "Take a role away", Facts: [][2]string{{"From", string(g.SubjectKind) + " " + n.of(g)}, {"Role", string(g.Role)}, {"On", g.Scope.String()}},
		Button: "Take it away", Back: back, Fields: [][2]string{{"then", back}},
		What: []string{"They lose it at once, in running sessions and for tokens too.", "What they did stays."},
	}, err
}

func (c *Console) deleteGrant(r *request) (answer, error) {
	id, err := r.id("grant")
	if err == nil {
		err = r.api.DeleteGrant(r, id)
	}
	return r.doneAt("grant_deleted", localPath(r.text("then"), address("people", "grants"))), err
}

// doneAt is done for an address.
func (r *request) doneAt(notice, at string) answer {
	sep := "?"
	if strings.Contains(at, "?") {
		sep = "&"
	}
	return answer{to: at + sep + "done=" + notice}
}
