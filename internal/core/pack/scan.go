package pack

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

const (
	indexFile = "index.html"

	// longName is what a device's cache can still store: it puts a digest and
	// an underscore before the name. Longer ones are loaded again each time.
	longName = maxName - 65

	maxWarnings = 100
)

// Scan is a folder as it would be published.
type Scan struct {
	Files    []ota.TreeFile // sorted by path
	Tree     ota.Digest     // names the content
	Size     int64          // plain bytes of all files
	Warnings []Warning
	// NotifyAppReady says that some script or page has that word. Without the
	// call every device goes back to the bundle it had before.
	NotifyAppReady bool
}

// Warning is something to know about a file that does not stop the work.
type Warning struct {
	Code    string `json:"code"` // junk_skipped, name_long or more_warnings
	Path    string `json:"path"` // "" = none in particular
	Message string `json:"message"`
}

// ScanDir reads the folder that fsys is the root of and hashes every file.
// What tools leave behind (.DS_Store, .git, node_modules, …) is left out with a
// warning. Errors name the path at fault; their codes are bundle_no_index,
// bundle_empty, bundle_too_large, file_too_large, too_many_files, path_invalid,
// path_duplicate, symlink_refused, file_irregular and file_unreadable.
func ScanDir(ctx context.Context, fsys fs.FS, l Limits) (*Scan, error) {
	w := walker{fsys: fsys, limits: l.Filled()}
	if err := w.walk(ctx, "."); err != nil {
		return nil, err
	}
	slices.SortFunc(w.files, func(a, b ota.TreeFile) int { return cmp.Compare(a.Path, b.Path) })
	if err := w.check(); err != nil {
		return nil, err
	}
	s := &Scan{Files: w.files, Warnings: w.warnings}
	var err error
	if s.NotifyAppReady, err = hashFiles(ctx, fsys, s.Files, w.limits.MaxFileSize); err != nil {
		return nil, err
	}
	for _, f := range s.Files {
		s.Size += f.Size
	}
	if s.Size > w.limits.MaxTotal { // files grew since they were counted
		return nil, bundleTooLarge(w.limits.MaxTotal)
	}
	s.Tree = ota.TreeDigest(s.Files)
	return s, nil
}

// walker lists the files below a folder, without reading them.
type walker struct {
	fsys     fs.FS
	limits   Limits
	entries  int   // seen so far, junk and folders too
	size     int64 // claimed by the file system
	files    []ota.TreeFile
	warnings []Warning
}

func (w *walker) walk(ctx context.Context, dir string) error {
	entries, err := w.list(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("reading the folder was stopped: %w", err)
		}
		p := path.Join(dir, e.Name())
		if isJunk(e.Name()) {
			w.warn("junk_skipped", p, "left out: not part of an app")
			continue
		}
		if err := CheckPath(p); err != nil {
			return err
		}
		switch {
		case e.Type()&fs.ModeSymlink != 0:
			return symlinkRefused(p)
		case e.IsDir():
			err = w.walk(ctx, p)
		case e.Type().IsRegular():
			err = w.add(p, e)
		default:
			return irregular(p)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// list returns the entries of a folder in order of name. It stops as soon as
// the folder has more than any bundle may.
func (w *walker) list(dir string) ([]fs.DirEntry, error) {
	const batch = 1024
	f, err := w.fsys.Open(dir)
	if err != nil {
		return nil, unreadable(dir, err)
	}
	defer func() { _ = f.Close() }()
	d, ok := f.(fs.ReadDirFile)
	if !ok {
		return nil, unreadable(dir, errors.New("not a folder"))
	}
	var all []fs.DirEntry
	for {
		some, err := d.ReadDir(batch)
		all = append(all, some...)
		w.entries += len(some)
		// Junk and folders are not counted as files, but not without end.
		if w.entries > 4*w.limits.MaxFiles+batch {
			return nil, tooManyFiles(w.limits.MaxFiles)
		}
		if err != nil || len(some) == 0 {
			if err == nil || isEOF(err) {
				break
			}
			return nil, unreadable(dir, err)
		}
	}
	slices.SortFunc(all, func(a, b fs.DirEntry) int { return cmp.Compare(a.Name(), b.Name()) })
	return all, nil
}

func (w *walker) add(p string, e fs.DirEntry) error {
	info, err := e.Info()
	if err != nil {
		return unreadable(p, err)
	}
	if info.Size() > w.limits.MaxFileSize {
		return fileTooLarge(p, w.limits.MaxFileSize)
	}
	if w.size += info.Size(); w.size > w.limits.MaxTotal {
		return bundleTooLarge(w.limits.MaxTotal)
	}
	if len(w.files) >= w.limits.MaxFiles {
		return tooManyFiles(w.limits.MaxFiles)
	}
	if len(e.Name()) > longName {
		w.warn("name_long", p, fmt.Sprintf("names of more than %d bytes are not cached on devices", longName))
	}
	w.files = append(w.files, ota.TreeFile{Path: p, Size: info.Size()})
	return nil
}

func (w *walker) warn(code, p, message string) {
	switch {
	case len(w.warnings) < maxWarnings:
		w.warnings = append(w.warnings, Warning{Code: code, Path: p, Message: message})
	case len(w.warnings) == maxWarnings:
		w.warnings = append(w.warnings, Warning{Code: "more_warnings", Message: "there are more warnings than are shown"})
	}
}

// check judges the sorted list as a whole.
func (w *walker) check() error {
	if len(w.files) == 0 {
		return bundleEmpty("the folder")
	}
	paths := make([]string, len(w.files))
	for i, f := range w.files {
		paths[i] = f.Path
	}
	if err := checkUnique(paths); err != nil {
		return err
	}
	i := slices.Index(paths, indexFile)
	switch {
	case i < 0:
		return noIndex(paths)
	case w.files[i].Size == 0:
		return ota.Invalid("bundle_no_index", "%s is empty", indexFile).
			WithField("path").WithHint("build the app again")
	}
	return nil
}

// noIndex says that the page a device opens is missing, and where it might be.
func noIndex(paths []string) error {
	e := ota.Invalid("bundle_no_index", "there is no %s at the root of the folder", indexFile).WithField("path")
	best := ""
	for _, p := range paths {
		if strings.EqualFold(p, indexFile) {
			return e.WithHint("rename %s to %s: devices tell the two apart", p, indexFile)
		}
		if path.Base(p) == indexFile && (best == "" || strings.Count(p, "/") < strings.Count(best, "/")) {
			best = p
		}
	}
	if best != "" {
		return e.WithHint("publish the folder %s in it instead, which has one", show(path.Dir(best)))
	}
	return e.WithHint("publish the folder that the build writes, often dist, www or build")
}

func unreadable(p string, err error) error {
	what := show(p)
	if p == "." {
		what = "the folder"
	}
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		err = e.Err // the path is in the message already
	}
	return ota.Invalid("file_unreadable", "%s cannot be read: %s", what, err).
		WithField("path").WithHint("check that it exists and that you may read it")
}
