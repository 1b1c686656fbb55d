package console

import (
	"cmp"
	"slices"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

type bundlesView struct {
	Bundles []ota.Bundle
	Serving map[string][]string // channels by the version they serve
	Next    string
}

type bundleView struct {
	Bundle   ota.Bundle
	Keys     []ota.Key
	Serving  []string // channels that serve it now
	Packages int      // in its SBOM; -1 = that is not known
	Files    []ota.TreeFile
	Hidden   int // files left out
	Others   []ota.Bundle
	Against  string
	Diff     *treeDiff
	Outcomes ota.OutcomeSummary
}

func (c *Console) registerBundles() {
	c.page(route{method: "GET", path: "/apps/{app}/bundles", action: "bundle.list"}, c.showBundles)
	c.page(route{method: "GET", path: "/apps/{app}/bundles/{version}", action: "bundle.get"}, c.showBundle)
}

func (c *Console) showBundles(r *request) (answer, error) {
	bundles, next, err := r.api.Bundles(r, r.app(), r.listPage())
	if err != nil {
		return answer{}, err
	}
	channels, err := r.api.Channels(r, r.app())
	return r.show("bundles", "Bundles", bundlesView{bundles, serving(channels), next}), err
}

// serving lists the channels that offer a version, as release or rollout.
func serving(channels []ota.Channel) map[string][]string {
	out := map[string][]string{}
	for _, ch := range channels {
		if ch.Release != nil {
			out[ch.Release.Version] = append(out[ch.Release.Version], ch.Name)
		}
		if ch.Rollout != nil && (ch.Release == nil || ch.Release.Version != ch.Rollout.Version) {
			out[ch.Rollout.Version] = append(out[ch.Rollout.Version], ch.Name+" (rollout)")
		}
	}
	return out
}

// maxFiles bounds the files that a page lists.
const maxFiles = 300

func (c *Console) showBundle(r *request) (answer, error) {
	var v bundleView
	var err error
	version := r.PathValue("version")
	if v.Bundle, err = r.api.Bundle(r, r.app(), version); err != nil {
		return answer{}, err
	}
	if v.Keys, err = r.api.Keys(r, r.app()); err != nil && ota.KindOf(err) != ota.KindForbidden {
		return answer{}, err
	}
	channels, err := r.api.Channels(r, r.app())
	if err != nil {
		return answer{}, err
	}
	v.Serving = serving(channels)[version]
	if v.Outcomes, err = r.api.OutcomeSummary(r, r.app(), version); err != nil && ota.KindOf(err) != ota.KindForbidden {
		return answer{}, err
	}
	v.Packages = r.packages(&v.Bundle)
	files, err := r.api.BundleTree(r, r.app(), version)
	if err != nil {
		return answer{}, err
	}
	if v.Others, _, err = r.api.Bundles(r, r.app(), ota.Page{Limit: 50}); err != nil {
		return answer{}, err
	}
	v.Others = slices.DeleteFunc(v.Others, func(b ota.Bundle) bool { return b.Version == version })
	if v.Against = r.query("against"); v.Against != "" {
		before, err := r.api.BundleTree(r, r.app(), v.Against)
		if err != nil {
			return answer{}, err
		}
		v.Diff = diffTrees(before, files)
	}
	slices.SortStableFunc(files, func(a, b ota.TreeFile) int { return cmp.Compare(b.Size, a.Size) })
	v.Files = files
	if len(files) > maxFiles {
		v.Files, v.Hidden = files[:maxFiles], len(files)-maxFiles
	}
	return r.show("bundle", "Bundle "+version, v), nil
}

// treeDiff is what differs between two builds.
type treeDiff struct {
	Rows                    []diffRow
	Hidden                  int
	Added, Changed, Removed int
	Same                    int
	Before, After           int64 // bytes of what differs
}

type diffRow struct {
	Kind, Path    string
	Before, After int64
}

// diffTrees compares two lists of files by path.
func diffTrees(before, after []ota.TreeFile) *treeDiff {
	d := &treeDiff{}
	old := make(map[string]ota.TreeFile, len(before))
	for _, f := range before {
		old[f.Path] = f
	}
	for _, f := range after {
		o, there := old[f.Path]
		delete(old, f.Path)
		switch {
		case !there:
			d.Added++
			d.Rows = append(d.Rows, diffRow{"added", f.Path, 0, f.Size})
		case o.Hash != f.Hash:
			d.Changed++
			d.Rows = append(d.Rows, diffRow{"changed", f.Path, o.Size, f.Size})
		default:
			d.Same++
		}
	}
	for _, f := range old {
		d.Removed++
		d.Rows = append(d.Rows, diffRow{"removed", f.Path, f.Size, 0})
	}
	slices.SortFunc(d.Rows, func(a, b diffRow) int { return cmp.Compare(a.Path, b.Path) })
	for _, row := range d.Rows {
		d.Before, d.After = d.Before+row.Before, d.After+row.After
	}
	if len(d.Rows) > maxFiles {
		d.Hidden, d.Rows = len(d.Rows)-maxFiles, d.Rows[:maxFiles]
	}
	return d
}
