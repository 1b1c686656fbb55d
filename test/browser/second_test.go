package browser

import (
	"testing"

	"github.com/waxwing-ota/waxwing/internal/testkit/browser"
)

// TestApproveWithAPasskey: the button signs the digest that the page shows.
func TestApproveWithAPasskey(t *testing.T) {
	w := start(t)
	w.setUp()
	w.play()
	w.Open(w.site + "/console/approvals/" + w.ask())
	w.Click("form[data-sign] button.primary")
	w.Wait(".notice.good")
	a, err := w.Client.Approval(t.Context(), 1)
	if err != nil || len(a.Votes) != 1 || !a.Votes[0].Asserted || a.Votes[0].Actor != "user:ada@example.com" {
		t.Errorf("votes %+v, %v", a.Votes, err)
	}
	w.quiet("approve")
}

// TestSecretIsCopied: what is shown once can be copied by a button.
func TestSecretIsCopied(t *testing.T) {
	w := start(t)
	w.setUp()
	w.Open(w.site + "/console/tokens/new")
	w.Type("input[name=name]", "laptop")
	w.Click("form.panel button.primary")
	w.Wait(".once")
	if browser.Eval[bool](w.Browser, `document.querySelector("[data-copy]").hidden`) {
		w.t.Error("there is no button to copy")
	}
	w.inspect("/console/tokens/new", "secret", w.Serious())
	w.quiet("secret")
}
