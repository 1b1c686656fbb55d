package guards

import (
	"github.com/waxwing-ota/waxwing/internal/core/guard"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// Exposure says that a device came into an arm of a rollout.
type Exposure struct {
	App, Rollout string
	Arm          guard.Arm
	Platform     string
	At           int64
	Moved        bool // it was a control device until now
}

// Failing says that a device of a rollout failed within the health window.
type Failing struct {
	App, Rollout string
	Device       ota.DeviceID
	Arm          guard.Arm
	Platform     string
	Network      uint32
	Reason       string
	At           int64
	ExposedAt    int64 // 0 = not known
	Moved        bool  // it was a control device once
}

// Move says that a device took a version, failed on it, or both at once.
type Move struct {
	App, Version string
	Device       ota.DeviceID
	Platform     string
	Took, Failed bool
	Network      uint32
	Reason       string
	At           int64
	TookAt       int64 // when it took the version, if it failed; 0 = not known
}

// Observed is what came to light at once. In it exposures come first.
type Observed struct {
	Exposed []Exposure
	Moves   []Move
	Failing []Failing
}
