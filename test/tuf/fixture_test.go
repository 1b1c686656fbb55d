package tuf

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	gotuf "github.com/theupdateframework/go-tuf/v2/metadata"
	"github.com/theupdateframework/go-tuf/v2/metadata/config"
	"github.com/theupdateframework/go-tuf/v2/metadata/updater"

	"github.com/waxwing-ota/waxwing/internal/core/p256"
	"github.com/waxwing-ota/waxwing/internal/core/tuf"
)

var day = time.Date(2026, 11, 24, 19, 0, 0, 0, time.UTC)

const app = "com.example.app"

func private(n int) *ecdsa.PrivateKey {
	for salt := byte(0); ; salt++ {
		d := sha256.Sum256(fmt.Appendf([]byte{salt}, "oracle key %d", n))
		if k, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), d[:]); err == nil {
			return k
		}
	}
}

func signers(ns ...int) []p256.Signer {
	var all []p256.Signer
	for _, n := range ns {
		all = append(all, p256.Software(private(n)))
	}
	return all
}

func keys(threshold int, ns ...int) tuf.Keys {
	k := tuf.Keys{Threshold: threshold}
	for _, s := range signers(ns...) {
		k.Keys = append(k.Keys, s.Public())
	}
	return k
}

// files is a repository: the bytes of each file. It is a fetcher of go-tuf.
type files map[string][]byte

const base = "https://repository.test/"

func (f files) DownloadFile(url string, limit int64, _ time.Duration) ([]byte, error) {
	b, ok := f[strings.TrimPrefix(url, base)]
	switch {
	case !ok:
		return nil, &gotuf.ErrDownloadHTTP{StatusCode: http.StatusNotFound, URL: url}
	case int64(len(b)) > limit:
		return nil, &gotuf.ErrDownloadLengthMismatch{Msg: url}
	}
	return b, nil
}

func (f files) fetch(n tuf.Need) ([]byte, bool, error) {
	b, ok := f["metadata/"+n.File]
	if int64(len(b)) > n.Max {
		return nil, false, errors.New("too long")
	}
	return b, ok, nil
}

// theirs runs go-tuf's client over the files: each call is a program started anew
// with the same folder.
type theirs struct {
	dir  string
	root []byte
}

func (c *theirs) refresh(f files, now time.Time) (*updater.Updater, error) {
	cfg, err := config.New(base+"metadata", c.root)
	if err != nil {
		return nil, err
	}
	cfg.LocalMetadataDir, cfg.LocalTargetsDir = c.dir, c.dir
	cfg.RemoteTargetsURL = base + "targets"
	cfg.Fetcher = f
	u, err := updater.New(cfg)
	if err != nil {
		return nil, err
	}
	u.UnsafeSetRefTime(now)
	err = u.Refresh()
	if b, e := os.ReadFile(filepath.Join(c.dir, "root.json")); e == nil {
		c.root = b // go-tuf starts from the newest root that it is given
	}
	return u, err
}

// ours runs our client in the same way.
type ours struct{ state tuf.State }

func newOurs(t testing.TB, root []byte) *ours {
	t.Helper()
	c, err := tuf.Start(root)
	if err != nil {
		t.Fatal(err)
	}
	return &ours{c.State()}
}

func (o *ours) refresh(f files, now time.Time) (*tuf.Client, error) {
	c, err := tuf.Resume(o.state, now)
	if err != nil {
		return nil, err
	}
	err = c.Pull(f.fetch, now)
	o.state = c.State()
	return c, err
}

// repo is a repository of ours whose documents a test may sign as it likes.
type repo struct {
	t     testing.TB
	files files
	root  tuf.Root
	top   tuf.Targets
	low   tuf.Targets
	sn    tuf.Snapshot
	ts    tuf.Timestamp
}

// newRepo has the keys 1–3 for root (2), 4–5 for targets (2), 6 and 7 online, 8
// for staging.
func newRepo(t testing.TB) *repo {
	t.Helper()
	r := &repo{t: t, files: files{}}
	var err error
	r.root, err = tuf.NewRoot(tuf.RootPlan{
		Expires: day.AddDate(1, 0, 0), Root: keys(2, 1, 2, 3), Targets: keys(2, 4, 5), Snapshot: keys(1, 6), Timestamp: keys(1, 7),
	})
	r.must(err)
	path := tuf.ManifestPath("production", app, 41)
	r.top, err = tuf.NewTargets(tuf.TargetsPlan{
		Expires:     day.AddDate(0, 3, 0),
		Targets:     map[string]tuf.TargetFile{tuf.TrustPath: r.target(tuf.TrustPath, "trust"), path: r.target(path, "manifest 41")},
		Delegations: []tuf.Delegation{{Name: tuf.RoleStaging, Keys: keys(1, 8), Paths: []string{tuf.StagingPaths}}},
	})
	r.must(err)
	path = tuf.ManifestPath("staging", app, 42)
	r.low, err = tuf.NewTargets(tuf.TargetsPlan{
		Expires: day.AddDate(0, 3, 0), Targets: map[string]tuf.TargetFile{path: r.target(path, "manifest 42")},
	})
	r.must(err)
	r.put("1.root.json", sign(r, r.root, 1, 2))
	r.publish(nil)
	return r
}

func (r *repo) must(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

func (r *repo) put(name string, b []byte) { r.files["metadata/"+name] = b }

// target describes a target file and puts it where a repository has it.
func (r *repo) target(path, content string) tuf.TargetFile {
	r.t.Helper()
	f, err := tuf.File(path, []byte(content))
	r.must(err)
	r.files["targets/"+tuf.TargetFileName(path, f.SHA256)] = []byte(content)
	return f
}

func sign[T tuf.Signable](r *repo, doc T, by ...int) []byte {
	r.t.Helper()
	b, err := tuf.Sign(context.Background(), doc, signers(by...)...)
	r.must(err)
	return b
}

// publish signs targets, snapshot and timestamp by the keys that newRepo gives
// them, or by others, by role.
func (r *repo) publish(by map[string][]int) {
	r.t.Helper()
	with := func(role string, usual ...int) []int {
		if ks, ok := by[role]; ok {
			return ks
		}
		return usual
	}
	top, low := sign(r, r.top, with("targets", 4, 5)...), sign(r, r.low, with("staging", 8)...)
	sn, err := tuf.NextSnapshot(nil, map[string][]byte{"targets": top, "staging": low}, day.AddDate(0, 0, 7))
	r.must(err)
	sn.Version = r.sn.Version + 1
	r.sn = sn
	snapshot := sign(r, sn, with("snapshot", 6)...)
	ts, err := tuf.NextTimestamp(nil, snapshot, day.AddDate(0, 0, 1).Add(30*time.Minute))
	r.must(err)
	ts.Version = r.ts.Version + 1
	r.ts = ts
	r.put(tuf.FileName("targets", r.top.Version), top)
	r.put(tuf.FileName("staging", r.low.Version), low)
	r.put(tuf.FileName("snapshot", sn.Version), snapshot)
	r.put("timestamp.json", sign(r, ts, with("timestamp", 7)...))
}
