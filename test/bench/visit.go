package main

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/waxwing-ota/waxwing/internal/client"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/surface/console"
	"github.com/waxwing-ota/waxwing/internal/testkit/browser"
)

// stage stands in for a test where package browser asks for one: a step that
// fails panics with its message, and the end cleans up.
type stage struct {
	testing.TB
	clean []func()
}

type broken string

func (s *stage) Helper()                   {}
func (s *stage) Cleanup(f func())          { s.clean = append(s.clean, f) }
func (s *stage) Logf(string, ...any)       {}
func (s *stage) Fatal(v ...any)            { panic(broken(fmt.Sprint(v...))) }
func (s *stage) Fatalf(f string, v ...any) { panic(broken(fmt.Sprintf(f, v...))) }
func (s *stage) Skip(v ...any)             { s.Fatal(v...) }
func (s *stage) end() {
	for _, f := range slices.Backward(s.clean) {
		f()
	}
}

func (s *stage) TempDir() string {
	dir, err := os.MkdirTemp("", "waxwing-bench-")
	if err != nil {
		s.Fatal(err)
	}
	s.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// variants of pages that a bare address does not show.
var queries = map[string][]string{
	"/console/apps/{app}/bundles/{version}":           {"?against=2.0.0"},
	"/console/apps/{app}/channels/{channel}/rollback": {"?to=1.0.900"},
	"/console/apps/{app}/devices": {
		"?version=1.0.1008", "?version=1.0.1002", "?platform=ios", "?channel=beta", "?q=customer-300", "?q=nobody", "?version=1.0.1008&platform=web", "?version=none",
	},
	"/console/apps/{app}/events": {"?action=set_fail", "?version=1.0.1007", "?action=nothing", "?version=none", "?device={device}"},
}

// patterns lists the addresses of the console, from the console itself.
func patterns() ([]string, error) {
	c, err := console.New(console.Deps{API: http.NotFoundHandler(), Now: time.Now, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return nil, err
	}
	var out []string
	for _, p := range c.Pages() {
		if p == "/console/" {
			continue // what is nowhere else
		}
		out = append(out, p)
		for _, q := range queries[p] {
			out = append(out, p+q)
		}
	}
	return out, nil
}

var parameter = regexp.MustCompile(`\{([a-z_$]+)\}`)

// filled puts in what is known for parameters.
func filled(pattern string, known map[string]string) (address string, missing []string) {
	address = parameter.ReplaceAllStringFunc(pattern, func(m string) string {
		v, ok := known[m[1:len(m)-1]]
		if !ok {
			missing = append(missing, m)
		}
		return v
	})
	return address, missing
}

// look is what one page cost.
type look struct {
	cold, warm int64
	waits      []time.Duration
	cpu        time.Duration // of the server, for one document
}

// visit measures every page and prints a table; over is how many break the budget.
func visit(ctx context.Context, p *proc, api *client.Client, known map[string]string) (over int, err error) {
	s := &stage{}
	defer func() {
		if v, ok := recover().(broken); ok {
			err = fmt.Errorf("browser: %s", string(v))
		}
		s.end()
	}()
	list, err := patterns()
	if err != nil {
		return 0, err
	}
	invited, err := api.CreateInvitation(ctx, ota.NewInvitation{
		Email: fmt.Sprintf("bench-%d@example.com", now()), Grants: []ota.Grant{{Role: ota.RoleOwner, Scope: ota.Scope{Org: ota.MainOrg}}},
	})
	if err != nil {
		return 0, err
	}
	site := "http://" + strings.Replace(p.addr, "127.0.0.1", "localhost", 1) // passkeys are for names
	b := browser.Start(s)
	b.Authenticator()
	_, token, _ := strings.Cut(invited.Link.URL, "#")
	b.Open(site + "/console/invite#" + token)
	b.Wait("[data-step=start]")
	b.Type("[name=name]", "Ada Lovelace")
	b.Click("[data-enrol-passkey]")
	b.Wait("[data-codes]")
	fmt.Printf("%-86s %9s %9s %9s %9s\n", "page", "cold", "warm", "wait", "cpu")
	for _, pattern := range list {
		at, missing := filled(pattern, known)
		if missing != nil {
			fmt.Printf("%-86s no value for %v\n", pattern, missing)
			over++
			continue
		}
		if slices.ContainsFunc([]string{".csv", "/live", "/export", "/report", "/sbom", "/provenance"}, func(end string) bool { return strings.HasSuffix(pattern, end) }) {
			continue // no pages: downloads, and what is measured with the page that has it
		}
		l := lookAt(b, p, site+at)
		verdict := ""
		if wait := middle(l.waits); l.cold > maxBytes || wait > maxWait {
			verdict = "  OVER BUDGET"
			over++
		}
		fmt.Printf("%-86s %9d %9d %9s %9s%s\n", pattern, l.cold, l.warm, ms(middle(l.waits)), ms(l.cpu), verdict)
	}
	return over, nil
}

// lookAt opens a page with an empty cache, then again.
func lookAt(b *browser.Browser, p *proc, url string) look {
	var l look
	b.Forget()
	b.Open(url)
	time.Sleep(time.Second) // for what a stream sends at first
	l.cold = b.Transferred()
	for i := range looks {
		b.Open(url)
		if i == 0 {
			time.Sleep(time.Second)
			l.warm = b.Transferred()
		}
		l.waits = append(l.waits, time.Duration(browser.Eval[float64](b,
			`(() => { const t = performance.getEntriesByType("navigation")[0]; return (t.responseEnd - t.requestStart) * 1e6 })()`)))
	}
	begin := p.running()
	_ = browser.Eval[int](b, `fetch(location.href, {cache: "no-store"}).then((r) => r.arrayBuffer()).then((a) => a.byteLength)`)
	l.cpu = p.running() - begin
	return l
}

func middle(v []time.Duration) time.Duration {
	v = slices.Clone(v)
	slices.Sort(v)
	return v[len(v)/2]
}

func ms(d time.Duration) string { return fmt.Sprintf("%.1f ms", float64(d)/1e6) }
