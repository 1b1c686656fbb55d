package sqlstore

import (
	"context"
	"database/sql"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/plane/notify"
)

const deliveryColumns = `id, webhook_id, message_id, type, kind, state, attempts, next_at, created_at, done_at`

func scanJob(r scanner) (j notify.Job, err error) {
	d := &j.Delivery
	return j, r.Scan(&d.ID, &d.Webhook, &d.MessageID, &d.Type, &d.Kind, &d.State, &d.Attempts, &d.NextAt, &d.CreatedAt, &d.DoneAt, &j.Body)
}

// Delivery implements [notify.Reader].
func (s reads) Delivery(ctx context.Context, webhook, id int64) (notify.Job, error) {
	return selectOne(ctx, s.q, ota.NotFound(notify.CodeDeliveryNotFound, "webhook %d has no delivery %d", webhook, id).
		WithHint("deliveries are kept for 30 days"), scanJob,
		`SELECT `+deliveryColumns+`, body FROM deliveries WHERE webhook_id = $1 AND id = $2`, webhook, id)
}

// Deliveries implements [notify.Store]. Each has its latest attempt.
func (s reads) Deliveries(ctx context.Context, webhook int64, state ota.DeliveryState, p ota.Page) ([]ota.Delivery, string, error) {
	before, err := pageBefore(p)
	if err != nil {
		return nil, "", err
	}
	var w where
	w.and("id < %s", before)
	w.and("webhook_id = %s", webhook)
	w.andText("state", string(state))
	limit := pageLimit(p)
	items, err := selectAll(ctx, s.q, func(r scanner) (ota.Delivery, error) {
		var d ota.Delivery
		var n, at, status, duration sql.NullInt64
		var fault, response sql.NullString
		err := r.Scan(&d.ID, &d.Webhook, &d.MessageID, &d.Type, &d.Kind, &d.State, &d.Attempts, &d.NextAt, &d.CreatedAt, &d.DoneAt,
			&n, &at, &status, &duration, &fault, &response)
		if n.Valid {
			d.Last = &ota.Attempt{
				N: int(n.Int64), At: at.Int64, Status: int(status.Int64), Duration: duration.Int64, Error: fault.String, Response: response.String,
			}
		}
		return d, err
	}, `SELECT d.*, a.n, a.at, a.status, a.duration, a.error, a.response
		FROM (SELECT `+deliveryColumns+` FROM deliveries WHERE `+w.String()+` ORDER BY id DESC LIMIT `+w.arg(limit+1)+`) d
		LEFT JOIN delivery_attempts a ON a.delivery_id = d.id AND a.n = d.attempts ORDER BY d.id DESC`, w.args...)
	if err != nil {
		return nil, "", err
	}
	items, next := pageNext(items, limit, func(d ota.Delivery) int64 { return d.ID })
	return items, next, nil
}

// Attempts implements [notify.Store].
func (s reads) Attempts(ctx context.Context, delivery int64) ([]ota.Attempt, error) {
	return selectAll(ctx, s.q, func(r scanner) (a ota.Attempt, err error) {
		return a, r.Scan(&a.N, &a.At, &a.Status, &a.Duration, &a.Error, &a.Response)
	}, `SELECT n, at, status, duration, error, response FROM delivery_attempts WHERE delivery_id = $1 ORDER BY n`, delivery)
}

// InsertDelivery implements [notify.Tx].
func (t *txn) InsertDelivery(ctx context.Context, j notify.Job, change int64) (notify.Job, error) {
	var err error
	j.ID, err = t.insert(ctx, `INSERT INTO deliveries (webhook_id, change_id, message_id, type, kind, body, state, attempts, next_at, created_at, done_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, 0, $8, $9, 0) RETURNING id`,
		j.Webhook, change, j.MessageID, j.Type, j.Kind, j.Body, string(j.State), j.NextAt, j.CreatedAt)
	return j, err
}

