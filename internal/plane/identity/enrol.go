package identity

import (
	"context"
	"encoding/base32"
	"encoding/json"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/secret"
)

// Enrolment is what a person says of themselves with a one-time link.
type Enrolment struct {
	Kind  LinkKind
	Token secret.Text
	Email string // setup only
	Name  string // setup and invite
}

// begin checks link and words and makes the flow for what follows.
func (s *Service) beginEnrol(ctx context.Context, e Enrolment) (flow, error) {
	l, err := s.OpenLink(ctx, e.Kind, e.Token)
	if err != nil {
		return flow{}, err
	}
	f := flow{Kind: flowEnrol, Link: l.ID, Email: l.Email}
	switch e.Kind {
	case LinkReset:
		u, err := s.store.User(ctx, l.UserID)
		f.User, f.Name = u.ID, u.Name
		return f, err
	case LinkSetup:
		if f.Email, err = emailOf(e.Email); err != nil {
			return flow{}, err
		}
	case LinkInvite:
	}
	f.Name, err = nameOf(e.Name, "name", 100)
	return f, err
}

// BeginEnrolPasskey starts an enrolment with a passkey.
func (s *Service) BeginEnrolPasskey(ctx context.Context, c Client, e Enrolment) (options json.RawMessage, state secret.Text, err error) {
	at, err := siteOf(c.Base)
	if err != nil {
		return nil, state, err
	}
	f, err := s.beginEnrol(ctx, e)
	if err != nil {
		return nil, state, err
	}
	if f.Handle, err = s.random(handleLen); err != nil {
		return nil, state, err
	}
	options, f.Challenge, err = beginRegistration(at, &person{handle: f.Handle, name: f.Email, shown: f.Name})
	if err != nil {
		return nil, state, err
	}
	state, err = s.sealFlow(f)
	return options, state, err
}

// FinishEnrolPasskey uses the link up: the person is a user with this passkey,
// and signed in.
func (s *Service) FinishEnrolPasskey(ctx context.Context, c Client, e Enrolment, state secret.Text, answer []byte, name string) (SignedIn, error) {
	at, err := siteOf(c.Base)
	if err != nil {
		return SignedIn{}, err
	}
	f, l, err := s.enrolling(ctx, e, state)
	if err != nil {
		return SignedIn{}, err
	}
	if len(f.Handle) == 0 {
		return SignedIn{}, errFlow()
	}
	cred, err := finishRegistration(at, &person{handle: f.Handle, name: f.Email, shown: f.Name}, f.Challenge, answer)
	if err != nil {
		return SignedIn{}, err
	}
	key, err := s.newPasskey(at, f.Handle, name, cred)
	if err != nil {
		return SignedIn{}, err
	}
	return s.enrol(ctx, c, f, l, methodPasskey, func(tx Tx, u ota.User, resetBy int64) error {
		key.UserID, key.ResetBy = u.ID, resetBy
		return insertPasskey(ctx, tx, key)
	})
}

// insertPasskey stores a passkey that nobody has yet.
func insertPasskey(ctx context.Context, tx Tx, key Passkey) error {
	if _, err := tx.PasskeyByCredential(ctx, key.CredentialID); err == nil {
		return ota.Conflict("passkey_exists", "this passkey is registered already").WithHint("make a new one")
	} else if ota.KindOf(err) != ota.KindNotFound {
		return err
	}
	_, err := tx.InsertPasskey(ctx, key)
	return err
}

// BeginEnrolPassword starts an enrolment with a password and a TOTP secret.
func (s *Service) BeginEnrolPassword(ctx context.Context, e Enrolment, password secret.Text) (setup ota.TOTPSetup, state secret.Text, err error) {
	f, err := s.beginEnrol(ctx, e)
	if err != nil {
		return setup, state, err
	}
	if err := s.checkPassword(password, f.Email, f.Name); err != nil {
		return setup, state, err
	}
	if f.PHC, err = s.hashPassword(ctx, password); err != nil {
		return setup, state, err
	}
	if setup, err = s.newTOTP(f.Email); err != nil {
		return setup, state, err
	}
	f.TOTP = setup.Secret
	state, err = s.sealFlow(f)
	return setup, state, err
}

// FinishEnrolPassword uses the link up once the authenticator app shows the
// right code.
func (s *Service) FinishEnrolPassword(ctx context.Context, c Client, e Enrolment, state secret.Text, code string) (SignedIn, error) {
	f, l, err := s.enrolling(ctx, e, state)
	if err != nil {
		return SignedIn{}, err
	}
	if f.PHC == "" || f.TOTP == "" {
		return SignedIn{}, errFlow()
	}
	if _, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(f.TOTP); err != nil {
		return SignedIn{}, errFlow()
	}
	step, err := totpStep(f.TOTP, code, s.now())
	if err != nil {
		return SignedIn{}, err
	}
	if step == 0 {
		return SignedIn{}, errCode()
	}
	sealed, err := s.sealTOTP(f.TOTP)
	if err != nil {
		return SignedIn{}, err
	}
	return s.enrol(ctx, c, f, l, methodPassword, func(tx Tx, u ota.User, resetBy int64) error {
		return tx.PutPassword(ctx, Password{UserID: u.ID, PHC: f.PHC, TOTP: sealed, Step: step, ChangedAt: s.nowMS(), ResetBy: resetBy})
	})
}

