package control

import (
	"strings"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/pack"
)

// checkTree checks the plain files of a bundle as a device will have to write them.
func checkTree(files []ota.TreeFile) error {
	l := pack.Limits{}.Filled()
	if len(files) == 0 || len(files) > l.MaxFiles {
		return ota.Invalid(CodeTreeInvalid, "a bundle has 1 to %d files, this one %d", l.MaxFiles, len(files)).WithField("tree")
	}
	names := make(map[string]string, len(files))
	var total int64
	index := false
	for i, f := range files {
		if err := pack.CheckPath(f.Path); err != nil {
			return err
		}
		if i > 0 && files[i-1].Path >= f.Path {
			return ota.Invalid(CodeTreeInvalid, "the files are not sorted by path at %q", f.Path).WithField("tree")
		}
		if pack.IsSourceMap(f.Path) {
			return ota.Invalid(CodeTreeSourceMap, "%q is a source map, which devices must not get", f.Path).WithField("tree").
				WithHint("push with this version of waxwing: it takes source maps out and keeps them privately")
		}
		key := pack.PathKey(f.Path)
		if other, ok := names[key]; ok {
			return ota.Invalid(CodeTreeInvalid, "%q and %q are one file on devices that ignore case", other, f.Path).WithField("tree").
				WithHint("rename one of them")
		}
		names[key] = f.Path
		if f.Size < 0 || f.Size > l.MaxFileSize {
			return ota.Errorf(ota.KindTooLarge, CodeTreeInvalid, "%q has %d bytes, a file may have %d", f.Path, f.Size, l.MaxFileSize).WithField("tree")
		}
		total += f.Size
		index = index || f.Path == "index.html"
	}
	if total > l.MaxTotal {
		return ota.Errorf(ota.KindTooLarge, CodeTreeInvalid, "the files have %d bytes together, a bundle may have %d", total, l.MaxTotal).WithField("tree")
	}
	if !index {
		return ota.Invalid(CodeTreeInvalid, "there is no index.html at the root").WithField("tree").
			WithHint("push the folder that the web build writes, such as dist or www")
	}
	return checkFolders(names)
}

// checkFolders refuses a file where another one needs a folder. names has the
// paths by their keys.
func checkFolders(names map[string]string) error {
	for key, path := range names {
		for at := strings.LastIndexByte(key, '/'); at >= 0; at = strings.LastIndexByte(key, '/') {
			key = key[:at]
			if other, ok := names[key]; ok {
				return ota.Invalid(CodeTreeInvalid, "%q is a file, and %q needs a folder of that name", other, path).WithField("tree").
					WithHint("rename one of them")
			}
		}
	}
	return nil
}
