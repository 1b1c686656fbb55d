package trial

import (
	"math"
	"slices"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// Figures is what many rollouts of one kind came to.
type Figures struct {
	Runs   int
	Halts  int     // of them
	Rate   float64 // share of halts
	Error  float64 // its standard error
	Median int64   // treated devices until the halt; 0 = fewer halted than half
	P90    int64
	P95    int64
	Failed int64 // median of treated devices that failed until the halt
}

// Many draws rollouts and looks at the two-sample test alone.
func Many(f Fleet, rules Rules, runs int, seed uint64) Figures {
	return figures(runs, seed, func(r *random) outcome { return f.run(r, &rules) })
}

// Whole draws rollouts of a number of devices (of both arms) through the guard
// as it stands, with all its tests on two platforms.
func Whole(f Fleet, policy ota.GuardPolicy, devices int64, runs int, seed uint64) Figures {
	return figures(runs, seed, func(r *random) outcome { return f.whole(r, policy, devices) })
}

func figures(runs int, seed uint64, one func(*random) outcome) Figures {
	var treated, failed []int64
	for i := range runs {
		r := &random{state: seed + uint64(i)*0xd1342543de82ef95}
		r.next()
		if o := one(r); o.treated > 0 {
			treated, failed = append(treated, o.treated), append(failed, o.failed)
		}
	}
	slices.Sort(failed)
	slices.Sort(treated)
	p := float64(len(treated)) / float64(runs)
	return Figures{
		Runs: runs, Halts: len(treated), Rate: p, Error: math.Sqrt(p * (1 - p) / float64(runs)),
		Median: quantile(treated, runs, 0.5), P90: quantile(treated, runs, 0.9), P95: quantile(treated, runs, 0.95),
		Failed: quantile(failed, runs, 0.5),
	}
}

// quantile of the runs, of which those that never halted are the longest.
func quantile(sorted []int64, runs int, q float64) int64 {
	at := int(math.Ceil(q*float64(runs))) - 1
	if at >= len(sorted) {
		return 0
	}
	return sorted[max(at, 0)]
}
