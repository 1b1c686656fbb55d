package decide

import (
	"sync/atomic"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/semver"
)

// App is everything a decision about one app may depend on. It never changes:
// a write builds another.
type App struct {
	ID             string
	Org            string // the organisation it belongs to; no decision asks for it
	ExposeMetadata bool
	AllowCustomID  bool
	Channels       []*Channel // ordered by name, then id
	Devices        Devices    // nil = nothing is known of any device

	// Versions has the name of every bundle of the app, live and deleted,
	// whether a channel reaches it or not; reports are checked against it.
	Versions *Versions

	// Held are the bundles that people took out of service, Refused the content
	// that only those have; nil = none.
	Held    []*Bundle
	Refused map[ota.Digest]struct{}

	// Natives are the native versions that were registered; nil = none.
	Natives Natives
}

// Devices looks up what is remembered of single devices.
type Devices interface {
	// Facts returns the zero Facts for a device nothing is remembered of.
	Facts(ota.DeviceID) Facts
}

// Facts is what is remembered of one device.
type Facts struct {
	Override int64    // id of the channel it is bound to; 0 = none
	SelfSet  bool     // the device bound itself, through an old plugin
	Failed   []string // versions that failed on it
}

// Channel is a channel as decisions see it.
type Channel struct {
	ID        int64
	Name      string
	Policy    ota.Policy
	MinNative semver.Version      // lowest native version served; zero = any
	Chain     []Release           // current release first, then what to fall back to; empty = nothing released
	Rollout   *Rollout            // nil = none
	Withdrawn map[string]struct{} // versions released here once and rolled back since
}

// Release is a point of a channel's chain.
type Release struct {
	ID     int64
	Bundle *Bundle // nil = the bundle inside the native app
	Braked bool    // it is not offered; devices that run it keep it
}

// Rollout offers Bundle to a share of the channel's devices.
type Rollout struct {
	ID      string
	Bundle  *Bundle
	BPS     int // 0 to 10 000
	Enabled bool
	Paused  bool
	Braked  bool   // stopped without the database; like paused
	Target  Target // whom it is for; nil = every device of the channel
	// Mandatory says that everybody it is for is to have it from a time on; no
	// decision asks for it, since no client knows such a thing.
	Mandatory bool
}

// Target says whom a rollout is for. Match must not allocate: every check of the
// channel asks it.
type Target interface {
	Match(*Check) bool
	// Explain says in a few words why Match answers as it does.
	Explain(*Check) string
}

// Bundle is a published version.
type Bundle struct {
	ID           int64
	Version      string
	Semver       semver.Version
	MinNative    semver.Version
	HasMinNative bool
	Deleted      bool
	Held         ota.Hold // people took it out of service
	Link         string
	Comment      string
	Variants     []*Variant // newest key first; the plain one, if any, last
}

// Variant is the bundle packed for one key.
type Variant struct {
	ota.Variant
	Bundle *Bundle

	// Answers is room for what was rendered from the variant, which only the one
	// who renders reads and writes: nothing is as near to a check that needs it.
	Answers atomic.Value
}

// ChannelByName returns the channel or nil.
func (a *App) ChannelByName(name string) *Channel {
	for _, c := range a.Channels {
		if c.Name == name {
			return c
		}
	}
	return nil
}

// ChannelByID returns the channel or nil.
func (a *App) ChannelByID(id int64) *Channel {
	for _, c := range a.Channels {
		if c.ID == id {
			return c
		}
	}
	return nil
}

// Facts returns what is remembered of a device.
func (a *App) Facts(id ota.DeviceID) Facts {
	if a.Devices == nil {
		return Facts{}
	}
	return a.Devices.Facts(id)
}

// Selectable reports whether devices may be put on the channel: one whose
// current bundle was deleted serves nobody.
func (c *Channel) Selectable() bool {
	return len(c.Chain) == 0 || c.Chain[0].Bundle == nil || !c.Chain[0].Bundle.Deleted
}

// Serves reports whether the channel is open for the platform.
func (c *Channel) Serves(platform string) bool {
	switch platform {
	case IOS:
		return c.Policy.IOS
	case Android:
		return c.Policy.Android
	case Electron:
		return c.Policy.Electron
	}
	return false
}
