package sealedlog

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/p256"
	"github.com/waxwing-ota/waxwing/internal/core/tilelog"
	"github.com/waxwing-ota/waxwing/internal/core/tlogproof"
)

// Store is the log in the database.
type Store interface {
	// SealedSize is how many entries there are; sealed_log_damaged if rows and hashes differ.
	SealedSize(ctx context.Context) (int64, error)
	// SealedHashes returns stored hashes by the numbers that package tlog gives them.
	SealedHashes(ctx context.Context, idx []int64) ([]tlog.Hash, error)
	SealedEntries(ctx context.Context, from int64, limit int) ([]ota.LogEntry, error)
	SealedEntry(ctx context.Context, leaf int64) (ota.LogEntry, error)
	SealedSearch(ctx context.Context, f ota.LogFilter, p ota.Page) ([]ota.LogEntry, string, error)
	// SealedLeaf finds the entry of a document; entry_not_found if there is none.
	SealedLeaf(ctx context.Context, kind string, digest ota.Digest) (int64, error)
	// SealedCheckpoint returns the longest that was signed, or published; Size -1 = none.
	SealedCheckpoint(ctx context.Context, published bool) (ota.AuditCheckpoint, error)
	// PutSealedCheckpoint stores one that is longer than all, or more signatures of the longest.
	PutSealedCheckpoint(ctx context.Context, size int64, note string, at int64, published bool) error
}

// Deps is what a Service stands on. Store, Signer, P256, Now and Log are required.
type Deps struct {
	Store     Store
	Signer    *tilelog.Signer // the log's name and its Ed25519 key
	P256      p256.Signer     // what devices verify
	Witnesses []Witness
	Threshold int // how many of Witnesses must cosign before a checkpoint is published
	// Rules puts the rules of apps into the log whose updates were sealed lately; nil
	// = nobody does.
	Rules func(ctx context.Context) error
	Now   func() time.Time
	Log   *slog.Logger
}

// Service answers from the log. Its methods may be called by many goroutines.
type Service struct {
	store     Store
	signer    *tilelog.Signer
	p256      p256.Signer
	own       []*tilelog.Verifier
	witnesses []*witness
	threshold int
	rules     func(ctx context.Context) error
	now       func() time.Time
	log       *slog.Logger
	wake      chan struct{}

	mu sync.Mutex // one signs at a time
}

// New returns a Service. It fails if a key or a witness cannot be used.
func New(d Deps) (*Service, error) {
	s := &Service{
		store: d.Store, signer: d.Signer, p256: d.P256, threshold: d.Threshold, now: d.Now, log: d.Log,
		rules: d.Rules, wake: make(chan struct{}, 1),
	}
	if s.rules == nil {
		s.rules = func(context.Context) error { return nil }
	}
	policy := tlogproof.Policy{Origin: d.Signer.Name(), P256: d.P256.Public(), Threshold: d.Threshold}
	for _, w := range d.Witnesses {
		v, err := tilelog.CosignatureVerifier(w.Name, w.Ed25519)
		if err != nil {
			return nil, err
		}
		s.witnesses = append(s.witnesses, &witness{Witness: w, key: v})
		policy.Witnesses = append(policy.Witnesses, tlogproof.Witness{Name: w.Name, Ed25519: w.Ed25519})
	}
	if err := policy.Check(); err != nil {
		return nil, err
	}
	ed, err := tilelog.ParseVerifier(d.Signer.Verifier())
	if err != nil {
		return nil, err
	}
	ec, err := tilelog.ECDSAVerifier(d.Signer.Name(), d.P256.Public())
	s.own = []*tilelog.Verifier{ed, ec}
	return s, err
}

// Origin is the name of the log.
func (s *Service) Origin() string { return s.signer.Name() }

// P256 is the key that devices verify checkpoints with.
func (s *Service) P256() p256.Key { return s.p256.Public() }

// Ed25519 is the key that monitors and witnesses verify checkpoints with, in hex.
func (s *Service) Ed25519() string { return hex.EncodeToString(s.own[0].Public()) }

// Keys says who signs.
func (s *Service) Keys() (ota.LogKeys, error) {
	trust, err := json.Marshal(struct {
		Name    string   `json:"name"`
		Ed25519 string   `json:"ed25519"`
		P256    p256.Key `json:"p256"`
	}{s.Origin(), s.Ed25519(), s.P256()})
	return ota.LogKeys{Origin: s.Origin(), Ed25519: s.own[0].String(), P256: s.own[1].String(), Trust: trust}, err
}

