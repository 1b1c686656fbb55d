package console

// accountView: what the account page shows beyond the visitor comes from /auth/
// and the API once it is there.
type accountView struct{}

func (c *Console) registerAccount() {
	c.page(route{method: "GET", path: "/account", action: "me.get"}, func(r *request) (answer, error) {
		return r.show("account", "Your account", accountView{}), nil
	})
}
