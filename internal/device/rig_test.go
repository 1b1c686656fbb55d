package device

import (
	"archive/zip"
	"bytes"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// rig is a device and the server it talks to. The device's folder lies within
// another, in which nothing may ever appear.
type rig struct {
	*Device
	t    *testing.T
	srv  *server
	cfg  Config
	now  time.Time
	home string
}

func newRig(t *testing.T, change func(*Config)) *rig {
	t.Helper()
	r := &rig{t: t, srv: newServer(t), now: time.UnixMilli(1_800_000_000_000), home: t.TempDir()}
	r.cfg = Config{
		UpdateURL: r.srv.URL + "/updates", StatsURL: r.srv.URL + "/stats", ChannelURL: r.srv.URL + "/channel_self",
		AppID: testApp, Dir: filepath.Join(r.home, "a", "device"), Now: func() time.Time { return r.now },
	}
	if change != nil {
		change(&r.cfg)
	}
	r.open()
	t.Cleanup(func() {
		_ = r.Close()
		r.outside()
	})
	return r
}

func (r *rig) open() {
	r.t.Helper()
	d, err := New(r.cfg)
	if err != nil {
		r.t.Fatal(err)
	}
	r.Device = d
}

// restart is a killed process: what was only in memory is gone.
func (r *rig) restart() {
	r.t.Helper()
	_ = r.root.Close()
	r.open()
}

// outside fails if anything lies beside the device's folder.
func (r *rig) outside() {
	r.t.Helper()
	_ = filepath.WalkDir(r.home, func(p string, e fs.DirEntry, err error) error {
		if p == r.cfg.Dir {
			return filepath.SkipDir
		}
		if err == nil && !e.IsDir() {
			r.t.Errorf("%s was written outside the device's folder", p)
		}
		return nil
	})
}

// installed returns the tree of what runs and checks it against the record.
func (r *rig) installed() ota.Digest {
	r.t.Helper()
	b := r.Running()
	if b.ID == builtinID {
		return ota.Digest{}
	}
	files, err := r.files(versionsDir + "/" + b.ID)
	if err != nil || ota.TreeDigest(files) != b.Tree {
		r.t.Fatalf("bundle %s is not what was recorded: %v", b.Version, err)
	}
	return b.Tree
}

func (r *rig) update() (Updated, error) { return r.Update(r.t.Context(), "") }

func (r *rig) launch(ready bool) Launched {
	r.t.Helper()
	l, err := r.Launch(r.t.Context(), ready)
	if err != nil {
		r.t.Fatal(err)
	}
	return l
}

// left lists what lies in a folder of the device.
func (r *rig) left(dir string) []string {
	r.t.Helper()
	list := []string{}
	entries, err := os.ReadDir(filepath.Join(r.cfg.Dir, dir))
	if err != nil {
		r.t.Fatal(err)
	}
	for _, e := range entries {
		list = append(list, e.Name())
	}
	return list
}

func keyed(c *Config) { c.PublicKeyPEM = keyA().Public().PEM() }

func onIOS(c *Config) { c.Platform = IOS }

func both(fs ...func(*Config)) func(*Config) {
	return func(c *Config) {
		for _, f := range fs {
			if f != nil {
				f(c)
			}
		}
	}
}

// zipWithLink is an archive with an entry that is a symbolic link.
func zipWithLink(t *testing.T) []byte {
	t.Helper()
	var buf bytes.Buffer
	w := zip.NewWriter(&buf)
	h := &zip.FileHeader{Name: "index.html", Method: zip.Deflate}
	f := must(w.CreateHeader(h))
	_, _ = io.WriteString(f, "<!doctype html>")
	link := &zip.FileHeader{Name: "link", Method: zip.Deflate}
	link.SetMode(fs.ModeSymlink | 0o777)
	f = must(w.CreateHeader(link))
	_, _ = io.WriteString(f, "../../state.json")
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}
