package identity

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/secret"
)

// Kinds of flows.
const (
	flowPasskey  = "passkey"  // sign-in
	flowPassword = "password" // the password was right, the second factor is missing
	flowStepUp   = "step-up"
	flowAdd      = "add-passkey"
	flowEnrol    = "enrol"
	flowTOTP     = "totp"
	flowSSO      = "sso"
)

// signInActor is who the record names of attempts that failed: nobody proved
// to be anybody.
const signInActor ota.Actor = "system/sign-in"

// failed records a failed attempt and returns the one answer to all of them.
func (s *Service) failed(ctx context.Context, c Client, u *ota.User, method, why string) error {
	object := ""
	if u != nil {
		object = u.Email // what strangers type is not kept: it may be a password
	}
	d := fields{"method": method, "why": why, "place": place(c.Addr), "agent": agent(c.Agent)}
	if err := s.store.Update(ctx, signInActor, s.nowMS(), func(Tx) (ota.Change, error) {
		return change("session.fail", object, d), nil
	}); err != nil {
		return err
	}
	return errSignIn()
}

// signIn makes the session that a ceremony led to. more writes what else
// belongs to it.
func (s *Service) signIn(ctx context.Context, c Client, u ota.User, f flow, method string, strong bool, more func(Tx) error) (out SignedIn, err error) {
	err = s.store.Update(ctx, userActor(u.Email), s.nowMS(), func(tx Tx) (ota.Change, error) {
		now, err := tx.User(ctx, u.ID)
		if err != nil {
			return ota.Change{}, err
		}
		if now.DisabledAt != 0 {
			return ota.Change{}, errSignIn()
		}
		if err := s.endFlow(ctx, tx, f); err != nil {
			return ota.Change{}, err
		}
		if more != nil {
			if err := more(tx); err != nil {
				return ota.Change{}, err
			}
		}
		var detail fields
		out, detail, err = s.enter(ctx, tx, now, c, method, strong)
		return change("session.create", now.Email, detail), err
	})
	if err != nil {
		return SignedIn{}, err
	}
	s.limits.succeeded(accountKey(u.Email).key, addressKey(c.Addr).key)
	return out, nil
}

// BeginPasskey starts a sign-in by passkey: the browser offers the ones it has,
// so that nobody types who they are.
func (s *Service) BeginPasskey(c Client) (options json.RawMessage, state secret.Text, err error) {
	at, err := siteOf(c.Base)
	if err != nil {
		return nil, state, err
	}
	options, challenge, err := beginAssertion(at, nil, nil)
	if err != nil {
		return nil, state, err
	}
	state, err = s.sealFlow(flow{Kind: flowPasskey, Challenge: challenge})
	return options, state, err
}

// FinishPasskey signs in whoever the passkey is of.
func (s *Service) FinishPasskey(ctx context.Context, c Client, state secret.Text, answer []byte) (SignedIn, error) {
	at, err := siteOf(c.Base)
	if err != nil {
		return SignedIn{}, err
	}
	f, err := s.openFlow(flowPasskey, state)
	if err != nil {
		return SignedIn{}, err
	}
	if err := s.attempt(c, ""); err != nil {
		return SignedIn{}, err
	}
	a, err := s.finishAssertion(ctx, at, 0, f.Challenge, answer)
	if err != nil {
		return SignedIn{}, s.passkeyFailed(ctx, c, a, err)
	}
	u, err := s.store.User(ctx, a.key.UserID)
	if err != nil {
		return SignedIn{}, err
	}
	if u.DisabledAt != 0 {
		return SignedIn{}, s.failed(ctx, c, &u, methodPasskey, "disabled")
	}
	return s.signIn(ctx, c, u, f, methodPasskey, true, func(tx Tx) error {
		return tx.SavePasskey(ctx, a.key.ID, a.data, s.nowMS())
	})
}

// passkeyFailed records why, and answers as to every other failure.
func (s *Service) passkeyFailed(ctx context.Context, c Client, a assertionOf, err error) error {
	if ota.CodeOf(err) != CodePasskeyFailed {
		return err
	}
	why := "refused"
	if errors.Is(err, errCloned) {
		why = "counter_went_back"
	}
	if u, err := s.store.User(ctx, a.key.UserID); err == nil {
		return s.failed(ctx, c, &u, methodPasskey, why)
	}
	return s.failed(ctx, c, nil, methodPasskey, why)
}

