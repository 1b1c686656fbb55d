package audit

import (
	"context"

	"github.com/waxwing-ota/waxwing/internal/core/auditlog"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/tilelog"
)

// checkTail is how many of the newest entries a start of the server recomputes.
const checkTail = 2000

// Check recomputes the root of the log from the text of the newest entries and
// the stored hashes of what is before them. It fails with entry_altered,
// entry_missing, log_altered or audit_damaged. The whole log takes [Service.CheckAll].
func (s *Service) Check(ctx context.Context) error {
	size, err := s.store.AuditSize(ctx)
	if err != nil {
		return err
	}
	return s.check(ctx, max(0, size-checkTail), size)
}

// CheckAll recomputes the root from the text of every entry that still has its
// text, and says how many entries there are. It fails as Check does.
func (s *Service) CheckAll(ctx context.Context) (size int64, err error) {
	if size, err = s.store.AuditSize(ctx); err != nil {
		return 0, err
	}
	return size, s.check(ctx, 0, size)
}

func (s *Service) check(ctx context.Context, from, size int64) error {
	var r tilelog.Range
	nodes := tilelog.Before(from)
	before, err := s.nodes(ctx, nodes)
	if err != nil {
		return err
	}
	for i, n := range nodes {
		if err := r.AppendNode(n, [32]byte(before[i])); err != nil {
			return err
		}
	}
	for r.Size() < size {
		if err := s.extend(ctx, &r, int(min(checkTail, size-r.Size()))); err != nil {
			return err
		}
	}
	root, err := s.root(ctx, size)
	if err != nil {
		return err
	}
	if r.Size() != size || r.Root() != root {
		return ota.Conflict("log_altered", "the entries of the log are not those that its hashes are of")
	}
	return nil
}

// extend adds the next n entries.
func (s *Service) extend(ctx context.Context, r *tilelog.Range, n int) error {
	rows, err := s.store.AuditEntries(ctx, r.Size(), n)
	if err != nil {
		return err
	}
	if err := s.withHashes(ctx, rows); err != nil {
		return err
	}
	for _, e := range rows {
		if e.Leaf != r.Size() {
			return tilelog.Missing(r.Size())
		}
		if e.Kept && ota.Digest(auditlog.LeafHash(e.Change)) != e.Hash {
			return ota.Conflict("entry_altered", "entry %d is not what was logged", e.ID)
		}
		r.Append([32]byte(e.Hash))
	}
	if len(rows) < n {
		return tilelog.Missing(r.Size())
	}
	return nil
}
