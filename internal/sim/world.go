package sim

import (
	"context"

	"github.com/waxwing-ota/waxwing/internal/core/lifecycle"
)

// world is a run: the fleet, its server and the clock.
type world struct {
	s     *Scenario
	seed  uint64
	dice  dice
	end   ms
	now   ms
	rules lifecycle.Rules[bundle]

	fleet []phone
	queue queue
	srv   *server
	tally tally

	out    []said            // what the device at work has to report
	unsent map[uint32][]said // reports that wait on devices
}

// Run simulates a fleet of n devices. The error is that of the scenario, of n
// or of ctx.
func Run(ctx context.Context, s Scenario, n int, seed uint64) (Report, error) {
	if err := s.Check(); err != nil {
		return Report{}, err
	}
	if n < 1 || n > MaxDevices {
		return Report{}, bad("devices", "a fleet has 1 to %d devices", MaxDevices)
	}
	w := &world{
		s: &s, seed: seed, dice: newDice(seed), end: ms(s.Hours) * hour, unsent: map[uint32][]said{},
		rules: lifecycle.Rules[bundle]{Builtin: builtin},
	}
	srv, err := newServer(w, n)
	if err != nil {
		return Report{}, err
	}
	w.srv = srv
	w.populate(n)
	if err := w.play(ctx); err != nil {
		return Report{}, err
	}
	return w.report(), nil
}

func (w *world) populate(n int) {
	w.fleet = make([]phone, n)
	w.queue = make(queue, 0, n)
	for i := range w.fleet {
		w.fleet[i] = w.meet(uint32(i))
		if at := w.fleet[i].next(); at < w.end {
			w.queue = append(w.queue, turn{at, uint32(i)})
		}
	}
	w.queue.build()
	w.tally.running[before] = n
}

// play works off the turns in their order, and what the server does by itself
// in between.
func (w *world) play(ctx context.Context) error {
	tick, sample := ms(0), ms(0)
	for steps := 0; ; steps++ {
		at := w.end
		if len(w.queue) > 0 {
			at = min(at, w.queue[0].at)
		}
		for ; tick <= at; tick += minute {
			w.now = tick
			w.srv.tick()
			if tick >= sample {
				w.sample()
				sample += 30 * minute
			}
		}
		if at >= w.end {
			return nil
		}
		if steps%(1<<16) == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		w.now = at
		n := w.queue[0].phone
		p := &w.fleet[n]
		w.turn(p, n)
		if next := p.next(); next < w.end {
			w.queue.again(next)
		} else {
			w.queue.drop()
		}
	}
}

// turn does what a device is due to do.
func (w *world) turn(p *phone, n uint32) {
	switch w.now {
	case p.boot:
		w.boots(p)
	case p.load:
		w.loads(p)
	default:
		if p.is(inSession) {
			w.leaves(p, n)
		} else if !w.comes(p, n) {
			return
		}
	}
	w.deliver(p, n)
}

// take carries a step of the device's state machine out.
func (w *world) take(p *phone, s lifecycle.Step[bundle]) {
	if was := p.at.Current; was != s.Slots.Current {
		w.tally.moves(p, was, s.Slots.Current, w.now)
	}
	p.at = s.Slots
	if s.Mark != noBundle {
		if s.Status == lifecycle.Confirmed {
			w.tally.confirms(p, s.Mark, w.now)
		}
		p.state[s.Mark] = s.Status
	}
	for _, r := range s.Reports() {
		w.say(r.Action, r.About)
	}
	if s.Drop != noBundle {
		p.state[s.Drop] = lifecycle.Absent
		w.say(lifecycle.ActionDelete, s.Drop)
	}
}
