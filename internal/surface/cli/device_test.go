package cli

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/waxwing-ota/waxwing/internal/client"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/seal"
	"github.com/waxwing-ota/waxwing/internal/device"
	"github.com/waxwing-ota/waxwing/internal/publish"
	"github.com/waxwing-ota/waxwing/internal/run"
	"github.com/waxwing-ota/waxwing/internal/run/config"
	"github.com/waxwing-ota/waxwing/internal/sample"
	"github.com/waxwing-ota/waxwing/internal/secret"
)

// deviceStage is a server with an app that has published its first version, and
// the flags of a device that belongs to it.
type deviceStage struct {
	t     *testing.T
	c     *client.Client
	key   *seal.PrivateKey
	flags []string
	dir   string
}

const deviceApp = "com.example.shop"

func newDeviceStage(t *testing.T) *deviceStage {
	t.Helper()
	cfg := config.Default()
	cfg.Data, cfg.Listen = t.TempDir(), "127.0.0.1:0"
	s, err := run.New(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil && !errors.Is(err, context.Canceled) {
			t.Errorf("server: %v", err)
		}
	})
	c, err := client.New(client.Config{URL: s.URL(), Token: secret.New(s.Bootstrap())})
	if err != nil {
		t.Fatal(err)
	}
	st := &deviceStage{t: t, c: c, dir: t.TempDir()}
	if st.key, err = seal.GenerateKey(rand.Reader); err != nil {
		t.Fatal(err)
	}
	pub := filepath.Join(st.dir, "key.pub")
	_, aerr := c.CreateApp(t.Context(), ota.NewApp{ID: deviceApp})
	_, kerr := c.RegisterKey(t.Context(), deviceApp, st.key.Public().PEM())
	selfSet := true
	_, cerr := c.CreateChannel(t.Context(), deviceApp, "beta", ota.PolicyPatch{AllowSelfSet: &selfSet})
	if err := errors.Join(aerr, kerr, cerr, os.WriteFile(pub, []byte(st.key.Public().PEM()), 0o600)); err != nil {
		t.Fatal(err)
	}
	st.flags = []string{"--server", s.URL(), "--app", deviceApp, "--public-key", pub, "--state", filepath.Join(st.dir, "state"), "--native", "1.0.0"}
	return st
}

// push releases a version whose content is that of the sample app.
func (st *deviceStage) push(version string) {
	st.t.Helper()
	_, err := publish.Push(st.t.Context(), st.c, publish.Options{
		App: deviceApp, Version: version, Channel: "production", Dir: sample.V1(), Keys: []*seal.PrivateKey{st.key},
	})
	if err != nil {
		st.t.Fatal(err)
	}
}

// onDevice runs one subcommand under --json and decodes its document.
func onDevice[T any](st *deviceStage, args ...string) (T, error) {
	st.t.Helper()
	var v T
	out, err := runCommand(st.t, true, newDeviceCommand, append(args, st.flags...)...)
	if err == nil {
		if jerr := json.Unmarshal(out, &v); jerr != nil {
			st.t.Errorf("%v: %v", args, jerr)
		}
	}
	return v, err
}

func TestDeviceLoop(t *testing.T) {
	st := newDeviceStage(t)
	st.push("1.0.1")
	if a, err := onDevice[device.Answer](st, "check"); err != nil || a.Kind != device.Update || a.Version != "1.0.1" || len(a.Manifest) == 0 {
		t.Fatalf("check: %+v, %v", a, err)
	}
	if u, err := onDevice[device.Updated](st, "update"); err != nil || u.Bundle == nil || u.Transfer.Fetched == 0 {
		t.Fatalf("update: %+v, %v", u, err)
	}
	if l, err := onDevice[device.Launched](st, "ready"); err != nil || l.Running.Version != "1.0.1" || l.Running.Status != device.Success {
		t.Fatalf("ready: %+v, %v", l, err)
	}
	st.push("1.0.2")
	if u, err := onDevice[device.Updated](st, "update"); err != nil || u.Transfer.Fetched != 0 || u.Transfer.Cached == 0 {
		t.Errorf("update to the same content: %+v, %v", u, err)
	}
	if l, err := onDevice[device.Launched](st, "timeout"); err != nil || !l.RolledBack || l.Running.Version != "1.0.1" {
		t.Errorf("timeout: %+v, %v", l, err)
	}
	// The server remembers; the device is not offered 1.0.2 again.
	if r, err := onDevice[deviceRun](st, "run"); err != nil || r.Update.Bundle != nil || r.Launch.Running.Version != "1.0.1" {
		t.Errorf("run: %+v, %v", r, err)
	}
	s, err := onDevice[device.State](st, "state")
	if err != nil || s.LastFailed != "1.0.2" || s.Queued != 0 {
		t.Errorf("state: %+v, %v", s, err)
	}
	known, err := st.c.Device(t.Context(), deviceApp, s.DeviceID)
	if err != nil || known.VersionName != "1.0.1" || len(known.FailedVersions) != 1 {
		t.Errorf("the server knows %+v, %v", known, err)
	}
}

