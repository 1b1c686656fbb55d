package tlogproof_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"fmt"
	"slices"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
	"pgregory.net/rapid"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/p256"
	"github.com/waxwing-ota/waxwing/internal/core/tilelog"
	"github.com/waxwing-ota/waxwing/internal/core/tlogproof"
)

type tester interface {
	Helper()
	Fatal(...any)
	Fatalf(string, ...any)
	Errorf(string, ...any)
}

// world is a log with its keys and witnesses.
type world struct {
	hashes    []tlog.Hash
	size      int64
	keys      []note.Signer
	witnesses []ed25519.PrivateKey
	policy    tlogproof.Policy
}

// noteKey signs with whatever fn is.
type noteKey struct {
	v  *tilelog.Verifier
	fn func(msg []byte) ([]byte, error)
}

func (k noteKey) Name() string                    { return k.v.Name() }
func (k noteKey) KeyHash() uint32                 { return k.v.KeyHash() }
func (k noteKey) Sign(msg []byte) ([]byte, error) { return k.fn(msg) }

const origin = "updates.example.com/sealed/log"

func must[T any](t tester) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func newWorld(t tester, seed byte, witnesses int) *world {
	w := &world{}
	ed := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{seed}, 32))
	ec := must[*ecdsa.PrivateKey](t)(ecdsa.ParseRawPrivateKey(elliptic.P256(), bytes.Repeat([]byte{seed}, 32)))
	soft := p256.Software(ec)
	edPub, _ := ed.Public().(ed25519.PublicKey)
	edV := must[*tilelog.Verifier](t)(tilelog.Ed25519Verifier(origin, edPub))
	ecV := must[*tilelog.Verifier](t)(tilelog.ECDSAVerifier(origin, soft.Public()))
	w.keys = []note.Signer{
		noteKey{edV, func(msg []byte) ([]byte, error) { return ed25519.Sign(ed, msg), nil }},
		noteKey{ecV, func(msg []byte) ([]byte, error) { return p256.Sign(context.Background(), soft, msg) }},
	}
	w.policy = tlogproof.Policy{Origin: origin, P256: soft.Public()}
	for i := range witnesses {
		key := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{100 + byte(i)}, 32))
		pub, _ := key.Public().(ed25519.PublicKey)
		name := fmt.Sprintf("witness%d.example", i)
		v := must[*tilelog.Verifier](t)(tilelog.CosignatureVerifier(name, pub))
		w.keys = append(w.keys, noteKey{v, func(msg []byte) ([]byte, error) { return tilelog.Cosign(key, 1_700_000_000, msg), nil }})
		w.witnesses = append(w.witnesses, key)
		w.policy.Witnesses = append(w.policy.Witnesses, tlogproof.Witness{Name: name, Ed25519: pub})
	}
	return w
}

func (w *world) ReadHashes(idx []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(idx))
	for i, n := range idx {
		out[i] = w.hashes[n]
	}
	return out, nil
}

// doc is the digest of a made-up document.
func doc(i int64, fork string) ota.Digest { return ota.Sum(fmt.Appendf(nil, "%d%s", i, fork)) }

func (w *world) add(t tester, d ota.Digest) {
	t.Helper()
	fresh := must[[]tlog.Hash](t)(tlog.StoredHashesForRecordHash(w.size, tlogproof.LeafHash(tlogproof.KindManifest, d), w))
	w.hashes = append(w.hashes, fresh...)
	w.size++
}

func (w *world) root(t tester, n int64) tlog.Hash {
	t.Helper()
	if n == 0 {
		return (&tilelog.Range{}).Root()
	}
	return must[tlog.Hash](t)(tlog.TreeHash(n, w))
}

func (w *world) sign(t tester, n int64, keys ...note.Signer) string {
	t.Helper()
	if keys == nil {
		keys = w.keys
	}
	text := tilelog.Checkpoint{Origin: origin, Size: n, Root: w.root(t, n)}.Text()
	return string(must[[]byte](t)(note.Sign(&note.Note{Text: text}, keys...)))
}

