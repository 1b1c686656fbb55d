package sqlstore

import (
	"context"
	"database/sql"
	"strings"

	"github.com/waxwing-ota/waxwing/internal/core/hll"
	"github.com/waxwing-ota/waxwing/internal/core/rollup"
	"github.com/waxwing-ota/waxwing/internal/plane/insight"
)

// spanned returns the condition that picks the rows of a span.
func spanned(s *insight.Span, name string) *where {
	w := &where{}
	w.and("app = %s", s.App)
	w.and("res = %s", int64(s.Res))
	w.and("at >= %s", s.From)
	w.and("at < %s", s.To)
	w.andText(name, s.Version)
	return w
}

var readRollups = `SELECT at, version, ` + strings.Join(rollup.Columns[:], ", ") + ` FROM rollup_counts WHERE `

// Rollups implements [insight.Sums].
func (s reads) Rollups(ctx context.Context, span insight.Span) ([]insight.SumRow, error) {
	w := spanned(&span, "version")
	return selectAll(ctx, s.q, func(row scanner) (r insight.SumRow, err error) {
		dest := make([]any, 0, 2+rollup.Fields)
		dest = append(dest, &r.At, &r.Version)
		for i := range r.Counts {
			dest = append(dest, &r.Counts[i])
		}
		return r, row.Scan(dest...)
	}, readRollups+w.String()+` ORDER BY at, version`, w.args...)
}

// RollupReasons implements [insight.Sums].
func (s reads) RollupReasons(ctx context.Context, span insight.Span) ([]insight.ReasonRow, error) {
	w := spanned(&span, "version")
	return selectAll(ctx, s.q, func(row scanner) (r insight.ReasonRow, err error) {
		return r, row.Scan(&r.Version, &r.Reason, &r.N)
	}, `SELECT version, reason, sum(n) FROM rollup_reasons WHERE `+w.String()+` GROUP BY version, reason ORDER BY 3 DESC, 1, 2`, w.args...)
}

// RollupLaunches implements [insight.Sums].
func (s reads) RollupLaunches(ctx context.Context, span insight.Span) ([]insight.LaunchRow, error) {
	w := spanned(&span, "version")
	return selectAll(ctx, s.q, func(row scanner) (r insight.LaunchRow, err error) {
		var hist []byte
		if err = row.Scan(&r.At, &r.Version, &hist); err == nil {
			r.Hist, err = rollup.DecodeHist(hist)
		}
		return r, err
	}, `SELECT at, version, hist FROM rollup_launches WHERE `+w.String()+` ORDER BY at, version`, w.args...)
}

// RollupActive implements [insight.Sums].
func (s reads) RollupActive(ctx context.Context, span insight.Span, dim rollup.Dim, sets bool) ([]insight.ActiveRow, error) {
	w := spanned(&span, "name")
	w.and("dim = %s", int64(dim))
	devices := "X''"
	if sets {
		devices = "devices"
	}
	return selectAll(ctx, s.q, func(row scanner) (r insight.ActiveRow, err error) {
		var b []byte
		if err = row.Scan(&r.At, &r.Name, &r.N, &b); err == nil {
			r.Devices, err = hll.Decode(b)
		}
		return r, err
	}, `SELECT at, name, n, `+devices+` FROM rollup_active WHERE `+w.String()+` ORDER BY at, name`, w.args...)
}

// FirstSeen implements [insight.Sums].
func (s reads) FirstSeen(ctx context.Context, app, version string, since int64) (int64, error) {
	var at sql.NullInt64
	err := s.q.QueryRowContext(ctx, `SELECT min(at) FROM rollup_active
		WHERE app = $1 AND res = 1 AND at >= $2 AND dim = 1 AND name = $3`, app, since, version).Scan(&at)
	if err != nil {
		return 0, storeError("query", err)
	}
	return at.Int64, nil
}

// FullSizes implements [insight.Sums]. A bundle without a zip would be sent as
// its files.
func (s reads) FullSizes(ctx context.Context, app string) (map[string]int64, error) {
	out := map[string]int64{}
	_, err := selectAll(ctx, s.q, func(row scanner) (_ struct{}, err error) {
		var version string
		var zip, plain int64
		err = row.Scan(&version, &zip, &plain)
		if zip == 0 {
			zip = plain
		}
		out[version] = zip
		return struct{}{}, err
	}, `SELECT b.version, COALESCE(max(v.zip_size), 0), b.size FROM bundles b LEFT JOIN variants v ON v.bundle_id = b.id
		WHERE b.app = $1 GROUP BY b.version, b.size`, app)
	return out, err
}
