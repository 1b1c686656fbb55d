package audit

import (
	"context"
	"encoding/json"
	"sync"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/waxwing-ota/waxwing/internal/core/auditlog"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/tilelog"
)

// Store is the log in the database. Entries come without their hashes.
type Store interface {
	// AuditSize is how many entries there are; audit_damaged if rows and hashes differ.
	AuditSize(ctx context.Context) (int64, error)
	// AuditHashes returns stored hashes by the numbers that package tlog gives them.
	AuditHashes(ctx context.Context, idx []int64) ([]tlog.Hash, error)
	AuditEntries(ctx context.Context, from int64, limit int) ([]ota.AuditEntry, error)
	AuditEntry(ctx context.Context, id int64) (ota.AuditEntry, error)
	AuditSearch(ctx context.Context, f ota.AuditFilter, p ota.Page) ([]ota.AuditEntry, string, error)
	// AuditSpan returns the leaves between two times.
	AuditSpan(ctx context.Context, since, until int64) (from, to int64, err error)
	// AuditBlank takes the text of up to limit of the oldest entries from before a
	// time, together with the record of that.
	AuditBlank(ctx context.Context, actor ota.Actor, at, before int64, limit int, record func(n, upto int64) ota.Change) (int64, error)
}

// Deps is what a Service stands on. Store, Signer and Now are required.
type Deps struct {
	Store     Store
	Signer    *tilelog.Signer
	Now       func() time.Time
	Retention time.Duration // how long entries keep their text; 0 = for ever
}

// Service answers from the log. Its methods may be called by many goroutines.
type Service struct {
	store     Store
	signer    *tilelog.Signer
	now       func() time.Time
	retention time.Duration

	mu   sync.Mutex
	last ota.AuditCheckpoint // signed last; Note is empty before the first
}

// New returns a Service.
func New(d Deps) *Service {
	return &Service{store: d.Store, signer: d.Signer, now: d.Now, retention: d.Retention}
}

// Key says who signs.
func (s *Service) Key() ota.AuditKey {
	return ota.AuditKey{Origin: s.signer.Name(), Key: s.signer.Verifier()}
}

func (s *Service) hashes(ctx context.Context) tlog.HashReader {
	return tlog.HashReaderFunc(func(idx []int64) ([]tlog.Hash, error) { return s.store.AuditHashes(ctx, idx) })
}

func (s *Service) root(ctx context.Context, size int64) (tlog.Hash, error) {
	return tilelog.RootOf(size, s.hashes(ctx))
}

// Checkpoint signs the log as it is now. While nothing is added the answer
// stays the same, byte for byte.
func (s *Service) Checkpoint(ctx context.Context) (ota.AuditCheckpoint, error) {
	size, err := s.store.AuditSize(ctx)
	if err != nil {
		return ota.AuditCheckpoint{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.last.Note != "" && s.last.Size == size {
		return s.last, nil
	}
	root, err := s.root(ctx, size)
	if err != nil {
		return ota.AuditCheckpoint{}, err
	}
	signed, err := s.signer.Checkpoint(size, root)
	if err != nil {
		return ota.AuditCheckpoint{}, err
	}
	s.last = ota.AuditCheckpoint{Size: size, Root: ota.Digest(root), Note: signed}
	return s.last, nil
}

// Entries lists the entries that a filter selects, newest first.
func (s *Service) Entries(ctx context.Context, f ota.AuditFilter, p ota.Page) ([]ota.AuditEntry, string, error) {
	if f.Since < 0 || f.Until < 0 || f.Until != 0 && f.Until < f.Since {
		return nil, "", ota.Invalid("time_range_invalid", "the time range ends before it begins").WithField("until")
	}
	items, next, err := s.store.AuditSearch(ctx, f, p)
	if err != nil {
		return nil, "", err
	}
	return items, next, s.withHashes(ctx, items)
}

// Entry returns an entry by its id.
func (s *Service) Entry(ctx context.Context, id int64) (ota.AuditEntry, error) {
	e, err := s.store.AuditEntry(ctx, id)
	if err != nil {
		return e, err
	}
	one := []ota.AuditEntry{e}
	err = s.withHashes(ctx, one)
	return one[0], err
}

func (s *Service) withHashes(ctx context.Context, items []ota.AuditEntry) error {
	idx := make([]int64, len(items))
	for i := range items {
		idx[i] = tlog.StoredHashIndex(0, items[i].Leaf)
	}
	have, err := s.store.AuditHashes(ctx, idx)
	if err != nil {
		return err
	}
	for i := range items {
		items[i].Hash = ota.Digest(have[i])
	}
	return nil
}

// Proof shows that an entry is in the log of the newest checkpoint.
func (s *Service) Proof(ctx context.Context, id int64) (ota.AuditProof, error) {
	e, err := s.Entry(ctx, id)
	if err != nil {
		return ota.AuditProof{}, err
	}
	cp, err := s.Checkpoint(ctx)
	if err != nil {
		return ota.AuditProof{}, err
	}
	proof, err := tlog.ProveRecord(cp.Size, e.Leaf, s.hashes(ctx))
	if err != nil {
		return ota.AuditProof{}, err
	}
	return ota.AuditProof{Leaf: e.Leaf, Hash: e.Hash, Proof: tilelog.Digests(proof), Checkpoint: cp}, nil
}

// Consistency shows that the log of from entries is the beginning of the log of
// to entries; to 0 is the newest checkpoint's size.
func (s *Service) Consistency(ctx context.Context, from, to int64) (ota.AuditConsistency, error) {
	size, err := s.store.AuditSize(ctx)
	if err != nil {
		return ota.AuditConsistency{}, err
	}
	if to == 0 {
		to = size
	}
	out := ota.AuditConsistency{From: from, To: to, Proof: []ota.Digest{}}
	if from < 0 || from > to || to > size {
		return out, ota.Invalid("size_invalid", "there is no proof from %d to %d entries: the log has %d", from, to, size).WithField("from").
			WithHint("a log that is shorter than one you saw has lost entries")
	}
	for at, root := range map[int64]*ota.Digest{from: &out.FromRoot, to: &out.ToRoot} {
		h, err := s.root(ctx, at)
		if err != nil {
			return out, err
		}
		*root = ota.Digest(h)
	}
	if from == to {
		out.FromRoot = out.ToRoot
	}
	proof, err := tilelog.Consistency(from, to, s.hashes(ctx))
	out.Proof = tilelog.Digests(proof)
	return out, err
}

// retainBatch is how many entries one transaction takes the text of.
const retainBatch = 5000

// Retain takes the text of entries that are past retention and says of how many.
// Each transaction leaves a record of it.
func (s *Service) Retain(ctx context.Context) (int64, error) {
	if s.retention <= 0 {
		return 0, nil
	}
	var total int64
	now := s.now()
	before := now.Add(-s.retention).UnixMilli()
	for {
		n, err := s.store.AuditBlank(ctx, auditlog.RetainActor, now.UnixMilli(), before, retainBatch, func(n, upto int64) ota.Change {
			detail, _ := json.Marshal(map[string]int64{"entries": n, "upto": upto, "before": before}) // numbers always can be
			return ota.Change{Action: auditlog.RetainAction, Object: "log", Detail: string(detail), Org: ota.MainOrg}
		})
		total += n
		if err != nil || n < retainBatch {
			return total, err
		}
	}
}
