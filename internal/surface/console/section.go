package console

import (
	"strconv"
	"strings"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// sections are the parts of the console that are about no app, each with tabs.
var sections = []struct {
	name, prefix string
	tabs         []link
}{
	{"People", Prefix + "/people", []link{
		{Name: "Users", To: address("people", "users"), action: "user.list", somewhere: true},
		{Name: "Invitations", To: address("people", "invitations"), action: "invitation.list", somewhere: true},
		{Name: "Groups", To: address("people", "groups"), action: "group.list", somewhere: true},
		{Name: "Service accounts", To: address("people", "machines"), action: "service_account.list", somewhere: true},
		{Name: "Grants", To: address("people", "grants"), action: "grant.list", somewhere: true},
		{Name: "Roles", To: address("people", "roles"), action: "access.matrix", somewhere: true},
		{Name: "Explain", To: address("people", "explain"), action: "access.ask", somewhere: true},
	}},
	{"Tokens", Prefix + "/tokens", []link{
		{Name: "API tokens", To: address("tokens"), action: "token.list", somewhere: true},
		{Name: "Trusted publishers", To: address("tokens", "publishers"), action: "trusted_publisher.list", somewhere: true},
	}},
	{"Audit log", Prefix + "/audit", []link{
		{Name: "Entries", To: address("audit"), action: "audit.read", somewhere: true},
		{Name: "Checkpoint and key", To: address("audit", "checkpoint"), action: "audit.read", somewhere: true},
	}},
	{"Settings", Prefix + "/settings", []link{
		{Name: "Server", To: address("settings"), action: "status.get", somewhere: true},
		{Name: "Organisations", To: address("settings", "orgs"), action: "org.list", somewhere: true},
		{Name: "Single sign-on", To: address("settings", "sso"), action: "sso.list", somewhere: true},
	}},
	{"Account", Prefix + "/account", []link{
		{Name: "Account", To: address("account"), action: "me.get", somewhere: true},
		{Name: "My tokens", To: address("tokens"), action: "token.list", somewhere: true},
	}},
}

// section is the name of the part that this page is in, and its tabs; "" = none.
func (r *request) section() (string, []link) {
	for _, s := range sections {
		if r.URL.Path == s.prefix || strings.HasPrefix(r.URL.Path, s.prefix+"/") {
			return s.name, r.links(s.tabs)
		}
	}
	return "", nil
}

// mayOn reports whether the visitor could do an action in a scope.
func (r *request) mayOn(action string, on ota.Scope) bool {
	if r.visitor == nil {
		return false
	}
	err := r.console.deps.Access.Authorize(r, r.visitor.Principal, action, ota.Resource{Scope: on, Path: r.URL.Path})
	return err == nil || ota.CodeOf(err) == codeStepUp
}

// id is a part of the address that is a number.
func (r *request) id(name string) (int64, error) { return numberOf(r.PathValue(name)) }

// formID is a field of the form that is the number of something.
func (r *request) formID(name string) (int64, error) {
	n, err := numberOf(r.text(name))
	if err != nil {
		return 0, ota.Invalid("number_invalid", "choose one of the list").WithField(name)
	}
	return n, nil
}

// lines are the words of a field, one on each line or between commas.
func (r *request) lines(name string) []string {
	var out []string
	for _, s := range strings.FieldsFunc(r.text(name), func(c rune) bool { return c == ',' || c == '\n' || c == '\r' }) {
		if s = strings.TrimSpace(s); s != "" {
			out = append(out, s)
		}
	}
	return out
}

func numberOf(s string) (int64, error) {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < 1 {
		return 0, ota.NotFound("page_unknown", "there is no such page").WithHint("start from the overview")
	}
	return n, nil
}

func numPlain(n int64) string { return strconv.FormatInt(n, 10) }

// cutAction takes the noun off an action such as "release.create".
func cutAction(action string) (noun, verb string, ok bool) { return strings.Cut(action, ".") }
