package identity

import (
	"context"
	"encoding/json"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/secret"
)

// Methods says how a user can sign in.
func (s *Service) Methods(ctx context.Context, userID int64) (ota.SignInMethods, error) {
	return methods(ctx, s.store, userID)
}

func methods(ctx context.Context, r Reader, userID int64) (m ota.SignInMethods, err error) {
	keys, err := r.Passkeys(ctx, userID)
	if err != nil {
		return m, err
	}
	m.Passkeys = make([]ota.Passkey, len(keys))
	for i, k := range keys {
		m.Passkeys[i] = k.Passkey
		if k.ResetBy != 0 {
			m.ResetBy = k.ResetBy
		}
	}
	p, err := r.Password(ctx, userID)
	switch {
	case err == nil:
		m.Password, m.TOTP = p.PHC != "", true
		if p.ResetBy != 0 {
			m.ResetBy = p.ResetBy
		}
	case ota.KindOf(err) != ota.KindNotFound:
		return m, err
	}
	if m.RecoveryCodes, err = r.RecoveryCodes(ctx, userID); err != nil {
		return m, err
	}
	m.SSO, err = r.SSOOf(ctx, userID)
	return m, err
}

// keepOne fails if a person would be left without a way to sign in.
func keepOne(ctx context.Context, tx Tx, userID int64) error {
	ok, err := canEnter(ctx, tx, userID)
	if err == nil && !ok {
		err = ota.Conflict(CodeLastMethod, "this is the only way you can sign in").WithHint("add another passkey, or a password, first")
	}
	return err
}

// own runs a change of how the principal signs in.
func (s *Service) own(ctx context.Context, p ota.Principal, action string, fn func(tx Tx, u ota.User) (fields, error)) error {
	if err := s.fresh(ctx, p); err != nil {
		return err
	}
	return s.store.Update(ctx, p.Actor(), s.nowMS(), func(tx Tx) (ota.Change, error) {
		u, err := tx.User(ctx, p.Person)
		if err != nil {
			return ota.Change{}, err
		}
		d, err := fn(tx, u)
		return change(action, u.Email, d), err
	})
}

// BeginAddPasskey starts the registration of a further passkey.
func (s *Service) BeginAddPasskey(ctx context.Context, c Client, p ota.Principal) (options json.RawMessage, state secret.Text, err error) {
	if err := s.fresh(ctx, p); err != nil {
		return nil, state, err
	}
	at, err := siteOf(c.Base)
	if err != nil {
		return nil, state, err
	}
	u, err := s.store.User(ctx, p.Person)
	if err != nil {
		return nil, state, err
	}
	who, err := s.personOf(ctx, u, at)
	if err != nil {
		return nil, state, err
	}
	if len(who.credentials) >= maxPasskeys {
		return nil, state, ota.Conflict("passkeys_too_many", "you have %d passkeys", len(who.credentials)).WithHint("delete one first")
	}
	if who.handle == nil {
		if who.handle, err = s.random(handleLen); err != nil {
			return nil, state, err
		}
	}
	options, challenge, err := beginRegistration(at, who)
	if err != nil {
		return nil, state, err
	}
	state, err = s.sealFlow(flow{Kind: flowAdd, User: u.ID, Session: p.Session, Challenge: challenge, Handle: who.handle})
	return options, state, err
}

// FinishAddPasskey stores it.
func (s *Service) FinishAddPasskey(ctx context.Context, c Client, p ota.Principal, state secret.Text, answer []byte, name string) (out ota.Passkey, err error) {
	at, err := siteOf(c.Base)
	if err != nil {
		return out, err
	}
	f, err := s.openFlow(flowAdd, state)
	if err == nil && (f.User != p.Person || f.Session != p.Session) {
		err = errFlow()
	}
	if err != nil {
		return out, err
	}
	cred, err := finishRegistration(at, &person{handle: f.Handle, name: p.Name}, f.Challenge, answer)
	if err != nil {
		return out, err
	}
	key, err := s.newPasskey(at, f.Handle, name, cred)
	if err != nil {
		return out, err
	}
	err = s.own(ctx, p, "passkey.create", func(tx Tx, u ota.User) (fields, error) {
		if err := s.endFlow(ctx, tx, f); err != nil {
			return nil, err
		}
		m, err := methods(ctx, tx, u.ID)
		if err != nil {
			return nil, err
		}
		// Who made the account's keys may have made this one too.
		key.UserID, key.ResetBy = u.ID, m.ResetBy
		if err := insertPasskey(ctx, tx, key); err != nil {
			return nil, err
		}
		stored, err := tx.PasskeyByCredential(ctx, key.CredentialID)
		out = stored.Passkey
		return fields{"passkey": out.ID, "name": out.Name}, err
	})
	return out, err
}

// ownPasskey finds a passkey of the user.
func ownPasskey(ctx context.Context, tx Tx, userID, id int64) (Passkey, error) {
	keys, err := tx.Passkeys(ctx, userID)
	if err != nil {
		return Passkey{}, err
	}
	for _, k := range keys {
		if k.ID == id {
			return k, nil
		}
	}
	return Passkey{}, ota.NotFound("passkey_not_found", "you have no passkey %d", id)
}

// RenamePasskey gives a passkey of the principal another name.
func (s *Service) RenamePasskey(ctx context.Context, p ota.Principal, id int64, name string) (out ota.Passkey, err error) {
	if name, err = nameOf(name, "name", 60); err != nil {
		return out, err
	}
	err = s.own(ctx, p, "passkey.update", func(tx Tx, u ota.User) (fields, error) {
		k, err := ownPasskey(ctx, tx, u.ID, id)
		if err != nil {
			return nil, err
		}
		out = k.Passkey
		out.Name = name
		return fields{"passkey": id, "name": name, "was": k.Name}, tx.RenamePasskey(ctx, id, name)
	})
	return out, err
}

