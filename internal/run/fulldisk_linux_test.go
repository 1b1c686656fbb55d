package run_test

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/run/config"
	"github.com/waxwing-ota/waxwing/internal/testkit/live"
)

// smallDisk mounts a disk of so many megabytes; who may not mount skips.
func smallDisk(t *testing.T, megabytes string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "disk")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size="+megabytes+"m"); err != nil {
		t.Skip("needs the right to mount a small disk: ", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) })
	return dir
}

// fill takes every byte that is left of a disk and returns what frees them.
func fill(t *testing.T, dir string) (free func()) {
	t.Helper()
	path := filepath.Join(dir, "filler")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	for block := make([]byte, 1<<20); len(block) > 0; {
		if _, err = f.Write(block); errors.Is(err, syscall.ENOSPC) || errors.Is(err, io.ErrShortWrite) {
			block = block[:len(block)/2]
		} else if err != nil {
			t.Fatal(err)
		}
	}
	_ = f.Close()
	return func() { _ = os.Remove(path) }
}

// On a disk that is really full a person stops a rollout at once; it stays
// stopped over a restart, and is recorded then, when there is room again.
func TestHaltOnAFullDisk(t *testing.T) {
	disk := smallDisk(t, "64")
	s, data, treated := watchedIn(t, disk)
	last := treated[len(treated)-1]
	if !s.gets(last) {
		t.Fatal("it is not offered to begin with")
	}
	free := fill(t, disk)
	full := func() error { // what is written grows until the room that the database had is used up
		_, err := s.c.CreateChannel(t.Context(), app, "more", ota.PolicyPatch{})
		if err == nil {
			_ = s.c.DeleteChannel(t.Context(), app, "more")
		}
		return err
	}
	s.until("the database to be full", func() bool { return ota.CodeOf(full()) == "disk_full" })
	got := must(s, func() (ota.GuardHaltAnswer, error) {
		return s.c.GuardHalt(t.Context(), app, "production", ota.GuardHaltRequest{Action: ota.HaltPause, Reason: "it hurts"})
	})
	if got.Recorded || s.gets(last) {
		t.Errorf("%+v, and it is offered: %v", got, s.gets(last))
	}
	if r := s.rolling(); r == nil || r.PausedAt != 0 {
		t.Errorf("the rollout is %+v, on a full disk", r)
	}
	if err := s.End(); err != nil && ota.CodeOf(err) != "disk_full" {
		t.Error(err)
	}
	free() // it does not start on a full disk
	srv := live.Start(t, data, func(c *config.Config) { c.TrustProxy = true })
	s.Server, s.c = srv, srv.Client
	if s.gets(last) {
		t.Error("it is offered again after a restart")
	}
	s.until("the record", func() bool { r := s.rolling(); return r != nil && r.PausedAt != 0 })
	if s.gets(last) {
		t.Error("it is offered again once it is recorded")
	}
}
