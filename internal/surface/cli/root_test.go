package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// result is what a command line did.
type result struct {
	code     int
	out, err string
}

func invoke(env map[string]string, args ...string) result {
	var out, errs bytes.Buffer
	code := Main(args, Streams{In: strings.NewReader(""), Out: &out, Err: &errs}, func(k string) string { return env[k] })
	return result{code, out.String(), errs.String()}
}

func TestUsageErrors(t *testing.T) {
	for _, tt := range []struct {
		args []string
		says string
	}{
		{[]string{"nonsense"}, `unknown command "nonsense"`},
		{[]string{"verson"}, "did you mean: waxwing version"},
		{[]string{"--nonsense"}, "unknown flag: --nonsense"},
		{[]string{"version", "extra"}, "see: waxwing version --help"},
		{[]string{"serve", "--listen"}, "flag needs an argument: --listen"},
	} {
		got := invoke(nil, tt.args...)
		if got.code != exitUsage || !strings.Contains(got.err, tt.says) || got.out != "" {
			t.Errorf("%v: %+v, want exit code 2 and %q on standard error", tt.args, got, tt.says)
		}
	}
}

func TestUsageErrorUnderJSON(t *testing.T) {
	for _, args := range [][]string{{"--nonsense", "--json"}, {"--json", "version", "extra"}} {
		got := invoke(nil, args...)
		var doc errorDocument
		if err := json.Unmarshal([]byte(got.out), &doc); err != nil {
			t.Fatalf("%v: not one JSON document: %v: %q", args, err, got.out)
		}
		if doc.Error.Code != "usage" || doc.Error.Message == "" || doc.Error.Hint == "" || got.code != exitUsage {
			t.Errorf("%v: %+v, exit code %d", args, doc, got.code)
		}
	}
}

func TestHelpIsNoError(t *testing.T) {
	env := map[string]string{"WAXWING_TOKEN": "tok-secret-value", "WAXWING_BOOTSTRAP_TOKEN": "tok-secret-value"}
	for _, args := range [][]string{nil, {"--help"}, {"help", "version"}, {"serve", "--help"}, {"completion", "bash"}} {
		got := invoke(env, args...)
		if got.code != 0 || got.out == "" {
			t.Errorf("%v: %+v", args, got)
		}
		if strings.Contains(got.out+got.err, "tok-secret-value") {
			t.Errorf("%v: the help shows a secret", args)
		}
	}
}

func TestVersion(t *testing.T) {
	var b build
	got := invoke(nil, "version", "--json")
	if err := json.Unmarshal([]byte(got.out), &b); err != nil || b.Go == "" || b.Version == "" || got.err != "" {
		t.Errorf("%+v, %v", got, err)
	}
	if got := invoke(nil, "version"); !strings.HasPrefix(got.out, "waxwing ") || got.code != 0 {
		t.Errorf("%+v", got)
	}
}

func TestExitCodes(t *testing.T) {
	for _, tt := range []struct {
		err  error
		want int
	}{
		{errors.New("anything"), 1},
		{ota.Invalid("x", "x"), 1},
		{ota.Errorf(ota.KindInternal, "x", "x"), 1},
		{ota.Errorf(ota.KindTooLarge, "x", "x"), 1},
		{usagef("x"), 2},
		{ota.NotFound("x", "x"), 3},
		{ota.Conflict("x", "x"), 4},
		{ota.Errorf(ota.KindUnauthorized, "x", "x"), 5},
		{ota.Errorf(ota.KindForbidden, "x", "x"), 5},
		{ota.Errorf(ota.KindUnavailable, "x", "x"), 6},
		{fmt.Errorf("while: %w", ota.NotFound("x", "x")), 3},
	} {
		if got := exitCode(tt.err); got != tt.want {
			t.Errorf("%v: exit code %d, want %d", tt.err, got, tt.want)
		}
	}
}

// with runs a made-up command under a real root.
func with(t *testing.T, env map[string]string, run func(g *Globals) error, args ...string) result {
	t.Helper()
	var out, errs bytes.Buffer
	root, g := newRoot(Streams{Out: &out, Err: &errs}, func(k string) string { return env[k] })
	cmd := &cobra.Command{Use: "made-up", RunE: func(*cobra.Command, []string) error { return run(g) }}
	cmd.Flags().String("app", "", "")
	if err := cmd.MarkFlagRequired("app"); err != nil {
		t.Fatal(err)
	}
	root.AddCommand(newGroup("things", "things", cmd))
	return result{execute(context.Background(), root, g, args), out.String(), errs.String()}
}