// Due implements [notify.Store].
func (s reads) Due(ctx context.Context, now int64) ([]int64, error) {
	return selectAll(ctx, s.q, scanInt, `SELECT id FROM webhooks WHERE enabled AND EXISTS (
		SELECT 1 FROM deliveries d WHERE d.webhook_id = webhooks.id AND d.state = 'pending' AND d.next_at <= $1) ORDER BY id`, now)
}

// Next implements [notify.Store].
func (s reads) Next(ctx context.Context, webhook, now int64, hold, limit int) ([]notify.Job, error) {
	inOrder, err := selectAll(ctx, s.q, scanJob, `SELECT `+deliveryColumns+`, body FROM deliveries
		WHERE webhook_id = $1 AND state = 'pending' AND kind = 'event' AND attempts < $2 ORDER BY id LIMIT $3`, webhook, hold, limit)
	if err != nil {
		return nil, err
	}
	for i := range inOrder {
		if inOrder[i].NextAt > now {
			inOrder = inOrder[:i]
			break
		}
	}
	free, err := selectAll(ctx, s.q, scanJob, `SELECT `+deliveryColumns+`, body FROM deliveries
		WHERE webhook_id = $1 AND state = 'pending' AND (kind <> 'event' OR attempts >= $2) AND next_at <= $3 ORDER BY id LIMIT $4`,
		webhook, hold, now, limit)
	if err != nil {
		return nil, err
	}
	// Both get on: neither a flood of new events nor of old ones stops the other.
	half := max(limit/2, limit-len(free))
	inOrder = inOrder[:min(len(inOrder), half)]
	return append(inOrder, free[:min(len(free), limit-len(inOrder))]...), nil
}

// Finish implements [notify.Store]. It is the server's own book-keeping, so it
// leaves no record of a change. What was deleted meanwhile stays so.
func (db *DB) Finish(ctx context.Context, webhook, at int64, well bool, done []notify.Result) error {
	return db.tx(ctx, func(tx *sql.Tx) error {
		t := &txn{reads: reads{tx}, tx: tx}
		health := `UPDATE webhooks SET failing_since = $1 WHERE id = $2 AND failing_since = 0`
		since := at
		if well {
			health, since = `UPDATE webhooks SET failing_since = $1 WHERE id = $2`, 0
		}
		if _, err := t.exec(ctx, health, since, webhook); err != nil {
			return err
		}
		for _, r := range done {
			doneAt := int64(0)
			if r.State != ota.DeliveryPending {
				doneAt = at
			}
			n, err := t.exec(ctx, `UPDATE deliveries SET state = $1, attempts = $2, next_at = $3, done_at = $4 WHERE id = $5`,
				string(r.State), r.Attempt.N, r.NextAt, doneAt, r.Delivery)
			if err != nil {
				return err
			}
			if n == 0 {
				continue
			}
			a := r.Attempt
			if _, err := t.exec(ctx, `INSERT INTO delivery_attempts (delivery_id, n, at, status, duration, error, response)
				VALUES ($1, $2, $3, $4, $5, $6, $7)`, r.Delivery, a.N, a.At, a.Status, a.Duration, a.Error, a.Response); err != nil {
				return err
			}
		}
		return nil
	})
}

// Sent implements [notify.Store]. The events of a digest share their time.
func (s reads) Sent(ctx context.Context, webhook, since int64) ([]int64, error) {
	return selectAll(ctx, s.q, scanInt, `SELECT DISTINCT a.at FROM deliveries d JOIN delivery_attempts a ON a.delivery_id = d.id
		WHERE d.webhook_id = $1 AND d.state = 'delivered' AND d.done_at > $2 AND a.error = '' AND a.at > $2 ORDER BY a.at`, webhook, since)
}

// PurgeDeliveries implements [notify.Store].
func (db *DB) PurgeDeliveries(ctx context.Context, before int64, limit int) (n int64, err error) {
	err = db.tx(ctx, func(tx *sql.Tx) error {
		n, err = (&txn{reads: reads{tx}, tx: tx}).exec(ctx,
			`DELETE FROM deliveries WHERE id IN (SELECT id FROM deliveries WHERE created_at < $1 ORDER BY created_at LIMIT $2)`, before, limit)
		return err
	})
	return n, err
}
