package demo

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"os"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/seal"
	"github.com/waxwing-ota/waxwing/internal/device"
	"github.com/waxwing-ota/waxwing/internal/keyfile"
	"github.com/waxwing-ota/waxwing/internal/publish"
	"github.com/waxwing-ota/waxwing/internal/secret"
)

// setUp makes the app, its key and the channel's rules.
func (s *story) setUp() (string, error) {
	c := s.o.Client
	if _, err := c.CreateApp(s.ctx, ota.NewApp{ID: App, Name: "Birdbook"}); err != nil {
		return "", err
	}
	strategy := ota.StrategyNone // from native 0.9 to bundle 2.0 is a long way
	if _, err := c.UpdateChannel(s.ctx, App, Channel, ota.PolicyPatch{
		Strategy: &strategy,
		AutoHalt: &ota.AutoHaltPatch{MinAttempts: new(minAttempts), MinFailures: new(minFailures)},
	}); err != nil {
		return "", err
	}
	key, err := seal.GenerateKey(rand.Reader)
	if err != nil {
		return "", err
	}
	if err := keyfile.Write(s.rep.KeyFile, key, secret.Text{}); err != nil {
		return "", err
	}
	registered, err := c.RegisterKey(s.ctx, App, key.Public().PEM())
	if err != nil {
		return "", err
	}
	if registered.ID != key.Public().ID() {
		return "", otherwise("the server registered key %s instead of %s", registered.ID, key.Public().ID())
	}
	s.key, s.rep.KeyID = key, registered.ID
	return App + ", key " + registered.ID + "; its private half stays here", s.writeBuilds()
}

// push publishes a build and releases it.
func (s *story) push(version string) (string, error) {
	res, err := publish.Push(s.ctx, s.o.Client, publish.Options{
		App: App, Version: version, Channel: Channel, Dir: os.DirFS(s.build(version)),
		Keys: []*seal.PrivateKey{s.key}, NativeVersion: Native,
	})
	if err != nil {
		return "", err
	}
	if !res.Created || !res.Released {
		return "", otherwise("version %s was not released: %s", version, res.Skipped)
	}
	if version == broken && res.Reused.Count == 0 {
		return "", otherwise("no stored file of %s was used again", good)
	}
	s.trees[version], s.rep.FullBytes = res.Tree, res.Size
	return fmt.Sprintf("%d files, %s; %d stored files (%s) uploaded, %d used again",
		res.Files, publish.Bytes(res.Size), res.Uploaded.Count, publish.Bytes(res.Uploaded.Bytes), res.Reused.Count), nil
}

// installFirst lets every phone check, download, verify, decrypt, install,
// confirm and report.
func (s *story) installFirst() (string, error) {
	if err := s.hire(); err != nil {
		return "", err
	}
	err := s.all(func(p *phone) error {
		u, err := p.dev.Update(s.ctx, "")
		if err != nil {
			return err
		}
		p.first = u.Transfer
		if _, err := p.dev.Launch(s.ctx, true); err != nil {
			return err
		}
		return s.runs(p, good)
	})
	return fmt.Sprintf("%d of %d verified, decrypted and confirmed it; %s loaded each", len(s.fleet), phones, publish.Bytes(s.fleet[0].first.Bytes)), err
}

// serverSees asks the admin API what the server made of the reports.
func (s *story) serverSees() (string, error) {
	devices, _, err := s.o.Client.Devices(s.ctx, App, ota.DeviceFilter{Version: good}, ota.Page{Limit: 500})
	if err != nil {
		return "", err
	}
	if len(devices) != phones {
		return "", otherwise("it knows of %d devices on %s, not of %d", len(devices), good, phones)
	}
	events, _, err := s.o.Client.Events(s.ctx, App, ota.EventFilter{Action: "app_launch_ready", Version: good}, ota.Page{Limit: 500})
	if err != nil {
		return "", err
	}
	ready := map[ota.DeviceID]bool{}
	for _, e := range events {
		ready[e.Device] = true
	}
	if len(ready) != phones {
		return "", otherwise("%d devices reported that %s is ready, not %d", len(ready), good, phones)
	}
	return fmt.Sprintf("%d devices on %s, each reported ready", len(devices), good), nil
}

