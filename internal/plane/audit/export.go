package audit

import (
	"context"
	"io"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/waxwing-ota/waxwing/internal/core/auditlog"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/tilelog"
)

// Export is a part of the log to be written out.
type Export struct {
	s      *Service
	header auditlog.Header
}

// exportBatch is how many entries are read at once.
const exportBatch = 500

// Export prepares an export of what happened between two times (0 = no bound),
// but nothing before the leaf from, up to the newest checkpoint.
func (s *Service) Export(ctx context.Context, since, until, from int64) (*Export, error) {
	cp, err := s.Checkpoint(ctx)
	if err != nil {
		return nil, err
	}
	if since < 0 || until < 0 || until != 0 && until < since {
		return nil, ota.Invalid("time_range_invalid", "the time range ends before it begins").WithField("until")
	}
	if from < 0 || from > cp.Size {
		return nil, ota.Invalid("size_invalid", "the log has %d entries, so none can be exported from %d on", cp.Size, from).WithField("from").
			WithHint("a log that is shorter than one you saw has lost entries")
	}
	lo, hi, err := s.store.AuditSpan(ctx, since, until)
	if err != nil {
		return nil, err
	}
	lo = max(min(lo, cp.Size), from)
	hi = max(min(hi, cp.Size), lo)
	if until == 0 {
		hi = cp.Size // what was added since the checkpoint is not in it
	}
	h := auditlog.Header{Version: auditlog.ExportVersion, Key: s.signer.Verifier(), Checkpoint: cp.Note, From: lo, To: hi}
	if h.Before, err = s.nodes(ctx, tilelog.Before(lo)); err != nil {
		return nil, err
	}
	if h.After, err = s.nodes(ctx, tilelog.After(hi, cp.Size)); err != nil {
		return nil, err
	}
	return &Export{s, h}, nil
}

func (s *Service) nodes(ctx context.Context, nodes []tilelog.Node) ([]ota.Digest, error) {
	idx := make([]int64, len(nodes))
	for i, n := range nodes {
		idx[i] = n.Stored()
	}
	have, err := s.store.AuditHashes(ctx, idx)
	return tilelog.Digests(have), err
}

// Write writes the export as JSON Lines: a header, then a line per entry.
func (e *Export) Write(ctx context.Context, w io.Writer) error {
	if err := auditlog.WriteLine(w, e.header); err != nil {
		return err
	}
	for at := e.header.From; at < e.header.To; {
		to := min(at+exportBatch, e.header.To)
		if err := e.writeSome(ctx, w, at, to); err != nil {
			return err
		}
		at = to
	}
	return nil
}

// writeSome writes the lines of the leaves from to below to.
func (e *Export) writeSome(ctx context.Context, w io.Writer, from, to int64) error {
	idx := make([]int64, 0, exportBatch)
	for leaf := from; leaf < to; leaf++ {
		idx = append(idx, tlog.StoredHashIndex(0, leaf))
	}
	have, err := e.s.store.AuditHashes(ctx, idx)
	if err != nil {
		return err
	}
	rows, err := e.s.store.AuditEntries(ctx, from, len(idx))
	if err != nil {
		return err
	}
	for i, h := range have {
		l := auditlog.Line{Leaf: from + int64(i), Hash: ota.Digest(h)}
		switch {
		case len(rows) == 0 || rows[0].Leaf != l.Leaf:
			l.Missing = true
		default:
			if rows[0].Kept {
				l.Change = &rows[0].Change
			}
			rows = rows[1:]
		}
		if err := auditlog.WriteLine(w, l); err != nil {
			return err
		}
	}
	return nil
}
