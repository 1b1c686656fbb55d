package sim

import (
	"context"
	"strconv"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/plane/snap"
)

const appID = "com.example.fleet"

// channelName is the app's one channel, which all devices get.
const channelName = "production"

// catalog is the app as a database would hold it: its versions, the history of
// its channel and the rollout that runs. It is where the snapshot is loaded from.
type catalog struct {
	files   bool // bundles have file lists
	channel ota.Channel
	history []ota.Release
	rollout int    // how many there were: each has an id of its own
	rolled  string // id of the first, which is the release's
	seed    uint64
	changed int64
}

func newCatalog(s *Scenario, seed uint64) *catalog {
	c := &catalog{files: s.Release.Delivery == deliverFiles, seed: seed}
	c.channel = ota.Channel{ID: 1, App: appID, Name: channelName, Policy: ota.DefaultPolicy()}
	c.channel.Policy.Public = true
	c.channel.Policy.AutoHalt.Enabled = s.Rollout.Guard && !s.Rollout.NoThreshold
	c.publish(before)
	return c
}

// publish makes a version the channel's release.
func (c *catalog) publish(b bundle) {
	parent := int64(0)
	if c.channel.Release != nil {
		parent = c.channel.Release.ID
	}
	r := ota.Release{ID: int64(len(c.history) + 1), Channel: channelName, BundleID: int64(b), Version: versionName(b), Kind: ota.ReleasePublish, Parent: parent}
	c.history = append(c.history, r)
	c.channel.Release = &r
}

// rollBack makes the version before the channel's release again, as a rollback
// does: its parent is the parent of the release it goes back to.
func (c *catalog) rollBack() {
	r := c.history[0]
	r.ID, r.Kind = int64(len(c.history)+1), ota.ReleaseRollback
	c.history = append(c.history, r)
	c.channel.Release = &r
}

// roll offers a version to a share of the devices.
func (c *catalog) roll(b bundle, bps int) {
	if c.channel.Rollout == nil {
		c.rollout++
		id := "ro-" + strconv.FormatUint(mix(c.seed+uint64(c.rollout)), 36)
		if c.rollout == 1 {
			c.rolled = id
		}
		c.channel.Rollout = &ota.Rollout{ID: id, BundleID: int64(b), Version: versionName(b), Enabled: true}
	}
	r := *c.channel.Rollout
	r.BPS = bps
	c.channel.Rollout = &r
}

// AppIDs implements [snap.Source].
func (c *catalog) AppIDs(context.Context) ([]string, error) { return []string{appID}, nil }

// LoadApp implements [snap.Source].
func (c *catalog) LoadApp(_ context.Context, _ string, _ func(int64) bool) (snap.Loaded, error) {
	l := snap.Loaded{App: ota.App{ID: appID, Name: "fleet"}, Bundles: map[int64]ota.Bundle{}, ChangedAt: c.changed}
	for b := before; b < bundles; b++ {
		l.Bundles[int64(b)] = c.bundle(b)
		l.Versions = append(l.Versions, versionName(b))
	}
	ch := snap.LoadedChannel{Channel: c.channel}
	ch.Chain, ch.Withdrawn = snap.Lineage(c.channel.Release.ID, c.history)
	l.Channels = []snap.LoadedChannel{ch}
	return l, nil
}

// EachFacts implements [snap.Source]: nothing is known of any device at the start.
func (c *catalog) EachFacts(context.Context, string, func(ota.DeviceID, snap.FactsRow) error) error {
	return nil
}

func (c *catalog) bundle(b bundle) ota.Bundle {
	v := ota.Variant{Zip: ota.Sum([]byte(versionName(b)))}
	if c.files {
		v.Files = []ota.VariantFile{{Name: "index.html", Hash: ota.Sum([]byte{b})}}
	}
	return ota.Bundle{ID: int64(b), App: appID, Version: versionName(b), Variants: []ota.Variant{v}}
}