// CheckPassword is the first step of a sign-in by password. Strangers, people
// without a password and wrong passwords get the same answer after the same work.
func (s *Service) CheckPassword(ctx context.Context, c Client, email string, password secret.Text) (state secret.Text, err error) {
	email = typedEmail(email)
	if err := s.attempt(c, email); err != nil {
		return state, err
	}
	u, stored, err := s.passwordOf(ctx, email)
	if err != nil {
		return state, err
	}
	ok, err := s.verifyPassword(ctx, stored.PHC, password)
	if err != nil {
		return state, err
	}
	if !ok || u == nil || u.DisabledAt != 0 {
		return state, s.failed(ctx, c, u, methodPassword, "password")
	}
	return s.sealFlow(flow{Kind: flowPassword, User: u.ID})
}

// passwordOf finds a user and what they sign in with; nil and the zero
// Password if there is none.
func (s *Service) passwordOf(ctx context.Context, email string) (*ota.User, Password, error) {
	u, err := s.store.UserByEmail(ctx, email)
	if ota.KindOf(err) == ota.KindNotFound && err != nil {
		return nil, Password{}, nil
	}
	if err != nil {
		return nil, Password{}, err
	}
	p, err := s.store.Password(ctx, u.ID)
	if err != nil && ota.KindOf(err) != ota.KindNotFound {
		return nil, Password{}, err
	}
	return &u, p, nil
}

// FinishTOTP is the second step of a sign-in by password. Each code is taken once.
func (s *Service) FinishTOTP(ctx context.Context, c Client, state secret.Text, code string) (SignedIn, error) {
	f, u, p, err := s.secondFactor(ctx, c, state)
	if err != nil {
		return SignedIn{}, err
	}
	step, err := s.stepOf(p, code)
	if err != nil {
		return SignedIn{}, err
	}
	if step == 0 {
		return SignedIn{}, s.failed(ctx, c, &u, methodPassword, "code")
	}
	out, err := s.signIn(ctx, c, u, f, methodPassword, true, func(tx Tx) error {
		fresh, err := tx.TakeTOTP(ctx, u.ID, step)
		if err == nil && !fresh {
			err = errCode()
		}
		return err
	})
	if ota.CodeOf(err) == "code_wrong" {
		return SignedIn{}, s.failed(ctx, c, &u, methodPassword, "code_replayed")
	}
	return out, err
}

func (s *Service) secondFactor(ctx context.Context, c Client, state secret.Text) (f flow, u ota.User, p Password, err error) {
	if f, err = s.openFlow(flowPassword, state); err != nil {
		return f, u, p, err
	}
	if u, err = s.store.User(ctx, f.User); err != nil {
		return f, u, p, errFlow()
	}
	if err = s.attempt(c, u.Email); err != nil {
		return f, u, p, err
	}
	if p, err = s.store.Password(ctx, u.ID); err != nil {
		return f, u, p, errFlow()
	}
	return f, u, p, nil
}

// Recover signs in with a recovery code: in place of the second factor if a
// password was right (state), else of a person who has no password, by mail
// address. The code is used up.
func (s *Service) Recover(ctx context.Context, c Client, state secret.Text, email, code string) (SignedIn, error) {
	var f flow
	var u *ota.User
	var err error
	if !state.IsZero() {
		var found ota.User
		if f, found, _, err = s.secondFactor(ctx, c, state); err != nil {
			return SignedIn{}, err
		}
		u = &found
	} else {
		email = typedEmail(email)
		if err := s.attempt(c, email); err != nil {
			return SignedIn{}, err
		}
		var p Password
		if u, p, err = s.passwordOf(ctx, email); err != nil {
			return SignedIn{}, err
		}
		if u == nil || p.PHC != "" || u.DisabledAt != 0 {
			return SignedIn{}, s.failed(ctx, c, u, methodRecovery, "code")
		}
		if f.Nonce, err = s.random(16); err != nil {
			return SignedIn{}, err
		}
		f.Expires = s.now().Add(flowTime).UnixMilli()
	}
	left := 0
	out, err := s.signIn(ctx, c, *u, f, methodRecovery, true, func(tx Tx) error {
		ok, err := tx.TakeRecoveryCode(ctx, u.ID, recoveryHash(code))
		if err == nil && !ok {
			err = errCode()
		}
		if err == nil {
			left, err = tx.RecoveryCodes(ctx, u.ID)
		}
		return err
	})
	if ota.CodeOf(err) == "code_wrong" {
		return SignedIn{}, s.failed(ctx, c, u, methodRecovery, "code")
	}
	out.RecoveryLeft = left
	return out, err
}

// SignOut ends the session of a secret; one that is over already is no error.
func (s *Service) SignOut(ctx context.Context, sec secret.Text) error {
	p, ses, err := s.Resolve(ctx, sec)
	if ota.KindOf(err) == ota.KindUnauthorized {
		return nil
	}
	if err != nil {
		return err
	}
	err = s.EndSession(ctx, p.Actor(), p.Person, ses.ID)
	if ota.KindOf(err) == ota.KindNotFound {
		return nil
	}
	return err
}
