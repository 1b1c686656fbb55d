package device

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// cutOnce publishes a zip whose first download ends in the middle.
func cutOnce(r *rig) *blob {
	a := r.srv.zipAnswer("2.0.0", zipOf(content("2.0.0")), nil)
	r.srv.answer = a
	b := stored(r.srv, a)
	b.cut, b.cutTimes = 100, 1
	return b
}

func cutUpdate(t *testing.T, r *rig) {
	t.Helper()
	if _, err := r.update(); ota.CodeOf(err) != CodeInterrupted || ota.KindOf(err) != ota.KindUnavailable {
		t.Fatalf("cut download: %v, want %s", err, CodeInterrupted)
	}
}

func TestResume(t *testing.T) {
	const day = 24 * time.Hour
	for name, tt := range map[string]struct {
		wait   time.Duration
		change func(r *rig, b *blob)
		want   []string // second attempt's requests
		code   string   // "" = installs
	}{
		"goes on":                 {0, nil, []string{"2.0.0.zip bytes=100-"}, ""},
		"goes on after a restart": {0, func(r *rig, _ *blob) { r.restart() }, []string{"2.0.0.zip bytes=100-"}, ""},
		"goes on within the hour": {59 * time.Minute, nil, []string{"2.0.0.zip bytes=100-"}, ""},
		"not after a day":         {day, nil, []string{"2.0.0.zip"}, ""},
		"server without ranges": {
			0, func(_ *rig, b *blob) { b.ranges = func(int) string { return "" } },
			[]string{"2.0.0.zip bytes=100-"},
			"",
		},
		"server starts elsewhere": {0, func(_ *rig, b *blob) {
			b.ranges = func(n int) string { return fmt.Sprintf("bytes %d-%d/%d", n+1, len(b.body), len(b.body)+1) }
		}, []string{"2.0.0.zip bytes=100-"}, CodeInterrupted},
		"server hides the size": {0, func(_ *rig, b *blob) {
			b.ranges = func(n int) string { return fmt.Sprintf("bytes %d-%d/*", n, len(b.body)-1) }
		}, []string{"2.0.0.zip bytes=100-"}, CodeInterrupted},
		"server lies about the size": {0, func(_ *rig, b *blob) {
			b.ranges = func(n int) string { return fmt.Sprintf("bytes %d-%d/%d", n, len(b.body)+9, len(b.body)+10) }
		}, []string{"2.0.0.zip bytes=100-"}, CodeInterrupted},
		"server ends early": {0, func(_ *rig, b *blob) {
			b.ranges = func(n int) string { return fmt.Sprintf("bytes %d-%d/%d", n, len(b.body)-1, len(b.body)+10) }
		}, []string{"2.0.0.zip bytes=100-"}, CodeInterrupted},
		"content changed meanwhile": {
			0, func(_ *rig, b *blob) { b.body = append([]byte("x"), b.body...) },
			[]string{"2.0.0.zip bytes=100-"},
			CodeChecksum,
		},
		"content got shorter": {
			0, func(_ *rig, b *blob) { b.body = b.body[:50] },
			[]string{"2.0.0.zip bytes=100-"},
			CodeHTTP,
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, nil)
			b := cutOnce(r)
			cutUpdate(t, r)
			r.now = r.now.Add(tt.wait)
			if tt.change != nil {
				tt.change(r, b)
			}
			n := r.srv.seen()
			u, err := r.update()
			if diff := cmp.Diff(tt.want, r.srv.fetched(n)); diff != "" {
				t.Errorf("requests (-want +got):\n%s", diff)
			}
			if tt.code != "" {
				if ota.CodeOf(err) != tt.code {
					t.Errorf("err = %v, want %s", err, tt.code)
				}
				if left := r.left(partialDir); len(left) > 0 {
					t.Errorf("kept %v to resume, which cannot end well", left)
				}
				return
			}
			if err != nil || u.Bundle == nil {
				t.Fatal(err)
			}
			if r.launch(true); r.installed() != treeOf(content("2.0.0")) {
				t.Error("the resumed bundle is another")
			}
		})
	}
}

func TestCompletePartialIsUsed(t *testing.T) {
	r := newRig(t, nil)
	b := cutOnce(r)
	cutUpdate(t, r)
	name := partialDir + "/" + r.left(partialDir)[0]
	if err := errors.Join(r.root.WriteFile(name, b.body, 0o600), r.root.Chtimes(name, r.now, r.now)); err != nil {
		t.Fatal(err)
	}
	if u, err := r.update(); err != nil || u.Transfer.Bytes != 0 {
		t.Errorf("update = %+v, %v; want it installed without a byte more", u, err)
	}
}

func TestManifestFileResumes(t *testing.T) {
	r := newRig(t, keyed)
	a := r.srv.manifestAnswer("2.0.0", content("2.0.0"), keyA())
	r.srv.answer = a
	b := fileBlob(r.srv, a, "assets/app.js.br")
	b.cut, b.cutTimes = 16, 1
	if _, err := r.update(); ota.CodeOf(err) != CodeInterrupted {
		t.Fatalf("err = %v, want %s", err, CodeInterrupted)
	}
	n := r.srv.seen()
	u := must(r.update())
	var resumed bool
	for _, f := range r.srv.fetched(n) {
		resumed = resumed || f == "app.js.br bytes=16-"
	}
	if !resumed {
		t.Errorf("requests %v, want the cut file to go on", r.srv.fetched(n))
	}
	if r.launch(true); u.Bundle == nil || r.installed() != treeOf(content("2.0.0")) {
		t.Error("the resumed bundle is another")
	}
}

// On iOS the plugin remembers a failed file download under the version's name.
func TestFailedFilesBlockTheVersionOnIOS(t *testing.T) {
	r := newRig(t, onIOS)
	a := r.srv.manifestAnswer("2.0.0", content("2.0.0"), nil)
	r.srv.answer = a
	b := fileBlob(r.srv, a, "assets/app.js.br")
	b.cut, b.cutTimes = 16, 1
	if _, err := r.update(); ota.CodeOf(err) != CodeInterrupted {
		t.Fatalf("err = %v, want %s", err, CodeInterrupted)
	}
	if _, err := r.update(); ota.KindOf(err) != ota.KindConflict {
		t.Errorf("err = %v, want the version refused", err)
	}
	if err := r.Forget("2.0.0"); err != nil {
		t.Fatal(err)
	}
	if u, err := r.update(); err != nil || u.Bundle == nil {
		t.Errorf("after Forget: %+v, %v", u, err)
	}
}

// The app may be closed in the middle of a download: nobody is to blame, and the
// next process goes on.
func TestClosedInTheMiddle(t *testing.T) {
	r := newRig(t, nil)
	b := cutOnce(r)
	ctx, cancel := context.WithCancel(t.Context())
	b.onCut = func() { // when what was sent has arrived
		part := filepath.Join(r.cfg.Dir, partialDir, r.left(partialDir)[0])
		for fi, err := os.Stat(part); err == nil && fi.Size() < 100; fi, err = os.Stat(part) {
			runtime.Gosched()
		}
		cancel()
	}
	if _, err := r.Update(ctx, ""); !errors.Is(err, context.Canceled) {
		t.Fatalf("err = %v", err)
	}
	r.restart()
	u := must(r.update())
	if u.Bundle == nil || u.Transfer.Bytes >= int64(len(b.body)) {
		t.Errorf("update = %+v of %d bytes", u, len(b.body))
	}
	r.launch(true)
	for _, a := range r.srv.actions() {
		if strings.HasPrefix(a, "download_fail") {
			t.Errorf("reported %s", a)
		}
	}
}