func (w *world) prove(t tester, n, index int64) string {
	t.Helper()
	hashes := must[tlog.RecordProof](t)(tlog.ProveRecord(n, index, w))
	return tlogproof.Proof{Index: index, Hashes: tilelog.Digests(hashes), Checkpoint: w.sign(t, n)}.Text()
}

func (w *world) consistency(t tester, from, to int64) []ota.Digest {
	t.Helper()
	if from == 0 || from >= to {
		return nil
	}
	return tilelog.Digests(must[tlog.TreeProof](t)(tlog.ProveTree(to, from, w)))
}

// TestProofSize measures what travels with a manifest in a log of 5,000 entries.
func TestProofSize(t *testing.T) {
	w := newWorld(t, 1, 3)
	for i := range int64(5000) {
		w.add(t, doc(i, ""))
	}
	witnessed := w.prove(t, 5000, 117)
	all := w.keys
	w.keys = all[:2]
	both := w.prove(t, 5000, 117)
	w.keys = all[1:2]
	one := w.prove(t, 5000, 117)
	t.Logf("proof in a log of 5,000: %d bytes with the P-256 line, %d with both lines of the log, %d with 3 witnesses", len(one), len(both), len(witnessed))
	if len(both) >= 1024 || len(one) > 860 {
		t.Errorf("a proof has %d bytes, %d with P-256 only", len(both), len(one))
	}
	for _, p := range []string{one, both, witnessed} {
		if _, err := tlogproof.Check(p, doc(117, ""), tlogproof.KindManifest, w.policy, tlogproof.Checkpoint{}, nil); err != nil {
			t.Error(err)
		}
	}
}

func TestCheck(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t, 1, 0)
		n := rapid.Int64Range(1, 60).Draw(t, "size")
		for i := range n {
			w.add(t, doc(i, ""))
		}
		at := rapid.Int64Range(0, n).Draw(t, "kept")
		index := rapid.Int64Range(0, n-1).Draw(t, "index")
		kept := tlogproof.Checkpoint{Origin: origin, Size: at, Root: w.root(t, at)}
		proof, cons := w.prove(t, n, index), w.consistency(t, at, n)
		got, err := tlogproof.Check(proof, doc(index, ""), tlogproof.KindManifest, w.policy, kept, cons)
		if err != nil || got.Size != n || got.Root != w.root(t, n) || got.Origin != origin {
			t.Fatalf("%+v, %v", got, err)
		}
		if _, err := tlogproof.Check(proof, doc(index+1, ""), tlogproof.KindManifest, w.policy, kept, cons); ota.CodeOf(err) != "entry_not_proven" {
			t.Fatalf("another document: %v", err)
		}
		if _, err := tlogproof.Check(proof, doc(index, ""), tlogproof.KindRule, w.policy, kept, cons); ota.CodeOf(err) != "entry_not_proven" {
			t.Fatalf("another kind: %v", err)
		}
		if at > 0 {
			kept.Root[1] ^= 1
			if _, err := tlogproof.Check(proof, doc(index, ""), tlogproof.KindManifest, w.policy, kept, cons); ota.CodeOf(err) != "log_forked" {
				t.Fatalf("a fork: %v", err)
			}
			kept.Root[1] ^= 1
			if at < n {
				if _, err := tlogproof.Check(proof, doc(index, ""), tlogproof.KindManifest, w.policy, kept, nil); ota.CodeOf(err) != "log_forked" {
					t.Fatalf("without consistency: %v", err)
				}
			}
		}
		if _, err := tlogproof.Check(proof, doc(index, ""), tlogproof.KindManifest, w.policy, tlogproof.Checkpoint{}, append(cons, ota.Digest{})); err == nil {
			t.Fatal("a proof of consistency with nothing was taken")
		}
		// No bit of a proof may change what it says.
		bad := []byte(proof)
		i := rapid.IntRange(0, len(bad)-1).Draw(t, "byte")
		bad[i] ^= 1 << rapid.IntRange(0, 7).Draw(t, "bit")
		if again, err := tlogproof.Check(string(bad), doc(index, ""), tlogproof.KindManifest, w.policy, kept, cons); err == nil && again != got {
			t.Fatalf("byte %d of\n%s\nchanged unnoticed", i, proof)
		}
	})
}

