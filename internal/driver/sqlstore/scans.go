package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"slices"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/scanpolicy"
	"github.com/waxwing-ota/waxwing/internal/plane/scans"
)

// Scans is the database as the plane of scans sees it.
type Scans struct{ *DB }

var (
	_ scans.Store = Scans{}
	_ scans.Tx    = (*txn)(nil)
)

// Update implements [scans.Store].
func (db Scans) Update(ctx context.Context, actor ota.Actor, at int64, fn func(scans.Tx) (ota.Change, error)) error {
	return db.update(ctx, actor, at, func(t *txn) (ota.Change, error) { return fn(t) })
}

// keptReports is how many reports of a bundle are kept from each source.
const keptReports = 10

const reportColumns = `r.id, b.app, b.version, r.bundle_id, r.source, r.digest, r.tool, r.rules, r.blocks, r.warns, r.infos,
	r.key_id, r.signature, r.created_at, r.created_by`

const fromReports = ` FROM scan_reports r JOIN bundles b ON b.id = r.bundle_id`

func scanReport(r scanner) (ota.ScanReport, error) { return scanReportWith(r) }

// scanReportWith scans the columns of a report and what follows them.
func scanReportWith(r scanner, more ...any) (v ota.ScanReport, err error) {
	var digest []byte
	err = r.Scan(append([]any{
		&v.ID, &v.App, &v.Version, &v.BundleID, &v.Source, &digest, &v.Tool, &v.Rules, &v.Counts.Block, &v.Counts.Warn, &v.Counts.Info,
		&v.KeyID, &v.Signature, &v.CreatedAt, &v.CreatedBy,
	}, more...)...)
	v.Digest = digestOf(digest)
	return v, err
}

// ScanReports implements [scans.Reader].
func (s reads) ScanReports(ctx context.Context, bundleID int64, p ota.Page) ([]ota.ScanReport, string, error) {
	before, err := pageBefore(p)
	if err != nil {
		return nil, "", err
	}
	limit := pageLimit(p)
	items, err := selectAll(ctx, s.q, scanReport,
		`SELECT `+reportColumns+fromReports+` WHERE r.bundle_id = $1 AND r.id < $2 ORDER BY r.id DESC LIMIT $3`, bundleID, before, limit+1)
	if err != nil {
		return nil, "", err
	}
	items, next := pageNext(items, limit, func(r ota.ScanReport) int64 { return r.ID })
	return items, next, nil
}

// ScanReport implements [scans.Reader].
func (s reads) ScanReport(ctx context.Context, bundleID, id int64) (scans.Stored, error) {
	return selectOne(ctx, s.q, ota.NotFound(scans.CodeReportNotFound, "the bundle has no such report").
		WithHint("list them with: waxwing scans list"), func(r scanner) (v scans.Stored, err error) {
		v.ScanReport, err = scanReportWith(r, &v.Report)
		return v, err
	}, `SELECT `+reportColumns+`, r.report`+fromReports+` WHERE r.bundle_id = $1 AND ($2 = 0 OR r.id = $2) ORDER BY r.id DESC LIMIT 1`, bundleID, id)
}

