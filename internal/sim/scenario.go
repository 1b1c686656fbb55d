package sim

// Scenario is what a run assumes. Shares and probabilities are 0 to 1.
type Scenario struct {
	Name  string `json:"name" yaml:"name"`
	About string `json:"about" yaml:"about"`
	Hours int    `json:"hours" yaml:"hours"` // of virtual time
	// StartHour is the hour of the day (UTC) at which the release goes out.
	StartHour int `json:"start_hour" yaml:"start_hour"`

	Fleet   Fleet    `json:"fleet" yaml:"fleet"`
	Network Network  `json:"network" yaml:"network"`
	Device  Trouble  `json:"device" yaml:"device"`
	Release Release  `json:"release" yaml:"release"`
	Rollout Rollout  `json:"rollout" yaml:"rollout"`
	Outages []Outage `json:"outages" yaml:"outages"`
	Forgers Forgers  `json:"forgers" yaml:"forgers"`
}

// Fleet is who the devices are and when their people open the app.
type Fleet struct {
	IOS     float64 `json:"ios" yaml:"ios"` // share; the others are Android
	Opens   []Opens `json:"opens" yaml:"opens"`
	Spread  float64 `json:"spread" yaml:"spread"`   // sigma of the lognormal factor on each device's rate
	Dormant float64 `json:"dormant" yaml:"dormant"` // share that never opens it
	Zones   []Zone  `json:"zones" yaml:"zones"`
	Session Session `json:"session" yaml:"session"`
	// Herd is the share that opens the app within HerdSeconds of the start, as
	// after a push message.
	Herd        float64 `json:"herd" yaml:"herd"`
	HerdSeconds float64 `json:"herd_seconds" yaml:"herd_seconds"`
}

// Opens is a class of people. Shares count among those who are not dormant.
type Opens struct {
	Share  float64 `json:"share" yaml:"share"`
	PerDay float64 `json:"per_day" yaml:"per_day"`
}

// Zone is a time zone: hours east of UTC, and the share of devices in it.
type Zone struct {
	Offset int     `json:"offset" yaml:"offset"`
	Share  float64 `json:"share" yaml:"share"`
}

// Session is how long the app stays in the foreground, lognormal.
type Session struct {
	MedianSeconds float64 `json:"median_seconds" yaml:"median_seconds"`
	Spread        float64 `json:"spread" yaml:"spread"`
}

// Network is what happens between device and server. The state of the network
// is drawn for each opening.
type Network struct {
	MedianMbit   float64 `json:"median_mbit" yaml:"median_mbit"`
	Spread       float64 `json:"spread" yaml:"spread"`               // sigma of the lognormal
	Offline      float64 `json:"offline" yaml:"offline"`             // openings without any network
	OfflineHours float64 `json:"offline_hours" yaml:"offline_hours"` // mean of the spell that such an opening begins
	Captive      float64 `json:"captive" yaml:"captive"`             // openings behind a portal that answers 200 with HTML
	Slow         float64 `json:"slow" yaml:"slow"`                   // openings at a twentieth of the speed
	Lossy        float64 `json:"lossy" yaml:"lossy"`                 // openings with LossyLoss and ten times the cuts
	Loss         float64 `json:"loss" yaml:"loss"`                   // requests that get no answer
	LossyLoss    float64 `json:"lossy_loss" yaml:"lossy_loss"`
	CutsPerMB    float64 `json:"cuts_per_mb" yaml:"cuts_per_mb"` // downloads end at a random byte so often
}

// Trouble is what happens to devices themselves.
type Trouble struct {
	DeathsPerDay float64 `json:"deaths_per_day" yaml:"deaths_per_day"` // uninstalled, lost or broken
	FullDisk     float64 `json:"full_disk" yaml:"full_disk"`           // share without room at the start
	FullDays     float64 `json:"full_days" yaml:"full_days"`           // mean time until there is room again
	Crashes      float64 `json:"crashes" yaml:"crashes"`               // per session, whatever runs
	NotReady     float64 `json:"not_ready" yaml:"not_ready"`           // activations of any release that are not confirmed in time
}

// Release is what goes out. All devices run the version before.
type Release struct {
	Bytes      int64              `json:"bytes" yaml:"bytes"` // of the whole bundle as it travels
	DeltaBytes int64              `json:"delta_bytes" yaml:"delta_bytes"`
	Delivery   string             `json:"delivery" yaml:"delivery"` // files or zip
	Fails      map[string]float64 `json:"fails" yaml:"fails"`       // by platform: share of devices on which it never starts
	Crashes    float64            `json:"crashes" yaml:"crashes"`   // per session that it adds
	// FixHours is how long after a halt a repaired version goes out to all; 0 = none.
	FixHours float64 `json:"fix_hours" yaml:"fix_hours"`
}

// Rollout is how it goes out.
type Rollout struct {
	Steps []Step `json:"steps" yaml:"steps"` // none = to everybody at once
	// Plan is the name of a plan that comes with the program, instead of Steps.
	Plan  string `json:"plan,omitempty" yaml:"plan"`
	Guard bool   `json:"guard" yaml:"guard"` // the server may stop it by itself
	// NoThreshold leaves the stopping to the guard's tests alone.
	NoThreshold bool `json:"no_threshold" yaml:"no_threshold"`
}

// Step is a share in 1/10 000, how long it lasts at least, and what the next one
// waits for besides: none, or guard.
type Step struct {
	BPS         int    `json:"bps" yaml:"bps"`
	SoakMinutes int    `json:"soak_minutes" yaml:"soak_minutes"`
	Gate        string `json:"gate,omitempty" yaml:"gate"`
}

// Outage is a time in which the server cannot be reached, in minutes after the start.
type Outage struct {
	From int `json:"from" yaml:"from"`
	To   int `json:"to" yaml:"to"`
}

// Forgers are devices that lie about the release: they report that it failed,
// or that it works, without having it.
type Forgers struct {
	Share    float64 `json:"share" yaml:"share"`
	Networks int     `json:"networks" yaml:"networks"` // they sit in so many networks
	Claim    string  `json:"claim" yaml:"claim"`       // fails or works
}
