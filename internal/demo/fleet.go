package demo

import (
	"fmt"
	"path/filepath"

	"golang.org/x/sync/errgroup"

	"github.com/waxwing-ota/waxwing/internal/device"
)

// phone is one device of the fleet.
type phone struct {
	n        int
	platform string
	plugin   string
	old      bool // its plugin reads no signed file lists
	dev      *device.Device
	first    device.Transfer
	second   device.Transfer
	failed   bool
}

// hire makes the fleet: Android and iOS in turn, all with the current plugin
// but one, which is years behind.
func (s *story) hire() error {
	for n := range phones {
		p := &phone{n: n, platform: device.Android, plugin: "8.51.23"}
		switch {
		case n == 2:
			p.plugin, p.old = "7.20.0", true
		case n%2 == 1:
			p.platform = device.IOS
		}
		dev, err := device.New(device.Config{
			UpdateURL: s.o.URL + "/updates", StatsURL: s.o.URL + "/stats", ChannelURL: s.o.URL + "/channel_self",
			AppID: App, Platform: p.platform, PluginVersion: p.plugin, VersionBuild: Native, VersionCode: "90",
			PublicKeyPEM: s.key.Public().PEM(), Dir: filepath.Join(s.o.Dir, "devices", fmt.Sprintf("%02d", n+1)),
			HTTP: s.http, Now: s.o.Now,
		})
		if err != nil {
			return err
		}
		p.dev = dev
		s.fleet = append(s.fleet, p)
	}
	return nil
}

// all does something with every phone, several at a time.
func (s *story) all(do func(p *phone) error) error {
	var g errgroup.Group
	g.SetLimit(atOnce)
	for _, p := range s.fleet {
		g.Go(func() error {
			if err := do(p); err != nil {
				return fmt.Errorf("phone %d (%s, plugin %s): %w", p.n+1, p.platform, p.plugin, err)
			}
			return nil
		})
	}
	return g.Wait()
}

// runs checks that a phone runs a version, that the version was confirmed, and
// that its files are the published ones.
func (s *story) runs(p *phone, version string) error {
	if b := p.dev.Running(); b.Version != version || b.Status != device.Success || b.Tree != s.trees[version] {
		return otherwise("it runs %s (%s) with the files %s, not %s with %s", b.Version, b.Status, b.Tree, version, s.trees[version])
	}
	return nil
}

func (s *story) census() []Phone {
	list := []Phone{}
	for _, p := range s.fleet {
		b := p.dev.Running()
		list = append(list, Phone{
			ID: p.dev.ID(), Platform: p.platform, Plugin: p.plugin, Runs: b.Version, Status: string(b.Status), Failed: p.dev.State().LastFailed,
			First: p.first.Bytes, Second: p.second.Bytes, Reused: p.second.Cached, Fetched: p.second.Fetched,
		})
	}
	return list
}

func (s *story) close() {
	for _, p := range s.fleet {
		_ = p.dev.Close() // their work is done, and their folders stay readable
	}
}
