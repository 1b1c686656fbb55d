package console

import (
	"slices"
	"strings"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

type ssoView struct{ Providers []ota.SSOProvider }

// ssoFormView is the form of a provider; ID "" = a new one.
type ssoFormView struct {
	ID       string
	Provider ota.SSOProvider
	Groups   []ota.Group
	Mapping  string // the issuer's group = the name of ours, on lines
}

func (c *Console) registerSSO() {
	const all, one = "/settings/sso", "/settings/sso/{provider}"
	c.page(route{method: "GET", path: all, action: "sso.list"}, c.showSSO)
	c.page(route{method: "GET", path: all + "/new", action: "sso.create"}, c.showNewSSO)
	c.act(route{method: "POST", path: all + "/new", action: "sso.create"}, c.createSSO, c.showNewSSO)
	c.page(route{method: "GET", path: one, action: "sso.update"}, c.showOneSSO)
	c.act(route{method: "POST", path: one, action: "sso.update"}, c.updateSSO, c.showOneSSO)
	c.confirmed(route{path: one + "/delete", action: "sso.delete"}, c.askDeleteSSO, c.deleteSSO)
}

func (c *Console) showSSO(r *request) (answer, error) {
	all, err := r.api.SSOProviders(r)
	return r.show("sso", "Single sign-on", ssoView{all}), err
}

func (c *Console) showNewSSO(r *request) (answer, error) {
	groups, _, err := r.api.Groups(r, "", ota.Page{Limit: 500})
	return r.show("ssoform", "New provider", ssoFormView{Groups: groups}), err
}

func (c *Console) showOneSSO(r *request) (answer, error) {
	v := ssoFormView{ID: r.PathValue("provider")}
	var err error
	if v.Provider, err = r.api.SSOProvider(r, v.ID); err != nil {
		return answer{}, err
	}
	if v.Groups, _, err = r.api.Groups(r, "", ota.Page{Limit: 500}); err != nil {
		return answer{}, err
	}
	var lines []string
	for theirs, id := range v.Provider.Groups {
		ours := numPlain(id)
		if i := slices.IndexFunc(v.Groups, func(g ota.Group) bool { return g.ID == id }); i >= 0 {
			ours = v.Groups[i].Name
		}
		lines = append(lines, theirs+" = "+ours)
	}
	slices.Sort(lines)
	v.Mapping = strings.Join(lines, "\n")
	return r.show("ssoform", "Provider "+v.ID, v), nil
}

// mapping reads the lines of the form: the issuer's group = the name of ours.
func (r *request) mapping() (map[string]int64, error) {
	groups, _, err := r.api.Groups(r, "", ota.Page{Limit: 500})
	if err != nil {
		return nil, err
	}
	out := map[string]int64{}
	for line := range strings.Lines(r.text("groups")) {
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		i := strings.LastIndex(line, "=")
		if i < 1 {
			return nil, ota.Invalid("mapping_invalid", "%q is not written like: their group = our group", visible(line)).WithField("groups")
		}
		theirs, ours := strings.TrimSpace(line[:i]), strings.TrimSpace(line[i+1:])
		at := slices.IndexFunc(groups, func(g ota.Group) bool { return g.Name == ours || numPlain(g.ID) == ours })
		if at < 0 {
			return nil, ota.NotFound("group_not_found", "there is no group %q here", visible(ours)).WithField("groups").WithHint("make it first, under People")
		}
		out[theirs] = groups[at].ID
	}
	return out, nil
}

func (c *Console) createSSO(r *request) (answer, error) {
	groups, err := r.mapping()
	if err != nil {
		return answer{}, err
	}
	_, err = r.api.CreateSSOProvider(r, ota.NewSSOProvider{
		ID: r.text("id"), Name: r.text("name"), Issuer: r.text("issuer"), ClientID: r.text("client_id"), ClientSecret: r.text("client_secret"),
		Domains: r.lines("domains"), TrustedDomains: r.lines("trusted_domains"), CreateUsers: *r.checked("create_users"), GroupClaim: r.text("group_claim"), Groups: groups,
	})
	return r.done("sso_created", "settings", "sso"), err
}

func (c *Console) updateSSO(r *request) (answer, error) {
	groups, err := r.mapping()
	if err != nil {
		return answer{}, err
	}
	name, client, claim := r.text("name"), r.text("client_id"), r.text("group_claim")
	domains, trusted := r.lines("domains"), r.lines("trusted_domains")
	in := ota.SSOProviderPatch{
		Name: &name, ClientID: &client, Domains: &domains, TrustedDomains: &trusted, CreateUsers: r.checked("create_users"), GroupClaim: &claim, Groups: &groups,
	}
	if s := r.text("client_secret"); s != "" {
		in.ClientSecret = &s
	}
	_, err = r.api.UpdateSSOProvider(r, r.PathValue("provider"), in)
	return r.done("sso_changed", "settings", "sso"), err
}

func (c *Console) askDeleteSSO(r *request) (confirmView, error) {
	p, err := r.api.SSOProvider(r, r.PathValue("provider"))
	return confirmView{
		Heading: "Delete a single sign-on provider", Facts: [][2]string{{"Provider", p.Name}, {"Issuer", p.Issuer}}, Button: "Delete", Back: address("settings", "sso"),
		What: []string{"Nobody can sign in through it any more; who has no passkey or password needs a reset link.", "Users stay; memberships of groups that it kept end."},
	}, err
}

func (c *Console) deleteSSO(r *request) (answer, error) {
	err := r.api.DeleteSSOProvider(r, r.PathValue("provider"))
	return r.done("sso_deleted", "settings", "sso"), err
}
