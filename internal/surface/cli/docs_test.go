package cli

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"
)

var update = flag.Bool("update", false, "write the generated files instead of comparing them")

// TestDocs keeps docs/cli.md equal to what the commands say of themselves.
func TestDocs(t *testing.T) {
	const path = "../../../docs/cli.md"
	root := NewRoot(Streams{In: strings.NewReader(""), Out: io.Discard, Err: io.Discard}, func(string) string { return "" })
	root.InitDefaultCompletionCmd()
	var b bytes.Buffer
	fmt.Fprintf(&b, "# Command line\n\nGenerated from the program: `go test ./internal/surface/cli -run TestDocs -update`.\n\n")
	fmt.Fprintf(&b, "```\n%s\n```\n\nOn every command:\n\n```\n%s```\n", root.Long, flags(root.PersistentFlags().FlagUsages()))
	for _, c := range root.Commands() {
		describe(&b, c, 2)
	}
	if *update {
		if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	have, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(have), b.String()); d != "" {
		t.Errorf("docs/cli.md is not what the commands say (-file +commands); run this test with -update:\n%s", d)
	}
}

// describe writes a command and those below it.
func describe(b *bytes.Buffer, c *cobra.Command, level int) {
	if !c.IsAvailableCommand() || c.Name() == "help" || c.Name() == "completion" && level > 2 {
		return
	}
	fmt.Fprintf(b, "\n%s %s\n\n", strings.Repeat("#", min(level, 4)), c.CommandPath())
	text := c.Long
	if text == "" {
		text = c.Short + "."
	}
	if c.Name() == "completion" {
		text = c.Short + " (bash, zsh, fish, powershell)."
		fmt.Fprintf(b, "%s\n", text)
		return
	}
	fmt.Fprintf(b, "%s\n", strings.TrimSpace(text))
	if len(c.Aliases) > 0 {
		fmt.Fprintf(b, "\nAlso: `%s`\n", strings.Join(c.Aliases, "`, `"))
	}
	if c.HasSubCommands() && strings.Contains(c.Use, " ") { // it does something by itself too
		usage(b, c)
	}
	if c.HasSubCommands() {
		if c.HasAvailablePersistentFlags() {
			fmt.Fprintf(b, "\nOn all of them:\n\n```\n%s```\n", flags(c.PersistentFlags().FlagUsages()))
		}
		for _, sub := range c.Commands() {
			describe(b, sub, level+1)
		}
		return
	}
	usage(b, c)
}

// usage writes how a command is called.
func usage(b *bytes.Buffer, c *cobra.Command) {
	fmt.Fprintf(b, "\n```\n%s\n", c.UseLine())
	if c.Example != "" {
		fmt.Fprintf(b, "\n%s\n", c.Example)
	}
	if c.HasAvailableLocalFlags() {
		fmt.Fprintf(b, "\n%s", flags(c.LocalFlags().FlagUsages()))
	}
	fmt.Fprintf(b, "```\n")
}

// flags leaves out the help flag, which every command has.
func flags(usages string) string {
	var out strings.Builder
	for line := range strings.Lines(usages) {
		if !strings.Contains(line, "--help") {
			out.WriteString(line)
		}
	}
	return out.String()
}

// Every command says what it does, starting with a capital, without a period;
// every flag says what it is for.
func TestCommandsExplainThemselves(t *testing.T) {
	root := NewRoot(Streams{In: strings.NewReader(""), Out: io.Discard, Err: io.Discard}, nil)
	var walk func(c *cobra.Command)
	walk = func(c *cobra.Command) {
		if c.Short == "" || strings.HasSuffix(c.Short, ".") || strings.ToUpper(c.Short[:1]) != c.Short[:1] {
			t.Errorf("%s: Short is %q", c.CommandPath(), c.Short)
		}
		if c.PersistentPreRunE != nil && c.HasParent() {
			t.Errorf("%s hides the root's PersistentPreRunE", c.CommandPath())
		}
		whole := strings.ReplaceAll(c.Example, "\\\n", " ") // a command may go on in the next line
		for line := range strings.SplitSeq(whole, "\n") {
			if line != "" && !strings.HasPrefix(line, "  waxwing ") {
				t.Errorf("%s: example %q does not begin with the program", c.CommandPath(), line)
			}
		}
		for _, sub := range c.Commands() {
			walk(sub)
		}
	}
	walk(root)
}