// failInTurn lets one phone after the other take the broken version, until the
// server stops offering it.
func (s *story) failInTurn() (string, error) {
	failed := 0
	for _, p := range s.fleet {
		a, err := p.dev.Check(s.ctx, "")
		if err != nil {
			return "", err
		}
		if a.Kind != device.Update || a.Version != broken {
			break
		}
		if err := s.failOne(p); err != nil {
			return "", fmt.Errorf("phone %d (%s, plugin %s): %w", p.n+1, p.platform, p.plugin, err)
		}
		if failed++; failed < max(minAttempts, minFailures) {
			continue
		}
		if err := s.awaitHalt(); err != nil {
			return "", err
		}
	}
	if failed != max(minAttempts, minFailures) {
		return "", otherwise("it failed on %d phones before the server stopped it, not on %d", failed, max(minAttempts, minFailures))
	}
	t := s.fleet[0].second
	return fmt.Sprintf("%d took it, never became ready, rolled back to %s and reported; to get it they had loaded %s (%d changed files) of %s, the old plugin all",
		failed, good, publish.Bytes(t.Bytes), t.Fetched, publish.Bytes(t.Size)), nil
}

// failOne is one phone that takes the broken version: it loads only what
// changed (or, with the old plugin, the whole zip), rolls back, and is not offered the version again although it is
// still the channel's.
func (s *story) failOne(p *phone) error {
	u, err := p.dev.Update(s.ctx, "")
	if err != nil {
		return err
	}
	p.second = u.Transfer
	if !p.old && (u.Transfer.Cached == 0 || u.Transfer.Bytes >= p.first.Bytes/2) {
		return otherwise("it loaded %d bytes again and reused %d files", u.Transfer.Bytes, u.Transfer.Cached)
	}
	l, err := p.dev.Launch(s.ctx, false)
	if err != nil {
		return err
	}
	if !l.RolledBack || l.Failed != broken {
		return otherwise("it did not roll back: runs %s", l.Running.Version)
	}
	p.failed = true
	if n := p.dev.Queued(); n > 0 {
		return otherwise("%d reports were not taken", n)
	}
	if err := s.runs(p, good); err != nil {
		return err
	}
	return s.notAgain(p)
}

// notAgain checks that a phone is not told to install the broken version.
func (s *story) notAgain(p *phone) error {
	a, err := p.dev.Check(s.ctx, "")
	if err != nil {
		return err
	}
	if a.Kind != device.UpToDate && a.Kind != device.Blocked {
		return otherwise("it was answered %s %s %s", a.Kind, a.Version, a.Code)
	}
	return nil
}

// awaitHalt waits until the server no longer offers the broken version. It acts
// on its own, some milliseconds after the last report. What counts is what a
// device would get, so the server is asked for that.
func (s *story) awaitHalt() error {
	tick, late := time.NewTicker(20*time.Millisecond), time.NewTimer(s.o.Patience)
	defer tick.Stop()
	defer late.Stop()
	for {
		p, err := s.o.Client.Probe(s.ctx, App, ota.ProbeRequest{Platform: device.Android, Native: Native, Current: good})
		if err != nil {
			return err
		}
		var answer struct {
			Kind    string `json:"kind"`
			Version string `json:"version"`
		}
		if err := json.Unmarshal(p.Answer, &answer); err != nil {
			return otherwise("the probe's answer is no JSON: %v", err)
		}
		if answer.Kind != "" || answer.Version != broken {
			return nil
		}
		select {
		case <-s.ctx.Done():
			return s.ctx.Err()
		case <-late.C:
			return otherwise("the server still offers %s after %s", broken, s.o.Patience)
		case <-tick.C:
		}
	}
}

// takenBack checks that it was the server that rolled the channel back.
func (s *story) takenBack() (string, error) {
	ch, err := s.o.Client.Channel(s.ctx, App, Channel)
	if err != nil {
		return "", err
	}
	r := ch.Release
	if r == nil || r.Version != good || r.Kind != ota.ReleaseRollback || r.CreatedBy != "system/guard" {
		return "", otherwise("the channel's release is %+v", r)
	}
	return fmt.Sprintf("%s is back on %s, released by %s: %s", r.Version, Channel, r.CreatedBy, r.Note), nil
}

// notOffered asks for every phone, those that failed and those that never saw it.
func (s *story) notOffered() (string, error) {
	spared := 0
	for _, p := range s.fleet {
		if !p.failed {
			spared++
		}
	}
	return fmt.Sprintf("%d phones were spared altogether", spared), s.all(s.notAgain)
}

// allGood looks at every phone and at what the server remembers of it.
func (s *story) allGood() (string, error) {
	err := s.all(func(p *phone) error {
		if _, err := p.dev.Launch(s.ctx, true); err != nil {
			return err
		}
		if err := s.runs(p, good); err != nil {
			return err
		}
		known, err := s.o.Client.Device(s.ctx, App, p.dev.ID())
		if err != nil {
			return err
		}
		if remembered := len(known.FailedVersions) == 1 && known.FailedVersions[0] == broken; known.VersionName != good || remembered != p.failed {
			return otherwise("the server has it on %s with the failures %v", known.VersionName, known.FailedVersions)
		}
		return nil
	})
	return fmt.Sprintf("%d of %d healthy, files as published", len(s.fleet), phones), err
}
