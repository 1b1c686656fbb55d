package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/p256"
	"github.com/waxwing-ota/waxwing/internal/plane/enrol"
)

// Enrol is the database as the plane of enrolment sees it.
type Enrol struct{ *DB }

var (
	_ enrol.Store = Enrol{}
	_ enrol.Tx    = (*txn)(nil)
	_ enrol.Issue = (*txn)(nil)
)

// Update implements [enrol.Store].
func (db Enrol) Update(ctx context.Context, actor ota.Actor, at int64, fn func(enrol.Tx) (ota.Change, error)) error {
	return db.update(ctx, actor, at, func(t *txn) (ota.Change, error) { return fn(t) })
}

// Issue implements [enrol.Store].
func (db Enrol) Issue(ctx context.Context, at int64, fn func(enrol.Issue) error) error {
	var t *txn
	err := db.tx(ctx, func(tx *sql.Tx) error {
		t = &txn{reads: reads{tx}, tx: tx, at: at}
		return fn(t)
	})
	if err == nil && t.sealed && db.sealed != nil {
		db.sealed()
	}
	return err
}

func sealedDeviceMissing() error {
	return ota.NotFound(enrol.CodeDevice, "there is no such enrolled device").WithHint("see: waxwing sealed devices list")
}

// isRevoked is the condition that a revocation holds for a row of sealed_devices.
const isRevoked = `EXISTS (SELECT 1 FROM sealed_revocations r WHERE r.app = d.app AND (
	r.kind = 'device' AND r.device = d.device OR r.kind = 'subject' AND r.subject = d.subject AND d.subject <> ''
	OR r.kind = 'serials' AND r.from_serial <= d.serial AND d.serial <= r.to_serial))`

const sealedDeviceColumns = `d.id, d.app, d.device, d.thumbprint, d.subject, d.groups, d.platform, d.assurance, d.signals, d.serial,
	d.enrolled_at, d.issued_at, d.expires_at, d.granted_at, d.grants, d.report_n, d.reports_lost, ` + isRevoked + `,
	COALESCE((SELECT MIN(r.at) FROM sealed_revocations r WHERE r.app = d.app AND (
		r.kind = 'device' AND r.device = d.device OR r.kind = 'subject' AND r.subject = d.subject AND d.subject <> ''
		OR r.kind = 'serials' AND r.from_serial <= d.serial AND d.serial <= r.to_serial)), 0),
	COALESCE((SELECT MIN(r.reason) FROM sealed_revocations r WHERE r.app = d.app AND (
		r.kind = 'device' AND r.device = d.device OR r.kind = 'subject' AND r.subject = d.subject AND d.subject <> ''
		OR r.kind = 'serials' AND r.from_serial <= d.serial AND d.serial <= r.to_serial)), '')`

func scanSealedDevice(r scanner) (ota.SealedDevice, error) { return scanSealedDeviceAnd(r) }

// scanSealedDeviceAnd reads the columns of a device and further ones.
func scanSealedDeviceAnd(r scanner, more ...any) (d ota.SealedDevice, err error) {
	var groups, signals string
	err = r.Scan(append([]any{
		&d.ID, &d.App, &d.Device, &d.Thumbprint, &d.Subject, &groups, &d.Platform, &d.Assurance, &signals, &d.Serial,
		&d.EnrolledAt, &d.IssuedAt, &d.ExpiresAt, &d.GrantedAt, &d.Grants, &d.Reports, &d.Lost, &d.Revoked, &d.RevokedAt, &d.Reason,
	}, more...)...)
	if err != nil {
		return d, err
	}
	for _, f := range []struct {
		text string
		into any
	}{{groups, &d.Groups}, {signals, &d.Signals}} {
		if err := json.Unmarshal([]byte(f.text), f.into); err != nil {
			return d, ota.Errorf(ota.KindInternal, "sealed_device_damaged", "the enrolled device %d in the database is damaged", d.ID).WithCause(err)
		}
	}
	return d, nil
}

func scanSealedRow(r scanner) (row enrol.Row, err error) {
	var public string
	var digest []byte
	row.SealedDevice, err = scanSealedDeviceAnd(r, &public, &row.AgreeKey, &digest, &row.Certificate, &row.Salt)
	row.SignKey = p256.Key{Type: p256.KeyType, Scheme: p256.Scheme, Val: p256.KeyVal{Public: public}}
	copy(row.CertDigest[:], digest)
	return row, err
}

const sealedRowQuery = `SELECT ` + sealedDeviceColumns + `, d.sign_key, d.agree_key, d.cert_digest, d.certificate, d.salt FROM sealed_devices d WHERE `

// SealedDevice implements [enrol.Reader].
func (s reads) SealedDevice(ctx context.Context, app, thumbprint string) (enrol.Row, error) {
	return selectOne(ctx, s.q, sealedDeviceMissing(), scanSealedRow, sealedRowQuery+`d.app = $1 AND d.thumbprint = $2`, app, thumbprint)
}

