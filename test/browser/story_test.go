package browser

import (
	"strings"
	"testing"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/demo"
	"github.com/waxwing-ota/waxwing/internal/testkit/browser"
)

// TestSignIn: the first user comes by the set-up link with a passkey, signs out,
// is sent to the sign-in page and back, and proves to be there once more.
func TestSignIn(t *testing.T) {
	w := start(t)
	w.setUp()
	if codes := browser.Eval[string](w.Browser, `document.querySelector("[data-codes]").textContent`); len(strings.Fields(codes)) != 10 {
		t.Errorf("recovery codes: %d", len(strings.Fields(codes)))
	}
	if hash := browser.Eval[string](w.Browser, `location.hash`); hash != "" {
		t.Error("the secret of the link stayed in the address")
	}
	w.Click("[data-go]")
	w.Wait(".me")
	if me := browser.Eval[string](w.Browser, `document.querySelector(".me").textContent`); me != "Ada Lovelace" {
		t.Errorf("signed in as %q", me)
	}
	w.Click(`form[action="/auth/sign-out"] button`)
	w.Wait("[data-auth=sign-in]")
	w.Open(w.site + "/console/account")
	w.Wait("[data-auth=sign-in]")
	w.Click("[data-auth=sign-in]")
	w.Wait("#passkeys")
	w.Open(w.site + "/console/step-up?next=%2Fconsole%2Fapps")
	w.Wait("[data-auth=step-up]")
	w.Click("[data-auth=step-up]")
	w.Wait("#new") // the form for a new app
	w.quiet("sign-in")
}

// TestReleaseIsSeenAndTakenBack: what devices do shows without a reload, and a
// rollback is two clicks, with whom it reaches in between.
func TestReleaseIsSeenAndTakenBack(t *testing.T) {
	w := start(t)
	w.setUp()
	if _, err := w.Client.CreateApp(t.Context(), ota.NewApp{ID: "com.example.quiet"}); err != nil {
		t.Fatal(err)
	}
	w.play()
	w.Open(w.site + "/console/apps/" + demo.App)
	browser.Eval[any](w.Browser, `window.stayed = true; null`)
	w.update("0a000000-0000-4000-8000-00000000000d", "0.9.0") // a thirteenth device
	got := browser.Eval[string](w.Browser, `new Promise((done) => {
		const look = () => { const b = document.querySelector("#numbers .figure b"); if (b.textContent === "13") done("13"); };
		new MutationObserver(look).observe(document.querySelector("#numbers"), {childList: true, subtree: true, characterData: true});
		look();
	})`)
	if got != "13" || !browser.Eval[bool](w.Browser, `window.stayed === true`) {
		t.Errorf("devices = %s, live", got)
	}
	w.quiet("live")
	w.Click(`a.danger[href$="/production/rollback"]`)
	w.Wait(".blast")
	if text := browser.Eval[string](w.Browser, `document.querySelector(".blast").textContent.replace(/\s+/g, " ")`); !strings.Contains(text, "12 devices run 1.0.0 now") || !strings.Contains(text, "13 devices are on this channel") {
		t.Errorf("whom it reaches: %s", text)
	}
	w.Click("button.solid")
	w.Wait(".notice.good")
	ch, err := w.Client.Channel(t.Context(), demo.App, demo.Channel)
	if err != nil || ch.Release.Version != ota.Builtin || ch.Release.Kind != ota.ReleaseRollback || ch.Release.CreatedBy != "user:ada@example.com" {
		t.Errorf("after the rollback: %+v, %v", ch.Release, err)
	}
	w.quiet("rollback")
}
