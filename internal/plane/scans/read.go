package scans

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/pack"
	"github.com/waxwing-ota/waxwing/internal/core/scan"
)

// integrityRule is the rule that what is wrong with stored files is reported under.
const integrityRule = "ST-021"

// maxFaults bounds what is told of stored files.
const maxFaults = 100

// source reads the plain form of a bundle.
type source struct {
	s      *Service
	ctx    context.Context
	mu     sync.Mutex
	faults map[string]string // what is wrong with stored files, by path
	// foreign is whether another tool made the bundle: what it made need not be
	// what this one would.
	foreign bool
}

// read scans all that devices could load of the plain form of a bundle: its
// files and its zip. If they differ, both are scanned, and that is a finding.
func (s *Service) read(ctx context.Context, b *ota.Bundle) (*scan.Report, error) {
	at := slices.IndexFunc(b.Variants, func(v ota.Variant) bool { return v.KeyID == "" && v.SessionKey == "" && v.ExternalURL == "" })
	if at < 0 {
		return nil, ota.Invalid(CodeUnreadable, "the server cannot read the bundle")
	}
	tree, err := s.d.Store.BundleTree(ctx, b.ID)
	if err != nil {
		return nil, err
	}
	files, err := s.d.Store.VariantFiles(ctx, b.ID, "")
	if err != nil {
		return nil, err
	}
	src := &source{s: s, ctx: ctx, faults: map[string]string{}, foreign: len(tree) == 0}
	opts := scan.Options{Now: s.d.Now().Unix(), Workers: 1, Limits: s.d.Limits}
	if err := s.known(ctx, b, &opts); err != nil {
		return nil, err
	}
	var rep *scan.Report
	if len(files) > 0 {
		if rep, err = scan.Run(ctx, src.files(files), opts); err != nil {
			return nil, err
		}
	}
	if zipped := b.Variants[at].Zip; !zipped.IsZero() {
		if rep, err = src.withZip(zipped, rep, opts); err != nil {
			return nil, err
		}
	}
	if rep == nil {
		return nil, ota.Invalid(CodeUnreadable, "there is no content of the bundle here")
	}
	if len(tree) > 0 {
		src.compare(rep.Files, tree)
	}
	src.report(rep)
	if src.foreign {
		lenient(rep)
	}
	return rep, nil
}

// lenient lets the form of a bundle warn only: another tool chose it, and its
// list of files may not be all of what devices get. What is in the files is
// judged as ever.
func lenient(rep *scan.Report) {
	for i := range rep.Findings {
		if f := &rep.Findings[i]; f.Rule == integrityRule && f.Severity == scan.Block {
			f.Severity = scan.Warn
		}
	}
}

// files lists the stored files as what devices make of them.
func (src *source) files(files []ota.VariantFile) []scan.Entry {
	out := make([]scan.Entry, len(files))
	for i := range files {
		f := &files[i]
		out[i] = scan.Entry{Path: plainName(f), Mode: 0o644, Size: f.Size, Open: func() (io.ReadCloser, error) {
			content, err := src.content(f)
			if err != nil {
				return nil, err
			}
			return io.NopCloser(bytes.NewReader(content)), nil
		}}
	}
	return out
}

// plainName is the path of a stored file on devices.
func plainName(f *ota.VariantFile) string {
	if f.Brotli {
		return strings.TrimSuffix(f.Name, ".br")
	}
	return f.Name
}

// content reads and unpacks a stored file. One that does not unpack to what it
// should be is a fault of the bundle, not of the scan.
func (src *source) content(f *ota.VariantFile) ([]byte, error) {
	limit := src.limit()
	r, size, err := src.s.d.Blobs.Open(src.ctx, f.Blob)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	if size > limit || f.Size > limit {
		src.fault(plainName(f), fmt.Sprintf("it is over the limit of %d bytes and was not scanned", limit))
		return nil, nil
	}
	raw, err := io.ReadAll(io.LimitReader(r, limit))
	if err != nil {
		return nil, err
	}
	if f.Brotli {
		if raw, err = pack.Decode(raw, limit); err != nil {
			src.fault(plainName(f), "what is stored does not unpack")
			return nil, nil
		}
	}
	if !f.Hash.IsZero() && ota.Sum(raw) != f.Hash {
		src.fault(plainName(f), "what is stored is not the content that the bundle's list of files says")
	}
	return raw, nil
}

// limit is how many bytes one file may have.
func (src *source) limit() int64 {
	if n := src.s.d.Limits.File; n > 0 {
		return n
	}
	return 64 << 20
}

