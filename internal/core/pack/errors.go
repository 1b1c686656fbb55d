package pack

import (
	"strconv"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// show quotes a name for an error message: on one line, printable, and short
// even if whoever made the name had other plans.
func show(name string) string {
	const most = 200
	if len(name) > most {
		return strconv.Quote(name[:most]) + "…"
	}
	return strconv.Quote(name)
}

func tooManyFiles(limit int) error {
	return ota.Errorf(ota.KindTooLarge, "too_many_files", "there are more than %d files", limit).
		WithField("files").
		WithHint("publish the folder that the build writes (often dist, www or build), not the whole project; or raise the limit on files")
}

func fileTooLarge(path string, limit int64) error {
	return ota.Errorf(ota.KindTooLarge, "file_too_large", "%s is larger than %d bytes", show(path), limit).
		WithField("path").
		WithHint("leave it out of the bundle and load it when the app needs it, or raise the limit on file size")
}

func bundleTooLarge(limit int64) error {
	return ota.Errorf(ota.KindTooLarge, "bundle_too_large", "the files have more than %d bytes together", limit).
		WithField("files").
		WithHint("leave large media out of the bundle and load it when the app needs it, or raise the limit on bundle size")
}

func bundleEmpty(what string) error {
	return ota.Invalid("bundle_empty", "%s holds no files", what).
		WithField("files").
		WithHint("build the app first, then publish the folder that the build writes")
}

func symlinkRefused(path string) error {
	return ota.Invalid("symlink_refused", "%s is a symbolic link, which devices do not have", show(path)).
		WithField("path").
		WithHint("put a copy of the file in its place")
}

func irregular(path string) error {
	return ota.Invalid("file_irregular", "%s is neither a file nor a folder", show(path)).
		WithField("path").
		WithHint("remove it from the folder")
}
