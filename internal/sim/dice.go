package sim

import (
	"math"
	"math/rand/v2"
)

// ms is a time of the run: milliseconds since the release. never is later than all.
type ms uint32

const (
	never  ms = math.MaxUint32
	second ms = 1000
	minute    = 60 * second
	hour      = 60 * minute
	day       = 24 * hour
)

// after adds a delay in milliseconds; what is beyond all runs is never.
func (m ms) after(delay float64) ms {
	if sum := float64(m) + max(delay, 0); sum < float64(never) {
		return ms(sum)
	}
	return never
}

// dice is the only source of chance.
type dice struct{ *rand.Rand }

func newDice(seed uint64) dice { return dice{rand.New(rand.NewPCG(seed, 0x77617877696e67))} }

func (d dice) chance(p float64) bool { return p > 0 && d.Float64() < p }

// wait draws an exponential time with the mean.
func (d dice) wait(mean float64) float64 { return d.ExpFloat64() * mean }

// about draws from a lognormal distribution with the median.
func (d dice) about(median, sigma float64) float64 {
	if sigma == 0 {
		return median
	}
	return median * math.Exp(sigma*d.NormFloat64())
}

// pick draws an index with a probability proportional to its share.
func pick[T any](d dice, list []T, share func(*T) float64) int {
	sum := 0.0
	for i := range list {
		sum += share(&list[i])
	}
	x := d.Float64() * sum
	for i := range list {
		if x -= share(&list[i]); x < 0 {
			return i
		}
	}
	return len(list) - 1
}

// mix is the finaliser of splitmix64: a number that has nothing to do with x to look at.
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// share01 is a fixed number 0 to 1 of a thing: the same device has the same one
// for the same release.
func share01(seed, what, who uint64) float64 {
	return float64(mix(mix(seed^what*0x9e3779b97f4a7c15)^who)>>11) / (1 << 53)
}
