package sqlstore

import (
	"context"
	"database/sql"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/plane/identity"
)

var (
	_ identity.Store = Identity{}
	_ identity.Tx    = (*txn)(nil)
)

// Identity is the database as plane/identity sees it.
type Identity struct{ *DB }

// Update implements [identity.Store].
func (i Identity) Update(ctx context.Context, actor ota.Actor, at int64, fn func(identity.Tx) (ota.Change, error)) error {
	return i.update(ctx, actor, at, func(t *txn) (ota.Change, error) { return fn(t) })
}

// Note implements [identity.Store].
func (i Identity) Note(ctx context.Context, fn func(identity.Tx) error) error {
	return i.tx(ctx, func(tx *sql.Tx) error { return fn(&txn{reads: reads{tx}, tx: tx}) })
}

// TouchSession implements [identity.Store].
func (i Identity) TouchSession(ctx context.Context, id, at int64) error {
	return i.Note(ctx, func(tx identity.Tx) error {
		_, err := tx.(*txn).exec(ctx, `UPDATE sessions SET seen_at = $1 WHERE id = $2 AND seen_at < $1`, at, id)
		return err
	})
}

// AnyUser implements [identity.Reader].
func (s reads) AnyUser(ctx context.Context) (bool, error) {
	return selectOne(ctx, s.q, nil, scanBool, `SELECT EXISTS (SELECT 1 FROM users)`)
}

// TouchUser implements [identity.Tx].
func (t *txn) TouchUser(ctx context.Context, id, at int64) error {
	_, err := t.exec(ctx, `UPDATE users SET last_seen = $1 WHERE id = $2`, at, id)
	return err
}

func scanBool(r scanner) (v bool, err error) { return v, r.Scan(&v) }

const sessionColumns = `id, user_id, created_at, seen_at, strong_at, method, place, agent`

func scanSession(r scanner) (s ota.Session, err error) {
	return s, r.Scan(&s.ID, &s.UserID, &s.CreatedAt, &s.SeenAt, &s.StrongAt, &s.Method, &s.Place, &s.Agent)
}

func noSession() error { return ota.NotFound("session_not_found", "there is no such session") }

// SessionByHash implements [identity.Reader].
func (s reads) SessionByHash(ctx context.Context, hash ota.Digest) (ota.Session, error) {
	return selectOne(ctx, s.q, noSession(), scanSession, `SELECT `+sessionColumns+` FROM sessions WHERE hash = $1`, hash[:])
}

// Session implements [identity.Reader].
func (s reads) Session(ctx context.Context, id int64) (ota.Session, error) {
	return selectOne(ctx, s.q, noSession(), scanSession, `SELECT `+sessionColumns+` FROM sessions WHERE id = $1`, id)
}

// Sessions implements [identity.Reader].
func (s reads) Sessions(ctx context.Context, userID int64) ([]ota.Session, error) {
	return selectAll(ctx, s.q, scanSession, `SELECT `+sessionColumns+` FROM sessions WHERE user_id = $1 ORDER BY id DESC LIMIT 500`, userID)
}

// Place implements [identity.Reader].
func (s reads) Place(ctx context.Context, userID int64, place string) (known, anywhere bool, err error) {
	n, err := selectAll(ctx, s.q, scanText, `SELECT place FROM places WHERE user_id = $1`, userID)
	for _, p := range n {
		known = known || p == place
	}
	return known, len(n) > 0, err
}

// InsertSession implements [identity.Tx].
func (t *txn) InsertSession(ctx context.Context, s ota.Session, hash ota.Digest) (ota.Session, error) {
	var err error
	s.ID, err = t.insert(ctx, `INSERT INTO sessions (user_id, hash, created_at, seen_at, strong_at, method, place, agent)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING id`,
		s.UserID, hash[:], s.CreatedAt, s.SeenAt, s.StrongAt, s.Method, s.Place, s.Agent)
	return s, err
}

// RenewSession implements [identity.Tx].
func (t *txn) RenewSession(ctx context.Context, id int64, hash ota.Digest, strongAt int64) error {
	n, err := t.exec(ctx, `UPDATE sessions SET hash = $1, strong_at = $2, seen_at = $2 WHERE id = $3`, hash[:], strongAt, id)
	if err == nil && n == 0 {
		return noSession()
	}
	return err
}

// DeleteSessions implements [identity.Tx].
func (t *txn) DeleteSessions(ctx context.Context, userID, but int64) (int64, error) {
	return t.exec(ctx, `DELETE FROM sessions WHERE user_id = $1 AND id <> $2`, userID, but)
}

// DeleteSession implements [identity.Tx].
func (t *txn) DeleteSession(ctx context.Context, id int64) error {
	n, err := t.exec(ctx, `DELETE FROM sessions WHERE id = $1`, id)
	if err == nil && n == 0 {
		return noSession()
	}
	return err
}

// PurgeSessions implements [identity.Tx].
func (t *txn) PurgeSessions(ctx context.Context, idle, old int64) error {
	_, err := t.exec(ctx, `DELETE FROM sessions WHERE seen_at < $1 OR created_at < $2`, idle, old)
	return err
}

// maxPlaces is how many places of a user are remembered.
const maxPlaces = 50

// NotePlace implements [identity.Tx].
func (t *txn) NotePlace(ctx context.Context, userID int64, place string, at int64) error {
	if _, err := t.exec(ctx, `INSERT INTO places (user_id, place, seen_at) VALUES ($1, $2, $3)
		ON CONFLICT (user_id, place) DO UPDATE SET seen_at = excluded.seen_at`, userID, place, at); err != nil {
		return err
	}
	_, err := t.exec(ctx, `DELETE FROM places WHERE user_id = $1 AND place NOT IN
		(SELECT place FROM places WHERE user_id = $1 ORDER BY seen_at DESC LIMIT $2)`, userID, maxPlaces)
	return err
}

// UseFlow implements [identity.Tx].
func (t *txn) UseFlow(ctx context.Context, hash ota.Digest, expires, now int64) (bool, error) {
	if _, err := t.exec(ctx, `DELETE FROM used_flows WHERE expires_at < $1`, now); err != nil {
		return false, err
	}
	n, err := t.exec(ctx, `INSERT INTO used_flows (hash, expires_at) VALUES ($1, $2) ON CONFLICT DO NOTHING`, hash[:], expires)
	return n == 0, err
}
