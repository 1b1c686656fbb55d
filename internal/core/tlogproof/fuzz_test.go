package tlogproof_test

import (
	"testing"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/tlogproof"
)

func FuzzParse(f *testing.F) {
	f.Add(tlogproof.Proof{Index: 3, Hashes: []ota.Digest{{1}, {2}}, Checkpoint: "x\n"}.Text())
	f.Add(tlogproof.Proof{Extra: []byte("x"), Checkpoint: "x\n"}.Text())
	f.Add("c2sp.org/tlog-proof@v1\nindex 01\n\nx")
	f.Fuzz(func(t *testing.T, s string) {
		p, err := tlogproof.Parse(s)
		if err == nil && p.Text() != s {
			t.Fatalf("%q was read as %q", s, p.Text())
		}
	})
}

func FuzzCheck(f *testing.F) {
	w := newWorld(f, 1, 2)
	for i := range int64(7) {
		w.add(f, doc(i, ""))
	}
	policy := w.policy
	policy.Threshold = 1
	f.Add(w.prove(f, 7, 3))
	f.Add(w.prove(f, 5, 4))
	f.Fuzz(func(t *testing.T, s string) {
		cp, err := tlogproof.Check(s, doc(3, ""), tlogproof.KindManifest, policy, tlogproof.Checkpoint{}, nil)
		if err == nil && (cp.Size > 7 || cp.Size < 4 || cp.Root != w.root(t, cp.Size)) {
			t.Fatalf("%q proves %+v", s, cp)
		}
	})
}

func FuzzEntry(f *testing.F) {
	f.Add(tlogproof.Entry(tlogproof.KindRule, ota.Digest{1}))
	f.Fuzz(func(t *testing.T, b []byte) {
		k, d, err := tlogproof.ParseEntry(b)
		if err == nil && string(tlogproof.Entry(k, d)) != string(b) {
			t.Fatalf("%q was read as %s %s", b, k, d)
		}
	})
}
