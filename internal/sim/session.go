package sim

import "github.com/waxwing-ota/waxwing/internal/core/lifecycle"

const (
	readyTimeout = 10 * second // the plugin's default
	iosGrace     = 30 * second // how long iOS lets an app work in the background
)

// comes is the app opened by its user; false = the device is no more.
func (w *world) comes(p *phone, n uint32) bool {
	if w.now >= p.dies {
		p.open, p.load, p.boot = never, never, never
		return false
	}
	if p.first == never {
		p.first = w.now
		w.tally.opened++
	}
	w.comesSince(p, n)
	w.tally.openings++
	w.connect(p)
	p.set(inSession, true)
	p.open = w.now.after(w.sessionLength())
	w.take(p, w.rules.Start(p.at, p))
	if p.state[p.at.Current] == lifecycle.Pending {
		w.starts(p)
	} else {
		w.take(p, w.rules.Ready(p.at, p, true))
	}
	if w.dice.chance(w.crashes(p)) {
		w.tally.crashes++
		w.say("app_crash", p.at.Current)
	}
	w.check(p, n)
	return true
}

// crashes is how likely a session has a crash.
func (w *world) crashes(p *phone) float64 {
	if p.at.Current == release {
		return w.s.Device.Crashes + w.s.Release.Crashes
	}
	return w.s.Device.Crashes
}

// starts is a page that begins to load and becomes ready, or never does.
func (w *world) starts(p *phone) {
	p.works = p.doomed&(1<<p.at.Current) == 0 && !w.dice.chance(w.s.Device.NotReady)
	if p.works {
		p.boot = w.now.after(float64(second) * (0.5 + 2*w.dice.Float64()))
	} else {
		p.boot = w.now + readyTimeout
	}
}

// boots is the end of a start.
func (w *world) boots(p *phone) {
	p.boot = never
	if p.works {
		w.attempted(p, succeeded)
		w.take(p, w.rules.Ready(p.at, p, true))
		return
	}
	w.attempted(p, notReady)
	w.take(p, w.rules.Timeout(p.at, p))
}

// leaves is the app sent to the background.
func (w *world) leaves(p *phone, n uint32) {
	p.set(inSession, false)
	p.open = w.nextOpening(p, w.now)
	if p.is(onIOS) && p.loading != noBundle && p.load > w.now+iosGrace {
		w.suspend(p)
	}
	s := w.rules.Background(p.at, p)
	w.take(p, s)
	if s.Applied && s.Slots.Current != builtin {
		w.starts(p)
	}
	_ = n
}

// connect draws the network that an opening finds.
func (w *world) connect(p *phone) {
	net := &w.s.Network
	p.mark &^= online | lossy | portal | slow
	p.speed = float32(w.dice.about(net.MedianMbit, net.Spread) * 1e6 / 8 / 1000)
	if w.now < p.back {
		w.tally.faults.Offline++
		return
	}
	x := w.dice.Float64()
	if x < net.Offline {
		w.tally.faults.Offline++
		p.back = w.now.after(w.dice.wait(net.OfflineHours * float64(hour)))
		return
	}
	p.set(online, true)
	switch x -= net.Offline; {
	case x < net.Captive:
		w.tally.faults.Captive++
		p.set(portal, true)
	case x < net.Captive+net.Slow:
		w.tally.faults.Slow++
		p.set(slow, true)
		p.speed /= 20
	case x < net.Captive+net.Slow+net.Lossy:
		w.tally.faults.Lossy++
		p.set(lossy, true)
	}
}

// reach is what becomes of a request.
type reach uint8

const (
	answered reach = iota
	lost           // nothing came to the server
	deaf           // the server has it, its answer was lost
	faked          // somebody else answered
)

func (w *world) request(p *phone) reach {
	switch {
	case !p.is(online):
		return lost
	case p.is(portal):
		return faked
	case w.srv.away(w.now):
		w.tally.faults.Away++
		return lost
	}
	loss := w.s.Network.Loss
	if p.is(lossy) {
		loss = w.s.Network.LossyLoss
	}
	if w.dice.chance(loss) {
		w.tally.faults.Lost++
		if w.dice.chance(0.5) {
			return deaf
		}
		return lost
	}
	return answered
}
