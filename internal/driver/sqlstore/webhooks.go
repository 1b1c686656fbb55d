package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/plane/notify"
)

// Notify is the database as the notifier sees it.
type Notify struct{ *DB }

var (
	_ notify.Store = Notify{}
	_ notify.Tx    = (*txn)(nil)
)

// Update implements [notify.Store].
func (db Notify) Update(ctx context.Context, actor ota.Actor, at int64, fn func(notify.Tx) (ota.Change, error)) error {
	return db.update(ctx, actor, at, func(t *txn) (ota.Change, error) { return fn(t) })
}

const webhookColumns = `id, org, app, name, format, address, shown, recipients, events, signing, public_key,
	secret, old_secret, old_secret_until, enabled, failing_since, disabled_reason, cursor, created_at, created_by`

func scanWebhook(r scanner) (w notify.Stored, err error) {
	var app sql.NullString
	var to, events string
	err = r.Scan(&w.ID, &w.Org, &app, &w.Name, &w.Format, &w.Address, &w.URL, &to, &events, &w.Signing, &w.PublicKey,
		&w.Secret, &w.OldSecret, &w.OldSecretUntil, &w.Enabled, &w.FailingSince, &w.DisabledReason, &w.Cursor, &w.CreatedAt, &w.CreatedBy)
	if err != nil {
		return w, err
	}
	w.App = app.String
	if err := json.Unmarshal([]byte(to), &w.To); err != nil {
		return w, fmt.Errorf("receivers of webhook %d: %w", w.ID, err)
	}
	if err := json.Unmarshal([]byte(events), &w.Events); err != nil {
		return w, fmt.Errorf("events of webhook %d: %w", w.ID, err)
	}
	return w, nil
}

// Webhooks implements [notify.Reader].
func (s reads) Webhooks(ctx context.Context, org, app string, p ota.Page) ([]ota.Webhook, string, error) {
	before, err := pageBefore(p)
	if err != nil {
		return nil, "", err
	}
	var w where
	w.and("id < %s", before)
	w.and("org = %s", org)
	w.andText("app", app)
	limit := pageLimit(p)
	items, err := selectAll(ctx, s.q, func(r scanner) (ota.Webhook, error) {
		w, err := scanWebhook(r)
		return w.Webhook, err
	}, `SELECT `+webhookColumns+` FROM webhooks WHERE `+w.String()+` ORDER BY id DESC LIMIT `+w.arg(limit+1), w.args...)
	if err != nil {
		return nil, "", err
	}
	items, next := pageNext(items, limit, func(w ota.Webhook) int64 { return w.ID })
	return items, next, nil
}

// Webhook implements [notify.Reader].
func (s reads) Webhook(ctx context.Context, id int64) (notify.Stored, error) {
	return selectOne(ctx, s.q, ota.NotFound(notify.CodeWebhookNotFound, "there is no webhook %d", id), scanWebhook,
		`SELECT `+webhookColumns+` FROM webhooks WHERE id = $1`, id)
}

// webhookRow returns what is written of a subscription besides its id.
func webhookRow(w *notify.Stored) ([]any, error) {
	to, err := json.Marshal(w.To)
	if err != nil {
		return nil, fmt.Errorf("encode receivers: %w", err)
	}
	events, err := json.Marshal(w.Events)
	if err != nil {
		return nil, fmt.Errorf("encode events: %w", err)
	}
	return []any{
		w.Org,
		sql.NullString{String: w.App, Valid: w.App != ""},
		w.Name, string(w.Format), notNull(w.Address), w.URL, string(to), string(events),
		string(w.Signing), w.PublicKey, notNull(w.Secret), notNull(w.OldSecret), w.OldSecretUntil, w.Enabled, w.FailingSince, w.DisabledReason, w.Cursor,
		w.CreatedAt, string(w.CreatedBy),
	}, nil
}

// InsertWebhook implements [notify.Tx].
func (t *txn) InsertWebhook(ctx context.Context, w notify.Stored) (notify.Stored, error) {
	row, err := webhookRow(&w)
	if err != nil {
		return w, err
	}
	w.ID, err = t.insert(ctx, `INSERT INTO webhooks (org, app, name, format, address, shown, recipients, events, signing, public_key,
		secret, old_secret, old_secret_until, enabled, failing_since, disabled_reason, cursor, created_at, created_by)
		VALUES (`+placeholders(1, len(row))+`) RETURNING id`, row...)
	return w, err
}

// UpdateWebhook implements [notify.Tx]. What it belongs to, how it is sent and
// who made it does not change.
func (t *txn) UpdateWebhook(ctx context.Context, w notify.Stored) error {
	to, err := json.Marshal(w.To)
	if err != nil {
		return fmt.Errorf("encode receivers: %w", err)
	}
	events, err := json.Marshal(w.Events)
	if err != nil {
		return fmt.Errorf("encode events: %w", err)
	}
	_, err = t.exec(ctx, `UPDATE webhooks SET name = $1, address = $2, shown = $3, recipients = $4, events = $5, public_key = $6,
		secret = $7, old_secret = $8, old_secret_until = $9, enabled = $10, failing_since = $11, disabled_reason = $12, cursor = $13
		WHERE id = $14`,
		w.Name, notNull(w.Address), w.URL, string(to), string(events), w.PublicKey, notNull(w.Secret), notNull(w.OldSecret), w.OldSecretUntil,
		w.Enabled, w.FailingSince, w.DisabledReason, w.Cursor, w.ID)
	return err
}

// DeleteWebhook implements [notify.Tx].
func (t *txn) DeleteWebhook(ctx context.Context, id int64) error {
	_, err := t.exec(ctx, `DELETE FROM webhooks WHERE id = $1`, id)
	return err
}

// Administrators implements [notify.Store].
func (s reads) Administrators(ctx context.Context, org string) ([]string, error) {
	return selectAll(ctx, s.q, func(r scanner) (mail string, err error) { return mail, r.Scan(&mail) },
		`SELECT email FROM users WHERE disabled_at = 0 AND id IN (
			SELECT subject_id FROM grants WHERE subject_kind = 'user' AND org = $1 AND app = '' AND role IN ('owner', 'administrator')
			UNION SELECT m.user_id FROM group_members m JOIN grants g ON g.subject_kind = 'group' AND g.subject_id = m.group_id
				WHERE g.org = $1 AND g.app = '' AND g.role IN ('owner', 'administrator'))
		ORDER BY email`, org)
}

// notNull makes no bytes an empty value: the driver reads one as nil, and writes
// nil as NULL.
func notNull(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}
