package control

import (
	"context"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/pack"
)

// maxEncodings bounds the variants of one push: a few keys in rotation, and plain.
const maxEncodings = 16

// Missing says what a push still has to upload: which contents are stored in
// which encoding already. What it names may be used as it is; the caller is
// wise to open its signed hash first.
func (s *Service) Missing(ctx context.Context, app string, q ota.MissingQuery) (ota.MissingAnswer, error) {
	var a ota.MissingAnswer
	if _, err := s.store.App(ctx, app); err != nil {
		return a, err
	}
	if err := checkSemver(q.Version); err != nil {
		return a, err
	}
	if err := checkTree(q.Files); err != nil {
		return a, err
	}
	tree := ota.TreeDigest(q.Files)
	if tree != q.Tree {
		return a, ota.Invalid(CodeTreeInvalid, "tree is not the digest of the files").WithField("tree")
	}
	if len(q.Encodings) > maxEncodings {
		return a, ota.Invalid(CodeVariantInvalid, "at most %d encodings can be asked for", maxEncodings).WithField("encodings")
	}
	have, err := s.store.Bundle(ctx, app, q.Version)
	if err != nil && ota.KindOf(err) != ota.KindNotFound {
		return a, err
	}
	if err == nil {
		a.Exists, a.Same = true, have.DeletedAt == 0 && have.Tree == tree
	}
	a.Known = make([][]ota.VariantFile, len(q.Encodings))
	for i, enc := range q.Encodings {
		if a.Known[i], err = s.knownFiles(ctx, app, q.Files, enc); err != nil {
			return a, err
		}
	}
	return a, nil
}

// knownFiles returns an entry for each file that is stored in the encoding, in
// a form that fits its path, with its blob still there.
func (s *Service) knownFiles(ctx context.Context, app string, files []ota.TreeFile, enc ota.Encoding) ([]ota.VariantFile, error) {
	out := []ota.VariantFile{}
	rows, err := s.store.StoredFiles(ctx, app, enc, hashesOf(files))
	if err != nil || len(rows) == 0 {
		return out, err
	}
	byHash := make(map[ota.Digest][]ota.VariantFile, len(rows))
	for _, f := range rows {
		size, ok, err := s.blobs.Has(ctx, f.Blob)
		if err != nil {
			return nil, err
		}
		if ok && size == f.StoredSize {
			byHash[f.Hash] = append(byHash[f.Hash], f)
		}
	}
	for i := range files {
		t := &files[i]
		for _, f := range byHash[t.Hash] {
			f.Name = pack.WireName(t.Path, f.Brotli)
			if fileFault(t, &f, enc.KeyID != "") == "" {
				out = append(out, f)
				break
			}
		}
	}
	return out, nil
}
