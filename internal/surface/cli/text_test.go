package cli

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/pflag"
)

func TestPercent(t *testing.T) {
	for text, want := range map[string]int{"0": 0, "5": 500, "2.5": 250, "2.5%": 250, "0.01": 1, "100": 10_000, "100.00%": 10_000, "33.33": 3333} {
		var p percent
		if err := p.Set(text); err != nil || int(p) != want {
			t.Errorf("%q is %d, %v, want %d", text, p, err, want)
		}
		var again percent
		if err := again.Set(p.String()); err != nil || again != p {
			t.Errorf("%q is written %q and read back as %d", text, p.String(), again)
		}
	}
	for _, text := range []string{"", "x", "-1", "+1", "101", "100.01", "1.234", ".5", "1e2", "1,5", "5 %", "256", "99999999999999999999"} {
		var p percent
		if err := p.Set(text); err == nil {
			t.Errorf("%q was taken for %d", text, p)
		}
	}
}

// What a device reports must not reach the terminal as control codes.
func TestClean(t *testing.T) {
	for in, want := range map[string]string{
		"plain ü":                 "plain ü",
		"\x1b]0;owned\a":          "\uFFFD]0;owned\uFFFD",
		"two\nlines\r":            "two\uFFFDlines\uFFFD",
		"\u009b31m":               "\uFFFD31m",
		"abc\u202egpj.exe\u2066x": "abc\uFFFDgpj.exe\uFFFDx",
	} {
		if got := clean(in); got != want {
			t.Errorf("%q became %q, want %q", in, got, want)
		}
	}
	if d := cmp.Diff([]string{"-", "a\uFFFDb"}, row("", "a\nb")); d != "" {
		t.Error(d)
	}
}

func TestMinutes(t *testing.T) {
	for text, want := range map[string]int{"60m": 60, "2h": 120, "0s": 0, "90s": -1, "-1h": -1} {
		f := pflag.NewFlagSet("", pflag.ContinueOnError)
		var d time.Duration
		f.DurationVar(&d, "window", 0, "")
		if err := f.Set("window", text); err != nil {
			t.Fatal(err)
		}
		n, err := minutes(f, "window", d)
		if (err != nil) != (want < 0) || err == nil && *n != want {
			t.Errorf("%s: %v, %v", text, n, err)
		}
	}
}

func TestUnreachableByPhones(t *testing.T) {
	for address, says := range map[string]string{
		"https://updates.example.com": "", "https://192.168.1.20:8443": "",
		"http://192.168.1.20:8080": "plain http", "http://localhost:8080": "own address",
		"https://127.0.0.1": "own address", "http://[::1]:80": "own address", "http://%zz": "not an address",
	} {
		if got := unreachableByPhones(address); (got == "") != (says == "") || !strings.Contains(got, says) {
			t.Errorf("%s: %q, want %q", address, got, says)
		}
	}
}
