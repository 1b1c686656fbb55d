package sim

import (
	"context"
	"errors"

	"github.com/waxwing-ota/waxwing/internal/core/decide"
	"github.com/waxwing-ota/waxwing/internal/core/outcome"
	"github.com/waxwing-ota/waxwing/internal/core/semver"
	"github.com/waxwing-ota/waxwing/internal/plane/snap"
)

// server is what the fleet talks to: the snapshot and the decisions are the
// real ones, and so are outcomes, guard and rules; only storage is left out.
type server struct {
	w     *world
	cat   *catalog
	snap  *snap.Holder
	check decide.Check // of the device that asks

	subjects []subject
	failed   []snap.FactsChange // failures that the snapshot does not know yet
	upset    []uint32           // the devices they are about

	exposed []exposure // in the order of their time
	matured int        // of those, their window is over
	rule    counts
	watch   watch

	shares []opened // how the release opened to more and more of the devices
	halts  []Halt
	fixAt  ms
	err    error
	recent ms // start of the minute whose checks are counted
	inMin  int
}

// subject is what the server knows of a device.
type subject struct {
	seen    ms // last heard of
	exposed ms // first exposure
	arm     decide.Arm
	moved   bool  // was a control device before
	failing bool  // counted as failing
	watch   uint8 // the watch that it was exposed to
	record  record
}

// exposure is a device whose health window runs.
type exposure struct {
	at    ms
	phone uint32
}

func newServer(w *world, n int) (*server, error) {
	s := &server{w: w, cat: newCatalog(w.s, w.seed), subjects: make([]subject, n), fixAt: never}
	s.snap = snap.NewHolder(s.cat)
	s.check = decide.Check{VersionBuild: "1.0.0", Build: "1.0.0", IsProd: true}
	s.check.Native, _ = semver.Native("1.0.0")
	s.check.Plugin, _ = semver.Parse("8.51.23")
	s.begin()
	s.refresh()
	return s, s.err
}

// refresh makes devices see the catalog as it is now.
func (s *server) refresh() {
	s.cat.changed++
	s.err = errors.Join(s.err, s.snap.Refresh(context.Background(), appID))
}

// away reports whether the server cannot be reached.
func (s *server) away(now ms) bool {
	for _, o := range s.w.s.Outages {
		if now >= ms(o.From)*minute && now < ms(o.To)*minute {
			return true
		}
	}
	return false
}

// nextOutage returns when the server is away next, which may be now.
func (s *server) nextOutage(now ms) (ms, bool) {
	first := never
	for _, o := range s.w.s.Outages {
		if now < ms(o.To)*minute {
			first = min(first, max(now, ms(o.From)*minute))
		}
	}
	return first, first != never
}

// answer decides an update check.
func (s *server) answer(p *phone, n uint32) decide.Outcome {
	now, t := s.w.now, &s.w.tally
	t.checks++
	if now-s.recent >= minute {
		s.recent, s.inMin = now-now%minute, 0
	}
	s.inMin++
	t.busiest = max(t.busiest, s.inMin)
	if p.is(upset) {
		s.remember()
	}
	s.check.Device, s.check.Platform, s.check.VersionName = deviceID(s.w.seed, n), p.platform(), versionName(p.at.Current)
	out := decide.Decide(s.snap.App(appID), &s.check, nil)
	sub := &s.subjects[n]
	sub.seen = now
	if out.Arm != decide.NoArm {
		s.expose(p, n, out.Arm)
	}
	if out.Kind == decide.Update {
		t.updates++
		s.learn(p, n, bundleNamed(out.Version), outcome.Offered, "")
	}
	return out
}

// remember tells the snapshot which versions failed where, all at once.
func (s *server) remember() {
	s.snap.PatchFacts(appID, s.failed)
	for _, n := range s.upset {
		s.w.fleet[n].set(upset, false)
	}
	s.failed, s.upset = s.failed[:0], s.upset[:0]
}

// hear takes in reports of a device.
func (s *server) hear(p *phone, n uint32, list []said) {
	for _, r := range list {
		s.w.tally.events++
		s.subjects[n].seen = s.w.now
		if r.about == noBundle {
			continue
		}
		if outcome.Fails(r.action) {
			s.failed = append(s.failed, snap.FactsChange{Device: deviceID(s.w.seed, n), AddFailed: []string{versionName(r.about)}})
			s.upset = append(s.upset, n)
			p.set(upset, true)
		}
		if state, ok := outcome.Of(r.action); ok {
			s.learn(p, n, r.about, state, r.action)
		}
		if outcome.Hurts(r.action) {
			s.hurt(p, n, r.about, r.action)
		}
	}
}

// tick is what the server does by itself every minute.
func (s *server) tick() {
	s.remember()
	s.mature()
	s.advance()
	s.watch.tick(s)
	if s.w.now >= s.fixAt {
		s.fixAt = never
		s.cat.publish(fix)
		s.cat.channel.Rollout = nil
		s.refresh()
	}
}
