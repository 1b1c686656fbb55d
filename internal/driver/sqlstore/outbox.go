package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/plane/notify"
)

// changeOwned reads changes with the organisation they concern: the one they
// name, else the one of their app, else the main one.
const changeOwned = `SELECT c.id, c.at, c.actor, c.action, c.app, c.object, c.detail, c.before, c.after,
	CASE WHEN c.org <> '' THEN c.org ELSE COALESCE(a.org, 'main') END AS owner FROM changes c LEFT JOIN apps a ON a.id = c.app`

func scanOwned(r scanner) (c ota.Change, err error) {
	return c, r.Scan(&c.ID, &c.At, &c.Actor, &c.Action, &c.App, &c.Object, &c.Detail, &c.Before, &c.After, &c.Org)
}

// LastChange implements [notify.Reader].
func (s reads) LastChange(ctx context.Context) (int64, error) {
	return selectOne(ctx, s.q, nil, scanInt, `SELECT COALESCE(MAX(id), 0) FROM changes`)
}

// ChangesBetween implements [notify.Reader].
func (s reads) ChangesBetween(ctx context.Context, where ota.Scope, from, to int64, limit int) ([]ota.Change, error) {
	return selectAll(ctx, s.q, scanOwned, `SELECT * FROM (`+changeOwned+` WHERE c.at >= $1 AND c.at < $2) owned
		WHERE owner = $3 AND ($4 = '' OR app = $4) ORDER BY id LIMIT $5`, from, to, where.Org, where.App, limit)
}

// Tail implements [notify.Store]. A change's id is given out in the transaction
// that commits it and writers wait for each other, so nobody can commit a lower
// id once a higher one was read.
func (db *DB) Tail(ctx context.Context, now int64, limit int, pick func(*ota.Webhook, ota.Change) (notify.Job, bool)) (more bool, err error) {
	behind, err := db.behind(ctx)
	if err != nil || len(behind) == 0 {
		return false, err
	}
	err = db.tx(ctx, func(tx *sql.Tx) error {
		t := &txn{reads: reads{tx}, tx: tx}
		for _, id := range behind {
			read, err := t.tailOne(ctx, id, limit, pick)
			if err != nil {
				return err
			}
			more = more || read == limit
		}
		return nil
	})
	return more, err
}

// behind returns the subscriptions that did not read all changes.
func (s reads) behind(ctx context.Context) ([]int64, error) {
	return selectAll(ctx, s.q, scanInt, `SELECT id FROM webhooks WHERE enabled AND cursor < (SELECT MAX(id) FROM changes) ORDER BY id`)
}

func (t *txn) tailOne(ctx context.Context, id int64, limit int, pick func(*ota.Webhook, ota.Change) (notify.Job, bool)) (read int, err error) {
	w, err := t.Webhook(ctx, id)
	if ota.KindOf(err) == ota.KindNotFound || err == nil && !w.Enabled {
		return 0, nil // a moment ago it was there
	}
	if err != nil {
		return 0, err
	}
	changes, err := selectAll(ctx, t.q, scanOwned, changeOwned+` WHERE c.id > $1 ORDER BY c.id LIMIT $2`, w.Cursor, limit)
	if err != nil || len(changes) == 0 {
		return 0, err
	}
	for _, c := range changes {
		j, ok := pick(&w.Webhook, c)
		if !ok {
			continue
		}
		if _, err := t.InsertDelivery(ctx, j, c.ID); err != nil {
			return 0, err
		}
	}
	_, err = t.exec(ctx, `UPDATE webhooks SET cursor = $1 WHERE id = $2`, changes[len(changes)-1].ID, id)
	return len(changes), err
}

// MarkAdoption implements [notify.Tx].
func (t *txn) MarkAdoption(ctx context.Context, release int64, threshold int) error {
	_, err := t.exec(ctx, `INSERT INTO adoption_marks (release_id, threshold) VALUES ($1, $2)
		ON CONFLICT (release_id) DO UPDATE SET threshold = excluded.threshold`, release, threshold)
	return err
}

// Adoptable implements [notify.Store].
func (s reads) Adoptable(ctx context.Context, since int64, highest int) ([]notify.Adoptable, error) {
	return selectAll(ctx, s.q, func(r scanner) (a notify.Adoptable, err error) {
		var policy string
		if err := r.Scan(&a.Org, &a.App, &a.Channel, &a.Version, &policy, &a.Release, &a.Reached); err != nil {
			return a, err
		}
		var p ota.Policy
		if err := json.Unmarshal([]byte(policy), &p); err != nil {
			return a, fmt.Errorf("policy of channel %s of %s: %w", a.Channel, a.App, err)
		}
		a.Public = p.Public
		return a, nil
	}, `SELECT a.org, c.app, c.name, b.version, c.policy, r.id, COALESCE(m.threshold, 0)
		FROM channels c JOIN releases r ON r.id = c.release_id JOIN bundles b ON b.id = r.bundle_id JOIN apps a ON a.id = c.app
		LEFT JOIN adoption_marks m ON m.release_id = r.id
		WHERE r.created_at >= $1 AND COALESCE(m.threshold, 0) < $2 ORDER BY c.id`, since, highest)
}

// Running implements [notify.Store].
func (s reads) Running(ctx context.Context, app string, since int64, limit int) ([]notify.Running, error) {
	return selectAll(ctx, s.q, func(r scanner) (n notify.Running, err error) {
		return n, r.Scan(&n.Channel, &n.Version, &n.Devices)
	}, `SELECT default_channel, version_name, COUNT(*) FROM (
			SELECT default_channel, version_name FROM devices WHERE app = $1 AND last_seen >= $2 ORDER BY last_seen DESC, id DESC LIMIT $3) latest
		GROUP BY default_channel, version_name`, app, since, limit)
}
