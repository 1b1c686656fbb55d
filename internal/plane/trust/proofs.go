package trust

import (
	"context"
	"sync"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// Log is the transparency log.
type Log interface {
	// Public is what devices must know of it.
	Public() ota.TrustLog
	// Proof shows that a document is in the log, and that the log goes on from its
	// first kept entries.
	Proof(ctx context.Context, kind string, digest ota.Digest, kept int64) (ota.LogProof, error)
}

// proofs remembers what the log proved: a fleet asks for the same few proofs,
// and the log is read for the first of them only.
type proofs struct {
	log Log
	now func() time.Time

	mu   sync.Mutex
	have map[proofKey]proven
}

type proofKey struct {
	digest ota.Digest
	kept   int64
}

type proven struct {
	proof ota.LogProof
	err   error
	until time.Time
}

const (
	proofsKept  = 4096            // then the cache starts over
	proofHolds  = 5 * time.Minute // a proof never becomes wrong, only shorter than it could be
	faultHolds  = time.Second     // an entry is signed within about that
	proofBudget = 5 * time.Second // for reading the log once
)

// prove returns the proof of a manifest.
func (p *proofs) prove(ctx context.Context, digest ota.Digest, kept int64) (ota.LogProof, error) {
	key := proofKey{digest, kept}
	now := p.now()
	p.mu.Lock()
	have, ok := p.have[key]
	p.mu.Unlock()
	if ok && now.Before(have.until) {
		return have.proof, have.err
	}
	ctx, cancel := context.WithTimeout(ctx, proofBudget)
	defer cancel()
	got := proven{until: now.Add(proofHolds)}
	if got.proof, got.err = p.log.Proof(ctx, LeafManifest, digest, kept); got.err != nil {
		got.until = now.Add(faultHolds)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.have == nil || len(p.have) >= proofsKept {
		p.have = map[proofKey]proven{}
	}
	p.have[key] = got
	return got.proof, got.err
}

// provable reports whether a signed checkpoint covers a manifest.
func (p *proofs) provable(digest ota.Digest) bool {
	_, err := p.prove(context.Background(), digest, 0)
	return err == nil
}
