package sqlstore

import (
	"context"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/plane/identity"
)

const passkeyColumns = `id, user_id, credential_id, handle, rp_id, origin, data, name, synced, created_at, last_used, reset_by`

func scanPasskey(r scanner) (k identity.Passkey, err error) {
	return k, r.Scan(&k.ID, &k.UserID, &k.CredentialID, &k.Handle, &k.RPID, &k.Origin, &k.Data, &k.Name, &k.Synced,
		&k.CreatedAt, &k.LastUsed, &k.ResetBy)
}

// Passkeys implements [identity.Reader].
func (s reads) Passkeys(ctx context.Context, userID int64) ([]identity.Passkey, error) {
	return selectAll(ctx, s.q, scanPasskey, `SELECT `+passkeyColumns+` FROM passkeys WHERE user_id = $1 ORDER BY id DESC`, userID)
}

// PasskeyByCredential implements [identity.Reader].
func (s reads) PasskeyByCredential(ctx context.Context, credentialID []byte) (identity.Passkey, error) {
	return selectOne(ctx, s.q, ota.NotFound("passkey_not_found", "there is no such passkey"), scanPasskey,
		`SELECT `+passkeyColumns+` FROM passkeys WHERE credential_id = $1`, credentialID)
}

// InsertPasskey implements [identity.Tx].
func (t *txn) InsertPasskey(ctx context.Context, k identity.Passkey) (identity.Passkey, error) {
	var err error
	k.ID, err = t.insert(ctx, `INSERT INTO passkeys (user_id, credential_id, handle, rp_id, origin, data, name, synced, created_at, reset_by)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) RETURNING id`,
		k.UserID, k.CredentialID, k.Handle, k.RPID, k.Origin, k.Data, k.Name, flag(k.Synced), k.CreatedAt, k.ResetBy)
	return k, err
}

// RenamePasskey implements [identity.Tx].
func (t *txn) RenamePasskey(ctx context.Context, id int64, name string) error {
	_, err := t.exec(ctx, `UPDATE passkeys SET name = $1 WHERE id = $2`, name, id)
	return err
}

// SavePasskey implements [identity.Tx].
func (t *txn) SavePasskey(ctx context.Context, id int64, data []byte, at int64) error {
	_, err := t.exec(ctx, `UPDATE passkeys SET data = $1, last_used = $2 WHERE id = $3`, data, at, id)
	return err
}

// DeletePasskey implements [identity.Tx].
func (t *txn) DeletePasskey(ctx context.Context, id int64) error {
	_, err := t.exec(ctx, `DELETE FROM passkeys WHERE id = $1`, id)
	return err
}

// DeletePasskeys implements [identity.Tx].
func (t *txn) DeletePasskeys(ctx context.Context, userID int64) error {
	_, err := t.exec(ctx, `DELETE FROM passkeys WHERE user_id = $1`, userID)
	return err
}

// Password implements [identity.Reader].
func (s reads) Password(ctx context.Context, userID int64) (identity.Password, error) {
	return selectOne(ctx, s.q, ota.NotFound("password_not_found", "this user has no password"),
		func(r scanner) (p identity.Password, err error) {
			return p, r.Scan(&p.UserID, &p.PHC, &p.TOTP, &p.Step, &p.ChangedAt, &p.ResetBy)
		}, `SELECT user_id, phc, totp, totp_step, changed_at, reset_by FROM passwords WHERE user_id = $1`, userID)
}

// PutPassword implements [identity.Tx].
func (t *txn) PutPassword(ctx context.Context, p identity.Password) error {
	_, err := t.exec(ctx, `INSERT INTO passwords (user_id, phc, totp, totp_step, changed_at, reset_by) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (user_id) DO UPDATE SET phc = excluded.phc, totp = excluded.totp, totp_step = excluded.totp_step,
		changed_at = excluded.changed_at, reset_by = excluded.reset_by`, p.UserID, p.PHC, p.TOTP, p.Step, p.ChangedAt, p.ResetBy)
	return err
}

// DeletePassword implements [identity.Tx].
func (t *txn) DeletePassword(ctx context.Context, userID int64) error {
	_, err := t.exec(ctx, `DELETE FROM passwords WHERE user_id = $1`, userID)
	return err
}

// TakeTOTP implements [identity.Tx].
func (t *txn) TakeTOTP(ctx context.Context, userID, step int64) (bool, error) {
	n, err := t.exec(ctx, `UPDATE passwords SET totp_step = $1 WHERE user_id = $2 AND totp_step < $1`, step, userID)
	return n == 1, err
}

// RecoveryCodes implements [identity.Reader].
func (s reads) RecoveryCodes(ctx context.Context, userID int64) (int, error) {
	n, err := selectOne(ctx, s.q, nil, scanInt, `SELECT COUNT(*) FROM recovery_codes WHERE user_id = $1`, userID)
	return int(n), err
}

// PutRecoveryCodes implements [identity.Tx].
func (t *txn) PutRecoveryCodes(ctx context.Context, userID int64, hashes []ota.Digest) error {
	if _, err := t.exec(ctx, `DELETE FROM recovery_codes WHERE user_id = $1`, userID); err != nil {
		return err
	}
	for _, h := range hashes {
		if _, err := t.exec(ctx, `INSERT INTO recovery_codes (user_id, hash) VALUES ($1, $2)`, userID, h[:]); err != nil {
			return err
		}
	}
	return nil
}

// TakeRecoveryCode implements [identity.Tx].
func (t *txn) TakeRecoveryCode(ctx context.Context, userID int64, hash ota.Digest) (bool, error) {
	n, err := t.exec(ctx, `DELETE FROM recovery_codes WHERE user_id = $1 AND hash = $2`, userID, hash[:])
	return n == 1, err
}

// PutAssertion implements [identity.Tx].
func (t *txn) PutAssertion(ctx context.Context, userID int64, digest ota.Digest, a identity.Assertion) error {
	_, err := t.exec(ctx, `INSERT INTO assertions (user_id, digest, nonce, origin, expires_at) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (user_id, digest) DO UPDATE SET nonce = excluded.nonce, origin = excluded.origin, expires_at = excluded.expires_at`,
		userID, digest[:], a.Nonce, a.Origin, a.ExpiresAt)
	return err
}

// TakeAssertion implements [identity.Tx].
func (t *txn) TakeAssertion(ctx context.Context, userID int64, digest ota.Digest) (identity.Assertion, error) {
	return selectOne(ctx, t.q, ota.NotFound("assertion_not_found", "no such assertion was begun"),
		func(r scanner) (a identity.Assertion, err error) { return a, r.Scan(&a.Nonce, &a.Origin, &a.ExpiresAt) },
		`DELETE FROM assertions WHERE user_id = $1 AND digest = $2 RETURNING nonce, origin, expires_at`, userID, digest[:])
}

// flag is how a truth is stored.
func flag(v bool) int64 {
	if v {
		return 1
	}
	return 0
}
