package ingest

import (
	"context"

	"github.com/waxwing-ota/waxwing/internal/core/decide"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/outcome"
)

// Store is the database as this package needs it.
type Store interface {
	// Write stores a batch in one transaction that survives a power cut once
	// Write has returned nil. On an error nothing of the batch is stored.
	Write(ctx context.Context, b *Batch) (Written, error)

	// Sweep counts, at now (Unix ms), up to limit devices that were not heard of
	// again within their health window; more says that others are due. Time in
	// which no sweep was made does not count against them.
	Sweep(ctx context.Context, now int64, limit int) (out Written, more bool, err error)

	// Outcomes counts the devices that took the version, or failed on it, at
	// since (Unix ms) or later.
	Outcomes(ctx context.Context, app, version string, since int64) (attempts, failures int, err error)
}

// Batch is what one transaction writes, in this order.
type Batch struct {
	Events  []EventRow
	Devices []DeviceRow
	Checks  []CheckRow
	Traffic []TrafficRow
}

// EventRow is an event to store. Device, Timestamp and Mark together identify
// it: a second row with the same three is dropped, with all that follows from it.
type EventRow struct {
	ota.Event // ID is not used

	Mark    int64
	Version string        // the bundle that Fails, State and Hurts are about
	Fails   bool          // Version must not be offered to the device again
	State   outcome.State // what it proves of Version; None = nothing, or the device does not count
	Hurts   bool          // a failure if it came within Window after the device took Version, or was held back from one
	Network uint32        // see [Report]
	Window  int64         // ms

	Sum Sum

	Fault *ota.Fault // the error that it reports; nil = none
}

// Sum is what an event is summed up by.
type Sum struct {
	Version   string // the bundle it names
	Published bool   // Version was published by the app's owner
	Running   bool   // the device runs Version
	OS        string // version of the device's system
}

// Reach says how much of a device's row a report replaces.
type Reach uint8

// The reaches; each includes the one before.
const (
	Touch   Reach = iota // only when it was last seen
	Info                 // what it says of itself, but not what it runs
	Running              // what it runs too
)

// DeviceRow is a report on a device. Device.LastSeen is when we got it. A new
// device is stored whatever the reach, with no version below Running.
type DeviceRow struct {
	ota.Device // FirstSeen, Override and FailedVersions are not used

	Reach      Reach
	Print      int64 // hash of Device without id, version and times
	ReportedAt int64 // the device's clock, not past LastSeen; 0 = not sent
	Published  bool  // VersionName was published by the app's owner
	Checked    bool  // it comes from a check and waited: a report of the same moment is the newer one

	Told Told
}

// Told is what a device was told by the check that its row comes from. Devices
// that do not count, such as emulators, have none.
type Told struct {
	Channel string
	Offered string     // the version it was given to install; "" = none
	Rollout string     // that it takes part in; "" = none
	Target  string     // the rollout's version
	Arm     decide.Arm // NoArm = it is not to be compared
	Network uint32     // see [Report]
	Window  int64      // ms in which it counts as failing; 0 = it counts for nothing
	Signed  bool       // the device proved who it is
	Left    []string   // versions that the device has left for good, or was told to leave
}

// CheckRow adds N to the number of checks that were answered so.
type CheckRow struct {
	App     string
	Minute  int64 // Unix ms, a whole minute
	Channel string
	Answer  string // update, revert, up_to_date, blocked or failed
	Code    string // why; "" for update and revert
	Version string // what was offered or refused
	N       int64
}

// Written says what a Write did.
type Written struct {
	Stored []bool // per event of the batch: false = it was there already

	// Dropped lists failures that were forgotten because the device has more
	// than MaxFailures; the newest stay.
	Dropped []Dropped

	Exposed []Exposure
	Moves   []Move
	Failing []Failing
}

// Dropped is a version that is no longer remembered to have failed on a device.
type Dropped struct {
	App     string
	Device  ota.DeviceID
	Version string
}

// MaxFailures is how many failed versions are remembered of one device. It
// bounds what forged reports can make of a device's row.
const MaxFailures = 32
