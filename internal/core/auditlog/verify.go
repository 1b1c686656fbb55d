package auditlog

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/tilelog"
)

// RetainAction is the action of the change that takes the text of old entries;
// its detail has "upto", the leaf below which all are without.
const RetainAction = "audit.retain"

// RetainActor is who does that.
const RetainActor ota.Actor = "system/retention"

// Kept are checkpoints from elsewhere that a log must continue.
type Kept []tilelog.Checkpoint

// Report says what was verified.
type Report struct {
	Checkpoint tilelog.Checkpoint
	Note       string        // the checkpoint, signed
	From, To   int64         // the leaves whose text was compared with the root
	HashOnly   int64         // of them, those whose text is past retention
	Range      tilelog.Range // the log as it was verified, to go on from; only if From is 0
}

// Verify reads a whole export, recomputes the root of the log from its entries
// and compares it with its checkpoint, which key must have signed ("" = the key
// that the export names), and with the kept ones. each, if not nil, sees the entries.
//
// It fails with entry_altered naming the first entry whose text is not what was
// logged, log_altered if the entries are not those of the checkpoint, log_shrunk
// or log_forked if a kept checkpoint is contradicted, and retention_unproven if
// text is missing that no retention took.
func Verify(in io.Reader, key string, kept Kept, each func(Line)) (Report, error) {
	r, err := NewExportReader(in)
	if err != nil {
		return Report{}, err
	}
	if key == "" {
		key = r.Header.Key
	}
	cp, err := tilelog.OpenCheckpoint(r.Header.Checkpoint, key)
	if err != nil {
		return Report{}, err
	}
	if r.Header.To > cp.Size {
		return Report{}, exportInvalid("it has more entries than its checkpoint")
	}
	v := &verifier{report: Report{Checkpoint: cp, Note: r.Header.Checkpoint, From: r.Header.From, To: r.Header.To}, kept: kept, each: each, blankFrom: -1}
	if err := v.start(r.Header); err != nil {
		return v.report, err
	}
	err = v.run(r)
	return v.report, err
}

// Resume verifies what follows the entries that a report verified before.
func Resume(in io.Reader, key string, before Report, each func(Line)) (Report, error) {
	r, err := NewExportReader(in)
	if err != nil {
		return Report{}, err
	}
	cp, err := tilelog.OpenCheckpoint(r.Header.Checkpoint, key)
	if err != nil {
		return Report{}, err
	}
	if cp.Size < before.Checkpoint.Size {
		return Report{}, tilelog.Forked(before.Checkpoint, cp)
	}
	if before.Range.Size() != r.Header.From || r.Header.To != cp.Size {
		return Report{}, exportInvalid("it does not go on from entry %d", before.Range.Size())
	}
	v := &verifier{report: Report{Checkpoint: cp, Note: r.Header.Checkpoint, From: r.Header.From, To: r.Header.To, Range: before.Range.Clone()}, each: each, blankFrom: -1}
	err = v.run(r)
	return v.report, err
}

type verifier struct {
	report Report
	kept   Kept
	each   func(Line)

	altered   int64 // first entry whose text is not its hash, plus one; 0 = none
	blankFrom int64 // first and
	blankTo   int64 // behind the last entry without text
	retained  int64 // entries below it may be without, as verified entries say
}

// start takes over the entries before the export.
func (v *verifier) start(h Header) error {
	nodes := tilelog.Before(h.From)
	if len(nodes) != len(h.Before) {
		return exportInvalid("its proof has the wrong length")
	}
	for i, n := range nodes {
		if err := v.report.Range.AppendNode(n, tlog.Hash(h.Before[i])); err != nil {
			return err
		}
	}
	return nil
}

func (v *verifier) run(r *ExportReader) error {
	if err := v.compare(); err != nil {
		return err
	}
	for {
		l, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		if l.Missing {
			return ota.Conflict("entry_missing", "entry %d is not in the database any more", l.Leaf).
				WithHint("somebody changed the database behind the server's back")
		}
		v.entry(l)
		if err := v.compare(); err != nil && v.altered == 0 {
			return err
		}
		if v.each != nil {
			v.each(l)
		}
	}
	return v.finish(r.Header)
}

