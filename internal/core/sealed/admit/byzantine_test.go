package admit_test

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/canon"
	"github.com/waxwing-ota/waxwing/internal/core/cobblestone"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/sealed"
	"github.com/waxwing-ota/waxwing/internal/core/sealed/admit"
	"github.com/waxwing-ota/waxwing/internal/core/sealed/lifecycle"
	"github.com/waxwing-ota/waxwing/internal/core/tuf"
	"github.com/waxwing-ota/waxwing/internal/testkit/sealedworld"
)

var byzantineSteps = flag.Int("byzantine.steps", 1_000_000, "steps of the byzantine simulation, over all seeds")

func fresh(b admit.Build) admit.State { return admit.Fresh(b) }

// victim is a device, with what it must never do.
type victim struct {
	build    admit.Build
	state    lifecycle.State
	approved map[string]*sealedworld.Bundle // that may ever run on it
	floor    int64                          // the highest that was ever durable
	anchor   admit.Anchor
	copies   []lifecycle.State
	skew     time.Duration
	runs     map[string]int // how often what was activated
	errors   map[string]int
}

// simulation is a hostile server against some devices.
type simulation struct {
	t       testing.TB
	dice    dice
	h       *hostile
	decide  func(admit.State, admit.Input) (admit.Decision, admit.State, error)
	devices []*victim
	clock   time.Time
	done    map[string]admit.Verified // bundles whose blobs were admitted, by manifest
}

func newSimulation(t testing.TB, h *hostile, d dice) *simulation {
	s := &simulation{t: t, dice: d, h: h, decide: admit.Remembering(), done: map[string]admit.Verified{}}
	s.begin()
	return s
}

// begin is a new episode: devices that know nothing yet.
func (s *simulation) begin() {
	h := s.h
	s.devices, s.clock = nil, start
	for _, v := range []struct{ platform, version, class string }{
		{"android", "2.0.0", sealed.ClassProduction}, {"ios", "3.1.0", sealed.ClassProduction}, {"android", "2.0.0", sealed.ClassStaging}, {"electron", "9.0.0", sealed.ClassProduction},
	} {
		b := h.w.Build(v.platform)
		b.Version, b.MinClass = v.version, v.class
		one := &victim{build: b, state: lifecycle.Fresh(b), approved: map[string]*sealedworld.Bundle{}, runs: map[string]int{}, errors: map[string]int{}}
		// What may run is said here by other means than the code under test.
		for _, x := range h.w.Bundles {
			m := x.Manifest
			if slices.Contains(m.Platforms, v.platform) && (m.Native.Min != "3.0.0" || v.version >= "3") && (m.Class == sealed.ClassProduction || v.class == sealed.ClassStaging) {
				one.approved[x.SHA256()] = x
			}
		}
		s.devices = append(s.devices, one)
	}
}

// answer puts one together: from a moment of the past or out of pieces, and then
// with some of it exchanged, cut, altered or left out.
func (s *simulation) answer(v *victim, request []byte, now time.Time) *sealed.Answer {
	d, h := s.dice, s.h
	b := pick(d, h.bundles)
	if d.n(3) > 0 {
		b = pick(d, h.w.Bundles)
	}
	m := pick(d, h.moments)
	if d.n(2) == 0 {
		m = h.moments[len(h.moments)-1]
	}
	a := &sealed.Answer{
		Timestamp: m.docs.Timestamp, Snapshot: m.docs.Snapshot, Trust: m.trust, Manifest: b.Raw,
		Roles: sealed.Roles{Targets: m.docs.Roles[tuf.RoleTargets], Staging: m.docs.Roles[tuf.RoleStaging]},
	}
	known := 1
	if d.n(8) > 0 {
		known = h.roots[string(v.state.Admission.TUF.Root)]
	}
	for _, r := range m.roots[min(known, len(m.roots)):] {
		a.Roots = append(a.Roots, r)
	}
	tree := 0
	if d.n(4) == 0 {
		tree = d.n(len(h.trees))
	}
	if size, leaf := h.trees[tree].Size(), h.leaf[b]; leaf < size {
		at := leaf + 1 + int64(d.n(int(size-leaf)))
		if d.n(3) > 0 {
			at = size
		}
		a.Proof = h.prove(tree, leaf, at)
		a.Consistency = h.consistency(tree, v.state.Admission.Log.Size, at)
	}
	a.Director = h.direct(d, request, b, now)
	for range max(0, d.n(5)-2) {
		s.spoil(a)
	}
	return a
}

