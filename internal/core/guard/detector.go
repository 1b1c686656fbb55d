package guard

// hourMS is an hour in milliseconds.
const hourMS = 3_600_000

// detector is a Shiryaev-Roberts e-detector, M <- (M+1) * LR, over devices that
// took a release in the same hour. It has no end and forgets good times, so a
// release that turns bad after weeks is found as fast as one that is bad from
// the start. The mean number of hours to a false alarm is at least the
// threshold. Devices of the hours that can still fail count as successes, so
// the alarm never comes before the outcomes prove it.
type detector struct {
	Closed mixture  `json:"closed"` // M of the hours whose outcome is known; weights apply at the end
	Empty  bool     `json:"empty"`  // no hour is closed: M is 0
	Open   []cohort `json:"open"`   // by hour, without those in which nobody took it
}

// cohort is the devices that took a release in an hour, and how many failed.
type cohort struct {
	Hour   int64 `json:"hour"`
	N      int64 `json:"n"`
	Failed int64 `json:"failed"`
}

func newDetector() detector { return detector{Closed: newMixture(), Empty: true} }

// cohort returns that of the hour, if it is still open.
func (d *detector) cohort(hour int64) *cohort {
	at := len(d.Open)
	for i := range d.Open {
		if d.Open[i].Hour == hour {
			return &d.Open[i]
		}
		if d.Open[i].Hour > hour {
			at = i
			break
		}
	}
	d.Open = append(d.Open, cohort{})
	copy(d.Open[at+1:], d.Open[at:])
	d.Open[at] = cohort{Hour: hour}
	return &d.Open[at]
}

// exposed takes in n devices at the time.
func (d *detector) exposed(n, at int64) { d.cohort(at / hourMS).N += n }

// failing takes in a failure of a device that took the release at exposed. If
// its hour is closed, it is counted in the oldest one that is not.
func (d *detector) failing(exposed int64) {
	hour := exposed / hourMS
	if len(d.Open) > 0 && hour < d.Open[0].Hour {
		hour = d.Open[0].Hour
	}
	c := d.cohort(hour)
	c.Failed++
	c.N = max(c.N, c.Failed)
}

// close folds the hours whose health window is over at now.
func (d *detector) close(now, window int64, p0 float64) {
	n := 0
	for n < len(d.Open) && (d.Open[n].Hour+1)*hourMS+window < now {
		step(&d.Closed, &d.Empty, d.Open[n], p0)
		n++
	}
	d.Open = append(d.Open[:0], d.Open[n:]...)
}

// value is M now, and the most it was in the open hours.
func (d *detector) value(p0 float64) scaled {
	m, empty := d.Closed, d.Empty
	best := scaled{0.5, -1000}
	if !empty {
		best = m.value()
	}
	for _, c := range d.Open {
		step(&m, &empty, c, p0)
		if v := m.value(); v.more(best) {
			best = v
		}
	}
	return best
}

func step(m *mixture, empty *bool, c cohort, p0 float64) {
	for k := range m {
		base := one()
		if !*empty {
			base = m[k].plus(one())
		}
		p1 := alternative(p0, ratios[k])
		m[k] = base.by(power(p1/p0, c.Failed)).by(power(success(p0, k), c.N-c.Failed))
	}
	*empty = false
}

// more reports whether s is larger than o.
func (s scaled) more(o scaled) bool { return s.E > o.E || s.E == o.E && s.M > o.M }