func (src *source) fault(path, what string) {
	src.mu.Lock()
	defer src.mu.Unlock()
	if _, said := src.faults[path]; !said && len(src.faults) < maxFaults {
		src.faults[path] = what
	}
}

// withZip scans the zip too, unless it holds just what was scanned.
func (src *source) withZip(d ota.Digest, rep *scan.Report, opts scan.Options) (*scan.Report, error) {
	r, size, err := src.s.d.Blobs.Open(src.ctx, d)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	inside, err := pack.OpenZip(&readerAt{r: r}, size, pack.Limits{})
	if err != nil {
		// Not scanned: what is in it depends on who reads it.
		what := "the zip of the bundle is not one that all devices read alike: " + text(err)
		if src.foreign {
			return nil, ota.Invalid(CodeUnreadable, "%s", what)
		}
		src.fault("", what)
		if rep == nil {
			return scan.Run(src.ctx, nil, opts)
		}
		return rep, nil
	}
	entries := scan.FromZip(&zip.Reader{File: inside})
	if rep != nil {
		same, err := src.holds(entries, rep.Files)
		if err != nil || same {
			return rep, err
		}
		src.fault("", "the zip of the bundle holds other content than its list of files: devices that load the zip run something else")
	}
	more, err := scan.Run(src.ctx, entries, opts)
	if err != nil || rep == nil {
		return more, err
	}
	merge(rep, more)
	return rep, nil
}

// holds reports whether a zip holds just the files.
func (src *source) holds(entries []scan.Entry, files []scan.Artifact) (bool, error) {
	if len(entries) != len(files) {
		return false, nil
	}
	want := make(map[string]scan.Artifact, len(files))
	for _, f := range files {
		want[f.Path] = f
	}
	for i := range entries {
		if err := src.ctx.Err(); err != nil {
			return false, err
		}
		w, ok := want[entries[i].Path]
		if !ok || !holdsFile(&entries[i], w) {
			return false, nil
		}
		delete(want, entries[i].Path)
	}
	return true, nil
}

func holdsFile(e *scan.Entry, want scan.Artifact) bool {
	r, err := e.Open()
	if err != nil {
		return false
	}
	defer r.Close()
	h := sha256.New()
	n, err := io.Copy(h, io.LimitReader(r, want.Size+1))
	return err == nil && n == want.Size && hex.EncodeToString(h.Sum(nil)) == want.SHA256
}

// compare finds files that are not what the bundle's list says.
func (src *source) compare(files []scan.Artifact, tree []ota.TreeFile) {
	have := make(map[string]string, len(files))
	for _, f := range files {
		have[f.Path] = f.SHA256
	}
	for _, t := range tree {
		if have[t.Path] != t.Hash.String() {
			src.fault(t.Path, "what is stored is not the content that the bundle's list of files says")
		}
		delete(have, t.Path)
	}
	for path := range have {
		src.fault(path, "it is not in the bundle's list of files")
	}
}

// merge adds what another scan found.
func merge(rep, more *scan.Report) {
	seen := map[[2]string]bool{}
	for i := range rep.Findings {
		seen[[2]string{rep.Findings[i].Rule, rep.Findings[i].Fingerprint}] = true
	}
	for _, f := range more.Findings {
		if !seen[[2]string{f.Rule, f.Fingerprint}] && len(rep.Findings) < maxFindings {
			rep.Findings = append(rep.Findings, f)
		}
	}
}

// report adds the faults as findings, in the order of their paths.
func (src *source) report(rep *scan.Report) {
	src.mu.Lock()
	defer src.mu.Unlock()
	paths := make([]string, 0, len(src.faults))
	for p := range src.faults {
		paths = append(paths, p)
	}
	slices.Sort(paths)
	for _, p := range paths {
		sum := sha256.Sum256([]byte(integrityRule + "\x00" + p + "\x00" + src.faults[p]))
		// First, so that a cut for too many findings never drops it.
		rep.Findings = slices.Insert(rep.Findings, 0, scan.Finding{
			Rule: integrityRule, Severity: scan.Block, Certainty: scan.Deterministic, Path: p,
			Message: src.faults[p], Fingerprint: hex.EncodeToString(sum[:16]),
		})
	}
}

// readerAt reads anywhere of what can seek.
type readerAt struct {
	mu sync.Mutex
	r  io.ReadSeeker
}

// ReadAt implements [io.ReaderAt].
func (a *readerAt) ReadAt(p []byte, off int64) (int, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if _, err := a.r.Seek(off, io.SeekStart); err != nil {
		return 0, err
	}
	n, err := io.ReadFull(a.r, p)
	if errors.Is(err, io.ErrUnexpectedEOF) {
		err = io.EOF
	}
	return n, err
}