// DeletePasskey removes a passkey of the principal, but not the last way in.
func (s *Service) DeletePasskey(ctx context.Context, p ota.Principal, id int64) error {
	return s.own(ctx, p, "passkey.delete", func(tx Tx, u ota.User) (fields, error) {
		k, err := ownPasskey(ctx, tx, u.ID, id)
		if err != nil {
			return nil, err
		}
		if err := tx.DeletePasskey(ctx, id); err != nil {
			return nil, err
		}
		return fields{"passkey": id, "name": k.Name}, keepOne(ctx, tx, u.ID)
	})
}

// SetPassword sets or changes the principal's password. A TOTP secret must be
// there. Other sessions end.
func (s *Service) SetPassword(ctx context.Context, p ota.Principal, password secret.Text) error {
	if err := s.fresh(ctx, p); err != nil {
		return err
	}
	u, err := s.store.User(ctx, p.Person)
	if err != nil {
		return err
	}
	if err := s.checkPassword(password, u.Email, u.Name); err != nil {
		return err
	}
	hashed, err := s.hashPassword(ctx, password)
	if err != nil {
		return err
	}
	return s.own(ctx, p, "password.update", func(tx Tx, u ota.User) (fields, error) {
		pw, err := tx.Password(ctx, u.ID)
		if ota.KindOf(err) == ota.KindNotFound && err != nil {
			err = ota.Conflict("totp_missing", "a password needs an authenticator app besides").WithHint("set that up first")
		}
		if err != nil {
			return nil, err
		}
		pw.PHC, pw.ChangedAt = hashed, s.nowMS()
		if err := tx.PutPassword(ctx, pw); err != nil {
			return nil, err
		}
		n, err := tx.DeleteSessions(ctx, u.ID, p.Session)
		return fields{"sessions_ended": n}, err
	})
}

// DeletePassword removes the principal's password; the authenticator app stays.
func (s *Service) DeletePassword(ctx context.Context, p ota.Principal) error {
	return s.own(ctx, p, "password.delete", func(tx Tx, u ota.User) (fields, error) {
		pw, err := tx.Password(ctx, u.ID)
		if err != nil {
			return nil, err
		}
		pw.PHC = ""
		if err := tx.PutPassword(ctx, pw); err != nil {
			return nil, err
		}
		return nil, keepOne(ctx, tx, u.ID)
	})
}

// BeginTOTP draws a new TOTP secret for the principal; the old one holds until
// the first code of the new one arrives.
func (s *Service) BeginTOTP(ctx context.Context, p ota.Principal) (ota.TOTPSetup, error) {
	if err := s.fresh(ctx, p); err != nil {
		return ota.TOTPSetup{}, err
	}
	setup, err := s.newTOTP(p.Name)
	if err != nil {
		return setup, err
	}
	state, err := s.sealFlow(flow{Kind: flowTOTP, User: p.Person, Session: p.Session, TOTP: setup.Secret})
	setup.Flow = state.Reveal()
	return setup, err
}

// ConfirmTOTP stores the secret that a code proves the app has.
func (s *Service) ConfirmTOTP(ctx context.Context, p ota.Principal, state secret.Text, code string) error {
	f, err := s.openFlow(flowTOTP, state)
	if err == nil && (f.User != p.Person || f.Session != p.Session) {
		err = errFlow()
	}
	if err != nil {
		return err
	}
	step, err := totpStep(f.TOTP, code, s.now())
	if err == nil && step == 0 {
		err = errCode()
	}
	if err != nil {
		return err
	}
	sealed, err := s.sealTOTP(f.TOTP)
	if err != nil {
		return err
	}
	return s.own(ctx, p, "totp.update", func(tx Tx, u ota.User) (fields, error) {
		if err := s.endFlow(ctx, tx, f); err != nil {
			return nil, err
		}
		pw, err := tx.Password(ctx, u.ID)
		if err != nil && ota.KindOf(err) != ota.KindNotFound {
			return nil, err
		}
		if err != nil {
			m, err := methods(ctx, tx, u.ID)
			if err != nil {
				return nil, err
			}
			pw = Password{UserID: u.ID, ResetBy: m.ResetBy}
		}
		pw.TOTP, pw.Step, pw.ChangedAt = sealed, step, s.nowMS()
		return nil, tx.PutPassword(ctx, pw)
	})
}

// DeleteTOTP removes the principal's authenticator app, and the password that
// needs it.
func (s *Service) DeleteTOTP(ctx context.Context, p ota.Principal) error {
	return s.own(ctx, p, "totp.delete", func(tx Tx, u ota.User) (fields, error) {
		if _, err := tx.Password(ctx, u.ID); err != nil {
			return nil, err
		}
		if err := tx.DeletePassword(ctx, u.ID); err != nil {
			return nil, err
		}
		return nil, keepOne(ctx, tx, u.ID)
	})
}

// NewRecoveryCodes replaces the principal's recovery codes and shows the new
// ones this once.
func (s *Service) NewRecoveryCodes(ctx context.Context, p ota.Principal) ([]string, error) {
	codes, hashes, err := s.newRecoveryCodes()
	if err != nil {
		return nil, err
	}
	err = s.own(ctx, p, "recovery_codes.create", func(tx Tx, u ota.User) (fields, error) {
		return nil, tx.PutRecoveryCodes(ctx, u.ID, hashes)
	})
	if err != nil {
		return nil, err
	}
	return codes, nil
}
