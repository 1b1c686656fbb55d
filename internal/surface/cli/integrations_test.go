package cli

import (
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v3"
)

// called finds the calls of the program in a script.
var called = regexp.MustCompile(`(?m)(?:^|[;&|(]\s*|^\s*)waxwing ([^\n|;&]*)`)

// TestIntegrations: the files for CI systems are YAML, and every command and
// flag that they and their manuals use is there.
func TestIntegrations(t *testing.T) {
	for file, least := range map[string]int{
		"github-action/action.yml": 2, "github-action/README.md": 1, "gitlab-ci/waxwing.gitlab-ci.yml": 2, "gitlab-ci/README.md": 1,
	} {
		raw, err := os.ReadFile(filepath.Join("../../../integrations", file))
		if err != nil {
			t.Fatal(err)
		}
		scripts := []string{strings.ReplaceAll(string(raw), "\\\n", " ")}
		if !strings.HasSuffix(file, ".md") {
			var doc any
			if err := yaml.Unmarshal(raw, &doc); err != nil {
				t.Errorf("%s: %v", file, err)
			}
			scripts = scriptsOf(doc, "")
		}
		n := 0
		for _, script := range scripts {
			if file == "github-action/action.yml" && strings.Contains(script, "${{") {
				t.Errorf("%s: an expression in a script: %s", file, script)
			}
			for _, m := range called.FindAllStringSubmatch(script, -1) {
				n++
				checkCall(t, file, strings.Fields(m[1]))
			}
		}
		if n < least {
			t.Errorf("%s: found %d calls of waxwing", file, n)
		}
	}
}

// scriptsOf collects what a CI system hands to a shell.
func scriptsOf(v any, key string) []string {
	var out []string
	switch v := v.(type) {
	case map[string]any:
		for k, e := range v {
			out = append(out, scriptsOf(e, k)...)
		}
	case []any:
		for _, e := range v {
			out = append(out, scriptsOf(e, key)...)
		}
	case string:
		if key == "run" || key == "script" {
			out = append(out, v)
		}
	}
	return out
}

// checkCall finds the command and each of its flags.
func checkCall(t *testing.T, file string, words []string) {
	t.Helper()
	root := NewRoot(Streams{In: strings.NewReader(""), Out: io.Discard, Err: io.Discard}, nil)
	c, _, err := root.Find(words)
	if err != nil || c == root || !isLeaf(c) {
		t.Errorf("%s: there is no command %q", file, words)
		return
	}
	c.InheritedFlags()
	for _, w := range words {
		if name, ok := strings.CutPrefix(w, "--"); ok && c.Flags().Lookup(name) == nil && c.InheritedFlags().Lookup(name) == nil {
			t.Errorf("%s: %q has no flag --%s", file, c.CommandPath(), name)
		}
	}
}

func isLeaf(c *cobra.Command) bool { return !c.HasSubCommands() || c.Runnable() && c.Name() == "scan" }