func TestDeviceChannel(t *testing.T) {
	st := newDeviceStage(t)
	st.push("1.0.1")
	if l, err := onDevice[listing[device.ListedChannel]](st, "channel", "list"); err != nil || len(l.Items) == 0 {
		t.Errorf("list: %+v, %v", l, err)
	}
	if i, err := onDevice[device.ChannelInfo](st, "channel", "set", "beta"); err != nil || i.Channel != "beta" {
		t.Errorf("set: %+v, %v", i, err)
	}
	if s, err := onDevice[device.State](st, "state"); err != nil || s.Channel != "beta" {
		t.Errorf("state: %+v, %v", s, err)
	}
	if _, err := onDevice[device.ChannelInfo](st, "channel", "set", "nope"); ota.KindOf(err) != ota.KindForbidden {
		t.Errorf("set of an unknown channel: %v", err)
	}
	if i, err := onDevice[device.ChannelInfo](st, "channel", "get"); err != nil || i.Channel != "beta" {
		t.Errorf("get: %+v, %v", i, err)
	}
	if _, err := onDevice[done](st, "channel", "unset"); err != nil {
		t.Errorf("unset: %v", err)
	}
	if a, err := onDevice[device.Answer](st, "check"); err != nil || a.Version != "1.0.1" {
		t.Errorf("check on the public channel: %+v, %v", a, err)
	}
}

func TestDeviceOfOtherKinds(t *testing.T) {
	st := newDeviceStage(t)
	st.push("1.0.1")
	for name, flags := range map[string][]string{
		"ios":        {"--platform", "ios"},
		"electron":   {"--platform", "electron"},
		"old plugin": {"--plugin", "7.20.0"},
	} {
		st.flags = append(slices.Clip(st.flags), "--state", filepath.Join(st.dir, name))
		r, err := onDevice[deviceRun](st, append([]string{"run"}, flags...)...)
		if err != nil || r.Launch.Running.Version != "1.0.1" || r.Check.Kind != device.UpToDate {
			t.Errorf("%s: %+v, %v", name, r, err)
		}
	}
}

func TestDeviceBadInput(t *testing.T) {
	dir := t.TempDir()
	for name, args := range map[string][]string{
		"no app":      {"check"},
		"bad app":     {"check", "--app", "nope"},
		"bad device":  {"check", "--app", deviceApp, "--device", "1"},
		"bad server":  {"check", "--app", deviceApp, "--server", "nope"},
		"bad url":     {"check", "--app", deviceApp, "--update-url", "ftp://a/b"},
		"no key file": {"check", "--app", deviceApp, "--public-key", filepath.Join(dir, "none")},
		"no server":   {"check", "--app", deviceApp, "--server", "http://127.0.0.1:1"},
		"platform":    {"check", "--app", deviceApp, "--platform", "beos"},
		"extra":       {"check", "more", "--app", deviceApp},
		"subcommand":  {"jump"},
	} {
		out, err := runCommand(t, true, newDeviceCommand, append(args, "--state", filepath.Join(dir, "state"))...)
		if err == nil || len(out) > 0 {
			t.Errorf("%s: %v, printed %q", name, err, out)
		}
	}
}
