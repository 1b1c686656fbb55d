package problems

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write api/problems.md")

const root = "../../.."

// statuses say what the surfaces make of a kind: the HTTP status of the admin
// API and the exit code of the command line.
func statuses() map[string][2]string {
	return map[string][2]string{
		"KindInternal":     {"500", "1"},
		"KindInvalid":      {"400", "1"},
		"KindNotFound":     {"404", "3"},
		"KindConflict":     {"409", "4"},
		"KindUnauthorized": {"401", "5"},
		"KindForbidden":    {"403", "5"},
		"KindTooLarge":     {"413", "1"},
		"KindUnavailable":  {"503", "6"},
	}
}

func TestProblemsAreListed(t *testing.T) {
	found := scan(t, root)
	if len(found) < 10 {
		t.Fatalf("found only %d codes: the scan is broken", len(found))
	}
	got := render(found)
	file := filepath.Join(root, "api", "problems.md")
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("api/problems.md is not what the source says; run this test with -update:\n%s", diff)
	}
}

// TestCodesAreWellFormed: codes are stable names, so they look like names.
func TestCodesAreWellFormed(t *testing.T) {
	form := regexp.MustCompile(`^[a-z][a-z0-9]*(_[a-z0-9…]+)*$`)
	for code, p := range scan(t, root) {
		if !form.MatchString(code) {
			t.Errorf("code %q is not lower_snake_case", code)
		}
		for _, s := range p.says {
			if strings.HasSuffix(s, ".") || strings.HasSuffix(s, "\n") {
				t.Errorf("%s: message %q ends with a period", code, s)
			}
		}
	}
}

func render(found map[string]*problem) string {
	var b strings.Builder
	b.WriteString(`# Error codes

Every error of the admin API and the command line has one of these codes. They
are stable: scripts may rely on them, while messages may change. "…" stands for
what differs from case to case. HTTP is the status of the admin API, exit the
exit code of the command line; codes that only one of the two can have carry
both all the same.

This file is made from the source: ` + "`go test ./internal/testkit/problems -update`" + `.

| code | HTTP | exit | what it says | what to do |
|---|---|---|---|---|
`)
	for _, code := range slices.Sorted(maps.Keys(found)) {
		p := found[code]
		var http, exit []string
		for _, k := range p.kinds {
			s := statuses()[k]
			http, exit = append(http, s[0]), append(exit, s[1])
		}
		if code == "usage" {
			exit = []string{"2"}
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s |\n", code,
			strings.Join(http, ", "), strings.Join(slices.Compact(exit), ", "), cell(p.says), cell(p.hints))
	}
	return b.String()
}

// cell writes texts into a cell of a table, with "…" for the verbs of formats.
func cell(texts []string) string {
	verb := regexp.MustCompile(`%[+#]?[.0-9]*[a-zA-Z]`)
	var out []string
	for _, t := range texts {
		t = strings.ReplaceAll(verb.ReplaceAllString(t, "…"), "%%", "%")
		t = strings.ReplaceAll(strings.ReplaceAll(t, "|", "\\|"), "\n", " ")
		out = append(out, t)
	}
	return strings.Join(out, "; or: ")
}
