package browser

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// patience is how long one step in the browser may take.
const patience = 30 * time.Second

// Browser is one Chromium with one tab.
type Browser struct {
	t   testing.TB
	ctx context.Context //nolint:containedctx // chromedp keeps the tab in it

	mu         sync.Mutex
	complaints []string
	bytes      map[string]float64 // that came over the wire, by request
}

// Start opens Chromium with nothing in its profile. Without one the test is
// skipped, or fails if CI says that it must run.
func Start(t testing.TB) *Browser {
	t.Helper()
	path := find()
	if path == "" {
		if os.Getenv("CI") == "true" || strings.Contains(os.Getenv("WAXWING_TEST_REQUIRE"), "chromium") {
			t.Fatal("LOUD: there is no chromium, and it is required (install Debian's chromium)")
		}
		t.Skip("LOUD: there is no chromium: the tests of the console in a browser SKIP (install Debian's chromium)")
	}
	opts := []chromedp.ExecAllocatorOption{
		chromedp.Flag("no-first-run", true), chromedp.Flag("no-default-browser-check", true),
		chromedp.ExecPath(path), chromedp.UserDataDir(t.TempDir()), chromedp.Headless, chromedp.NoSandbox, chromedp.Flag("disable-gpu", true),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-sync", true), chromedp.Flag("disable-extensions", true), chromedp.Flag("hide-scrollbars", true),
		chromedp.Flag("disable-dev-shm-usage", true), chromedp.Flag("mute-audio", true), chromedp.Flag("no-pings", true),
		chromedp.WSURLReadTimeout(patience),
	}
	alloc, stopAlloc := chromedp.NewExecAllocator(context.Background(), opts...)
	ctx, stop := chromedp.NewContext(alloc)
	t.Cleanup(func() {
		if err := chromedp.Cancel(ctx); err != nil {
			t.Logf("closing chromium: %v", err)
		}
		stop()
		stopAlloc()
	})
	return tab(t, ctx)
}

func find() string {
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return ""
}

func (b *Browser) listen(ev any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := ev.(type) {
	case *runtime.EventExceptionThrown:
		b.complaints = append(b.complaints, "exception: "+detail(e.ExceptionDetails))
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.ConsoleAPICalledTypeError || e.Type == runtime.ConsoleAPICalledTypeWarning || e.Type == runtime.ConsoleAPICalledTypeAssert {
			var parts []string
			for _, a := range e.Args {
				parts = append(parts, string(a.Value)+a.Description)
			}
			b.complaints = append(b.complaints, "console: "+strings.Join(parts, " "))
		}
	case *log.EventEntryAdded:
		if e.Entry.Level == log.EntryLevelError || e.Entry.Level == log.EntryLevelWarning {
			b.complaints = append(b.complaints, fmt.Sprintf("log: %s %s", e.Entry.Text, e.Entry.URL))
		}
	case *page.EventJavascriptDialogOpening:
		b.complaints = append(b.complaints, fmt.Sprintf("dialog: %s %s", e.Type, e.Message))
		b.dismiss()
	case *network.EventDataReceived: // also of what never ends
		b.bytes[string(e.RequestID)] += float64(e.EncodedDataLength)
	case *network.EventLoadingFinished: // with headers
		b.bytes[string(e.RequestID)] = e.EncodedDataLength
	}
}

// command makes an action of a command of the protocol without an answer.
func command[P any](c cdp.Command[P, cdp.Empty], params P) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, c, params)
		return err
	})
}

// Do runs actions; one that fails ends the test.
func (b *Browser) Do(actions ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx := b.ctx
	if len(actions) > 0 { // the first run starts the browser, which must not end with a deadline
		var stop context.CancelFunc
		ctx, stop = context.WithTimeout(ctx, patience)
		defer stop()
	}
	if err := chromedp.Do(ctx, actions...); err != nil {
		b.t.Fatalf("browser: %v, at %s\ncomplaints: %q", err, b.where(), b.Complaints())
	}
}

// where is the address and the text of the page, for a step that failed.
func (b *Browser) where() string {
	ctx, stop := context.WithTimeout(b.ctx, patience/10)
	defer stop()
	at, err := chromedp.Run(ctx, chromedp.Evaluate[string](`location.pathname + " " + (document.querySelector("main") ?? document.body).innerText.slice(0, 600)`))
	if err != nil {
		return "a page that does not answer"
	}
	return at
}

// run is Do for an action with a value.
func run[T any](b *Browser, a chromedp.Action[T]) T {
	b.t.Helper()
	ctx, stop := context.WithTimeout(b.ctx, patience)
	defer stop()
	v, err := chromedp.Run(ctx, a)
	if err != nil {
		b.t.Fatalf("browser: %v\ncomplaints: %q", err, b.Complaints())
	}
	return v
}

// Open loads an address and waits until it is loaded.
func (b *Browser) Open(url string) {
	b.t.Helper()
	b.mu.Lock()
	clear(b.bytes)
	b.mu.Unlock()
	b.Do(chromedp.Navigate(url))
}

// Click clicks what a CSS selector finds and waits for the page it leads to.
func (b *Browser) Click(selector string) {
	b.t.Helper()
	b.Do(chromedp.Click(chromedp.CSS(selector)))
}

// Type writes into a field, after what is in it.
func (b *Browser) Type(selector, text string) {
	b.t.Helper()
	b.Do(chromedp.WaitVisible(chromedp.CSS(selector)), chromedp.SendKeys(chromedp.CSS(selector), text))
}

// Wait waits until a selector finds something visible.
func (b *Browser) Wait(selector string) {
	b.t.Helper()
	b.Do(chromedp.WaitVisible(chromedp.CSS(selector)))
}

// Eval returns the value of an expression of JavaScript.
func Eval[T any](b *Browser, expression string) T {
	b.t.Helper()
	return run(b, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
}

// Forget empties the browser's cache.
func (b *Browser) Forget() {
	b.t.Helper()
	b.Do(command(network.ClearBrowserCache, cdp.Empty{}))
}

// Size sets the size of the window in CSS pixels.
func (b *Browser) Size(width, height int64) {
	b.t.Helper()
	b.Do(chromedp.EmulateViewport(width, height))
}

// Complaints returns what the page logged as errors or warnings since it was
// asked last, refusals by the content security policy among it.
func (b *Browser) Complaints() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	out := b.complaints
	b.complaints = nil
	return out
}

// Transferred returns the bytes that the last page took, without what was cached.
func (b *Browser) Transferred() int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	var sum float64
	for _, n := range b.bytes {
		sum += n
	}
	return int64(sum)
}

// Screenshot writes the whole page as name.png into the folder that
// WAXWING_SCREENSHOTS names, or else among the artifacts of the test, if they
// are kept (-artifacts).
func (b *Browser) Screenshot(name string) {
	b.t.Helper()
	dir := os.Getenv("WAXWING_SCREENSHOTS")
	if dir == "" {
		if f := flag.Lookup("test.artifacts"); f == nil || f.Value.String() != "true" {
			return // nobody would see it
		}
		dir = b.t.ArtifactDir()
	}
	png := run(b, chromedp.FullScreenshot(100))
	if err := os.MkdirAll(dir, 0o755); err != nil {
		b.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name+".png"), png, 0o644); err != nil {
		b.t.Fatal(err)
	}
}

func detail(d *runtime.ExceptionDetails) string {
	if d.Exception != nil {
		return d.Text + " " + d.Exception.Description
	}
	return d.Text
}