func TestErrorRendering(t *testing.T) {
	fail := func(*Globals) error {
		return ota.NotFound("app_unknown", "there is no app %q", "com.x").WithHint("create it").WithField("app")
	}
	got := with(t, nil, fail, "things", "made-up", "--app", "com.x")
	want := result{code: 3, err: "error: there is no app \"com.x\" (app_unknown)\n hint: create it\n"}
	if diff := cmp.Diff(fmt.Sprintf("%+v", want), fmt.Sprintf("%+v", got)); diff != "" {
		t.Error(diff)
	}
	got = with(t, nil, fail, "things", "made-up", "--app", "com.x", "--json")
	wantDoc := `{"error":{"code":"app_unknown","message":"there is no app \"com.x\"","hint":"create it","field":"app"}}`
	var compact bytes.Buffer
	if err := json.Compact(&compact, []byte(got.out)); err != nil || compact.String() != wantDoc || got.code != 3 {
		t.Errorf("%v: %+v", err, got)
	}
}

func TestGroups(t *testing.T) {
	run := func(*Globals) error { return nil }
	for _, tt := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"things", "made-up", "--app", "x"}, 0, ""},
		{[]string{"things"}, 2, `"waxwing things" needs a subcommand`},
		{[]string{"things", "mad-up"}, 2, "did you mean: waxwing things made-up"},
		{[]string{"things", "zzzzzz"}, 2, "see: waxwing things --help"},
		{[]string{"things", "made-up"}, 2, `required flag(s) "app" not set`},
	} {
		got := with(t, nil, run, tt.args...)
		if got.code != tt.code || !strings.Contains(got.err, tt.says) {
			t.Errorf("%v: %+v, want %d and %q", tt.args, got, tt.code, tt.says)
		}
	}
}

func TestGlobals(t *testing.T) {
	env := map[string]string{"WAXWING_URL": "http://env:1", "WAXWING_TOKEN": "from-env"}
	args := []string{"things", "made-up", "--app", "x"}
	for _, tt := range []struct {
		name       string
		env        map[string]string
		args       []string
		url, token string
	}{
		{"neither", nil, nil, defaultURL, ""},
		{"environment", env, nil, "http://env:1", "from-env"},
		{"flags win", env, []string{"--url", "http://flag:2", "--token", "from-flag"}, "http://flag:2", "from-flag"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := with(t, tt.env, func(g *Globals) error {
				if g.URL() != tt.url || g.Token().Reveal() != tt.token {
					t.Errorf("URL %q, token %q", g.URL(), g.Token().Reveal())
				}
				_, err := g.Client()
				return err
			}, append(tt.args, args...)...)
			if want := map[bool]int{true: exitNotAllowed, false: exitOK}[tt.token == ""]; got.code != want {
				t.Errorf("%+v, want exit code %d", got, want)
			}
		})
	}
}

func TestPrint(t *testing.T) {
	run := func(g *Globals) error {
		g.Note("on the way")
		g.Warn("careful")
		return g.Print(map[string]string{"a": "<b>"}, func(w io.Writer) { fmt.Fprintln(w, "human") })
	}
	args := []string{"things", "made-up", "--app", "x"}
	if got := with(t, nil, run, args...); got.out != "human\n" || got.err != "on the way\nwarning: careful\n" {
		t.Errorf("%+v", got)
	}
	if got := with(t, nil, run, append(args, "--json", "--quiet")...); got.out != "{\n  \"a\": \"<b>\"\n}\n" || got.err != "warning: careful\n" {
		t.Errorf("%+v", got)
	}
}

func TestNoColourOutsideOfATerminal(t *testing.T) {
	null, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	g := newGlobals(Streams{}, nil)
	if g.paint(&bytes.Buffer{}, styleRed, "x") != "x" || g.paint(null, styleRed, "x") != "x" {
		t.Error("coloured")
	}
}

func TestTable(t *testing.T) {
	var b bytes.Buffer
	table(&b, [][]string{{"NAME", "N"}, {"é", "10"}, {"longer", ""}})
	if want := "NAME    N\né       10\nlonger\n"; b.String() != want {
		t.Errorf("got %q, want %q", b.String(), want)
	}
}
