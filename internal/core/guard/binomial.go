package guard

// binomialTest is the mixture e-process of "the failure rate is at most p0"
// against the effects. A device counts as a success from its exposure on and
// is turned into a failure when it fails: the evidence is never above what it
// will be once everybody's outcome is known, so looking early is harmless.
type binomialTest struct {
	Mix mixture `json:"mix"`
}

func newBinomialTest() binomialTest { return binomialTest{newMixture()} }

// alternative is the failure rate whose odds are ratio times those of p0.
func alternative(p0, ratio float64) float64 {
	o := float64(ratio * p0)
	return o / float64(float64(1-p0)+o)
}

// exposed takes in n devices.
func (b *binomialTest) exposed(n int64, p0 float64) {
	for k := range b.Mix {
		b.Mix[k] = b.Mix[k].by(power(success(p0, k), n))
	}
}

// failing takes in that one of the exposed devices failed.
func (b *binomialTest) failing(p0 float64) {
	var f [effects]float64
	for k := range f {
		f[k] = alternative(p0, ratios[k]) / p0 / success(p0, k)
	}
	b.Mix.times(&f)
}

// success is the likelihood ratio of a device that does not fail.
func success(p0 float64, k int) float64 {
	return float64(1-alternative(p0, ratios[k])) / float64(1-p0)
}

// UpperBound is the Clopper-Pearson upper bound of a failure rate, of which
// failed of n devices were seen: the rate at which so few failures have the
// probability alpha. It is 1 when nothing is known.
func UpperBound(failed, n int64, alpha float64) float64 {
	if n <= 0 || failed >= n {
		return 1
	}
	failed = max(failed, 0)
	low, high := float64(failed)/float64(n), 1.0
	for range 60 {
		mid := float64(low+high) / 2
		if mid <= low || mid >= high {
			break
		}
		if atMost(failed, n, mid) > alpha {
			low = mid
		} else {
			high = mid
		}
	}
	return high
}

// atMost is the probability of at most failed failures of n at the rate p.
func atMost(failed, n int64, p float64) float64 {
	term := power(1-p, n)
	sum, odds := term, p/float64(1-p)
	for i := range failed {
		term = term.times(float64(float64(n-i) / float64(i+1) * odds))
		sum = sum.plus(term)
	}
	return sum.float()
}
