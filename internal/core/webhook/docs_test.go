package webhook

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite the table of docs/protocol.md")

// TestDocumented keeps the table of events in the documentation true.
func TestDocumented(t *testing.T) {
	const path, head = "../../../docs/protocol.md", "| type | when | data |\n|---|---|---|\n"
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	before, after, ok := strings.Cut(string(b), head)
	if !ok {
		t.Fatalf("%s has no table of events", path)
	}
	_, rest, _ := strings.Cut("\n"+after, "\n\n")
	if rest != "" {
		rest = "\n" + rest
	}
	var rows strings.Builder
	for _, ty := range Types() {
		data := "-"
		if len(ty.Data) > 0 {
			data = "`" + strings.Join(ty.Data, "`, `") + "`"
		}
		fmt.Fprintf(&rows, "| `%s` | %s | %s |\n", ty.Name, ty.Meaning, data)
	}
	want := before + head + rows.String() + rest
	if want == string(b) {
		return
	}
	if !*update {
		t.Fatalf("the table of events in %s is out of date: go test ./internal/core/webhook -update", path)
	}
	if err := os.WriteFile(path, []byte(want), 0o644); err != nil { //nolint:gosec // documentation
		t.Fatal(err)
	}
}
