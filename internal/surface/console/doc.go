// Package console is the web console at /console/: pages rendered on the server,
// which work as plain links and forms and are only enhanced by script.
//
// It is a client of the admin API. A page asks [client.Client], whose requests
// go to the API's handler inside this process as the principal of the session,
// so whatever it shows or does is authorised and recorded as over the network,
// and nothing exists in the console only.
//
// It must never import a plane or a driver, decide who may do what, put script
// or style into a page, or show what a device said without the function
// "device".
//
// # How a page is made
//
// One file per page, here and in templates/, with the same name:
//
//	// keys.go
//	func (c *Console) registerKeys() {
//		c.page(route{"GET", "/apps/{app}/keys", "key.list"}, c.showKeys)
//		c.act(route{"POST", "/apps/{app}/keys", "key.update"}, c.changeKey, c.showKeys)
//	}
//
//	type keysView struct { Keys []ota.Key } // all the template sees, as .Data
//
//	func (c *Console) showKeys(r *request) (answer, error) {
//		keys, err := r.api.Keys(r, r.app())
//		return r.show("keys", "Keys", keysView{keys}), err
//	}
//
//	func (c *Console) changeKey(r *request) (answer, error) {
//		_, err := r.api.SetKeyState(r, r.app(), r.text("key"), ota.KeyState(r.text("state")))
//		return r.done("key_changed", "apps", r.app(), "keys"), err
//	}
//
// Call registerKeys in [New]. [Console.page] is for what reads, [Console.act] for
// forms: it shows the page named last again, with the problem and what was typed
// in, if the act failed, and sends the browser on if it was done ("done" names a
// message of notices.go). Both are refused unless their action is allowed on the
// app and channel in the address; route.somewhere asks that it is allowed at
// all, for pages without an app. Only registerSignIn and its like may use
// [Console.open], which asks nothing. An act that waits for other people's approval
// says so by itself. A refusal for want of a fresh proof leads
// to the step-up page and back.
//
// # Templates
//
// A file of templates/ defines "content", and may use the parts of parts.html.
// The dot is a [view]: .Data is the page's own, .Old "name" "else" is what was
// typed into a field, .May "action" says whether a button makes sense. Of the
// functions, "path" makes addresses of escaped parts, "device" renders text that
// a device sent, "quote" what came out of a bundle, "when" a time, "num", "bytes" and "percent" numbers. Tables are
// class "cards": on a phone each row is a card whose cells show their data-label.
// Charts are a figure with data-chart, which holds the table that script turns
// into a picture. No style attributes, no script: the policy in headers.go
// refuses both, and the browser tests fail on a single report.
package console