// spoil does one bad thing to an answer.
func (s *simulation) spoil(a *sealed.Answer) {
	d, pool := s.dice, s.h.pool
	part := map[int]*canon.Base64{0: &a.Timestamp, 1: &a.Snapshot, 2: &a.Roles.Targets, 3: &a.Roles.Staging, 4: &a.Trust, 5: &a.Manifest, 6: &a.Director}
	kinds := []string{"timestamp", "snapshot", "targets", "staging", "trust", "manifest", ""}
	i := d.n(9)
	switch i {
	case 7:
		a.Roots = append(a.Roots, pick(d, pool["root"]))
	case 8:
		switch d.n(4) {
		case 0:
			a.Proof = ""
		case 1:
			a.Consistency = nil
		case 2:
			a.Proof = strings.Replace(a.Proof, "index", "extra AA==\nindex", 1)
		default:
			a.Roots = nil
		}
	default:
		p := part[i]
		switch how := d.n(6); {
		case how < 3 && kinds[i] != "":
			*p = pick(d, pool[kinds[i]])
		case how == 3:
			*p = nil
		case how == 4 && len(*p) > 0:
			*p = slices.Clone(*p)
			(*p)[d.n(len(*p))] ^= byte(1 + d.n(255))
		default:
			*p = slices.Clone((*p)[:d.n(len(*p)+1)])
		}
	}
}

// source hands out the right blobs of whatever the manifest names, or others.
type source struct {
	s    *simulation
	b    *sealedworld.Source
	evil bool
}

func (s *source) Key(m *sealed.Manifest) (cobblestone.Key, error) { return s.b.Key(m) }

func (s *source) Open(f sealed.File) (io.ReadSeeker, io.Writer, error) {
	r, w, err := s.b.Open(f)
	if err == nil && s.evil {
		other := pick(s.s.dice, s.s.h.bundles)
		for _, blob := range other.Blobs {
			r = bytes.NewReader(blob)
			break
		}
	}
	return r, w, err
}

func (s *source) Present() ([]string, error) {
	if s.evil && s.s.dice.n(4) == 0 {
		s.b.Extra = []string{"evil.js"}
	}
	return s.b.Present()
}

// step is one thing that happens to one device.
func (s *simulation) step() {
	v := pick(s.dice, s.devices)
	if s.dice.n(500) == 0 {
		s.clock = s.clock.Add(5 * time.Minute)
	}
	switch s.dice.n(60) {
	case 0:
		s.do(v, v.state.Ready())
	case 1:
		s.do(v, v.state.Timeout(func(lifecycle.Slot) bool { return true }))
	case 2, 3:
		s.boot(v, v.state)
	case 4:
		if len(v.copies) > 0 { // a backup is put back
			s.boot(v, pick(s.dice, v.copies).Anchored(v.anchor))
		}
	case 5:
		if s.dice.n(20) == 0 {
			s.boot(v, lifecycle.Fresh(v.build).Anchored(v.anchor))
		}
	case 6:
		v.skew = pick(s.dice, []time.Duration{0, 0, 0, 4 * time.Minute, -4 * time.Minute, time.Hour, -time.Hour, 87_600 * time.Hour, -87_600 * time.Hour, -500_000 * time.Hour})
	default:
		s.check(v)
	}
}

func (s *simulation) check(v *victim) {
	request := pick(s.dice, s.h.requests)
	now := s.clock.Add(v.skew)
	at := s.clock
	if s.dice.n(10) == 0 {
		at = now // a director that lies about the time as the device would like it
	}
	if v.skew != 0 && s.dice.n(20) == 0 {
		v.skew = 0
	}
	in := admit.Input{Build: v.build, Now: now, Request: request, Answer: s.answer(v, request, at)}
	before := v.state.Admission
	d, next, err := s.decide(before, in)
	if next.Floor < before.Floor || next.Issued.Before(before.Issued.Time) || next.Log.Origin == before.Log.Origin && next.Log.Size < before.Log.Size {
		s.t.Fatalf("the state became weaker: %+v", next)
	}
	v.errors[ota.CodeOf(err)]++
	s.do(v, v.state.Note(next))
	switch {
	case err != nil:
	case d.Action == sealed.ActionBuiltin:
		if st, err := v.state.Revert(d.Builtin); err == nil {
			s.do(v, st)
		}
	case d.Plan != nil:
		s.install(v, d.Plan)
	}
}

// install admits the blobs of a plan. Every bundle is taken through whole once,
// and often enough with wrong blobs.
func (s *simulation) install(v *victim, p *admit.Plan) {
	b := v.approved[p.SHA256()]
	if b == nil {
		s.t.Fatalf("the plan of %s was made, which nobody approved for %+v", p.SHA256(), v.build)
	}
	evil := s.dice.n(20) == 0
	got, ok := s.done[p.SHA256()]
	if !ok || evil {
		src := &source{s, s.h.w.Source(b), evil}
		var err error
		got, err = admit.Blobs(p, src)
		if err != nil {
			if !evil {
				s.t.Fatalf("the blobs of %d: %v", b.Manifest.Seq, err)
			}
			return
		}
		for path, out := range src.b.Out {
			if out.String() != string(b.Files[path]) {
				s.t.Fatalf("%s of %d has other bytes", path, b.Manifest.Seq)
			}
		}
		s.done[p.SHA256()] = got
	}
	st, err := v.state.Prepare(got)
	if err != nil {
		if c := ota.CodeOf(err); c != lifecycle.CodeFailed && c != admit.CodeFloor {
			s.t.Fatal(err)
		}
		return
	}
	s.do(v, st)
	s.do(v, v.state.Switch(func(lifecycle.Slot) bool { return true }))
}