// SealedDeviceBy implements [enrol.Reader].
func (s reads) SealedDeviceBy(ctx context.Context, app string, certificate ota.Digest) (enrol.Row, error) {
	return selectOne(ctx, s.q, sealedDeviceMissing(), scanSealedRow, sealedRowQuery+`d.app = $1 AND d.cert_digest = $2`, app, certificate[:])
}

// SealedDevices implements [enrol.Reader].
func (s reads) SealedDevices(ctx context.Context, app string, f ota.SealedDeviceFilter, p ota.Page) ([]ota.SealedDevice, string, error) {
	before, err := pageBefore(p)
	if err != nil {
		return nil, "", err
	}
	var w where
	w.and("d.app = %s", app)
	w.and("d.id < %s", before)
	w.andText("d.device", f.Device)
	w.andText("d.subject", f.Subject)
	cond := w.String()
	if f.Revoked != nil {
		cond += map[bool]string{true: " AND ", false: " AND NOT "}[*f.Revoked] + isRevoked
	}
	limit := pageLimit(p)
	items, err := selectAll(ctx, s.q, scanSealedDevice,
		`SELECT `+sealedDeviceColumns+` FROM sealed_devices d WHERE `+cond+` ORDER BY d.id DESC LIMIT `+w.arg(limit+1), w.args...)
	if err != nil {
		return nil, "", err
	}
	items, next := pageNext(items, limit, func(d ota.SealedDevice) int64 { return d.ID })
	return items, next, nil
}

// NextSerial implements [enrol.Issue].
func (t *txn) NextSerial(ctx context.Context, app string) (int64, error) {
	return t.insert(ctx, `INSERT INTO sealed_serials (app, serial) VALUES ($1, 1)
		ON CONFLICT (app) DO UPDATE SET serial = sealed_serials.serial + 1 RETURNING serial`, app)
}

// TakeNonce implements [enrol.Issue].
func (t *txn) TakeNonce(ctx context.Context, nonce []byte, expires, now int64) (bool, error) {
	if _, err := t.exec(ctx, `DELETE FROM sealed_nonces WHERE expires_at < $1`, now); err != nil {
		return false, err
	}
	n, err := t.exec(ctx, `INSERT INTO sealed_nonces (nonce, expires_at) VALUES ($1, $2) ON CONFLICT DO NOTHING`, nonce, expires)
	return n == 1, err
}

// PutSealedDevice implements [enrol.Issue].
func (t *txn) PutSealedDevice(ctx context.Context, r enrol.Row) error {
	texts, err := encodeAll(r.Groups, r.Signals)
	if err != nil {
		return err
	}
	_, err = t.exec(ctx, `INSERT INTO sealed_devices (app, device, thumbprint, sign_key, agree_key, subject, groups, platform, assurance, signals,
			serial, cert_digest, certificate, salt, enrolled_at, issued_at, expires_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
		ON CONFLICT (app, thumbprint) DO UPDATE SET agree_key = excluded.agree_key, subject = excluded.subject, groups = excluded.groups,
			platform = excluded.platform, assurance = excluded.assurance, signals = excluded.signals, serial = excluded.serial,
			cert_digest = excluded.cert_digest, certificate = excluded.certificate, salt = excluded.salt,
			issued_at = excluded.issued_at, expires_at = excluded.expires_at`,
		r.App, r.Device, r.Thumbprint, r.SignKey.Val.Public, r.AgreeKey, r.Subject, texts[0], r.Platform, string(r.Assurance), texts[1],
		r.Serial, r.CertDigest[:], r.Certificate, r.Salt, r.IssuedAt, r.IssuedAt, r.ExpiresAt)
	return err
}

// PurgeSealedDevices implements [enrol.Issue].
func (t *txn) PurgeSealedDevices(ctx context.Context, before int64) error {
	_, err := t.exec(ctx, `DELETE FROM sealed_devices WHERE id IN (SELECT id FROM sealed_devices WHERE expires_at < $1 LIMIT 20)`, before)
	return err
}

// SealedVoted implements [enrol.Store].
func (db Enrol) SealedVoted(ctx context.Context, app, device string, seq int64, stage uint) (bool, error) {
	return db.is(ctx, `SELECT EXISTS (SELECT 1 FROM sealed_votes WHERE app = $1 AND device = $2 AND seq = $3 AND (stages & $4) <> 0)`,
		app, device, seq, int64(1)<<stage)
}

// TakeReport implements [enrol.Store].
func (db Enrol) TakeReport(ctx context.Context, app, thumbprint, device string, n, seq int64, stage uint) error {
	return db.tx(ctx, func(tx *sql.Tx) error {
		t := &txn{reads: reads{tx}, tx: tx}
		changed, err := t.exec(ctx, `UPDATE sealed_devices SET reports_lost = reports_lost + $1 - report_n - 1, report_n = $1
			WHERE app = $2 AND thumbprint = $3 AND report_n < $1`, n, app, thumbprint)
		if err != nil || changed == 0 {
			return err
		}
		_, err = t.exec(ctx, `INSERT INTO sealed_votes (app, device, seq, stages) VALUES ($1, $2, $3, $4)
			ON CONFLICT (app, device, seq) DO UPDATE SET stages = sealed_votes.stages | excluded.stages`, app, device, seq, int64(1)<<stage)
		return err
	})
}
