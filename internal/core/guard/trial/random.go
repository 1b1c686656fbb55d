package trial

import "math"

// random is the SplitMix64 generator: small, seeded, and the same everywhere.
type random struct{ state uint64 }

func (r *random) next() uint64 {
	r.state += 0x9e3779b97f4a7c15
	z := r.state
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// float is uniform in [0, 1).
func (r *random) float() float64 { return float64(r.next()>>11) / (1 << 53) }

// gap is how many devices come up to and including the next one to which
// something of probability p happens.
func (r *random) gap(p float64) int64 {
	if p >= 1 {
		return 1
	}
	return 1 + int64(math.Log(1-r.float())/math.Log1p(-p))
}