func (s *simulation) boot(v *victim, from lifecycle.State) {
	s.do(v, from.Start(v.build, func(lifecycle.Slot) bool { return true }))
}

// do makes a step durable and checks what it activates.
func (s *simulation) do(v *victim, st lifecycle.Step) {
	v.state = st.State
	if v.state.Admission.Floor < v.floor {
		s.t.Fatalf("the floor fell from %d to %d", v.floor, v.state.Admission.Floor)
	}
	v.floor = v.state.Admission.Floor
	v.anchor = v.state.Admission.Anchor()
	if s.dice.n(200) == 0 {
		v.copies = append(v.copies, v.state)
		if len(v.copies) > 20 {
			v.copies = v.copies[1:]
		}
	}
	if !st.Load || st.Run.Builtin() {
		return
	}
	b, ok := v.approved[st.Run.Manifest]
	if !ok || b.Manifest.Seq != st.Run.Seq {
		s.t.Fatalf("activated %+v on %+v, which nobody approved for it", st.Run, v.build)
	}
	if st.Run.Seq < v.floor {
		s.t.Fatalf("activated %d below the floor %d", st.Run.Seq, v.floor)
	}
	v.runs[fmt.Sprintf("%d %s", b.Manifest.Seq, b.Manifest.Class)]++
}

type random struct{ *rand.Rand }

func (r random) n(below int) int { return r.IntN(below) }

// TestByzantineServer: only what was approved for a device, and not below the
// highest floor that it ever saw, is ever activated, whatever a server says that
// has every online key. And once the owner replaced these keys, every device can
// be updated again.
func TestByzantineServer(t *testing.T) {
	const seeds, episode = 8, 1000
	h := newHostile(t)
	steps := *byzantineSteps / seeds
	if testing.Short() {
		steps /= 50
	}
	total, episodes, errs, runs := 0, 0, map[string]int{}, map[string]int{}
	for seed := range uint64(seeds) {
		s := newSimulation(t, h, random{rand.New(rand.NewPCG(seed, 6))})
		for i := range steps {
			s.step()
			if total++; i%episode != episode-1 {
				continue
			}
			for _, v := range s.devices {
				s.recovers(v, episodes)
				for code, n := range v.errors {
					errs[code] += n
				}
				for what, n := range v.runs {
					runs[what] += n
				}
			}
			episodes++
			s.begin()
		}
	}
	t.Logf("%d steps in %d episodes; activated %v; refused %v", total, episodes, runs, errs)
	for _, want := range []string{"4 production", "8 production", "7 staging", "5 production"} {
		if runs[want] == 0 {
			t.Errorf("%s never ran: the simulation proves too little", want)
		}
	}
	for _, want := range []string{
		tuf.CodeSignature, tuf.CodeRollback, tuf.CodeExpired, tuf.CodeHash, tuf.CodeVersion, tuf.CodeTarget, sealed.CodeSignature,
		admit.CodeClock, admit.CodeMissing, admit.CodeTrust, admit.CodeRequest, admit.CodeDevice, admit.CodeExpired, admit.CodePlatform, admit.CodeNative,
		admit.CodeClass, admit.CodeFloor, admit.CodeTarget, admit.CodeManifest, admit.CodeUnproven, "log_forked", "entry_not_proven",
	} {
		if errs[want] == 0 && !testing.Short() {
			t.Errorf("nothing was ever refused with %s: the simulation proves too little", want)
		}
	}
}

// recovers demands that an honest server can update the device once the stolen
// keys were replaced, whatever the thief did with versions and logs.
func (s *simulation) recovers(v *victim, n int) {
	w, st := s.h.w, v.state.Admission
	w.Now = s.clock
	if st.Issued.After(w.Now) { // the device's clock was ahead, and time went on
		w.Now = st.Issued.Time
	}
	for _, b := range w.Bundles {
		if v.approved[b.SHA256()] != b || b.Manifest.Seq < max(st.Floor, w.Trust.Floor) {
			continue
		}
		request := w.Request(v.build, st, v.state.Running(), n)
		d, next, err := s.decide(st, admit.Input{Build: v.build, Now: w.Now, Request: request, Answer: w.Answer(request, b, nil)})
		if err != nil || d.Plan == nil || next.Floor < st.Floor {
			s.t.Fatalf("the device cannot be updated again: %v", err)
		}
		return
	}
}

// FuzzByzantineServer lets a fuzzer take the decisions.
func FuzzByzantineServer(f *testing.F) {
	h := newHostile(f)
	f.Add(bytes.Repeat([]byte{9, 0, 3, 200, 7}, 100))
	f.Fuzz(func(t *testing.T, b []byte) {
		d := &tape{b: b}
		s := newSimulation(t, h, d)
		for i := 0; i < 200 && len(d.b) > 0; i++ {
			s.step()
		}
	})
}

// tape takes decisions from bytes; at its end all of them are 0.
type tape struct{ b []byte }

func (t *tape) n(below int) int {
	if len(t.b) < 2 {
		t.b = nil
		return 0
	}
	v := int(t.b[0])<<8 | int(t.b[1])
	t.b = t.b[2:]
	return v % below
}