// LatestScans implements [control.Reader].
func (s reads) LatestScans(ctx context.Context, bundleID int64) ([]scanpolicy.Report, error) {
	type row struct {
		ota.ScanReport
		findings []byte
	}
	rows, err := selectAll(ctx, s.q, func(r scanner) (v row, err error) {
		v.ScanReport, err = scanReportWith(r, &v.findings)
		return v, err
	}, `SELECT `+reportColumns+`, r.findings`+fromReports+` WHERE r.id IN
		(SELECT max(id) FROM scan_reports WHERE bundle_id = $1 GROUP BY source, CASE WHEN key_id = '' THEN 0 ELSE 1 END) ORDER BY r.id DESC`, bundleID)
	if err != nil {
		return nil, err
	}
	out := make([]scanpolicy.Report, len(rows))
	for i, r := range rows {
		out[i].ScanReport = r.ScanReport
		if err := unzipJSON(r.findings, &out[i].Findings); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// ScanTrend implements [scans.Reader].
func (s reads) ScanTrend(ctx context.Context, app string, limit int) ([]ota.ScanTrend, error) {
	items, err := selectAll(ctx, s.q, func(r scanner) (v ota.ScanTrend, err error) {
		return v, r.Scan(&v.Version, &v.BundleID, &v.Source, &v.Counts.Block, &v.Counts.Warn, &v.Counts.Info, &v.CreatedAt)
	}, `SELECT b.version, b.id, r.source, r.blocks, r.warns, r.infos, b.created_at`+fromReports+`
		WHERE b.app = $1 AND r.id = (SELECT max(id) FROM scan_reports WHERE bundle_id = b.id) ORDER BY b.id DESC LIMIT $2`, app, limit)
	slices.Reverse(items)
	return items, err
}

// InsertScanReport implements [scans.Tx].
func (t *txn) InsertScanReport(ctx context.Context, r scans.Stored) (scans.Stored, error) {
	findings, err := zipJSON(r.Findings)
	if err != nil {
		return r, err
	}
	if _, err := t.exec(ctx, `DELETE FROM scan_reports WHERE bundle_id = $1 AND source = $2 AND digest = $3`, r.BundleID, string(r.Source), r.Digest[:]); err != nil {
		return r, err
	}
	r.ID, err = t.insert(ctx, `INSERT INTO scan_reports
		(bundle_id, source, digest, tool, rules, blocks, warns, infos, key_id, signature, findings, report, created_at, created_by)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) RETURNING id`,
		r.BundleID, string(r.Source), r.Digest[:], r.Tool, r.Rules, r.Counts.Block, r.Counts.Warn, r.Counts.Info,
		r.KeyID, r.Signature, findings, r.Report, r.CreatedAt, string(r.CreatedBy))
	if err != nil {
		return r, err
	}
	// The latest signed one stays however many follow it.
	_, err = t.exec(ctx, `DELETE FROM scan_reports WHERE bundle_id = $1 AND source = $2
		AND id NOT IN (SELECT id FROM scan_reports WHERE bundle_id = $1 AND source = $2 ORDER BY id DESC LIMIT $3)
		AND id NOT IN (SELECT max(id) FROM scan_reports WHERE bundle_id = $1 AND source = $2 AND key_id <> '' HAVING max(id) IS NOT NULL)`,
		r.BundleID, string(r.Source), keptReports)
	return r, err
}

const jobColumns = `j.bundle_id, b.app, b.version, j.state, j.asked_at, j.asked_by, j.attempts, j.next_at, j.error`

// oneJob reads a job, nil if there is none.
func (s reads) oneJob(ctx context.Context, rest string, args ...any) (*ota.ScanJob, error) {
	j, err := selectOne(ctx, s.q, sql.ErrNoRows, func(r scanner) (j ota.ScanJob, err error) {
		return j, r.Scan(&j.BundleID, &j.App, &j.Version, &j.State, &j.AskedAt, &j.AskedBy, &j.Attempts, &j.NextAt, &j.Error)
	}, `SELECT `+jobColumns+` FROM scan_jobs j JOIN bundles b ON b.id = j.bundle_id `+rest, args...)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	return &j, err
}

// ScanJob implements [scans.Reader] and [control.Reader].
func (s reads) ScanJob(ctx context.Context, bundleID int64) (*ota.ScanJob, error) {
	return s.oneJob(ctx, `WHERE j.bundle_id = $1`, bundleID)
}

// NextScan implements [scans.Reader].
func (s reads) NextScan(ctx context.Context, at int64) (*ota.ScanJob, error) {
	return s.oneJob(ctx, `WHERE j.state = 'waiting' AND j.next_at <= $1 ORDER BY j.next_at, j.asked_at, j.bundle_id LIMIT 1`, at)
}

// SetScanJob implements [scans.Tx] and [control.Tx].
func (t *txn) SetScanJob(ctx context.Context, j ota.ScanJob) error {
	_, err := t.exec(ctx, `INSERT INTO scan_jobs (bundle_id, state, asked_at, asked_by, attempts, next_at, error) VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (bundle_id) DO UPDATE SET state = excluded.state, asked_at = excluded.asked_at, asked_by = excluded.asked_by,
		attempts = excluded.attempts, next_at = excluded.next_at, error = excluded.error`,
		j.BundleID, string(j.State), j.AskedAt, string(j.AskedBy), j.Attempts, j.NextAt, j.Error)
	return err
}

// DeleteScanJob implements [scans.Tx].
func (t *txn) DeleteScanJob(ctx context.Context, bundleID int64) error {
	_, err := t.exec(ctx, `DELETE FROM scan_jobs WHERE bundle_id = $1`, bundleID)
	return err
}
