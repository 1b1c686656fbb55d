package scans

import (
	"context"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// Stored is a report with its content.
type Stored struct {
	ota.ScanReport
	Findings []ota.ScanFinding
	Report   []byte // JSON, compressed with gzip
}

// Reader is what can be read, within a transaction or outside. What is not
// there is an error of KindNotFound.
type Reader interface {
	App(ctx context.Context, id string) (ota.App, error)
	Keys(ctx context.Context, app string) ([]ota.Key, error)
	Channels(ctx context.Context, app string) ([]ota.Channel, error)
	Bundle(ctx context.Context, app, version string) (ota.Bundle, error)
	BundleTree(ctx context.Context, bundleID int64) ([]ota.TreeFile, error)
	VariantFiles(ctx context.Context, bundleID int64, keyID string) ([]ota.VariantFile, error)

	// ScanReports lists the reports of a bundle, newest first, without findings.
	ScanReports(ctx context.Context, bundleID int64, p ota.Page) ([]ota.ScanReport, string, error)
	// ScanReport returns a report of a bundle whole; id 0 = the latest one.
	ScanReport(ctx context.Context, bundleID, id int64) (Stored, error)
	// ScanJob returns what the server has to do for a bundle; nil = nothing.
	ScanJob(ctx context.Context, bundleID int64) (*ota.ScanJob, error)
	// NextScan returns the job that is due at a time and waits longest; nil = none.
	NextScan(ctx context.Context, at int64) (*ota.ScanJob, error)
	// ScanTrend lists the latest report of the latest bundles of an app.
	ScanTrend(ctx context.Context, app string, limit int) ([]ota.ScanTrend, error)

	Suppressions(ctx context.Context, app string, state ota.SuppressionState, p ota.Page) ([]ota.Suppression, string, error)
	Suppression(ctx context.Context, app string, id int64) (ota.Suppression, error)
	OpenSuppressions(ctx context.Context, app string) (int64, error)
	LiveSuppressions(ctx context.Context, app string, at int64) ([]ota.Suppression, error)
}

// Tx is a transaction that writes. Inserts return the row with its id.
type Tx interface {
	Reader

	// InsertScanReport stores a report in place of one of the same digest, and
	// removes the oldest of the source beyond a bound.
	InsertScanReport(ctx context.Context, r Stored) (Stored, error)
	// SetScanJob writes a job in place of the bundle's.
	SetScanJob(ctx context.Context, j ota.ScanJob) error
	DeleteScanJob(ctx context.Context, bundleID int64) error

	InsertSuppression(ctx context.Context, s ota.Suppression) (ota.Suppression, error)
	// UpdateSuppression writes how a request was decided.
	UpdateSuppression(ctx context.Context, s ota.Suppression) error
	DeleteSuppression(ctx context.Context, id int64) error
}

// Store is the database.
type Store interface {
	Reader
	Update(ctx context.Context, actor ota.Actor, at int64, fn func(Tx) (ota.Change, error)) error
}
