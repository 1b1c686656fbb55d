package hll_test

import (
	"bytes"
	"math"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"

	"github.com/waxwing-ota/waxwing/internal/core/hll"
)

func TestExactWhileFew(t *testing.T) {
	var s hll.Set
	r := rand.New(rand.NewPCG(1, 2))
	for n := int64(1); n <= hll.MaxExact; n++ {
		h := r.Uint64()
		if !s.Add(h) || s.Add(h) || s.Count() != n || !s.Exact() {
			t.Fatalf("at %d: count %d, exact %v", n, s.Count(), s.Exact())
		}
	}
	s.Add(r.Uint64())
	if s.Exact() || s.Count() <= hll.MaxExact {
		t.Errorf("beyond: count %d, exact %v", s.Count(), s.Exact())
	}
}

// TestErrorBound measures the relative error over many sets: its root mean square
// must be that of theory, 1.04/√4096 = 1.625 %, and its mean next to nothing.
func TestErrorBound(t *testing.T) {
	trials := 200
	for _, n := range []int{2500, 4096, 10_000, 30_000, 100_000} {
		if testing.Short() && n > 30_000 {
			continue
		}
		r := rand.New(rand.NewPCG(7, uint64(n)))
		var square, sum, worst float64
		for range trials {
			var s hll.Set
			for range n {
				s.Add(r.Uint64())
			}
			e := float64(s.Count())/float64(n) - 1
			square, sum, worst = square+e*e, sum+e, max(worst, math.Abs(e))
		}
		rms, mean := math.Sqrt(square/float64(trials)), sum/float64(trials)
		t.Logf("n=%d: rms %.2f %%, mean %+.2f %%, worst %.2f %%", n, rms*100, mean*100, worst*100)
		if rms > 0.01625*1.15 || math.Abs(mean) > 0.004 || worst > 4*0.01625 {
			t.Errorf("n=%d: rms %.4f, mean %.4f, worst %.4f", n, rms, mean, worst)
		}
	}
}

// TestHowItCameDoesNotMatter: order, repetition, cuts and storage in between lead
// to the same bytes.
func TestHowItCameDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.SampledFrom([]int{0, 1, 20, hll.MaxExact - 1, hll.MaxExact, hll.MaxExact + 1, 5000}).Draw(t, "n")
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 3))
		hashes := make([]uint64, n)
		var want hll.Set
		for i := range hashes {
			hashes[i] = r.Uint64()
			want.Add(hashes[i])
		}
		parts := make([]hll.Set, rapid.IntRange(1, 5).Draw(t, "parts"))
		r.Shuffle(n, func(i, j int) { hashes[i], hashes[j] = hashes[j], hashes[i] })
		for i, h := range hashes {
			parts[r.IntN(len(parts))].Add(h)
			if i%3 == 0 {
				parts[r.IntN(len(parts))].Add(h)
			}
		}
		var got hll.Set
		for i := range parts {
			back, err := hll.Decode(parts[i].Append(nil))
			if err != nil {
				t.Fatal(err)
			}
			got.Merge(&back)
		}
		if !bytes.Equal(got.Append(nil), want.Append(nil)) || got.Count() != want.Count() || got.Exact() != want.Exact() {
			t.Fatalf("counted %d (exact %v), want %d (exact %v)", got.Count(), got.Exact(), want.Count(), want.Exact())
		}
	})
}

func FuzzDecode(f *testing.F) {
	var s hll.Set
	f.Add(s.Append(nil))
	for i := range uint64(3000) {
		s.Add(i * 0x9e3779b97f4a7c15)
		if i == 5 || i == 2999 {
			f.Add(s.Append(nil))
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := hll.Decode(b)
		if err != nil {
			return
		}
		if len(b) > 0 && !bytes.Equal(s.Append(nil), b) {
			t.Error("not the form it is stored in")
		}
		if s.Count() < 0 {
			t.Error("a negative count")
		}
	})
}

func BenchmarkAdd(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 1))
	var s hll.Set
	for b.Loop() {
		s.Add(r.Uint64())
	}
}
