// Command client is our TUF client behind the command line that the TUF
// conformance suite (theupdateframework/tuf-conformance, CLIENT-CLI.md) asks for.
// It reads foreign repositories with the workflow of internal/core/tuf; only this
// command knows keys other than P-256.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/tuf"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "client:", err)
		os.Exit(1)
	}
}

type options struct {
	dir, metadataURL, targetURL, targetDir string
	targets                                []string
}

func run(args []string) error {
	var o options
	f := flag.NewFlagSet("client", flag.ContinueOnError)
	f.StringVar(&o.dir, "metadata-dir", "", "folder of trusted metadata")
	f.StringVar(&o.metadataURL, "metadata-url", "", "where the metadata is")
	f.StringVar(&o.targetURL, "target-base-url", "", "where the targets are")
	f.StringVar(&o.targetDir, "target-dir", "", "where targets are stored")
	f.Func("target-name", "a target path; may be repeated", func(s string) error { o.targets = append(o.targets, s); return nil })
	if err := f.Parse(args); err != nil {
		return err
	}
	switch f.Arg(0) {
	case "init":
		b, err := os.ReadFile(f.Arg(1))
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(o.dir, "root.json"), b, 0o600)
	case "refresh":
		_, err := o.refresh()
		return err
	case "download":
		return o.download()
	default:
		return fmt.Errorf("no command %q: init, refresh or download", f.Arg(0))
	}
}

// clock asks date for the time, since the suite sets the time of programs of C only.
func clock() (time.Time, error) {
	out, err := exec.Command("date", "+%s").Output()
	if err != nil {
		return time.Time{}, err
	}
	s, err := strconv.ParseInt(strings.TrimSpace(string(out)), 10, 64)
	return time.Unix(s, 0), err
}

type session struct {
	*tuf.Client
	now   time.Time
	fetch tuf.Fetch
}

func (o options) refresh() (*session, error) {
	now, err := clock()
	if err != nil {
		return nil, err
	}
	root, err := os.ReadFile(filepath.Join(o.dir, "root.json"))
	if err != nil {
		return nil, err
	}
	c, err := tuf.StartForeign(root, otherKeys)
	if err != nil {
		return nil, err
	}
	c.LoadForeign(o.load(now))
	s := &session{Client: c, now: now, fetch: func(n tuf.Need) ([]byte, bool, error) {
		return get(o.metadataURL, url.PathEscape(n.File), n.Max)
	}}
	err = s.Pull(s.fetch, now)
	return s, errors.Join(err, o.store(s.State()))
}

func (o options) load(now time.Time) (timestamp, snapshot []byte, roles map[string][]byte, at time.Time) {
	roles = map[string][]byte{}
	files, _ := filepath.Glob(filepath.Join(o.dir, "*.json"))
	for _, f := range files {
		b, err := os.ReadFile(f) //nolint:gosec // a file of our own folder
		role, err2 := url.PathUnescape(strings.TrimSuffix(filepath.Base(f), ".json"))
		switch {
		case err != nil || err2 != nil:
		case role == tuf.RoleTimestamp:
			timestamp = b
		case role == tuf.RoleSnapshot:
			snapshot = b
		case role != tuf.RoleRoot:
			roles[role] = b
		}
	}
	return timestamp, snapshot, roles, now
}

func (o options) store(s tuf.State) error {
	all := map[string][]byte{tuf.RoleRoot: s.Root, tuf.RoleTimestamp: s.Timestamp, tuf.RoleSnapshot: s.Snapshot}
	for role, b := range s.Roles {
		all[role] = b
	}
	for role, b := range all {
		name := filepath.Join(o.dir, url.PathEscape(role)+".json")
		err := os.WriteFile(name, b, 0o600)
		if len(b) == 0 {
			err = os.Remove(name)
		}
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	return nil
}

func (o options) download() error {
	s, err := o.refresh()
	if err != nil {
		return err
	}
	for _, path := range o.targets {
		if _, _, err := s.PullTarget(path, s.fetch, s.now); err != nil {
			return errors.Join(err, o.store(s.State()))
		}
		if err := o.store(s.State()); err != nil {
			return err
		}
		file, length, holds, err := s.ForeignTarget(path)
		if err != nil {
			return err
		}
		name := filepath.Join(o.targetDir, url.PathEscape(path))
		if b, err := os.ReadFile(name); err == nil && holds(b) == nil { //nolint:gosec // an escaped name in the folder that was asked for
			continue
		}
		b, ok, err := get(o.targetURL, file, length)
		if err != nil || !ok {
			return errors.Join(err, fmt.Errorf("no file for %s", path))
		}
		if err := holds(b); err != nil {
			return err
		}
		if err := os.WriteFile(name, b, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// get reads at most max bytes; one more is an error.
func get(base, file string, max int64) ([]byte, bool, error) {
	res, err := http.Get(strings.TrimSuffix(base, "/") + "/" + file) //nolint:gosec // what the suite names
	if err != nil {
		return nil, false, err
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode == http.StatusNotFound {
		return nil, false, nil
	}
	b, err := io.ReadAll(io.LimitReader(res.Body, max+1))
	if err == nil && (res.StatusCode != http.StatusOK || int64(len(b)) > max) {
		err = fmt.Errorf("%s: status %d, %d bytes", file, res.StatusCode, len(b))
	}
	return b, true, err
}
