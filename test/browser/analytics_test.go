package browser

import (
	"testing"

	"github.com/waxwing-ota/waxwing/internal/demo"
	"github.com/waxwing-ota/waxwing/internal/testkit/browser"
)

// TestAnalytics: the numbers of an app show what devices did, with a table to every
// chart, and change without a reload while a table stays open.
func TestAnalytics(t *testing.T) {
	w := start(t)
	w.setUp()
	w.play()
	path := "/console/apps/" + demo.App + "/analytics"
	for i, query := range []string{"", "?range=30d", "?version=1.0.0"} {
		w.look(path+query, "analytics-live-"+string(rune('a'+i)))
	}
	w.Open(w.site + path)
	charts := browser.Eval[int](w.Browser, `[...document.querySelectorAll("figure.chart")].filter((f) => f.querySelector(".plot")).length`)
	tables := browser.Eval[int](w.Browser, `document.querySelectorAll("figure.chart details table tbody tr").length`)
	if charts < 5 || tables < charts {
		t.Errorf("%d charts are drawn, their tables have %d rows", charts, tables)
	}
	browser.Eval[any](w.Browser, `window.stayed = true; document.querySelector("[data-keep=active-0]").open = true; null`)
	w.update("0a000000-0000-4000-8000-00000000000d", "0.9.0") // a thirteenth device
	got := browser.Eval[string](w.Browser, `new Promise((done) => {
		const look = () => {
			const b = document.querySelector("[aria-labelledby=active] .figure b"), d = document.querySelector("[data-keep=active-0]");
			if (b.textContent === "13" && d.open && d.closest("figure").querySelector(".plot")) done("13");
		};
		new MutationObserver(look).observe(document.querySelector("#numbers"), {childList: true, subtree: true, characterData: true, attributes: true});
		look();
	})`)
	if got != "13" || !browser.Eval[bool](w.Browser, `window.stayed === true`) {
		t.Errorf("active devices = %s, live", got)
	}
	w.quiet("live analytics")
	// The charts are as narrow as a phone that was turned.
	w.Phone()
	const fits = `new Promise((done) => { const look = (n) => document.documentElement.scrollWidth <= 390 || n === 0 ? done(document.documentElement.scrollWidth) : requestAnimationFrame(() => look(n - 1)); look(120); })`
	if width := browser.Eval[int](w.Browser, fits); width > 390 {
		t.Errorf("the page is %d pixels wide on a phone", width)
	}
}
