// Package cvss reads CVSS v3.0 and v3.1 vectors and works out their base score,
// as the specification of FIRST defines it.
//
// It must never guess: a vector that lacks a base metric or has an unknown value
// has no score.
package cvss

import (
	"math"
	"strings"
)

// values are the weights of each base metric's values; PR has its own.
func values() map[string]map[string]float64 {
	impact := map[string]float64{"H": 0.56, "L": 0.22, "N": 0}
	return map[string]map[string]float64{
		"AV": {"N": 0.85, "A": 0.62, "L": 0.55, "P": 0.2},
		"AC": {"L": 0.77, "H": 0.44},
		"PR": {"N": 0.85, "L": 0.62, "H": 0.27},
		"UI": {"N": 0.85, "R": 0.62},
		"S":  {"U": 0, "C": 1},
		"C":  impact, "I": impact, "A": impact,
	}
}

// maxVector is far above any vector with temporal and environmental metrics.
const maxVector = 256

// Base returns the base score, 0 to 10, of a vector such as
// CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H. Temporal and environmental
// metrics may follow and do not count.
func Base(vector string) (score float64, ok bool) {
	rest, v31 := strings.CutPrefix(vector, "CVSS:3.1/")
	if !v31 {
		var v30 bool
		if rest, v30 = strings.CutPrefix(vector, "CVSS:3.0/"); !v30 {
			return 0, false
		}
	}
	if len(vector) > maxVector {
		return 0, false
	}
	weights, got, seen := values(), map[string]float64{}, map[string]string{}
	for part := range strings.SplitSeq(rest, "/") {
		name, value, found := strings.Cut(part, ":")
		if _, twice := seen[name]; twice || !found || value == "" {
			return 0, false
		}
		seen[name] = value
		list, base := weights[name]
		if !base {
			continue
		}
		w, known := list[value]
		if !known {
			return 0, false
		}
		got[name] = w
	}
	if len(got) != len(weights) {
		return 0, false
	}
	changed := seen["S"] == "C"
	if changed { // privileges weigh less when the scope changes
		switch seen["PR"] {
		case "L":
			got["PR"] = 0.68
		case "H":
			got["PR"] = 0.5
		}
	}
	iss := 1 - (1-got["C"])*(1-got["I"])*(1-got["A"])
	impact := 6.42 * iss
	if changed {
		impact = 7.52*(iss-0.029) - 3.25*math.Pow(iss-0.02, 15)
	}
	if impact <= 0 {
		return 0, true
	}
	sum := impact + 8.22*got["AV"]*got["AC"]*got["PR"]*got["UI"]
	if changed {
		sum *= 1.08
	}
	return roundUp(min(sum, 10), v31), true
}

// roundUp is the smallest number of one decimal that is not below x. Version
// 3.1 defines it over whole numbers, so that it is the same on every machine.
func roundUp(x float64, v31 bool) float64 {
	if !v31 {
		return math.Ceil(x*10) / 10
	}
	n := int(math.Round(x * 100_000))
	if n%10_000 == 0 {
		return float64(n) / 100_000
	}
	return float64(n/10_000+1) / 10
}
