package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"

	"github.com/waxwing-ota/waxwing/internal/client"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/secret"
)

// defaultURL is where serve listens unless told otherwise.
const defaultURL = "http://127.0.0.1:8080"

// Globals is what every command shares: the streams, the environment, the
// persistent flags, and the ways to print.
type Globals struct {
	Streams
	Env func(string) string

	JSON  bool // one JSON document on Out, nothing else
	Quiet bool // no status, no notes

	url     string
	token   string
	started bool // the command line was understood
}

func newGlobals(s Streams, env func(string) string) *Globals {
	if env == nil {
		env = func(string) string { return "" }
	}
	return &Globals{Streams: s, Env: env}
}

// URL returns the server's address: --url, WAXWING_URL, or the default.
func (g *Globals) URL() string {
	switch {
	case g.url != "":
		return g.url
	case g.Env("WAXWING_URL") != "":
		return g.Env("WAXWING_URL")
	}
	return defaultURL
}

// Token returns the API token: --token, WAXWING_TOKEN, or none.
func (g *Globals) Token() secret.Text {
	if g.token != "" {
		return secret.New(g.token)
	}
	return secret.New(g.Env("WAXWING_TOKEN"))
}

// Client returns a client of the server that the flags and the environment
// name. A missing token is an error with the way to get one.
func (g *Globals) Client() (*client.Client, error) {
	t := g.Token()
	if t.IsZero() {
		return nil, ota.Errorf(ota.KindUnauthorized, "token_missing", "no API token").
			WithHint("set WAXWING_TOKEN to the token that the first start of the server printed")
	}
	return client.New(client.Config{URL: g.URL(), Token: t})
}

// Print writes the result: v as JSON under --json, else what human writes.
func (g *Globals) Print(v any, human func(w io.Writer)) error {
	if !g.JSON {
		human(g.Out)
		return nil
	}
	return g.writeJSON(v)
}

func (g *Globals) writeJSON(v any) error {
	e := json.NewEncoder(g.Out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

// Note says something along the way, on standard error, unless --quiet.
func (g *Globals) Note(format string, a ...any) {
	if !g.Quiet {
		fmt.Fprintf(g.Err, format+"\n", a...)
	}
}

// Warn says on standard error what went wrong without failing, --quiet or not.
func (g *Globals) Warn(format string, a ...any) {
	fmt.Fprintf(g.Err, "%s "+format+"\n", append([]any{g.paint(g.Err, styleYellow, "warning:")}, a...)...)
}

// errorDocument is what --json prints for a command that failed.
type errorDocument struct {
	Error struct {
		Code    string `json:"code"`
		Message string `json:"message"`
		Hint    string `json:"hint,omitempty"`
		Field   string `json:"field,omitempty"`
	} `json:"error"`
	Approval *ota.Approval `json:"approval,omitempty"` // what it waits for
}

// printError tells the person, and under --json the script, what went wrong.
func (g *Globals) printError(err error) {
	code, msg, hint, field := ota.CodeOf(err), err.Error(), "", ""
	if e, ok := errors.AsType[*ota.Error](err); ok {
		hint, field = e.Hint, e.Field
	}
	fmt.Fprintf(g.Err, "%s %s (%s)\n", g.paint(g.Err, styleRed, "error:"), msg, code)
	if hint != "" {
		fmt.Fprintf(g.Err, "%s %s\n", g.paint(g.Err, styleDim, " hint:"), hint)
	}
	if _, said := errors.AsType[reported](err); said || !g.JSON {
		return
	}
	var d errorDocument
	d.Error.Code, d.Error.Message, d.Error.Hint, d.Error.Field = code, msg, hint, field
	if p, ok := errors.AsType[*client.PendingError](err); ok {
		d.Approval = &p.Approval
	}
	if err := g.writeJSON(d); err != nil {
		fmt.Fprintf(g.Err, "error: cannot write to standard output: %s\n", err)
	}
}

// style is an SGR sequence.
type style string

const (
	styleRed    style = "\x1b[31m"
	styleGreen  style = "\x1b[32m"
	styleYellow style = "\x1b[33m"
	styleBold   style = "\x1b[1m"
	styleDim    style = "\x1b[2m"
	styleReset  style = "\x1b[0m"
)

// paint wraps s in the style if w is a terminal and NO_COLOR is not set.
func (g *Globals) paint(w io.Writer, st style, s string) string {
	if g.Env("NO_COLOR") != "" || g.Env("TERM") == "dumb" || !IsTerminal(w) {
		return s
	}
	return string(st) + s + string(styleReset)
}

// IsTerminal reports whether a stream is a terminal.
func IsTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// table writes rows in aligned columns; the first row is the head. Cells must
// not hold line breaks.
func table(w io.Writer, rows [][]string) {
	var width []int
	for _, r := range rows {
		for i, c := range r {
			if i == len(width) {
				width = append(width, 0)
			}
			width[i] = max(width[i], len([]rune(c)))
		}
	}
	for _, r := range rows {
		var line strings.Builder
		for i, c := range r {
			line.WriteString(c)
			if i < len(r)-1 {
				line.WriteString(strings.Repeat(" ", width[i]-len([]rune(c))+2))
			}
		}
		fmt.Fprintln(w, strings.TrimRight(line.String(), " "))
	}
}
