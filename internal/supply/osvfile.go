package supply

import (
	"os"
	"sync"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/scan"
)

// OSVFile is an export of known vulnerabilities that may be replaced while the
// program runs. It may be used by many goroutines.
type OSVFile struct {
	path string

	mu   sync.Mutex
	at   time.Time // of the file that list is from
	size int64
	list []scan.Advisory
}

// NewOSVFile reads the export for the first time, so that a wrong one is told of
// when the program starts. A folder is read once; a file again when it changes.
func NewOSVFile(path string) (*OSVFile, error) {
	f := &OSVFile{path: path}
	_, err := f.Advisories()
	return f, err
}

// Advisories returns the advisories of the export as it is now.
func (f *OSVFile) Advisories() ([]scan.Advisory, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	st, err := os.Stat(f.path)
	if err == nil && f.list != nil && st.ModTime().Equal(f.at) && st.Size() == f.size {
		return f.list, nil
	}
	list, err := LoadOSV(f.path, nil)
	if err != nil {
		return nil, err
	}
	if st, err = os.Stat(f.path); err != nil {
		return nil, err
	}
	f.list, f.at, f.size = list, st.ModTime(), st.Size()
	return list, nil
}
