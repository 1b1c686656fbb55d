package device

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// offer publishes a version as a zip and makes it the answer.
func (r *rig) offer(version string) {
	r.srv.answer = r.srv.zipAnswer(version, zipOf(content(version)), nil)
}

// runs updates to a version and confirms it.
func (r *rig) runs(version string) {
	r.t.Helper()
	r.offer(version)
	must(r.update())
	if l := r.launch(true); l.Running.Version != version || l.Running.Status != Success {
		r.t.Fatalf("launched %+v, want %s confirmed", l, version)
	}
}

func TestTimeoutGoesBackToTheBuiltin(t *testing.T) {
	r := newRig(t, nil)
	r.offer("2.0.0")
	must(r.update())
	l := r.launch(false)
	if !l.RolledBack || l.Failed != "2.0.0" || l.Running.ID != builtinID {
		t.Errorf("launched %+v", l)
	}
	if s := r.State(); s.LastFailed != "2.0.0" || len(r.left(versionsDir)) > 0 || s.Bundles[0].Status != Deleted {
		t.Errorf("state %+v", s)
	}
	// Nothing in the device stops the next offer: only the server can.
	if u := must(r.update()); u.Bundle == nil || u.Known {
		t.Errorf("offered again: %+v", u)
	}
}

func TestTimeoutGoesBackToTheLastGood(t *testing.T) {
	r := newRig(t, nil)
	r.runs("2.0.0")
	r.offer("3.0.0")
	must(r.update())
	n := len(r.srv.actions())
	l := r.launch(false)
	if !l.RolledBack || l.Running.Version != "2.0.0" || l.Running.Status != Success || r.installed() != treeOf(content("2.0.0")) {
		t.Errorf("launched %+v", l)
	}
	want := []string{
		"set_next 3.0.0", "app_launch_start 2.0.0", "app_moved_to_foreground 2.0.0", "app_moved_to_background 2.0.0", "set 3.0.0",
		"app_launch_timeout 3.0.0", "update_fail 3.0.0", "set 2.0.0", "delete 3.0.0",
	}
	got := r.srv.actions()[n:]
	got = got[slices.Index(got, "set_next 3.0.0"):]
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("reports (-want +got):\n%s", diff)
	}
}

func TestReadyDropsThePrevious(t *testing.T) {
	for _, keep := range []bool{false, true} {
		r := newRig(t, func(c *Config) { c.KeepPrevious = keep })
		r.runs("2.0.0")
		r.runs("3.0.0")
		if got, want := len(r.left(versionsDir)), map[bool]int{false: 1, true: 2}[keep]; got != want {
			t.Errorf("keep %v: %d bundles on disk, want %d", keep, got, want)
		}
	}
}

func TestReadyKeepsThePreviousIfItIsNext(t *testing.T) {
	r := newRig(t, nil)
	r.runs("2.0.0")
	r.offer("3.0.0")
	must(r.update())
	must(r.Background())
	r.offer("2.0.0")
	must(r.update())
	if err := r.Ready(); err != nil {
		t.Fatal(err)
	}
	if l := r.launch(true); l.Running.Version != "2.0.0" {
		t.Errorf("launched %+v", l)
	}
}

func TestBackToBuiltin(t *testing.T) {
	r := newRig(t, nil)
	r.runs("2.0.0")
	r.srv.answer = map[string]any{"version": "builtin"}
	u := must(r.update())
	if u.Answer.Kind != Revert || r.State().Next == nil || r.State().Next.ID != builtinID {
		t.Errorf("update %+v, next %+v", u, r.State().Next)
	}
	if l := r.launch(true); l.Running.ID != builtinID || !slices.Contains(r.srv.actions(), "reset 1.0.0") {
		t.Errorf("launched %+v, reports %v", l, r.srv.actions())
	}
}

func TestKeptFailureIsRefused(t *testing.T) {
	r := newRig(t, func(c *Config) { c.KeepFailed = true })
	r.offer("2.0.0")
	must(r.update())
	r.launch(false)
	if _, err := r.update(); ota.KindOf(err) != ota.KindConflict {
		t.Errorf("err = %v, want a refusal", err)
	}
	if err := r.Flush(t.Context()); err != nil || !slices.Contains(r.srv.actions(), "download_fail 1.0.0") {
		t.Errorf("reports %v, %v", r.srv.actions(), err)
	}
	if err := r.Install(r.State().Bundles[0].ID); ota.CodeOf(err) != "bundle_failed" {
		t.Errorf("install of a failed bundle: %v", err)
	}
	if err := r.Install("nope"); ota.KindOf(err) != ota.KindNotFound {
		t.Errorf("install of nothing: %v", err)
	}
}