// TestForksNeverMerge lets a device live between two logs that share a beginning
// and are signed with the same keys: once it has seen more than the beginning of
// one, it takes nothing of the other ever again, whatever it is shown.
func TestForksNeverMerge(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		logs := [2]*world{newWorld(t, 1, 0), newWorld(t, 1, 0)}
		shared := rapid.Int64Range(0, 12).Draw(t, "shared")
		for which, w := range logs {
			for i := range shared + rapid.Int64Range(1, 20).Draw(t, "own") {
				fork := ""
				if i >= shared {
					fork = "abc"[which : which+1]
				}
				w.add(t, doc(i, fork))
			}
		}
		var kept tlogproof.Checkpoint
		side := -1
		for range rapid.IntRange(1, 30).Draw(t, "steps") {
			which := rapid.IntRange(0, 1).Draw(t, "log")
			w := logs[which]
			n := rapid.Int64Range(1, w.size).Draw(t, "shown")
			index := rapid.Int64Range(0, n-1).Draw(t, "index")
			fork := ""
			if index >= shared {
				fork = "abc"[which : which+1]
			}
			// The server shows the consistency proof of either log, between any sizes.
			liar := logs[rapid.IntRange(0, 1).Draw(t, "prover")]
			var cons []ota.Digest
			if kept.Size <= liar.size {
				cons = liar.consistency(t, kept.Size, min(n, liar.size))
			}
			got, err := tlogproof.Check(w.prove(t, n, index), doc(index, fork), tlogproof.KindManifest, w.policy, kept, cons)
			if err != nil {
				if got != (tlogproof.Checkpoint{}) {
					t.Fatal("an error came with a checkpoint")
				}
				continue
			}
			if got.Size < kept.Size || side >= 0 && which != side && n > shared {
				t.Fatalf("on side %d with %d entries, side %d with %d was taken (shared %d)", side, kept.Size, which, n, shared)
			}
			if kept = got; n > shared {
				side = which
			}
		}
	})
}