func (s *Service) hashes(ctx context.Context) tlog.HashReader {
	return tlog.HashReaderFunc(func(idx []int64) ([]tlog.Hash, error) { return s.store.SealedHashes(ctx, idx) })
}

// Checkpoint returns the newest that is published. What was added since is signed
// first, unless witnesses must be asked.
func (s *Service) Checkpoint(ctx context.Context) (ota.AuditCheckpoint, error) {
	if err := s.Sign(ctx); err != nil {
		return ota.AuditCheckpoint{}, err
	}
	cp, err := s.store.SealedCheckpoint(ctx, true)
	if err != nil {
		return cp, err
	}
	if cp.Size < 0 {
		return cp, ota.Errorf(ota.KindUnavailable, "checkpoint_missing", "no checkpoint of the log is published yet").
			WithHint("its witnesses have not cosigned one; see the server's log")
	}
	root, err := tilelog.RootOf(cp.Size, s.hashes(ctx))
	cp.Root = ota.Digest(root)
	return cp, err
}

// Proof shows that a document is in the log of the newest checkpoint, and that
// this log goes on from its first kept entries (0 = nothing is kept).
// It fails with entry_not_found, or with entry_unsigned if no checkpoint with it
// is published yet.
func (s *Service) Proof(ctx context.Context, kind tlogproof.Kind, digest ota.Digest, kept int64) (ota.LogProof, error) {
	leaf, err := s.store.SealedLeaf(ctx, string(kind), digest)
	if err != nil {
		return ota.LogProof{}, err
	}
	return s.ProofOf(ctx, leaf, kept)
}

// ProofOf is Proof of the entry of a leaf.
func (s *Service) ProofOf(ctx context.Context, leaf, kept int64) (ota.LogProof, error) {
	cp, err := s.Checkpoint(ctx)
	if err != nil {
		return ota.LogProof{}, err
	}
	if leaf < 0 || leaf >= cp.Size {
		return ota.LogProof{}, ota.Errorf(ota.KindUnavailable, "entry_unsigned", "entry %d is in no published checkpoint yet", leaf).
			WithHint("the log's witnesses are asked again within seconds")
	}
	hashes, err := tlog.ProveRecord(cp.Size, leaf, s.hashes(ctx))
	if err != nil {
		return ota.LogProof{}, err
	}
	out := ota.LogProof{Leaf: leaf, Proof: tlogproof.Proof{Index: leaf, Hashes: tilelog.Digests(hashes), Checkpoint: cp.Note}.Text()}
	out.Consistency, err = s.consistency(ctx, kept, cp.Size)
	return out, err
}

// Consistency shows that the published log goes on from its first kept entries, and
// returns its checkpoint.
func (s *Service) Consistency(ctx context.Context, kept int64) (ota.AuditCheckpoint, []ota.Digest, error) {
	cp, err := s.Checkpoint(ctx)
	if err != nil {
		return cp, nil, err
	}
	proof, err := s.consistency(ctx, kept, cp.Size)
	return cp, proof, err
}

func (s *Service) consistency(ctx context.Context, from, to int64) ([]ota.Digest, error) {
	if from < 0 || from > to {
		return nil, ota.Invalid("size_invalid", "there is no proof from %d to %d entries", from, to).
			WithHint("a log that is shorter than one you saw has lost entries")
	}
	proof, err := tilelog.Consistency(from, to, s.hashes(ctx))
	return tilelog.Digests(proof), err
}

// Entries lists the entries that a filter selects, newest first.
func (s *Service) Entries(ctx context.Context, f ota.LogFilter, p ota.Page) ([]ota.LogEntry, string, error) {
	if f.Kind != "" && !tlogproof.Kind(f.Kind).Valid() {
		return nil, "", ota.Invalid("kind_invalid", "the log has no entries of kind %q", f.Kind).WithField("kind").
			WithHint("it has manifest, metadata, signature, rule, policy, approval and certificate")
	}
	return s.store.SealedSearch(ctx, f, p)
}

// Entry returns the entry of a leaf.
func (s *Service) Entry(ctx context.Context, leaf int64) (ota.LogEntry, error) {
	return s.store.SealedEntry(ctx, leaf)
}
