package trial

import (
	"os"
	"strconv"
	"strings"
	"testing"
)

// The table that is checked in is what the program draws: a subset of the runs
// of some rows agrees with it.
func TestTableAgrees(t *testing.T) {
	raw, err := os.ReadFile("../../../../docs/guard-table.md")
	if err != nil {
		t.Fatal(err)
	}
	cells := map[string][]string{}
	for line := range strings.Lines(string(raw)) {
		if parts := strings.Split(line, " | "); len(parts) > 3 {
			cells[strings.TrimPrefix(parts[0], "| ")] = parts[1:]
		}
	}
	number := func(s string) float64 {
		v, err := strconv.ParseFloat(strings.TrimSuffix(strings.TrimSpace(s), " %"), 64)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	for _, r := range FalseRows() {
		row := cells[r.Name]
		if row == nil {
			t.Errorf("the table has no row %q", r.Name)
			continue
		}
		if int(number(row[0])) != r.Runs {
			t.Errorf("%s: the table has %s runs, want %d", r.Name, row[0], r.Runs)
		}
		if r.Devices > 0 || r.Fleet.Share != 0.1 || r.Fleet.Base < 0.01 {
			continue // too long for a test
		}
		if got := r.Run(150); !Near(got, number(row[2])/100, r.Runs) {
			t.Errorf("%s: %.2f %% in %d runs, the table says %s", r.Name, 100*got.Rate, got.Runs, row[2])
		}
	}
	for _, r := range BadRows() {
		row := cells[r.Name]
		if row == nil {
			t.Errorf("the table has no row %q", r.Name)
			continue
		}
		if r.Devices > 0 || r.Fleet.Ratio < 2 || r.Fleet.Base < 0.01 {
			continue
		}
		got, want := r.Run(400), number(row[2])
		if f := float64(got.Median) / want; f < 0.8 || f > 1.25 {
			t.Errorf("%s: median %d, the table says %v", r.Name, got.Median, want)
		}
	}
}
