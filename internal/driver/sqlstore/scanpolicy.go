package sqlstore

import (
	"bytes"
	"compress/gzip"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/plane/scans"
)

// ScanPolicy implements [control.Reader].
func (s reads) ScanPolicy(ctx context.Context, app string, channelID int64) (p ota.ScanPolicyInfo, set bool, err error) {
	var text string
	p, err = selectOne(ctx, s.q, sql.ErrNoRows, func(r scanner) (p ota.ScanPolicyInfo, err error) {
		return p, r.Scan(&text, &p.UpdatedAt, &p.UpdatedBy)
	}, `SELECT policy, updated_at, updated_by FROM scan_policies WHERE app = $1 AND channel_id = $2`, app, channelID)
	if errors.Is(err, sql.ErrNoRows) {
		return p, false, nil
	}
	if err != nil {
		return p, false, err
	}
	if err := json.Unmarshal([]byte(text), &p.ScanPolicy); err != nil {
		return p, false, fmt.Errorf("scan policy of %s: %w", app, err)
	}
	if p.Rules == nil {
		p.Rules = map[string]string{}
	}
	return p, true, nil
}

// SetScanPolicy implements [control.Tx].
func (t *txn) SetScanPolicy(ctx context.Context, app string, channelID int64, p *ota.ScanPolicy, at int64, by ota.Actor) error {
	if p == nil {
		_, err := t.exec(ctx, `DELETE FROM scan_policies WHERE app = $1 AND channel_id = $2`, app, channelID)
		return err
	}
	text, err := json.Marshal(p)
	if err != nil {
		return fmt.Errorf("encode scan policy: %w", err)
	}
	_, err = t.exec(ctx, `INSERT INTO scan_policies (app, channel_id, policy, updated_at, updated_by) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (app, channel_id) DO UPDATE SET policy = excluded.policy, updated_at = excluded.updated_at, updated_by = excluded.updated_by`,
		app, channelID, string(text), at, string(by))
	return err
}

const suppressionColumns = `id, app, rule, path, fingerprint, reason, state, authors, requested_by, requested_at, decided_by, decided_at, note, expires_at`

func scanSuppression(r scanner) (s ota.Suppression, err error) {
	var authors string
	err = r.Scan(&s.ID, &s.App, &s.Rule, &s.Path, &s.Fingerprint, &s.Reason, &s.State, &authors, &s.RequestedBy, &s.RequestedAt,
		&s.DecidedBy, &s.DecidedAt, &s.Note, &s.ExpiresAt)
	if err != nil {
		return s, err
	}
	if err := json.Unmarshal([]byte(authors), &s.Authors); err != nil {
		return s, fmt.Errorf("authors of suppression %d: %w", s.ID, err)
	}
	return s, nil
}

// Suppressions implements [scans.Reader].
func (s reads) Suppressions(ctx context.Context, app string, state ota.SuppressionState, p ota.Page) ([]ota.Suppression, string, error) {
	before, err := pageBefore(p)
	if err != nil {
		return nil, "", err
	}
	limit := pageLimit(p)
	items, err := selectAll(ctx, s.q, scanSuppression, `SELECT `+suppressionColumns+` FROM suppressions
		WHERE app = $1 AND ($2 = '' OR state = $2) AND id < $3 ORDER BY id DESC LIMIT $4`, app, string(state), before, limit+1)
	if err != nil {
		return nil, "", err
	}
	items, next := pageNext(items, limit, func(s ota.Suppression) int64 { return s.ID })
	return items, next, nil
}

// LiveSuppressions implements [control.Reader].
func (s reads) LiveSuppressions(ctx context.Context, app string, at int64) ([]ota.Suppression, error) {
	return selectAll(ctx, s.q, scanSuppression, `SELECT `+suppressionColumns+` FROM suppressions
		WHERE app = $1 AND state <> 'rejected' AND expires_at > $2 ORDER BY id`, app, at)
}

// Suppression implements [scans.Reader].
func (s reads) Suppression(ctx context.Context, app string, id int64) (ota.Suppression, error) {
	return selectOne(ctx, s.q, ota.NotFound(scans.CodeSuppressionNotFound, "app %q has no suppression %d", app, id).
		WithHint("list them with: waxwing suppressions list"), scanSuppression,
		`SELECT `+suppressionColumns+` FROM suppressions WHERE app = $1 AND id = $2`, app, id)
}

// OpenSuppressions implements [scans.Reader].
func (s reads) OpenSuppressions(ctx context.Context, app string) (int64, error) {
	return selectOne(ctx, s.q, nil, scanInt, `SELECT COUNT(*) FROM suppressions WHERE app = $1 AND state = 'requested'`, app)
}

// InsertSuppression implements [scans.Tx].
func (t *txn) InsertSuppression(ctx context.Context, s ota.Suppression) (ota.Suppression, error) {
	authors, err := json.Marshal(s.Authors)
	if err != nil {
		return s, fmt.Errorf("encode authors: %w", err)
	}
	s.ID, err = t.insert(ctx, `INSERT INTO suppressions (app, rule, path, fingerprint, reason, state, authors, requested_by, requested_at, expires_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) RETURNING id`,
		s.App, s.Rule, s.Path, s.Fingerprint, s.Reason, string(s.State), string(authors), string(s.RequestedBy), s.RequestedAt, s.ExpiresAt)
	return s, err
}

// UpdateSuppression implements [scans.Tx].
func (t *txn) UpdateSuppression(ctx context.Context, s ota.Suppression) error {
	_, err := t.exec(ctx, `UPDATE suppressions SET state = $1, decided_by = $2, decided_at = $3, note = $4 WHERE id = $5`,
		string(s.State), string(s.DecidedBy), s.DecidedAt, s.Note, s.ID)
	return err
}

// DeleteSuppression implements [scans.Tx].
func (t *txn) DeleteSuppression(ctx context.Context, id int64) error {
	_, err := t.exec(ctx, `DELETE FROM suppressions WHERE id = $1`, id)
	return err
}

// maxUnzipped bounds what is read of compressed JSON; what is stored is smaller.
const maxUnzipped = 64 << 20

func zipJSON(v any) ([]byte, error) {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if err := errors.Join(json.NewEncoder(z).Encode(v), z.Close()); err != nil {
		return nil, fmt.Errorf("compress: %w", err)
	}
	return b.Bytes(), nil
}

func unzipJSON(raw []byte, v any) error {
	z, err := gzip.NewReader(bytes.NewReader(raw))
	if err == nil {
		err = json.NewDecoder(io.LimitReader(z, maxUnzipped)).Decode(v)
	}
	if err != nil {
		return fmt.Errorf("findings of a scan: %w", err)
	}
	return nil
}