func (v *verifier) entry(l Line) {
	h := tlog.Hash(l.Hash)
	if l.Change == nil {
		v.report.HashOnly++
		if v.blankFrom < 0 {
			v.blankFrom = l.Leaf
		}
		v.blankTo = l.Leaf + 1
	} else {
		if got := LeafHash(*l.Change); got != h {
			if v.altered == 0 {
				v.altered = l.Leaf + 1
			}
			h = got // the root is that of the text
		}
		v.retained = max(v.retained, retainedUpTo(*l.Change))
	}
	v.report.Range.Append(h)
}

// compare compares the log so far with a kept checkpoint of this size.
func (v *verifier) compare() error {
	for _, k := range v.kept {
		if k.Size == v.report.Range.Size() && k.Root != v.report.Range.Root() {
			return tilelog.Forked(k, v.report.Checkpoint)
		}
	}
	return nil
}

func (v *verifier) finish(h Header) error {
	if v.altered > 0 {
		return ota.Conflict("entry_altered", "entry %d is not what was logged: its text does not have the hash that the log holds", v.altered-1).
			WithHint("somebody changed the database behind the server's back")
	}
	whole := v.report.Range.Clone()
	nodes := tilelog.After(v.report.To, v.report.Checkpoint.Size)
	if len(nodes) != len(h.After) {
		return exportInvalid("its proof has the wrong length")
	}
	for i, n := range nodes {
		if err := whole.AppendNode(n, tlog.Hash(h.After[i])); err != nil {
			return err
		}
	}
	if cp := v.report.Checkpoint; whole.Size() != cp.Size || whole.Root() != cp.Root {
		return ota.Conflict("log_altered", "the entries are not those that the checkpoint of %d entries signs", cp.Size).
			WithHint("somebody changed the database behind the server's back")
	}
	if err := v.keptOutside(whole); err != nil {
		return err
	}
	if v.blankTo > v.retained && v.report.To == v.report.Checkpoint.Size {
		return ota.Conflict("retention_unproven", "entries up to %d have no text, but the log tells of retention up to entry %d only", v.blankTo-1, v.retained-1).
			WithHint("somebody removed text from the database behind the server's back")
	}
	return nil
}

// keptOutside deals with kept checkpoints that no prefix of the export has the size of.
func (v *verifier) keptOutside(whole tilelog.Range) error {
	for _, k := range v.kept {
		switch {
		case k.Size > v.report.Checkpoint.Size:
			return tilelog.Forked(k, v.report.Checkpoint)
		case k.Size == whole.Size():
			if k.Root != whole.Root() {
				return tilelog.Forked(k, v.report.Checkpoint)
			}
		case k.Size != 0 && (k.Size < v.report.From || k.Size > v.report.To):
			return ota.Invalid("kept_outside", "the export of the entries %d to %d cannot be compared with a checkpoint of %d entries", v.report.From, v.report.To, k.Size).
				WithHint("export from the beginning, or compare with the server: waxwing audit verify")
		}
	}
	return nil
}

// retainedUpTo is the leaf below which a change took the text, 0 for any other change.
func retainedUpTo(c ota.Change) int64 {
	if c.Action != RetainAction || c.Actor != RetainActor {
		return 0
	}
	var d struct {
		UpTo int64 `json:"upto"`
	}
	if json.Unmarshal([]byte(c.Detail), &d) != nil {
		return 0
	}
	return d.UpTo
}

// String says the report in a line.
func (r *Report) String() string {
	parts := []string{fmt.Sprintf("%d entries verified", r.To-r.From-r.HashOnly)}
	if r.HashOnly > 0 {
		parts = append(parts, fmt.Sprintf("%d entries past retention, hash only", r.HashOnly))
	}
	return strings.Join(parts, ", ")
}