// enrolling opens the flow and the link it belongs to.
func (s *Service) enrolling(ctx context.Context, e Enrolment, state secret.Text) (flow, EnrolLink, error) {
	f, err := s.openFlow(flowEnrol, state)
	if err != nil {
		return f, EnrolLink{}, err
	}
	l, err := s.openLink(ctx, s.store, e.Kind, e.Token)
	if err == nil && l.ID != f.Link {
		err = errFlow()
	}
	return f, l, err
}

// enrol does all of an enrolment in one transaction: the link is used up, the
// person is a user, put stores how they sign in, and they are signed in.
func (s *Service) enrol(ctx context.Context, c Client, f flow, l EnrolLink, with string, put func(tx Tx, u ota.User, resetBy int64) error) (out SignedIn, err error) {
	codes, hashes, err := s.newRecoveryCodes()
	if err != nil {
		return SignedIn{}, err
	}
	err = s.store.Update(ctx, userActor(f.Email), s.nowMS(), func(tx Tx) (ota.Change, error) {
		ok, err := tx.UseEnrolLink(ctx, l.ID, s.nowMS())
		if err == nil && !ok {
			err = errLink()
		}
		if err == nil {
			err = s.endFlow(ctx, tx, f)
		}
		if err != nil {
			return ota.Change{}, err
		}
		u, rec, resetBy, err := s.become(ctx, tx, f, l)
		if err != nil {
			return ota.Change{}, err
		}
		if err := put(tx, u, resetBy); err != nil {
			return ota.Change{}, err
		}
		if err := tx.PutRecoveryCodes(ctx, u.ID, hashes); err != nil {
			return ota.Change{}, err
		}
		var detail fields
		if out, detail, err = s.enter(ctx, tx, u, c, methodLink, true); err != nil {
			return ota.Change{}, err
		}
		rec.Detail = ota.JSON(fields{"link": l.Kind, "with": with, "invited_by": u.InvitedBy, "reset_by": resetBy})
		rec.More = []ota.Change{change("session.create", u.Email, detail)}
		return rec, nil
	})
	out.RecoveryCodes = codes
	if err != nil {
		return SignedIn{}, err
	}
	s.limits.succeeded(accountKey(f.Email).key, addressKey(c.Addr).key)
	return out, nil
}

// become makes the person of a link a user, or clears how they signed in. It
// returns the record of the change, and who made the link that resets.
func (s *Service) become(ctx context.Context, tx Tx, f flow, l EnrolLink) (u ota.User, rec ota.Change, resetBy int64, err error) {
	if err := s.stands(ctx, tx, l); err != nil {
		return u, rec, 0, err
	}
	if l.Kind == LinkReset {
		u, err = s.clear(ctx, tx, l.UserID)
		return u, change("user.reset_done", u.Email, nil), max(nobody, l.Maker), err
	}
	u = ota.User{Email: f.Email, Name: f.Name, CreatedAt: s.nowMS(), CreatedBy: l.CreatedBy, InvitedBy: max(0, l.Maker), InvitedVia: l.Delivered}
	grants := l.Grants
	if l.Kind == LinkSetup {
		if err := noUser(ctx, tx); err != nil {
			return u, rec, 0, err
		}
		grants = []ota.Grant{{Role: ota.RoleOwner, Scope: ota.Scope{Org: ota.MainOrg}}}
	}
	if err := notHere(ctx, tx, u.Email); err != nil {
		return u, rec, 0, err
	}
	if u, err = tx.InsertUser(ctx, u); err != nil {
		return u, rec, 0, err
	}
	for _, g := range grants {
		if _, err := tx.InsertGrant(ctx, ota.RoleGrant{
			SubjectKind: ota.SubjectUser, SubjectID: u.ID, Grant: g, CreatedAt: s.nowMS(), CreatedBy: l.CreatedBy,
		}); err != nil {
			return u, rec, 0, err
		}
	}
	rec = change("user.create", u.Email, nil)
	rec.After = ota.JSON(struct {
		ota.User
		Grants []ota.Grant `json:"grants"`
	}{u, grants})
	return u, rec, 0, nil
}

// clear takes away everything a user signed in with, and every session.
func (s *Service) clear(ctx context.Context, tx Tx, userID int64) (ota.User, error) {
	u, err := tx.User(ctx, userID)
	if err != nil {
		return u, err
	}
	if err := tx.DeletePasskeys(ctx, userID); err != nil {
		return u, err
	}
	if err := tx.DeletePassword(ctx, userID); err != nil {
		return u, err
	}
	_, err = tx.DeleteSessions(ctx, userID, 0)
	return u, err
}
