package sim

import "github.com/waxwing-ota/waxwing/internal/core/lifecycle"

// rhythm is how much the app is opened by the local hour of the day, against
// the mean of a day. It is an assumption in the shape of what mobile apps see:
// little at night, most in the evening.
func rhythm(hourOfDay int) float64 {
	return [24]float64{
		0.45, 0.25, 0.15, 0.12, 0.15, 0.30, 0.60, 0.95, 1.10, 1.10, 1.10, 1.15,
		1.30, 1.25, 1.15, 1.15, 1.20, 1.35, 1.50, 1.70, 1.75, 1.65, 1.35, 0.85,
	}[hourOfDay]
}

const mostRhythm = 1.75

// meet draws a device.
func (w *world) meet(n uint32) phone {
	s, d := w.s, w.dice
	p := phone{open: never, load: never, boot: never, dies: never, first: never, due: never, healed: never, fixed: never}
	p.set(onIOS, d.chance(s.Fleet.IOS))
	p.zone = int8(s.Fleet.Zones[pick(d, s.Fleet.Zones, func(z *Zone) float64 { return z.Share })].Offset)
	p.net = uint32(d.Uint64N(uint64(len(w.fleet)/3 + 1)))
	if d.chance(s.Forgers.Share) {
		p.set(forger, true)
		p.net = 1<<31 + uint32(d.IntN(s.Forgers.Networks))
	}
	p.at = w.rules.Fresh()
	p.at.Current, p.at.Fallback = before, before
	p.state[before] = lifecycle.Confirmed
	if d.chance(s.Device.FullDisk) {
		p.room = ms(0).after(d.wait(s.Device.FullDays * float64(day)))
	}
	if s.Device.DeathsPerDay > 0 {
		p.dies = ms(0).after(d.wait(float64(day) / s.Device.DeathsPerDay))
	}
	if share01(w.seed, uint64(release), uint64(n)) < s.Release.Fails[p.platform()] {
		p.doomed |= 1 << release
	}
	if !d.chance(s.Fleet.Dormant) {
		class := pick(d, s.Fleet.Opens, func(o *Opens) float64 { return o.Share })
		p.rate = float32(d.about(s.Fleet.Opens[class].PerDay, s.Fleet.Spread))
		p.open = w.nextOpening(&p, 0)
	}
	if d.chance(s.Fleet.Herd) {
		p.open = min(p.open, ms(0).after(d.Float64()*s.Fleet.HerdSeconds*1000))
	}
	return p
}

// nextOpening draws when the app is opened next: a Poisson process that follows
// the local time of day.
func (w *world) nextOpening(p *phone, from ms) ms {
	if p.rate <= 0 {
		return never
	}
	mean := float64(day) / (float64(p.rate) * mostRhythm)
	for at := from; at < w.end; {
		if at = at.after(w.dice.wait(mean)); at >= w.end {
			break
		}
		local := (w.s.StartHour + int(at/hour) + int(p.zone) + 48) % 24
		if w.dice.Float64()*mostRhythm < rhythm(local) {
			return at
		}
	}
	return never
}

// sessionLength draws how long the app stays in the foreground.
func (w *world) sessionLength() float64 {
	return 1000 * min(w.dice.about(w.s.Fleet.Session.MedianSeconds, w.s.Fleet.Session.Spread), 4*3600)
}
