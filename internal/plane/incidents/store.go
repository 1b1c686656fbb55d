package incidents

import (
	"context"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/outcome"
)

// NativeCount counts devices of a native version that run the bad version.
type NativeCount struct {
	Platform, Native string
	N                int64
}

// OutcomeCount counts devices that came as far as a state with the bad version.
type OutcomeCount struct {
	State    outcome.State
	Reason   string
	Platform string // "" = not known any more
	N        int64
}

// Reader is what can be read, within a transaction or outside. What is not
// there is an error of KindNotFound. Limits bound rows read.
type Reader interface {
	App(ctx context.Context, id string) (ota.App, error)
	Channels(ctx context.Context, app string) ([]ota.Channel, error)
	Channel(ctx context.Context, app, name string) (ota.Channel, error)
	Bundle(ctx context.Context, app, version string) (ota.Bundle, error)

	Releases(ctx context.Context, channelID int64, p ota.Page) ([]ota.Release, string, error) // newest first

	// What an incident may be declared from.
	ErrorGroup(ctx context.Context, app string, id int64) (ota.ErrorGroup, error)
	ErrorVersions(ctx context.Context, id int64) ([]ota.ErrorVersion, error)
	Device(ctx context.Context, app string, id ota.DeviceID) (ota.Device, error)
	IncidentAlert(ctx context.Context, app string, id int64) (ota.Alert, error)

	Incident(ctx context.Context, id int64) (ota.Incident, error)
	Incidents(ctx context.Context, f ota.IncidentFilter, p ota.Page) ([]ota.Incident, string, error) // newest first
	IncidentsIn(ctx context.Context, state ota.IncidentState, limit int) ([]ota.Incident, error)
	IncidentSamples(ctx context.Context, id int64) ([]ota.IncidentSample, error)
	// IncidentChanges lists the record of changes of an app between two times,
	// oldest first, without what concerns single devices.
	IncidentChanges(ctx context.Context, app string, since, until int64, limit int) ([]ota.Change, error)

	// OnVersion counts the devices that run a version, as they last said, and
	// those of them that were seen at since or later.
	OnVersion(ctx context.Context, app, version string, since int64) (all, active int64, err error)
	OnVersionNatives(ctx context.Context, app, version string, limit int) ([]NativeCount, error)
	VersionOutcomes(ctx context.Context, app, version string, limit int) ([]OutcomeCount, error)
	// AffectedDevices lists the devices that had to do with a version, of a state
	// or (None) of all.
	AffectedDevices(ctx context.Context, app, version string, state outcome.State, p ota.Page) ([]ota.AffectedDevice, string, error)
}

// Moving is what of a transaction of another plane an incident moves on in.
type Moving interface {
	Incident(ctx context.Context, id int64) (ota.Incident, error)
	UpdateIncident(ctx context.Context, i ota.Incident) error
	OnVersion(ctx context.Context, app, version string, since int64) (all, active int64, err error)
}

// Tx is a transaction that writes.
type Tx interface {
	Reader
	InsertIncident(ctx context.Context, i ota.Incident) (ota.Incident, error)
	// UpdateIncident writes all but what an incident is about.
	UpdateIncident(ctx context.Context, i ota.Incident) error
}

// Store is the database.
type Store interface {
	Reader

	// Update runs fn in a transaction and commits what it wrote together with
	// the Change it returns; one without an action means that nothing changes.
	Update(ctx context.Context, actor ota.Actor, at int64, fn func(Tx) (ota.Change, error)) error

	// NoteProgress keeps how far a recovery is, and a sample of it (nil = none).
	NoteProgress(ctx context.Context, i ota.Incident, sample *ota.IncidentSample) error
}
