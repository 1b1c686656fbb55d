package alert

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// TestDocumented: every rule has its row, with the numbers that are in force.
func TestDocumented(t *testing.T) {
	raw, err := os.ReadFile("../../../docs/alerts.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range Kinds() {
		_, row, ok := strings.Cut(string(raw), fmt.Sprintf("\n| `%s`", k.Name))
		row, _, _ = strings.Cut(row, "\n")
		if !ok || strings.Contains(row, "critical") != (k.Severity == "critical") {
			t.Errorf("%s: its row is missing or has another severity", k.Name)
		}
		if after := map[bool]string{true: "at once", false: fmt.Sprintf("%d min", k.For)}[k.For == 0]; !strings.Contains(row, after) {
			t.Errorf("%s: not told after %s", k.Name, after)
		}
		for _, p := range k.Params {
			if !strings.Contains(row, fmt.Sprintf("`%s` %g", p.Name, p.Default)) {
				t.Errorf("%s: %s is not documented as %g", k.Name, p.Name, p.Default)
			}
		}
	}
}
