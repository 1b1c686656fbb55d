package drill

import (
	"fmt"
	"path/filepath"

	"golang.org/x/sync/errgroup"

	"github.com/waxwing-ota/waxwing/internal/device"
)

// phone is one device of the fleet.
type phone struct {
	n      int
	dev    *device.Device
	failed bool // the bad version never became ready on it
}

// hire makes the fleet: Android and iOS in turn.
func (d *drill) hire() error {
	for n := range d.o.Devices {
		platform := device.Android
		if n%2 == 1 {
			platform = device.IOS
		}
		dev, err := device.New(device.Config{
			UpdateURL: d.o.URL + "/updates", StatsURL: d.o.URL + "/stats", ChannelURL: d.o.URL + "/channel_self",
			AppID: d.o.App, Platform: platform, PluginVersion: "8.51.23", VersionBuild: Native, VersionCode: "90",
			PublicKeyPEM: d.key.Public().PEM(), Dir: filepath.Join(d.o.Dir, "devices", fmt.Sprintf("%03d", n+1)),
			HTTP: d.http, Now: d.o.Now,
		})
		if err != nil {
			return err
		}
		d.fleet = append(d.fleet, &phone{n: n, dev: dev})
	}
	return nil
}

// each does something with phones, several at a time.
func (d *drill) each(phones []*phone, do func(p *phone) error) error {
	var g errgroup.Group
	g.SetLimit(atOnce)
	for _, p := range phones {
		g.Go(func() error {
			if err := do(p); err != nil {
				return fmt.Errorf("device %d: %w", p.n+1, err)
			}
			return nil
		})
	}
	return g.Wait()
}

// victims are the phones that open the app while the bad version is served.
func (d *drill) victims() []*phone { return d.fleet[:(len(d.fleet)+1)/2] }

// launch lets a phone ask for an update and start; it must run a version then.
func (d *drill) launch(p *phone, ready bool, want string) error {
	if _, err := p.dev.Update(d.ctx, ""); err != nil {
		return err
	}
	if _, err := p.dev.Launch(d.ctx, ready); err != nil {
		return err
	}
	if b := p.dev.Running(); b.Version != want {
		return otherwise("it runs %s, not %s", b.Version, want)
	}
	return nil
}
