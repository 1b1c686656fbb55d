package browser

import (
	"strings"
	"testing"

	"github.com/waxwing-ota/waxwing/internal/demo"
	"github.com/waxwing-ota/waxwing/internal/testkit/browser"
)

// stop is where the Tab key led to.
type stop struct {
	Path    string // of elements, to tell them apart
	Skip    bool   // it is the link to the content
	Nav     bool
	Action  bool // one of the page's primary actions
	Visible bool // it is in the window
	Outline bool
}

const focused = `(() => {
	const e = document.activeElement, s = getComputedStyle(e), r = e.getBoundingClientRect();
	if (e === document.body) return {path: ""};
	const path = []; for (let n = e; n.parentElement; n = n.parentElement) path.unshift([...n.parentElement.children].indexOf(n));
	return {path: e.tagName + path.join("."), skip: e.className === "skip", nav: !!e.closest("nav"), action: e.matches("main .primary, main .solid"),
		visible: r.width > 0 && r.left >= 0 && r.top >= 0 && r.right <= innerWidth + 1 && r.bottom <= innerHeight + 1, outline: s.outlineStyle !== "none" && parseFloat(s.outlineWidth) >= 2};
})()`

// tabs walks through a page by the Tab key, from its start to its end.
func (w *world) tabs(path string) []stop {
	w.t.Helper()
	w.Open(w.site + path)
	w.Wait(":is(main .primary, main .solid):not([hidden] *)") // script shows some only once it has asked the server
	var out []stop
	seen := map[string]bool{}
	for range 200 {
		w.Press("\t")
		s := browser.Eval[stop](w.Browser, focused)
		if s.Path == "" || seen[s.Path] && out[0].Path == s.Path {
			return out
		}
		if seen[s.Path] {
			continue // a field of parts, such as a date
		}
		seen[s.Path] = true
		out = append(out, s)
	}
	w.t.Errorf("%s: the Tab key does not come to an end", path)
	return out
}

// TestKeyboard: the Tab key reaches what is to be done on a page, in order, and
// shows where it is; what came of it is announced.
func TestKeyboard(t *testing.T) {
	w := start(t)
	signedOut := w.tabs("/console/sign-in")
	w.setUp()
	w.play()
	channel := "/console/apps/" + demo.App + "/channels/" + demo.Channel
	for _, tt := range []struct {
		path  string
		stops []stop
		nav   bool
	}{
		{"/console/sign-in", signedOut, false},
		{channel, w.tabs(channel), true},
		{channel + "/rollback", w.tabs(channel + "/rollback"), true},
	} {
		first := map[string]int{}
		for i, s := range tt.stops {
			for what, is := range map[string]bool{"skip": s.Skip, "nav": s.Nav, "action": s.Action} {
				if _, ok := first[what]; is && !ok {
					first[what] = i
				}
			}
			if !s.Outline || !s.Visible {
				t.Errorf("%s: stop %d, %s: outline %v, in sight %v", tt.path, i, s.Path, s.Outline, s.Visible)
			}
		}
		at, ok := first["skip"]
		action, acts := first["action"]
		nav, navigates := first["nav"]
		if !ok || at != 0 || !acts || navigates != tt.nav || tt.nav && nav > action {
			t.Errorf("%s: of %d stops, the first of each kind: %v", tt.path, len(tt.stops), first)
		}
	}

	// The skip link leads past the navigation, and the rollback goes without a mouse.
	w.Open(w.site + channel + "/rollback")
	w.Press("\t")
	w.Press("\r")
	if id := browser.Eval[string](w.Browser, `document.activeElement.id`); id != "main" {
		t.Errorf("the skip link leads to %q", id)
	}
	for range 40 {
		w.Press("\t")
		if browser.Eval[bool](w.Browser, `document.activeElement.matches("button.solid")`) {
			break
		}
	}
	w.Press("\r")
	w.Wait("[role=status]")
	if said := w.Text("main [role=status]"); !strings.Contains(said, "Rolled back") {
		t.Errorf("announced: %q", said)
	}

	// A form that is wrong says so as an alert, and keeps what was typed.
	w.Open(w.site + "/console/apps")
	w.Fill("[name=id]", "no app id")
	browser.Eval[any](w.Browser, `document.querySelector("form:has([name=id])").noValidate = true; null`)
	w.Click("form:has([name=id]) button")
	w.Wait("[role=alert]")
	if kept := browser.Eval[string](w.Browser, `document.querySelector("[name=id]").value`); kept != "no app id" {
		t.Errorf("the form kept %q", kept)
	}
	w.quiet("keyboard")
}
