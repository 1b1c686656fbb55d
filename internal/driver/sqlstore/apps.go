package sqlstore

import (
	"context"
	"strconv"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/plane/control"
)

type appRow struct {
	seq int64
	ota.App
}

const appColumns = `seq, id, org, name, expose_metadata, allow_custom_id, allow_plain, created_at`

func scanApp(r scanner) (a appRow, err error) {
	return a, r.Scan(&a.seq, &a.ID, &a.Org, &a.Name, &a.ExposeMetadata, &a.AllowCustomID, &a.AllowPlain, &a.CreatedAt)
}

// App implements [control.Reader].
func (s reads) App(ctx context.Context, id string) (ota.App, error) {
	a, err := selectOne(ctx, s.q, ota.NotFound(control.CodeAppNotFound, "there is no app %q", id), scanApp,
		`SELECT `+appColumns+` FROM apps WHERE id = $1`, id)
	return a.App, err
}

// Apps implements [control.Reader].
func (s reads) Apps(ctx context.Context, p ota.Page) ([]ota.App, string, error) {
	return s.AppsIn(ctx, ota.Reach{All: true}, p)
}

// AppsIn implements [control.Reader].
func (s reads) AppsIn(ctx context.Context, in ota.Reach, p ota.Page) ([]ota.App, string, error) {
	before, err := pageBefore(p)
	if err != nil {
		return nil, "", err
	}
	limit := pageLimit(p)
	where, args := within(in, 2, "org", "id")
	rows, err := selectAll(ctx, s.q, scanApp, `SELECT `+appColumns+` FROM apps WHERE seq < $1 AND `+where+
		` ORDER BY seq DESC LIMIT `+strconv.Itoa(limit+1), append([]any{before}, args...)...)
	if err != nil {
		return nil, "", err
	}
	rows, next := pageNext(rows, limit, func(a appRow) int64 { return a.seq })
	apps := make([]ota.App, len(rows))
	for i, a := range rows {
		apps[i] = a.App
	}
	return apps, next, nil
}

// AppIDs implements [snap.Source].
func (s reads) AppIDs(ctx context.Context) ([]string, error) {
	return selectAll(ctx, s.q, scanText, `SELECT id FROM apps ORDER BY seq`)
}

func scanText(r scanner) (v string, err error) { return v, r.Scan(&v) }

func scanInt(r scanner) (v int64, err error) { return v, r.Scan(&v) }

// InsertApp implements [control.Tx].
func (t *txn) InsertApp(ctx context.Context, a ota.App) error {
	_, err := t.exec(ctx, `INSERT INTO apps (id, org, name, expose_metadata, allow_custom_id, allow_plain, created_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7)`, a.ID, a.Org, a.Name, a.ExposeMetadata, a.AllowCustomID, a.AllowPlain, a.CreatedAt)
	return err
}

// UpdateApp implements [control.Tx].
func (t *txn) UpdateApp(ctx context.Context, a ota.App) error {
	_, err := t.exec(ctx, `UPDATE apps SET name = $1, expose_metadata = $2, allow_custom_id = $3, allow_plain = $4
		WHERE id = $5`, a.Name, a.ExposeMetadata, a.AllowCustomID, a.AllowPlain, a.ID)
	return err
}

// DeleteApp implements [control.Tx]. What the app's devices reported is left to
// [DB.PurgeEvents], since it may be millions of rows, but nothing of it may
// bear on an app that takes the same name.
func (t *txn) DeleteApp(ctx context.Context, id string) error {
	for _, q := range []string{
		`DELETE FROM device_failures WHERE app = $1`,
		`DELETE FROM device_outcomes WHERE app = $1`,
		`DELETE FROM rollout_exposures WHERE app = $1`,
		`DELETE FROM outcome_waits WHERE app = $1`,
		`DELETE FROM rollup_counts WHERE app = $1`,
		`DELETE FROM rollup_reasons WHERE app = $1`,
		`DELETE FROM rollup_launches WHERE app = $1`,
		`DELETE FROM rollup_active WHERE app = $1`,
		`DELETE FROM grants WHERE app = $1`,
		`DELETE FROM sealedlog_documents WHERE app = $1`,
		`DELETE FROM apps WHERE id = $1`,
	} {
		if _, err := t.exec(ctx, q, id); err != nil {
			return err
		}
	}
	return nil
}

// Keys implements [control.Reader].
func (s reads) Keys(ctx context.Context, app string) ([]ota.Key, error) {
	return selectAll(ctx, s.q, func(r scanner) (k ota.Key, err error) {
		return k, r.Scan(&k.ID, &k.PublicPEM, &k.State, &k.CreatedAt)
	}, `SELECT id, public_pem, state, created_at FROM app_keys WHERE app = $1 ORDER BY seq DESC`, app)
}

// InsertKey implements [control.Tx].
func (t *txn) InsertKey(ctx context.Context, app string, k ota.Key) error {
	_, err := t.exec(ctx, `INSERT INTO app_keys (app, id, public_pem, state, created_at) VALUES ($1, $2, $3, $4, $5)`,
		app, k.ID, k.PublicPEM, string(k.State), k.CreatedAt)
	return err
}

// SetKeyState implements [control.Tx].
func (t *txn) SetKeyState(ctx context.Context, app, id string, st ota.KeyState) error {
	_, err := t.exec(ctx, `UPDATE app_keys SET state = $1 WHERE app = $2 AND id = $3`, string(st), app, id)
	return err
}
