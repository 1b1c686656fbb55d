package sqlstore

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/plane/control"
	"github.com/waxwing-ota/waxwing/internal/plane/plans"
)

var _ plans.Store = (*DB)(nil)

const cohortColumns = `app, name, expr, size, note, updated_at, updated_by`

func scanCohort(r scanner, ids *string) (c ota.Cohort, err error) {
	into := []any{&c.App, &c.Name, &c.Expr, &c.Size, &c.Note, &c.UpdatedAt, &c.UpdatedBy}
	if ids != nil {
		into = append(into, ids)
	}
	return c, r.Scan(into...)
}

// scanCohortIDs is scanCohort with the list of custom ids.
func scanCohortIDs(r scanner) (ota.Cohort, error) {
	var ids string
	c, err := scanCohort(r, &ids)
	if err != nil || ids == "" {
		return c, err
	}
	if err := json.Unmarshal([]byte(ids), &c.CustomIDs); err != nil {
		return c, fmt.Errorf("ids of cohort %s: %w", c.Name, err)
	}
	return c, nil
}

// CohortNames implements [control.Reader].
func (s reads) CohortNames(ctx context.Context, app string) ([]ota.Cohort, error) {
	return selectAll(ctx, s.q, func(r scanner) (ota.Cohort, error) { return scanCohort(r, nil) },
		`SELECT `+cohortColumns+` FROM cohorts WHERE app = $1 ORDER BY name`, app)
}

// Cohorts implements [control.Reader].
func (s reads) Cohorts(ctx context.Context, app string) ([]ota.Cohort, error) {
	return selectAll(ctx, s.q, scanCohortIDs, `SELECT `+cohortColumns+`, ids FROM cohorts WHERE app = $1 ORDER BY name`, app)
}

// Cohort implements [control.Reader].
func (s reads) Cohort(ctx context.Context, app, name string) (ota.Cohort, error) {
	return selectOne(ctx, s.q, ota.NotFound(control.CodeCohortNotFound, "app %q has no cohort %q", app, name).WithHint("list them: waxwing cohorts list --app %s", app),
		scanCohortIDs, `SELECT `+cohortColumns+`, ids FROM cohorts WHERE app = $1 AND name = $2`, app, name)
}

// SetCohort implements [control.Tx].
func (t *txn) SetCohort(ctx context.Context, c ota.Cohort) error {
	ids := ""
	if c.Expr == "" {
		raw, err := json.Marshal(c.CustomIDs)
		if err != nil {
			return fmt.Errorf("encode ids of a cohort: %w", err)
		}
		ids = string(raw)
	}
	_, err := t.exec(ctx, `INSERT INTO cohorts (app, name, expr, ids, size, note, updated_at, updated_by)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
		ON CONFLICT (app, name) DO UPDATE SET expr = excluded.expr, ids = excluded.ids, size = excluded.size, note = excluded.note,
			updated_at = excluded.updated_at, updated_by = excluded.updated_by`,
		c.App, c.Name, c.Expr, ids, c.Size, c.Note, c.UpdatedAt, c.UpdatedBy)
	return err
}

// DeleteCohort implements [control.Tx].
func (t *txn) DeleteCohort(ctx context.Context, app, name string) error {
	_, err := t.exec(ctx, `DELETE FROM cohorts WHERE app = $1 AND name = $2`, app, name)
	return err
}

// Planned implements [plans.Store].
func (s reads) Planned(ctx context.Context) ([]ota.Channel, error) {
	all, err := selectAll(ctx, s.q, scanChannel, `SELECT `+channelColumns+fromChannels+` WHERE c.rollout <> '' ORDER BY c.id`)
	if err != nil {
		return nil, err
	}
	planned := all[:0]
	for _, c := range all {
		if c.Rollout != nil && c.Rollout.Plan != nil {
			planned = append(planned, c)
		}
	}
	return planned, nil
}