func TestAdvanceRefuses(t *testing.T) {
	w := newWorld(t, 1, 3)
	other := newWorld(t, 9, 0)
	for i := range int64(10) {
		w.add(t, doc(i, ""))
		other.add(t, doc(i, ""))
	}
	ed, ec, witnesses := w.keys[0], w.keys[1], w.keys[2:]
	need := func(n int) tlogproof.Policy {
		p := w.policy
		p.Threshold = n
		return p
	}
	both := w.policy
	both.Ed25519 = ed25519.NewKeyFromSeed(bytes.Repeat([]byte{1}, 32)).Public().(ed25519.PublicKey)
	renamed := w.policy
	renamed.Origin = "other.example/log"
	twice := need(2)
	twice.Witnesses = append(slices.Clone(twice.Witnesses[:1]), tlogproof.Witness{Name: "alias.example", Ed25519: twice.Witnesses[0].Ed25519})
	self := need(1)
	self.Ed25519 = self.Witnesses[0].Ed25519
	keptAt := func(n int64) tlogproof.Checkpoint {
		return tlogproof.Checkpoint{Origin: origin, Size: n, Root: w.root(t, n)}
	}
	whole := w.sign(t, 10)
	line := whole[strings.LastIndex(strings.TrimSuffix(whole, "\n"), "\n")+1:]
	for name, row := range map[string]struct {
		signed string
		policy tlogproof.Policy
		kept   tlogproof.Checkpoint
		want   string
	}{
		"all there":                   {whole, need(3), keptAt(10), ""},
		"P-256 only":                  {w.sign(t, 10, ec), w.policy, keptAt(10), ""},
		"both asked, both there":      {whole, both, keptAt(0), ""},
		"Ed25519 only":                {w.sign(t, 10, ed), w.policy, keptAt(10), "checkpoint_unsigned"},
		"both asked, one there":       {w.sign(t, 10, ec), both, keptAt(10), "checkpoint_unsigned"},
		"witnesses only":              {w.sign(t, 10, witnesses...), need(3), keptAt(10), "checkpoint_unsigned"},
		"another's keys":              {other.sign(t, 10), w.policy, keptAt(10), "checkpoint_unsigned"},
		"a witness too few":           {w.sign(t, 10, ec, witnesses[0]), need(2), keptAt(10), "witnesses_missing"},
		"a line twice":                {whole + line, need(3), keptAt(10), "checkpoint_invalid"},
		"no line break at the end":    {strings.TrimSuffix(whole, "\n"), need(3), keptAt(10), "checkpoint_invalid"},
		"shorter":                     {w.sign(t, 9), w.policy, keptAt(10), "log_shrunk"},
		"empty now":                   {w.sign(t, 0), w.policy, keptAt(1), "log_shrunk"},
		"longer, not proven":          {whole, w.policy, keptAt(9), "log_forked"},
		"the policy's log is new":     {whole, w.policy, tlogproof.Checkpoint{Origin: "old.example/log", Size: 3}, "log_other"},
		"of another log":              {whole, renamed, tlogproof.Checkpoint{}, "checkpoint_unsigned"},
		"a witness that counts twice": {whole, twice, keptAt(10), "log_policy_invalid"},
		"the log is its own witness":  {whole, self, keptAt(10), "log_policy_invalid"},
		"no key":                      {whole, tlogproof.Policy{Origin: origin}, keptAt(10), "log_policy_invalid"},
		"more than there are":         {whole, need(4), keptAt(10), "log_policy_invalid"},
		"long":                        {whole + strings.Repeat("x", 9000), w.policy, keptAt(10), "checkpoint_invalid"},
	} {
		got, err := tlogproof.Advance(row.signed, row.policy, row.kept, nil)
		if (err == nil) != (row.want == "") || err != nil && (ota.CodeOf(err) != row.want || got != (tlogproof.Checkpoint{})) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}

// TestSignaturesThatDoNotVerify flips each line of those whose keys are known.
func TestSignaturesThatDoNotVerify(t *testing.T) {
	w := newWorld(t, 1, 1)
	w.add(t, doc(0, ""))
	policy := w.policy
	for i, key := range w.keys[1:] {
		fake, _ := key.(noteKey)
		was := fake.fn
		fake.fn = func(msg []byte) ([]byte, error) { return was(append([]byte("x"), msg...)) }
		keys := slices.Clone(w.keys)
		keys[i+1] = fake
		if _, err := policy.Open(w.sign(t, 1, keys...)); ota.CodeOf(err) != "checkpoint_unsigned" {
			t.Errorf("%s: %v", key.Name(), err)
		}
	}
}

func TestEntries(t *testing.T) {
	d := doc(1, "")
	want := "waxwing/sealed-log/v1\nmanifest\n" + d.String() + "\n"
	if got := tlogproof.Entry(tlogproof.KindManifest, d); string(got) != want {
		t.Fatalf("%q", got)
	}
	for _, k := range tlogproof.Kinds() {
		kind, digest, err := tlogproof.ParseEntry(tlogproof.Entry(k, d))
		if err != nil || kind != k || digest != d {
			t.Errorf("%s: %s %s %v", k, kind, digest, err)
		}
	}
	for _, bad := range []string{
		"", want + "\n", strings.TrimSuffix(want, "\n"), "x" + want, strings.Replace(want, "manifest", "Manifest", 1),
		strings.Replace(want, "v1", "v2", 1), strings.ToUpper(want), strings.Replace(want, "manifest\n", "manifest\n0", 1),
	} {
		if _, _, err := tlogproof.ParseEntry([]byte(bad)); ota.CodeOf(err) != "entry_invalid" {
			t.Errorf("%q: %v", bad, err)
		}
	}
	if a, b := tlogproof.Salted(tlogproof.Salt{1}, []byte("x")), tlogproof.Salted(tlogproof.Salt{2}, []byte("x")); a == b || a == ota.Sum([]byte("x")) {
		t.Error("a salt does not salt")
	}
}
