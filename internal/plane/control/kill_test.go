package control_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/driver/blob/fs"
	"github.com/waxwing-ota/waxwing/internal/driver/sqlstore"
	"github.com/waxwing-ota/waxwing/internal/plane/control"
	"github.com/waxwing-ota/waxwing/internal/plane/snap"
)

// killDir names the folder in which a child of TestKilledServer publishes.
const killDir = "WAXWING_TEST_KILL_DIR"

// onDisk opens a service on a folder as a server does.
func onDisk(t testing.TB, dir string) *env {
	t.Helper()
	e := &env{t: t, at: time.Now()}
	db, err := sqlstore.Open(context.Background(), filepath.Join(dir, "waxwing.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	store, err := fs.Open(filepath.Join(dir, "blobs"), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	e.db, e.blobs, e.snap = db, store, snap.NewHolder(db)
	if err := e.snap.Load(context.Background()); err != nil {
		t.Fatal(err)
	}
	e.Service = control.New(control.Deps{Store: db, Blobs: store, Snap: e.snap, Now: e.now, Rand: rand.Reader})
	return e
}

// The server is killed with SIGKILL again and again while it publishes and
// collects garbage: what it said was done is there and whole, and nothing is
// there by halves.
func TestKilledServer(t *testing.T) {
	if dir := os.Getenv(killDir); dir != "" {
		publishForEver(t, dir)
		return
	}
	dir := t.TempDir()
	done := 0
	for round := range 6 {
		done += killedChild(t, dir, time.Duration(40+60*round)*time.Millisecond)
		e := onDisk(t, dir)
		list := strings.Fields(e.live()) // checks that each is whole
		if len(list) < done || len(list) > done+1 {
			t.Fatalf("round %d: %d bundles, of which %d were acknowledged", round, len(list), done)
		}
		done = len(list)
		if chain := e.chain(prod); done > 0 && len(chain) == 0 {
			t.Errorf("round %d: nothing is released", round)
		}
		e.do(e.db.Close())
	}
	if done == 0 {
		t.Error("nothing was published at all")
	}
}

// killedChild runs a child for a while after its first success, and says how
// many bundles it acknowledged.
func killedChild(t *testing.T, dir string, after time.Duration) int {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, os.Args[0], "-test.run=^TestKilledServer$", "-test.v")
	cmd.Env = append(os.Environ(), killDir+"="+dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	n := 0
	var log bytes.Buffer
	for lines := bufio.NewScanner(out); lines.Scan(); {
		fmt.Fprintln(&log, lines.Text())
		if strings.HasPrefix(lines.Text(), "published ") {
			if n++; n == 1 {
				time.AfterFunc(after, cancel)
			}
		}
	}
	_ = cmd.Wait() // it was killed
	if n == 0 {
		t.Fatalf("the child published nothing:\n%s", log.String())
	}
	return n
}

// publishForEver publishes, releases and collects until it is killed.
func publishForEver(t *testing.T, dir string) {
	e := onDisk(t, dir)
	if _, err := e.CreateApp(e.ctx(), actor, ota.NewApp{ID: app}); err != nil && ota.CodeOf(err) != control.CodeAppExists {
		t.Fatal(err)
	}
	for n := len(strings.Fields(e.live())); ; n++ {
		version := fmt.Sprintf("1.0.%d", n)
		e.publish(version)
		fmt.Println("published", version)
		_, _, err := e.Release(e.ctx(), who, app, prod, ota.ReleaseRequest{Version: version})
		e.do(err)
		e.collect()
	}
}
