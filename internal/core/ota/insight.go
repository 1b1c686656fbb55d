package ota

// AppStats says what an app's devices run and how it went. Devices are counted
// as they last described themselves, outcomes once per device and version.
type AppStats struct {
	Devices  int64          `json:"devices"`
	Versions []VersionStats `json:"versions" nullable:"false"` // most devices first
	// Approximate: there are so many versions, or bound devices, that some were
	// counted in Devices only.
	Approximate bool           `json:"approximate"`
	Platforms   []Count        `json:"platforms" nullable:"false"`
	Channels    []Count        `json:"channels" nullable:"false"` // where they belong; "" = to none
	Hours       []OutcomeHour  `json:"hours" nullable:"false"`    // oldest first
	Checks      []CheckQuarter `json:"checks" nullable:"false"`   // oldest first
}

// VersionStats counts devices of one version, as they report it.
type VersionStats struct {
	Version string `json:"version"`
	Devices int64  `json:"devices"` // run it now
	Took    int64  `json:"took"`    // ever installed or tried it, within retention
	Failed  int64  `json:"failed"`  // of those, it failed on
}

// Count is a number of devices under a name.
type Count struct {
	Name    string `json:"name"`
	Devices int64  `json:"devices"`
}

// OutcomeHour counts the devices that came to an outcome in one hour.
type OutcomeHour struct {
	At      int64  `json:"at"` // start of the hour, Unix ms
	Version string `json:"version"`
	Took    int64  `json:"took"` // all, failed included
	Failed  int64  `json:"failed"`
}

// CheckQuarter counts the update checks of a quarter of an hour by their answer:
// update, revert, up_to_date, blocked or failed.
type CheckQuarter struct {
	At     int64  `json:"at"` // start, Unix ms
	Answer string `json:"answer"`
	N      int64  `json:"n"`
}

// Impact says whom a rollback of a channel reaches, before it is done.
type Impact struct {
	App         string           `json:"app"`
	Channel     string           `json:"channel"`
	From        string           `json:"from"`       // the current version; "" = nothing was released
	To          string           `json:"to"`         // what its devices get instead; "builtin" = that of the native app
	Devices     int64            `json:"devices"`    // that belong to the channel
	OnVersion   int64            `json:"on_version"` // of those, run From now
	OnRollout   int64            `json:"on_rollout"` // of those, run the rollout's version, which ends
	Platforms   []PlatformImpact `json:"platforms" nullable:"false"`
	Rollout     string           `json:"rollout"` // version of the rollout that ends; "" = there is none
	Approximate bool             `json:"approximate"`
}

// PlatformImpact is an Impact's share of one platform.
type PlatformImpact struct {
	Platform  string `json:"platform"`
	Devices   int64  `json:"devices"`
	OnVersion int64  `json:"on_version"`
	OnRollout int64  `json:"on_rollout"`
}

// AppSummary is one app in a list of all.
type AppSummary struct {
	App      App       `json:"app"`
	Devices  int64     `json:"devices"`
	Channels []Channel `json:"channels" nullable:"false"`
}

// Attention is something that a person should look at.
type Attention struct {
	App     string `json:"app"`
	Channel string `json:"channel"`
	Kind    string `json:"kind"` // halted, paused or rolling
	At      int64  `json:"at"`
	Version string `json:"version"` // that is rolled out or served
	Detail  string `json:"detail"`
}