func TestNativeUpdateResets(t *testing.T) {
	for _, keep := range []bool{false, true} {
		r := newRig(t, func(c *Config) { c.KeepOnNative = keep })
		r.runs("2.0.0")
		r.cfg.VersionBuild, r.cfg.VersionCode = "1.1.0", "2"
		r.restart()
		got := r.Running()
		if keep != (got.Version == "2.0.0") || !keep && (got.Version != "1.1.0" || len(r.left(versionsDir))+len(r.left(cacheDir)) > 0) {
			t.Errorf("keep %v: runs %+v, on disk %v %v", keep, got, r.left(versionsDir), r.left(cacheDir))
		}
	}
}

func TestKilledBeforeTheTimeout(t *testing.T) {
	r := newRig(t, nil)
	r.offer("2.0.0")
	must(r.update())
	if applied := must(r.Background()); !applied {
		t.Fatal("not applied")
	}
	r.restart()
	if b := r.Running(); b.Version != "2.0.0" || b.Status != Pending {
		t.Fatalf("after the kill: %+v", b)
	}
	if l := r.launch(false); !l.RolledBack || l.Running.ID != builtinID {
		t.Errorf("launched %+v", l)
	}
}

func TestChangedFilesAreNotRun(t *testing.T) {
	spoil := func(r *rig, id string) {
		if err := r.root.WriteFile(versionsDir+"/"+id+"/assets/app.js", []byte("evil()"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Run("before it is applied", func(t *testing.T) {
		r := newRig(t, nil)
		r.offer("2.0.0")
		spoil(r, must(r.update()).Bundle.ID)
		if l := r.launch(true); l.Applied || l.Running.ID != builtinID {
			t.Errorf("launched %+v", l)
		}
		if slices.ContainsFunc(r.srv.actions(), func(s string) bool { return s == "set_fail 2.0.0" || s == "update_fail 2.0.0" }) {
			t.Errorf("the version was blamed: %v", r.srv.actions())
		}
	})
	t.Run("while it is the running one", func(t *testing.T) {
		r := newRig(t, nil)
		r.runs("2.0.0")
		spoil(r, r.Running().ID)
		if l := r.launch(true); l.Running.ID != builtinID {
			t.Errorf("launched %+v", l)
		}
	})
	t.Run("in the fallback", func(t *testing.T) {
		r := newRig(t, nil)
		r.runs("2.0.0")
		good := r.Running().ID
		r.offer("3.0.0")
		must(r.update())
		must(r.Background())
		spoil(r, good)
		if back := must(r.Timeout()); !back || r.Running().ID != builtinID {
			t.Errorf("runs %+v", r.Running())
		}
	})
}

func TestRestartRepairs(t *testing.T) {
	r := newRig(t, nil)
	r.runs("2.0.0")
	for _, dir := range []string{versionsDir + "/leftover0", tmpDir + "/work"} {
		if err := r.root.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	r.restart()
	if got := r.left(versionsDir); len(got) != 1 || len(r.left(tmpDir)) > 0 {
		t.Errorf("kept %v %v", got, r.left(tmpDir))
	}
	if r.Running().Version != "2.0.0" {
		t.Errorf("runs %+v", r.Running())
	}
}

func TestDamagedStateIsAnError(t *testing.T) {
	r := newRig(t, nil)
	if err := r.root.WriteFile(stateFile, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := New(r.cfg); ota.CodeOf(err) != "device_state_damaged" {
		t.Errorf("err = %v", err)
	}
}

func TestNewRefuses(t *testing.T) {
	good := Config{AppID: testApp, Dir: t.TempDir()}
	for field, change := range map[string]func(*Config){
		"id":          func(c *Config) { c.AppID = "nope" },
		"dir":         func(c *Config) { c.Dir = "" },
		"platform":    func(c *Config) { c.Platform = "beos" },
		"update_url":  func(c *Config) { c.UpdateURL = "ftp://a/b" },
		"stats_url":   func(c *Config) { c.StatsURL = "nope" },
		"channel_url": func(c *Config) { c.ChannelURL = "http://" },
	} {
		c := good
		change(&c)
		if _, err := New(c); ota.KindOf(err) != ota.KindInvalid || err == nil {
			t.Errorf("%s: %v", field, err)
		}
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := New(Config{AppID: testApp, Dir: file}); ota.CodeOf(err) != "device_disk" {
		t.Errorf("folder that is a file: %v", err)
	}
	good.PublicKeyPEM = "-----BEGIN PUBLIC KEY-----"
	if _, err := New(good); err == nil {
		t.Error("took a key of another kind")
	}
}
