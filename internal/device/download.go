package device

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/waxwing-ota/waxwing/internal/core/lifecycle"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// Transfer is what one download cost.
type Transfer struct {
	Bytes   int64 `json:"bytes"`   // that came over the wire
	Files   int   `json:"files"`   // of the bundle
	Fetched int   `json:"fetched"` // of them from the server; 0 for a zip
	Cached  int   `json:"cached"`  // from an earlier update
	Builtin int   `json:"builtin"` // from the native app
	Size    int64 `json:"size"`    // plain bytes of the bundle
}

// Download fetches, verifies and unpacks the bundle of an update answer and
// records it as pending. A bundle that fails leaves only what can be resumed.
// Errors: KindUnavailable (CodeInterrupted) if trying again may help, else
// KindInvalid or KindTooLarge with the code of the rule that was broken.
func (d *Device) Download(ctx context.Context, a Answer) (Bundle, Transfer, error) {
	if a.Kind != Update {
		return Bundle{}, Transfer{}, ota.Invalid("not_an_update", "the answer is %s, not an update", a.Kind)
	}
	id, err := newID(d.cfg.Rand)
	if err != nil {
		return Bundle{}, Transfer{}, err
	}
	d.dropOldPartials()
	b, t, err := d.obtain(ctx, &a, id)
	rerr := d.root.RemoveAll(tmpDir + "/" + id)
	if err != nil {
		d.failed(&a, err)
		return Bundle{}, t, errors.Join(err, d.remember(&a, id, err))
	}
	if rerr != nil {
		return Bundle{}, t, diskError(rerr)
	}
	d.progress(a.Version, 100)
	d.quiet = true
	return b, t, nil
}

// obtain builds the bundle in a folder of its own and puts it in place whole.
func (d *Device) obtain(ctx context.Context, a *Answer, id string) (Bundle, Transfer, error) {
	var t Transfer
	o, err := d.unseal(a)
	if err != nil {
		return Bundle{}, t, err
	}
	work := tmpDir + "/" + id
	if err := d.root.Mkdir(work, 0o700); err != nil {
		return Bundle{}, t, diskError(err)
	}
	if err := d.root.Mkdir(work+"/www", 0o700); err != nil {
		return Bundle{}, t, diskError(err)
	}
	b := Bundle{ID: id, Version: a.Version, Status: Pending}
	from := work + "/www"
	if o.files {
		t, err = d.fetchFiles(ctx, a, &o, from)
	} else {
		from, t, err = d.fetchZip(ctx, a, &o, work)
		b.Checksum = o.sum.String()
	}
	if err != nil {
		return Bundle{}, t, err
	}
	if err := d.place(&b, from); err != nil {
		return Bundle{}, t, err
	}
	t.Files, t.Size = b.Files, b.Size
	return b, t, nil
}

// place moves the finished folder to its name and records it.
func (d *Device) place(b *Bundle, from string) error {
	files, err := d.files(from)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(files, func(f ota.TreeFile) bool { return f.Path == indexFile }) {
		return refuse(CodeNoIndex, "version %s has no %s at its root", b.Version, indexFile)
	}
	b.Tree, b.Files = ota.TreeDigest(files), len(files)
	for _, f := range files {
		b.Size += f.Size
	}
	if err := d.root.Rename(from, versionsDir+"/"+b.ID); err != nil {
		return diskError(err)
	}
	b.Downloaded = d.nowMS()
	d.st.Bundles = append(d.st.Bundles, *b)
	if err := d.save(); err != nil {
		return diskError(err)
	}
	if b.Checksum != "" {
		for _, f := range files {
			d.keep(versionsDir+"/"+b.ID+"/"+f.Path, f.Hash, f.Path)
		}
	}
	return nil
}

// remember notes a failed file download on iOS, where the plugin then refuses
// the version name until the bundle is deleted.
func (d *Device) remember(a *Answer, id string, why error) error {
	if !lifecycle.Remembers(d.cfg.Platform, len(a.Manifest) > 0) || errors.Is(why, context.Canceled) || d.st.byVersion(a.Version) != nil {
		return nil
	}
	d.st.Bundles = append(d.st.Bundles, Bundle{ID: id, Version: a.Version, Status: Broken})
	return d.save()
}

// Forget deletes every bundle of a version that does not run, as an app can
// through the plugin.
func (d *Device) Forget(version string) error {
	for _, b := range slices.Clone(d.st.Bundles) {
		if b.Version == version && b.Status != Deleted {
			if err := d.remove(b.ID); err != nil {
				return err
			}
		}
	}
	return nil
}

// indexFile is what the app shows first.
const indexFile = "index.html"

// files lists and hashes what is really in a folder, sorted by path.
func (d *Device) files(dir string) ([]ota.TreeFile, error) {
	var list []ota.TreeFile
	sub, err := fs.Sub(d.root.FS(), dir)
	if err != nil {
		return nil, diskError(err)
	}
	err = fs.WalkDir(sub, ".", func(p string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		if !e.Type().IsRegular() {
			return errors.New(p + " is not a regular file")
		}
		f, err := sub.Open(p)
		if err != nil {
			return err
		}
		sum, n, err := hashOf(f)
		list = append(list, ota.TreeFile{Path: p, Hash: sum, Size: n})
		return errors.Join(err, f.Close())
	})
	if err != nil {
		return nil, diskError(err)
	}
	slices.SortFunc(list, func(a, b ota.TreeFile) int { return strings.Compare(a.Path, b.Path) })
	return list, nil
}

// intact reports whether a bundle's files are still what was verified.
func (d *Device) intact(b *Bundle) bool {
	files, err := d.files(versionsDir + "/" + b.ID)
	return err == nil && len(files) > 0 && ota.TreeDigest(files) == b.Tree
}

// create makes a new file and its folders. A name that is taken, or that needs a
// folder where a file is, is the bundle's fault.
func (d *Device) create(dir *os.Root, name string) (*os.File, error) {
	if parent := path.Dir(name); parent != "." {
		if err := dir.MkdirAll(parent, 0o700); err != nil {
			return nil, createError(name, err)
		}
	}
	f, err := dir.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err != nil {
		return nil, createError(name, err)
	}
	return f, nil
}

func createError(name string, err error) error {
	if errors.Is(err, fs.ErrExist) || errors.Is(err, syscall.ENOTDIR) || errors.Is(err, syscall.EISDIR) {
		return refuse(CodePath, "%q clashes with another path of the bundle", clean(name, 200)).WithCause(err)
	}
	return diskError(err)
}

// progress reports the tens of a download, as far as the platform does.
func (d *Device) progress(version string, percent int) {
	switch {
	case percent == 100:
		d.report("download_complete", about(version))
	case d.cfg.Platform == IOS || d.cfg.Platform == Android && !d.quiet && percent > 0:
		d.report("download_"+strconv.Itoa(percent/10*10), about(version))
	}
}
