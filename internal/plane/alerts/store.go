package alerts

import (
	"context"

	"github.com/waxwing-ota/waxwing/internal/core/alert"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// Row is an alert with all that is remembered of it.
type Row struct {
	ota.Alert
	Machine alert.State
	Open    bool // it is looked at again
}

// AppRef is an app that is looked at.
type AppRef struct {
	ID, Org string
	Devices int64
}

// Point is a count of a quarter of an hour.
type Point struct {
	Series  string
	Quarter int64 // its start, Unix ms
	N       int64
}

// VersionCount is a number under a channel and a version.
type VersionCount struct {
	Channel, Version string
	N                int64
}

// Reader is what can be read, within a transaction or outside. What is not there
// is an error of KindNotFound.
type Reader interface {
	App(ctx context.Context, id string) (ota.App, error)
	// AlertRules lists the rules of an app ("" = of all) that were changed.
	AlertRules(ctx context.Context, app string) ([]ota.AlertRule, error)
	Alert(ctx context.Context, app string, id int64) (Row, error)
	// Alerts lists alerts, newest first.
	Alerts(ctx context.Context, f ota.AlertFilter, p ota.Page) ([]ota.Alert, string, error)
	// OpenAlerts lists at most limit open ones of an app ("" = of all).
	OpenAlerts(ctx context.Context, app string, limit int) ([]Row, error)
	Silences(ctx context.Context, app string, p ota.Page) ([]ota.AlertSilence, string, error)
	Silence(ctx context.Context, app string, id int64) (ota.AlertSilence, error)
	// LiveSilences lists those of an app ("" = of all) that hold at a time.
	LiveSilences(ctx context.Context, app string, at int64) ([]ota.AlertSilence, error)
}

// Tx is a transaction that writes.
type Tx interface {
	Reader
	// SaveAlert inserts (id 0) or updates an alert, but who acknowledged it, and
	// returns its id. One that is open already is refused.
	SaveAlert(ctx context.Context, r Row) (int64, error)
	// AckAlert writes who acknowledged an alert.
	AckAlert(ctx context.Context, a ota.Alert) error
	// SetAlertRule writes a rule; nil = as it comes.
	SetAlertRule(ctx context.Context, app string, kind ota.AlertKind, r *ota.AlertRule) error
	InsertSilence(ctx context.Context, s ota.AlertSilence) (int64, error)
	EndSilence(ctx context.Context, id, at int64) error
}

// Store is the database.
type Store interface {
	Reader

	// Update runs fn in a transaction and commits what it wrote together with the
	// Change it returns, stamped with actor and at.
	Update(ctx context.Context, actor ota.Actor, at int64, fn func(Tx) (ota.Change, error)) error
	// SaveAlerts writes what nobody is told of: alerts that move (as SaveAlert),
	// and removes those that came to nothing.
	SaveAlerts(ctx context.Context, save []Row, remove []int64) error
	// PurgeAlerts removes alerts and silences that were over before a time, and
	// series of before another.
	PurgeAlerts(ctx context.Context, before, seriesBefore int64) error

	AlertApps(ctx context.Context) ([]AppRef, error)
	Channels(ctx context.Context, app string) ([]ota.Channel, error)
	OutcomeHours(ctx context.Context, app string, since int64, limit int) ([]ota.OutcomeHour, error)
	CheckQuarters(ctx context.Context, app string, since int64) ([]ota.CheckQuarter, error)
	// ChecksSince counts the checks of an app since a minute, and those of them
	// with a code.
	ChecksSince(ctx context.Context, app string, since int64, code string) (all, coded int64, err error)
	// OffersSince counts the checks that offered a version since a minute.
	OffersSince(ctx context.Context, app string, since int64) ([]VersionCount, error)
	// CodedQuarters counts the checks with a code by quarter of an hour.
	CodedQuarters(ctx context.Context, app, code string, from, to int64) ([]Point, error)
	// FreshErrors lists error groups of an app that were first seen, or came back,
	// since a time, those on most devices first.
	FreshErrors(ctx context.Context, app string, since int64, limit int) ([]alert.ErrorGroup, error)
	// GuardLeft lists what the guard found worse since a time and did not stop,
	// newest first.
	GuardLeft(ctx context.Context, app string, since int64) ([]alert.Halt, error)
	// Series returns the stored counts of an app since a quarter.
	Series(ctx context.Context, app string, since int64) ([]Point, error)
	// AddSeries stores counts, in place of those of the same quarter.
	AddSeries(ctx context.Context, app string, points []Point) error
}
