package supply

import (
	"archive/zip"
	"errors"
	"io/fs"
	"os"

	"github.com/waxwing-ota/waxwing/internal/core/osv"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/scan"
)

// LoadOSV reads the advisories about the packages that keep accepts (nil = all)
// from an export of OSV: a zip, a folder, or a JSON file.
func LoadOSV(path string, keep func(name string) bool) ([]scan.Advisory, error) {
	db := osv.New(keep)
	st, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, ota.NotFound("file_missing", "there is no %s", path).WithField("osv").WithHint("name an export of osv.dev")
	case err != nil:
		return nil, ota.Invalid("file_unreadable", "cannot read %s: %s", path, err).WithField("osv").WithHint("check that you may read it")
	case st.IsDir():
		err := db.ReadFS(os.DirFS(path))
		return db.Advisories(), err
	}
	if z, err := zip.OpenReader(path); err == nil {
		defer func() { _ = z.Close() }() // only read
		err := db.ReadZip(&z.Reader)
		return db.Advisories(), err
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, ota.Invalid("file_unreadable", "cannot read %s: %s", path, err).WithField("osv").WithHint("check that you may read it")
	}
	defer f.Close()
	err = db.ReadJSON(f)
	return db.Advisories(), err
}
