package console

import "net/url"

// signInView is what the pages of signing in need. They only show forms and load
// auth.js: the ceremonies are those of /auth/.
type signInView struct {
	Next  string
	Error string
	Kind  string // of a one-time link: setup, invite or reset
}

func (c *Console) registerSignIn() {
	for _, p := range []struct{ path, page, title string }{
		{"/sign-in", "signin", "Sign in"},
		{"/sign-in/code", "code", "Second factor"},
		{"/setup", "enrol", "Set up this server"},
		{"/invite", "enrol", "Join"},
		{"/reset", "enrol", "New sign-in methods"},
	} {
		c.open(route{method: "GET", path: p.path}, func(r *request) (answer, error) {
			return r.show(p.page, p.title, signIn(r, p.path[1:])), nil
		})
	}
	c.page(route{method: "GET", path: "/step-up", action: "me.get"}, func(r *request) (answer, error) {
		return r.show("stepup", "Confirm it is you", signIn(r, "")), nil
	})
}

func signIn(r *request, kind string) signInView {
	return signInView{Next: localPath(r.query("next"), address()), Error: signInErrors[r.query("error")], Kind: kind}
}

// NextQuery is the parameter that carries where to go afterwards.
func (v signInView) NextQuery() string { return "?next=" + url.QueryEscape(v.Next) }

// signInErrors are what may have gone wrong, by code.
var signInErrors = map[string]string{
	"sign_in_failed":    "That is not right. Check what you typed and try again.",
	"too_many_attempts": "Too many attempts. Wait a moment before the next one.",
	"flow_expired":      "That took too long. Start again.",
	"https_required":    "Signing in needs HTTPS.",
	"signed_out":        "You are signed out.",
	"second_factor":     "The code is not right.",
	"link_invalid":      "This link is not valid any more.",
}
