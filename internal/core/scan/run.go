package scan

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"runtime/debug"
	"slices"
	"strings"
	"sync"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/scan/rules"
)

// Rule is a rule as data.
type Rule = rules.Rule

// Rules returns the rules, by family and id. An error is a fault of the program.
func Rules() ([]Rule, error) {
	set, err := rules.Load()
	if err != nil {
		return nil, err
	}
	return set.Rules, nil
}

// Run scans the files of a bundle. Errors are those of the context, of a source
// that cannot be read (file_unreadable), of a bundle over the limits
// (bundle_too_large) and of a rule in opts.Off that there is not (rule_unknown);
// everything else is a finding.
func Run(ctx context.Context, entries []Entry, opts Options) (*Report, error) {
	e, err := newEngine(opts)
	if err != nil {
		return nil, err
	}
	for _, id := range opts.Off {
		if e.set.Rule(id) == nil {
			return nil, ota.Invalid("rule_unknown", "there is no rule %q", id).WithField("off").WithHint("list them with: waxwing scan rules")
		}
	}
	return e.run(ctx, entries)
}

func (e *engine) run(ctx context.Context, entries []Entry) (*Report, error) {
	if err := e.checkSize(entries); err != nil {
		return nil, err
	}
	entries = slices.Clone(entries)
	slices.SortStableFunc(entries, func(a, b Entry) int { return strings.Compare(a.Path, b.Path) })
	results := make([]*result, len(entries))
	err := e.each(ctx, len(entries), func(i int) error {
		var err error
		results[i], err = e.scanEntry(ctx, &entries[i])
		return err
	})
	if err != nil {
		return nil, err
	}
	return e.merge(entries, results), nil
}

func (e *engine) checkSize(entries []Entry) error {
	tooLarge := func(format string, a ...any) error {
		return ota.Errorf(ota.KindTooLarge, "bundle_too_large", format, a...).WithHint("is this the web build? it should hold what the app shows and nothing else")
	}
	if len(entries) > e.limits.Files {
		return tooLarge("%d files are over the limit of %d", len(entries), e.limits.Files)
	}
	var total int64
	for i := range entries {
		if total += max(entries[i].Size, 0); total > e.limits.Total || total < 0 {
			return tooLarge("the files are over the limit of %d bytes", e.limits.Total)
		}
	}
	return nil
}

// each runs do for 0 to n-1 on a few goroutines and returns the first error.
func (e *engine) each(ctx context.Context, n int, do func(i int) error) error {
	workers := e.opts.Workers
	if workers <= 0 {
		workers = 2
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var wg sync.WaitGroup
	next := make(chan int)
	for range min(workers, n) {
		wg.Go(func() {
			for i := range next {
				if ctx.Err() != nil {
					continue
				}
				if err := do(i); err != nil {
					cancel(err)
				}
			}
		})
	}
	for i := range n {
		next <- i
	}
	close(next)
	wg.Wait()
	return context.Cause(ctx)
}

// result is what one entry gave: the file, and those in it if it is an archive.
type result struct {
	artifact Artifact
	files    []*file
}

// scanEntry reads and scans one file. The error is one of reading.
func (e *engine) scanEntry(ctx context.Context, en *Entry) (*result, error) {
	budget := e.limits.Unpacked
	f := &file{ctx: ctx, e: e, path: en.Path, budget: &budget}
	res := &result{artifact: Artifact{Path: en.Path, Size: en.Size, Kind: string(kindBinary)}, files: []*file{f}}
	for _, d := range e.dets {
		if d.name != nil {
			d.name(f)
		}
	}
	if !en.Mode.IsRegular() {
		f.kind = kindBinary
		f.report(hit{rule: "ST-021", at: -1}, "it is not a plain file but %s", en.Mode.Type())
		return res, nil
	}
	data, more, err := en.read(e.limits.File)
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, ota.Invalid("file_unreadable", "cannot read %s", clean(en.Path)).WithCause(err).WithHint("check that you may read it and that it is whole")
	}
	if more {
		f.report(hit{rule: "ST-900", at: -1}, "over the limit of %d bytes; only the beginning was read", e.limits.File)
	}
	sum := sha256.Sum256(data)
	memo, key := e.opts.Memo, ""
	if memo != nil && !more {
		key = e.memoKey(en.Path, sum)
		if kept, ok := memo.get(key); ok {
			return kept, ctx.Err()
		}
	}
	f.data = data
	f.kind, f.format = classify(en.Path, data)
	res.artifact = Artifact{en.Path, int64(len(data)), hex.EncodeToString(sum[:]), string(f.kind)}
	res.files = append(res.files, e.scanFile(f)...)
	// What a finding says was taken from the text already.
	for _, f := range res.files {
		f.data, f.lines = nil, nil
	}
	if key != "" && ctx.Err() == nil {
		memo.put(key, res)
	}
	return res, ctx.Err()
}

// scanFile runs the checks on one file and returns the files found in it. It
// is the boundary: no fault of a check and no hostile file gets past it.
func (e *engine) scanFile(f *file) (inside []*file) {
	parent := f.ctx
	ctx, cancel := context.WithTimeout(parent, e.limits.FileTime)
	defer cancel()
	f.ctx = ctx
	defer func() {
		r := recover()
		if r == nil || parent.Err() != nil {
			return
		}
		if _, ok := r.(tired); ok {
			f.report(hit{rule: "ST-900", at: -1, text: "time"}, "the checks took longer than %s; what follows was not checked", e.limits.FileTime)
			return
		}
		f.report(hit{rule: "ST-900", at: -1, text: "fault"}, "a check gave up at this file: %s", clip(faultText(r)))
	}()
	f.findSecrets()
	switch f.kind {
	case kindArchive:
		inside = f.open()
	case kindHTML:
		f.scanPage(f.data, 0)
	case kindSVG:
		f.scanPage(f.data, 0)
	case kindScript:
		f.scanScript(f.data, inFile(0))
	case kindStyle:
		f.scanStyle(f.data, inFile(0))
	case kindJSON:
		f.scanJSON()
	}
	if isTextKind(f.kind) {
		f.scanWords()
	}
	for _, d := range e.dets {
		if d.file != nil {
			d.file(f)
		}
	}
	return inside
}

// faultText describes a recovered panic by its value and the innermost line of
// this module.
func faultText(r any) string {
	if err, ok := r.(error); ok {
		return err.Error()
	}
	if s, ok := r.(string); ok {
		return s
	}
	return firstLine(string(debug.Stack()))
}

func firstLine(s string) string {
	s, _, _ = strings.Cut(s, "\n")
	return s
}

func isTextKind(k kind) bool {
	switch k {
	case kindHTML, kindSVG, kindScript, kindStyle, kindJSON, kindMap, kindText:
		return true
	}
	return false
}
