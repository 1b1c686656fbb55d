package control

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"github.com/waxwing-ota/waxwing/internal/core/approve"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// maxDiffFiles bounds the list of files; the counts are of all.
const maxDiffFiles = 200

// approvalDiff compares the files that a request puts on a channel with those
// that the channel served when it was made; nil if no content is concerned.
func (s *Service) approvalDiff(ctx context.Context, a *ota.Approval) (*ota.TreeDiff, error) {
	var d approve.Document
	if err := json.Unmarshal(a.Document, &d); err != nil {
		return nil, err
	}
	if d.Content == nil || d.Channel == nil {
		return nil, nil
	}
	out := &ota.TreeDiff{From: d.Channel.CurrentVersion, To: d.Content.Version, Files: []ota.FileDiff{}}
	if out.From == "" {
		out.From = ota.Builtin
	}
	to, ok, err := s.treeOf(ctx, a.App, out.To)
	if err != nil || !ok {
		return out, err
	}
	var from []ota.TreeFile
	if out.From != ota.Builtin {
		if from, ok, err = s.treeOf(ctx, a.App, out.From); err != nil || !ok {
			return out, err
		}
	}
	diffTrees(out, from, to)
	return out, nil
}

// treeOf lists the files of a version; ok is false if there is no list.
func (s *Service) treeOf(ctx context.Context, app, version string) (files []ota.TreeFile, ok bool, err error) {
	b, err := s.store.Bundle(ctx, app, version)
	if ota.KindOf(err) == ota.KindNotFound && err != nil {
		return nil, false, nil
	}
	if err != nil || b.Tree.IsZero() {
		return nil, false, err
	}
	files, err = s.store.BundleTree(ctx, b.ID)
	return files, err == nil, err
}

func diffTrees(out *ota.TreeDiff, from, to []ota.TreeFile) {
	out.Known = true
	old := make(map[string]ota.TreeFile, len(from))
	for _, f := range from {
		old[f.Path] = f
	}
	for _, f := range to {
		was, had := old[f.Path]
		delete(old, f.Path)
		switch {
		case !had:
			out.Added++
			out.Files = append(out.Files, ota.FileDiff{Path: f.Path, Change: "added", After: f.Size})
		case was.Hash != f.Hash:
			out.Changed++
			out.Files = append(out.Files, ota.FileDiff{Path: f.Path, Change: "changed", Before: was.Size, After: f.Size})
		default:
			continue
		}
		out.Bytes += f.Size
	}
	for _, f := range old {
		out.Removed++
		out.Files = append(out.Files, ota.FileDiff{Path: f.Path, Change: "removed", Before: f.Size})
	}
	slices.SortFunc(out.Files, func(a, b ota.FileDiff) int { return strings.Compare(a.Path, b.Path) })
	if len(out.Files) > maxDiffFiles {
		out.Files, out.Truncated = out.Files[:maxDiffFiles], true
	}
}
