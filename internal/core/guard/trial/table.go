package trial

import (
	"fmt"
	"math"
	"strings"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// Row is a kind of rollout that is tried out.
type Row struct {
	Name    string
	Fleet   Fleet
	Rules   Rules
	Runs    int   // in the full table
	Devices int64 // > 0: through the whole guard, that many devices of both arms
}

// Seed is the seed of the table.
const Seed = 20261124

// Run draws the row, with at most that many runs (0 = all of its own). Fewer
// runs are the first ones of more.
func (r *Row) Run(atMost int) Figures {
	runs := r.Runs
	if atMost > 0 {
		runs = min(runs, atMost)
	}
	if r.Devices > 0 {
		p := ota.DefaultGuard()
		p.Alpha, p.Tau = r.Rules.Alpha, r.Rules.Tau
		return Whole(r.Fleet, p, r.Devices, runs, Seed)
	}
	return Many(r.Fleet, r.Rules, runs, Seed)
}

func rules(alpha float64) Rules { return Rules{Alpha: alpha, Tau: 1, Limit: 100_000} }

// FalseRows are rollouts of releases that fail no more often than tau allows.
func FalseRows() []Row {
	equal := func(base, share float64) Fleet { return Fleet{Base: base, Ratio: 1, Share: share} }
	swing := Fleet{Base: 0.01, Ratio: 1, Share: 0.1, Swing: 0.9, Period: 50_000}
	atTau := equal(0.01, 0.1)
	atTau.Ratio = 1.25
	tau := rules(0.01)
	tau.Tau = 1.25
	return []Row{
		{Name: "1 % exposed", Fleet: equal(0.01, 0.01), Rules: rules(0.01), Runs: 1000},
		{Name: "10 % exposed", Fleet: equal(0.01, 0.1), Rules: rules(0.01), Runs: 6000},
		{Name: "50 % exposed", Fleet: equal(0.01, 0.5), Rules: rules(0.01), Runs: 6000},
		{Name: "10 % exposed, base rate swinging 0.1x to 1.9x", Fleet: swing, Rules: rules(0.01), Runs: 6000},
		{Name: "10 % exposed, base rate 0.1 %", Fleet: equal(0.001, 0.1), Rules: rules(0.01), Runs: 6000},
		{Name: "10 % exposed, alpha 5 %", Fleet: equal(0.01, 0.1), Rules: rules(0.05), Runs: 6000},
		{Name: "10 % exposed, alpha 0.1 %", Fleet: equal(0.01, 0.1), Rules: rules(0.001), Runs: 6000},
		{Name: "10 % exposed, tau 1.25 and truly 1.25 times as bad", Fleet: atTau, Rules: tau, Runs: 6000},
		{Name: "whole guard: all tests, two platforms, gates", Fleet: equal(0.01, 0.1), Rules: rules(0.01), Runs: 3000, Devices: 50_000},
	}
}

// BadRows are rollouts of releases that fail more often.
func BadRows() []Row {
	worse := func(base, ratio, share float64) Fleet { return Fleet{Base: base, Ratio: ratio, Share: share} }
	row := func(name string, f Fleet, r Rules) Row { return Row{Name: name, Fleet: f, Rules: r, Runs: 4000} }
	tau, six, second := rules(0.01), rules(0.01), rules(0.001)
	tau.Tau, six.MinDevices = 1.25, 6
	wide := rules(0.01)
	wide.Limit = 400_000
	return []Row{
		row("1.25x, 10 % exposed", worse(0.01, 1.25, 0.1), rules(0.01)),
		row("1.5x, 10 % exposed", worse(0.01, 1.5, 0.1), rules(0.01)),
		row("2x, 10 % exposed", worse(0.01, 2, 0.1), rules(0.01)),
		row("2x, 10 % exposed, base rate swinging 0.1x to 1.9x", Fleet{Base: 0.01, Ratio: 2, Share: 0.1, Swing: 0.9, Period: 50_000}, rules(0.01)),
		row("2x, 10 % exposed, alpha 0.1 %", worse(0.01, 2, 0.1), second),
		row("2x, 10 % exposed, tau 1.25", worse(0.01, 2, 0.1), tau),
		row("2x, 1 % exposed", worse(0.01, 2, 0.01), rules(0.01)),
		row("2x, 50 % exposed", worse(0.01, 2, 0.5), rules(0.01)),
		row("2x, 90 % exposed", worse(0.01, 2, 0.9), rules(0.01)),
		row("3x, 10 % exposed", worse(0.01, 3, 0.1), rules(0.01)),
		row("5x, 10 % exposed", worse(0.01, 5, 0.1), rules(0.01)),
		row("10x, 10 % exposed", worse(0.01, 10, 0.1), rules(0.01)),
		row("10x, 10 % exposed, 6 devices at least", worse(0.01, 10, 0.1), six),
		row("30x, 10 % exposed", worse(0.01, 30, 0.1), rules(0.01)),
		row("30x, 10 % exposed, 6 devices at least", worse(0.01, 30, 0.1), six),
		row("30x, 1 % exposed", worse(0.01, 30, 0.01), rules(0.01)),
		row("base rate 0.1 %, 2x, 10 % exposed", worse(0.001, 2, 0.1), wide),
		row("base rate 0.1 %, 10x, 10 % exposed", worse(0.001, 10, 0.1), rules(0.01)),
		{Name: "whole guard, 2x, 10 % exposed", Fleet: worse(0.01, 2, 0.1), Rules: rules(0.01), Runs: 500, Devices: 100_000},
		{Name: "whole guard, 30x, 10 % exposed", Fleet: worse(0.01, 30, 0.1), Rules: rules(0.01), Runs: 4000, Devices: 20_000},
		{Name: "whole guard, 30x, 1 % exposed", Fleet: worse(0.01, 30, 0.01), Rules: rules(0.01), Runs: 4000, Devices: 20_000},
	}
}

// Table draws all rows, each with at most that many runs (0 = all), and writes
// them as Markdown. progress hears of each row; nil = nobody does.
func Table(atMost int, progress func(name string)) string {
	if progress == nil {
		progress = func(string) {}
	}
	var b strings.Builder
	fmt.Fprintf(&b, `# The guard tried out

Made by `+"`waxwing guard table`"+`, which draws made-up rollouts with the seed %d.
The base rate is 1 %%, alpha is 1 %% and tau is 1 where a row does not say otherwise.
Rows without "whole guard" are the ratio test alone with all of alpha; in the guard it has half of it.
"Error" is the standard error of the rate.

## Nothing is wrong: how often it halts all the same

Up to 100,000 devices with the release, for the whole guard 50,000 devices in both arms.

| rollout | runs | halts | rate | error |
|---|---:|---:|---:|---:|
`, Seed)
	for _, r := range FalseRows() {
		progress(r.Name)
		f := r.Run(atMost)
		fmt.Fprintf(&b, "| %s | %d | %d | %.2f %% | %.2f |\n", r.Name, f.Runs, f.Halts, 100*f.Rate, 100*f.Error)
	}
	b.WriteString(`
## Something is wrong: after how many devices with the release it halts

Failing devices are the median of those that failed on the release until then.

| rollout | runs | halted | median | 90 % | 95 % | failing devices |
|---|---:|---:|---:|---:|---:|---:|
`)
	for _, r := range BadRows() {
		progress(r.Name)
		f := r.Run(atMost)
		fmt.Fprintf(&b, "| %s | %d | %.1f %% | %s | %s | %s | %s |\n", r.Name, f.Runs, 100*f.Rate, count(f.Median), count(f.P90), count(f.P95), count(f.Failed))
	}
	return b.String()
}

func count(n int64) string {
	if n == 0 {
		return "-"
	}
	return fmt.Sprint(n)
}

// Near reports whether a rate that was drawn agrees with one that a table says:
// within four standard errors of both, and a little for rounding.
func Near(f Figures, rate float64, runs int) bool {
	se := math.Sqrt(f.Error*f.Error + rate*(1-rate)/float64(max(runs, 1)))
	return math.Abs(f.Rate-rate) <= 4*se+0.0002
}
