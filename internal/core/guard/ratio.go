package guard

// ratioTest is the two-sample conditional e-process. It looks at failing
// devices only: under the null hypothesis that treated devices fail at most tau
// times as often as control devices, the next failing device is a treated one
// with probability q0 or less. Its evidence is a supermartingale whatever the
// failure rate does over time, as long as it does it to both arms, so the
// probability that it ever reaches 1/alpha is at most alpha (Ville).
type ratioTest struct {
	Mix     mixture `json:"mix"`
	Promote scaled  `json:"promote"` // evidence against a rate promoteRatio times as high
}

// promoteRatio is what the promote gate rules out, at the risk promoteRisk.
const (
	promoteRatio = 2.0
	promoteRisk  = 0.05
)

func newRatioTest() ratioTest { return ratioTest{newMixture(), one()} }

// share of treated among failing devices, if treated devices are w of all and
// fail ratio times as often as the others.
func share(w, ratio float64) float64 {
	t := float64(w * ratio)
	return t / float64(t+float64(1-w))
}

// failing takes in one failing device; w is the share of treated devices among
// those exposed when it was. At 0 and 1 there is nothing to compare.
func (r *ratioTest) failing(treated bool, w, tau float64) {
	if !(w > 0 && w < 1) {
		return
	}
	q0 := share(w, tau)
	var f [effects]float64
	for k := range f {
		q := share(w, float64(tau*ratios[k]))
		if treated {
			f[k] = q / q0
		} else {
			f[k] = float64(1-q) / float64(1-q0)
		}
	}
	r.Mix.times(&f)
	null, good := share(w, promoteRatio), w
	if treated {
		r.Promote = r.Promote.times(good / null)
	} else {
		r.Promote = r.Promote.times(float64(1-good) / float64(1-null))
	}
}

// expect takes in whole numbers of failures at once, rounded down.
func (r *ratioTest) expect(treated, control, w, tau float64) {
	q0 := share(w, tau)
	for k := range r.Mix {
		q := share(w, float64(tau*ratios[k]))
		r.Mix[k] = r.Mix[k].by(power(q/q0, int64(treated))).by(power(float64(1-q)/float64(1-q0), int64(control)))
	}
}

// Ratio is the two-sample test by itself, for trying it out.
type Ratio struct{ test ratioTest }

// NewRatio returns the test before the first failure.
func NewRatio() *Ratio { return &Ratio{newRatioTest()} }

// Failing takes in a failing device; w is the share of treated devices.
func (r *Ratio) Failing(treated bool, w, tau float64) { r.test.failing(treated, w, tau) }

// E is the evidence that treated devices fail more than tau times as often.
func (r *Ratio) E() float64 { return r.test.Mix.value().float() }

// Promote is the evidence that they fail less than twice as often.
func (r *Ratio) Promote() float64 { return r.test.Promote.float() }
