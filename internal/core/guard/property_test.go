package guard

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

// Devices that do well, however many somebody makes up, do not hide a failure:
// the evidence of the two-sample test stays the same to the last bit.
func TestFakeSuccessesChangeNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := started(1000, nil), started(1000, nil)
		for i := range rapid.IntRange(1, 30).Draw(t, "failures") {
			n := rapid.Int64Range(0, 1_000_000).Draw(t, "made up")
			b.add(exposed(Treated, n/10)) // arms are drawn by the server, so they come in its proportion
			b.add(exposed(Control, n-n/10))
			in := failing(rapid.SampledFrom([]Arm{Treated, Control}).Draw(t, "arm"), i+1)
			x, y := a.add(in), b.add(in)
			if math.Float64bits(x.E) != math.Float64bits(y.E) || x.Promote != y.Promote {
				t.Fatalf("E %v became %v", x.E, y.E)
			}
		}
	})
}

// A device that is heard of again and again counts once.
func TestDuplicatesChangeNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := started(1000, nil)
		n := rapid.IntRange(1, 20).Draw(t, "failures")
		var last Result
		for i := range n {
			last = p.add(failing(Treated, i+1))
		}
		for range rapid.IntRange(1, 20).Draw(t, "repeats") {
			again := failing(rapid.SampledFrom([]Arm{Treated, Control}).Draw(t, "arm"), rapid.IntRange(1, n).Draw(t, "device"))
			got := p.add(again)
			if got.E != last.E || got.Absolute != last.Absolute || p.s.All.TreatedFailed != int64(n) {
				t.Fatalf("%+v became %+v", last, got)
			}
		}
	})
}

// A lopsided sample makes the guard careful, never bold.
func TestImbalanceIsCareful(t *testing.T) {
	plain, odd := started(1000, nil), started(1000, nil)
	odd.add(exposed(Treated, 900))
	odd.add(exposed(Control, 100))
	for i := range 10 {
		plain.add(failing(Treated, i+1))
		odd.add(failing(Treated, i+1))
	}
	if !odd.s.View().Imbalanced || odd.last.E >= plain.last.E {
		t.Errorf("imbalanced %v, E %v against %v", odd.s.View().Imbalanced, odd.last.E, plain.last.E)
	}
}

// The evidence is a supermartingale: whatever it is, and whatever the ratio up
// to tau is, the next failing device does not raise it on average.
func TestSupermartingale(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := rapid.Float64Range(0.001, 0.999).Draw(t, "w")
		tau := rapid.Float64Range(1, 5).Draw(t, "tau")
		ratio := rapid.Float64Range(0, 1).Draw(t, "ratio") * tau
		r := newRatioTest()
		for range rapid.IntRange(0, 50).Draw(t, "history") {
			r.failing(rapid.Bool().Draw(t, "treated"), w, tau)
		}
		up, down := r, r
		up.failing(true, w, tau)
		down.failing(false, w, tau)
		p := share(w, ratio)
		if now, next := r.Mix.value().float(), p*up.Mix.value().float()+(1-p)*down.Mix.value().float(); next > now*(1+1e-12) {
			t.Fatalf("E is %v and %v on average after the next", now, next)
		}
		if bad := share(w, promoteRatio*rapid.Float64Range(1, 10).Draw(t, "worse")); true {
			now, next := r.Promote.float(), bad*up.Promote.float()+(1-bad)*down.Promote.float()
			if next > now*(1+1e-12) {
				t.Fatalf("the gate's evidence is %v and %v on average after the next", now, next)
			}
		}
	})
}

func TestScaled(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, log := one(), 0.0
		for range rapid.IntRange(0, 300).Draw(t, "n") {
			f := rapid.Float64Range(0.001, 60).Draw(t, "f")
			s, log = s.times(f), log+math.Log2(f)
		}
		if got := math.Log2(s.M) + float64(s.E); math.Abs(got-log) > 1e-6*(1+math.Abs(log)) {
			t.Fatalf("log2 is %v, want %v", got, log)
		}
	})
	if got := power(1.5, 1_000_000).by(power(1/1.5, 1_000_000)).float(); math.Abs(got-1) > 1e-8 {
		t.Errorf("1.5^n * 1.5^-n = %v", got)
	}
	if got := power(2, 5000).float(); got != math.MaxFloat64 {
		t.Errorf("2^5000 = %v", got)
	}
	if got := power(2, -0).plus(power(0.5, 5000)).float(); got != 1 {
		t.Errorf("1 + 2^-5000 = %v", got)
	}
}

// Without failures the bound is 1 - alpha^(1/n); the last row is in textbooks.
func TestUpperBound(t *testing.T) {
	for _, tc := range []struct {
		failed, n   int64
		alpha, want float64
	}{
		{0, 100, 0.05, 0.029513},
		{0, 10, 0.05, 0.258866},
		{1, 1, 0.05, 1},
		{5, 100, 0.025, 0.112835},
	} {
		if got := UpperBound(tc.failed, tc.n, tc.alpha); math.Abs(got-tc.want) > 2e-6 {
			t.Errorf("UpperBound(%d, %d, %v) = %.6f, want %.6f", tc.failed, tc.n, tc.alpha, got, tc.want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.Int64Range(1, 5000).Draw(t, "n")
		k := rapid.Int64Range(0, n-1).Draw(t, "failed")
		p := UpperBound(k, n, 0.01)
		if p <= float64(k)/float64(n) || math.Abs(atMost(k, n, p)-0.01) > 1e-6 {
			t.Fatalf("%d of %d: bound %v has probability %v", k, n, p, atMost(k, n, p))
		}
	})
}
