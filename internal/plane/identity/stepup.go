package identity

import (
	"context"
	"encoding/json"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/secret"
)

// StepUpTOTP proves with a code that the person of the session is there. The
// session gets a new secret.
func (s *Service) StepUpTOTP(ctx context.Context, c Client, p ota.Principal, code string) (SignedIn, error) {
	if err := s.attempt(c, p.Name); err != nil {
		return SignedIn{}, err
	}
	pw, err := s.store.Password(ctx, p.Person)
	if ota.KindOf(err) == ota.KindNotFound && err != nil {
		return SignedIn{}, errCode().WithHint("you have no authenticator app; use your passkey")
	}
	if err != nil {
		return SignedIn{}, err
	}
	step, err := s.stepOf(pw, code)
	if err != nil {
		return SignedIn{}, err
	}
	if step == 0 {
		return SignedIn{}, s.stepUpFailed(ctx, c, p, "totp", "code")
	}
	out, err := s.renew(ctx, c, p, "totp", func(tx Tx) error {
		fresh, err := tx.TakeTOTP(ctx, p.Person, step)
		if err == nil && !fresh {
			err = errCode()
		}
		return err
	})
	if ota.CodeOf(err) == "code_wrong" {
		return SignedIn{}, s.stepUpFailed(ctx, c, p, "totp", "code_replayed")
	}
	return out, err
}

func (s *Service) stepUpFailed(ctx context.Context, c Client, p ota.Principal, method, why string) error {
	u := ota.User{Email: p.Name}
	if err := s.failed(ctx, c, &u, method, why); ota.CodeOf(err) != CodeSignInFailed {
		return err
	}
	return errCode()
}

// BeginStepUp starts a proof by a passkey of the person of the session.
func (s *Service) BeginStepUp(ctx context.Context, c Client, p ota.Principal) (options json.RawMessage, state secret.Text, err error) {
	at, who, err := s.signerAt(ctx, c.Base, p.Person)
	if err != nil {
		return nil, state, err
	}
	options, challenge, err := beginAssertion(at, who, nil)
	if err != nil {
		return nil, state, err
	}
	state, err = s.sealFlow(flow{Kind: flowStepUp, User: p.Person, Session: p.Session, Challenge: challenge})
	return options, state, err
}

// signerAt finds the passkeys that a user has for an address.
func (s *Service) signerAt(ctx context.Context, base string, userID int64) (site, *person, error) {
	at, err := siteOf(base)
	if err != nil {
		return at, nil, err
	}
	u, err := s.store.User(ctx, userID)
	if err != nil {
		return at, nil, err
	}
	who, err := s.personOf(ctx, u, at)
	if err == nil && len(who.credentials) == 0 {
		err = ota.Conflict("passkey_none", "you have no passkey for %s", at.origin).WithHint("use your authenticator app, or add a passkey")
	}
	return at, who, err
}

// FinishStepUp checks the proof. The session gets a new secret.
func (s *Service) FinishStepUp(ctx context.Context, c Client, p ota.Principal, state secret.Text, answer []byte) (SignedIn, error) {
	at, err := siteOf(c.Base)
	if err != nil {
		return SignedIn{}, err
	}
	f, err := s.openFlow(flowStepUp, state)
	if err == nil && (f.User != p.Person || f.Session != p.Session) {
		err = errFlow()
	}
	if err != nil {
		return SignedIn{}, err
	}
	if err := s.attempt(c, ""); err != nil {
		return SignedIn{}, err
	}
	a, err := s.finishAssertion(ctx, at, p.Person, f.Challenge, answer)
	if err != nil {
		if ota.CodeOf(err) == CodePasskeyFailed {
			_ = s.stepUpFailed(ctx, c, p, methodPasskey, "refused") // the answer says what is wrong
		}
		return SignedIn{}, err
	}
	return s.renew(ctx, c, p, methodPasskey, func(tx Tx) error {
		if err := s.endFlow(ctx, tx, f); err != nil {
			return err
		}
		return tx.SavePasskey(ctx, a.key.ID, a.data, s.nowMS())
	})
}

// renew gives a session a new secret and the time of the proof.
func (s *Service) renew(ctx context.Context, c Client, p ota.Principal, method string, more func(Tx) error) (out SignedIn, err error) {
	sec, hash, err := s.newSecret()
	if err != nil {
		return SignedIn{}, err
	}
	now := s.nowMS()
	err = s.store.Update(ctx, p.Actor(), now, func(tx Tx) (ota.Change, error) {
		u, err := tx.User(ctx, p.Person)
		if err != nil {
			return ota.Change{}, err
		}
		if err := more(tx); err != nil {
			return ota.Change{}, err
		}
		if err := tx.RenewSession(ctx, p.Session, hash, now); err != nil {
			return ota.Change{}, err
		}
		ses, err := tx.Session(ctx, p.Session)
		out = SignedIn{Secret: sec, User: u, Session: alive(ses, true)}
		return change("session.step_up", u.Email, fields{"session": ses.ID, "method": method}), err
	})
	if err != nil {
		return SignedIn{}, err
	}
	s.limits.succeeded(accountKey(p.Name).key, addressKey(c.Addr).key)
	return out, nil
}
