package sim

import (
	"github.com/waxwing-ota/waxwing/internal/core/outcome"
)

// record is an outcome record of the release, packed: a million of them would
// take up much room otherwise. Times are one more than the run's; 0 = none.
type record struct {
	offered, installed, healthy, failed, left ms
	state                                     outcome.State
	reason                                    uint8
}

// reasons are why a release failed on a device, by their numbers.
func reasons() []string { return []string{"", "update_fail", "set_fail", outcome.Silent} }

func (r *record) open() outcome.Record {
	return outcome.Record{
		State: r.state, Reason: reasons()[r.reason], OfferedAt: int64(r.offered), InstalledAt: int64(r.installed),
		HealthyAt: int64(r.healthy), FailedAt: int64(r.failed), LeftAt: int64(r.left),
	}
}

func packed(o outcome.Record) record {
	r := record{
		state: o.State, offered: ms(o.OfferedAt), installed: ms(o.InstalledAt), healthy: ms(o.HealthyAt),
		failed: ms(o.FailedAt), left: ms(o.LeftAt),
	}
	for i, reason := range reasons() {
		if reason == o.Reason {
			r.reason = uint8(i)
		}
	}
	return r
}

// learn merges a fact about a device and the release into what is known.
func (s *server) learn(p *phone, n uint32, b bundle, state outcome.State, reason string) {
	if b != release {
		return
	}
	if state != outcome.Failed {
		reason = ""
	}
	sub := &s.subjects[n]
	was := sub.record.state
	if state <= was && state != outcome.Failed {
		return // a join: it knows that already
	}
	sub.record = packed(outcome.Merge(sub.record.open(), outcome.At(state, reason, int64(s.w.now)+1)))
	if now := sub.record.state; now != was {
		s.moved(p, n, was, now)
	}
}

// moved follows a device from one outcome to another.
func (s *server) moved(p *phone, n uint32, from, to outcome.State) {
	took := func(o outcome.State) bool { return o >= outcome.Installed }
	if took(to) && !took(from) {
		s.rule.attempts = append(s.rule.attempts, s.w.now)
		if s.watch.full {
			s.expose(p, n, treatedArm)
		}
	}
	if to == outcome.Failed && outcome.Fails(s.subjects[n].record.open().Reason) {
		s.rule.failures = append(s.rule.failures, s.w.now)
		s.judge()
	}
}

// outcomes counts the devices of the fleet by what the server knows of the release.
func (s *server) outcomes() map[string]int {
	list := map[string]int{}
	for i := range s.subjects {
		list[s.subjects[i].record.state.String()]++
	}
	return list
}
