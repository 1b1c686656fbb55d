package browser

import (
	"context"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// Other opens a tab in another profile of the same Chromium: it shares no
// cookies, no cache and no authenticator with b.
func (b *Browser) Other() *Browser {
	b.t.Helper()
	ctx, stop := chromedp.NewContext(b.ctx, chromedp.WithNewBrowserContext())
	b.t.Cleanup(stop)
	return tab(b.t, ctx)
}

// tab makes a Browser of a context of chromedp and listens to it.
func tab(t testing.TB, ctx context.Context) *Browser {
	t.Helper()
	b := &Browser{t: t, ctx: ctx, bytes: map[string]float64{}}
	b.Do() // starts it
	if err := chromedp.Listen(ctx, b.listen); err != nil {
		t.Fatal(err)
	}
	b.Do(command(runtime.Enable, cdp.Empty{}), command(log.Enable, cdp.Empty{}), command(network.Enable, network.EnableParams{}))
	b.Size(1280, 900)
	b.Dark(false)
	return b
}

// dismiss closes a dialog, which would hold everything up.
func (b *Browser) dismiss() {
	go func() { // a listener must not run commands
		_ = chromedp.Do(b.ctx, command(page.HandleJavaScriptDialog, page.HandleJavaScriptDialogParams{}))
	}()
}

// Press presses keys: "\t" for Tab, "\r" for Enter.
func (b *Browser) Press(keys string) {
	b.t.Helper()
	b.Do(chromedp.KeyEvent(keys))
}

// Choose selects the option with a value, as a person does: the page hears of it.
func (b *Browser) Choose(selector, value string) {
	b.t.Helper()
	b.set(selector, value, "change")
}

// Fill puts text in place of what a field holds.
func (b *Browser) Fill(selector, text string) {
	b.t.Helper()
	b.set(selector, text, "input")
}

func (b *Browser) set(selector, value, event string) {
	b.t.Helper()
	b.Wait(selector)
	if !Eval[bool](b, `((s, v, e) => { const f = document.querySelector(s); f.value = v; f.dispatchEvent(new Event(e, {bubbles: true})); return f.value === v; })(`+
		quote(selector)+`,`+quote(value)+`,`+quote(event)+`)`) {
		b.t.Fatalf("browser: %s does not take %q", selector, value)
	}
}
