package oracle

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"path/filepath"
	"testing"
	"time"

	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/p256"
	"github.com/waxwing-ota/waxwing/internal/core/tilelog"
	"github.com/waxwing-ota/waxwing/internal/core/tlogproof"
	"github.com/waxwing-ota/waxwing/internal/driver/sqlstore"
	"github.com/waxwing-ota/waxwing/internal/plane/sealedlog"
	"github.com/waxwing-ota/waxwing/internal/plane/trust"
)

// TestSealedLogProofs has another library verify what devices get, in a log that
// grows: inclusion of any entry, and consistency from any size that was kept.
func TestSealedLogProofs(t *testing.T) {
	db, err := sqlstore.Open(t.Context(), filepath.Join(t.TempDir(), "waxwing.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	signer, err := tilelog.NewSigner("ota.example.com/sealed/log", [32]byte{1})
	if err != nil {
		t.Fatal(err)
	}
	key, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), bytes.Repeat([]byte{1}, 32))
	if err != nil {
		t.Fatal(err)
	}
	s, err := sealedlog.New(sealedlog.Deps{Store: sqlstore.SealedLog{DB: db}, Signer: signer, P256: p256.Software(key), Now: time.Now, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	doc := func(i int64) ota.Digest { return ota.Sum(fmt.Append(nil, i)) }
	policy := tlogproof.Policy{Origin: s.Origin(), P256: s.P256()}
	random := rand.New(rand.NewPCG(1, 2))
	roots := map[int64][]byte{}
	for n := int64(1); n <= 300; n++ {
		err := sqlstore.Trust{DB: db}.Update(t.Context(), "test", 1, func(tx trust.Tx) (ota.Change, error) {
			return ota.Change{Action: "test.add"}, tx.AppendSealedLeaf(t.Context(), "manifest", doc(n-1))
		})
		if err != nil {
			t.Fatal(err)
		}
		leaf, kept := random.Int64N(n), random.Int64N(n)
		got, err := s.Proof(t.Context(), tlogproof.KindManifest, doc(leaf), kept)
		if err != nil {
			t.Fatal(err)
		}
		p, err := tlogproof.Parse(got.Proof)
		if err != nil {
			t.Fatal(err)
		}
		cp, err := policy.Open(p.Checkpoint)
		if err != nil || cp.Size != n {
			t.Fatalf("%+v, %v", cp, err)
		}
		roots[n] = cp.Root[:]
		if err := proof.VerifyInclusion(rfc6962.DefaultHasher, uint64(leaf), uint64(n), rfc6962.DefaultHasher.HashLeaf(tlogproof.Entry(tlogproof.KindManifest, doc(leaf))), rawDigests(p.Hashes), cp.Root[:]); err != nil {
			t.Errorf("entry %d of %d: %v", leaf, n, err)
		}
		if kept == 0 {
			continue
		}
		if err := proof.VerifyConsistency(rfc6962.DefaultHasher, uint64(kept), uint64(n), rawDigests(got.Consistency), roots[kept], cp.Root[:]); err != nil {
			t.Errorf("from %d to %d: %v", kept, n, err)
		}
	}
}

func rawDigests(in []ota.Digest) [][]byte {
	out := make([][]byte, len(in))
	for i := range in {
		out[i] = in[i][:]
	}
	return out
}
