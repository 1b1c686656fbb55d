package ota

// DeviceOutcome says how far a device came with a version. Times are Unix ms of
// the server's clock, the earliest known; 0 = none.
type DeviceOutcome struct {
	Device   DeviceID `json:"device_id"`
	Version  string   `json:"version"`
	Platform string   `json:"platform"`
	// State is offered, downloading, downloaded, installed, healthy, failed or rolled_back.
	State string `json:"state"`
	// Reason is why it failed: what the device reported, or "silent" if it was
	// not heard of again; "" = it did not. It stays when the device has left the version.
	Reason      string `json:"reason"`
	OfferedAt   int64  `json:"offered_at"`
	InstalledAt int64  `json:"installed_at"`
	HealthyAt   int64  `json:"healthy_at"`
	FailedAt    int64  `json:"failed_at"`
	LeftAt      int64  `json:"left_at"`
}

// OutcomeFilter narrows a list of outcomes of a version; empty fields do not.
type OutcomeFilter struct {
	Version string
	State   string
	Reason  string
}

// OutcomeCount counts devices that are in the same state with a version.
type OutcomeCount struct {
	State    string `json:"state"`
	Reason   string `json:"reason"`
	Platform string `json:"platform"`
	Devices  int64  `json:"devices"`
}

// OutcomeSummary says how a version fares: how many devices came at least so
// far, and how many are in which state now.
type OutcomeSummary struct {
	Version    string         `json:"version"`
	Offered    int64          `json:"offered"` // or known to have it another way
	Downloaded int64          `json:"downloaded"`
	Installed  int64          `json:"installed"`
	Healthy    int64          `json:"healthy"`     // are, or were until they left it unharmed
	Failed     int64          `json:"failed"`      // for whatever reason, whether they left it or not
	RolledBack int64          `json:"rolled_back"` // left it
	Counts     []OutcomeCount `json:"counts" nullable:"false"`
}

// RolloutBucket says where a device falls in a channel's rollout.
type RolloutBucket struct {
	Device  DeviceID `json:"device_id"`
	Channel string   `json:"channel"`
	Rollout string   `json:"rollout"` // id; another one shuffles anew
	Version string   `json:"version"`
	Bucket  int      `json:"bucket"`         // 0 to 9 999
	BPS     int      `json:"percentage_bps"` // the rollout lets buckets below it in
	In      bool     `json:"in"`
}
