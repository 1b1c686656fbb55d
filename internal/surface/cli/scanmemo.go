package cli

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"

	"github.com/waxwing-ota/waxwing/internal/core/scan"
)

// scanMemo is what the scans of an app's pushes found in single files, in the
// person's own cache folder. It is a convenience: without it, or if it cannot be
// read or written, every file is looked at.
type scanMemo struct {
	*scan.Memo
	path string // "" = nowhere to keep it
}

// openScanMemo reads the memo of an app. The name of its file tells builds of
// this program apart, because each may find other things.
func openScanMemo(app string) scanMemo {
	m := scanMemo{Memo: &scan.Memo{}}
	dir, err := os.UserCacheDir()
	if err != nil {
		return m
	}
	self, err := os.Executable()
	if err != nil {
		return m
	}
	st, err := os.Stat(self)
	if err != nil {
		return m
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\n%d\n%d\n%s", self, st.Size(), st.ModTime().UnixNano(), app))
	m.path = filepath.Join(dir, "waxwing", "scans", hex.EncodeToString(sum[:12]))
	f, err := os.Open(m.path)
	if err != nil {
		return m
	}
	defer f.Close()
	m.Memo, _ = scan.ReadMemo(f) // one that cannot be read is empty
	return m
}

// save replaces the kept memo, whole or not at all.
func (m scanMemo) save() {
	if m.path == "" || os.MkdirAll(filepath.Dir(m.path), 0o700) != nil {
		return
	}
	f, err := os.CreateTemp(filepath.Dir(m.path), "new-*")
	if err != nil {
		return
	}
	defer func() { _ = os.Remove(f.Name()) }() // in vain once it has its name
	err = m.Save(f)
	if f.Close() == nil && err == nil {
		_ = os.Rename(f.Name(), m.path) // the next push then looks at every file
	}
}
