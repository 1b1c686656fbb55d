package identity

import (
	"context"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/secret"
)

// The life of a session.
const (
	sessionIdle = 12 * time.Hour
	sessionMost = 7 * 24 * time.Hour
	seenEvery   = time.Minute
	freshFor    = 10 * time.Minute // a proof is good for changing sign-in methods
)

// How people sign in, for sessions and records.
const (
	methodPasskey  = "passkey"
	methodPassword = "password"
	methodRecovery = "recovery"
	methodSSO      = "sso"
	methodLink     = "link"
)

// SignedIn is a session that was just made. Secret goes into the browser's
// cookie and nowhere else.
type SignedIn struct {
	Secret        secret.Text
	User          ota.User
	Session       ota.Session
	RecoveryCodes []string // of an enrolment, shown once
	RecoveryLeft  int      // after a recovery code was used
}

// enter makes a session of the user within a transaction, always with a secret
// of its own, and ends the one the browser had. It returns the detail for the
// record of the change.
func (s *Service) enter(ctx context.Context, tx Tx, u ota.User, c Client, method string, strong bool) (SignedIn, fields, error) {
	now := s.nowMS()
	sec, hash, err := s.newSecret()
	if err != nil {
		return SignedIn{}, nil, err
	}
	if err := tx.PurgeSessions(ctx, now-sessionIdle.Milliseconds(), now-sessionMost.Milliseconds()); err != nil {
		return SignedIn{}, nil, err
	}
	if err := endOld(ctx, tx, c.Old); err != nil {
		return SignedIn{}, nil, err
	}
	ses := ota.Session{
		UserID: u.ID, CreatedAt: now, SeenAt: now, Method: method, Place: place(c.Addr), Agent: agent(c.Agent),
	}
	if strong {
		ses.StrongAt = now
	}
	where := ses.Place + " " + ses.Agent
	known, anywhere, err := tx.Place(ctx, u.ID, where)
	if err != nil {
		return SignedIn{}, nil, err
	}
	if ses, err = tx.InsertSession(ctx, ses, hash); err != nil {
		return SignedIn{}, nil, err
	}
	if err := tx.NotePlace(ctx, u.ID, where, now); err != nil {
		return SignedIn{}, nil, err
	}
	if err := tx.TouchUser(ctx, u.ID, now); err != nil {
		return SignedIn{}, nil, err
	}
	u.LastSeen = now
	detail := fields{"session": ses.ID, "method": method, "place": ses.Place, "agent": ses.Agent, "new_place": anywhere && !known}
	return SignedIn{Secret: sec, User: u, Session: alive(ses, true)}, detail, nil
}

func endOld(ctx context.Context, tx Tx, old secret.Text) error {
	if old.IsZero() {
		return nil
	}
	was, err := tx.SessionByHash(ctx, hashOf(old.Reveal()))
	if err == nil {
		err = tx.DeleteSession(ctx, was.ID)
	}
	if ota.KindOf(err) == ota.KindNotFound {
		return nil
	}
	return err
}

// alive fills in when a session ends.
func alive(ses ota.Session, current bool) ota.Session {
	ses.ExpiresAt = min(ses.SeenAt+sessionIdle.Milliseconds(), ses.CreatedAt+sessionMost.Milliseconds())
	ses.Current = current
	return ses
}

// Resolve finds who a session's secret is, with everything granted to them as
// of now. It fails with KindUnauthorized (signed_out) for every secret that is
// no living session of somebody who may sign in.
func (s *Service) Resolve(ctx context.Context, sec secret.Text) (ota.Principal, ota.Session, error) {
	text := sec.Reveal()
	if len(text) != 43 {
		return ota.Principal{}, ota.Session{}, errSignedOut()
	}
	ses, err := s.store.SessionByHash(ctx, hashOf(text))
	if ota.KindOf(err) == ota.KindNotFound {
		err = errSignedOut()
	}
	if err != nil {
		return ota.Principal{}, ota.Session{}, err
	}
	now := s.nowMS()
	if ses = alive(ses, true); now >= ses.ExpiresAt {
		return ota.Principal{}, ota.Session{}, errSignedOut()
	}
	u, err := s.store.User(ctx, ses.UserID)
	if err != nil || u.DisabledAt != 0 {
		if err == nil || ota.KindOf(err) == ota.KindNotFound {
			err = errSignedOut()
		}
		return ota.Principal{}, ota.Session{}, err
	}
	grants, err := s.store.EffectiveGrants(ctx, ota.SubjectUser, u.ID)
	if err != nil {
		return ota.Principal{}, ota.Session{}, err
	}
	if now-ses.SeenAt >= seenEvery.Milliseconds() {
		// That it was seen is worth nothing to a request: it goes on without.
		if s.store.TouchSession(ctx, ses.ID, now) == nil {
			ses.SeenAt = now
			ses = alive(ses, true)
		}
	}
	return ota.Principal{
		Kind: ota.PrincipalUser, ID: u.ID, Name: u.Email, Person: u.ID, Session: ses.ID, StrongAt: ses.StrongAt, Grants: grants,
	}, ses, nil
}

// Sessions lists the living sessions of a user, newest first; current is the
// id of the one that asks, 0 = none.
func (s *Service) Sessions(ctx context.Context, userID, current int64) ([]ota.Session, error) {
	if _, err := s.store.User(ctx, userID); err != nil {
		return nil, err
	}
	all, err := s.store.Sessions(ctx, userID)
	if err != nil {
		return nil, err
	}
	living := []ota.Session{}
	for _, ses := range all {
		if ses = alive(ses, ses.ID == current); s.nowMS() < ses.ExpiresAt {
			living = append(living, ses)
		}
	}
	return living, nil
}

// EndSession ends one session of the user.
func (s *Service) EndSession(ctx context.Context, actor ota.Actor, userID, id int64) error {
	return s.store.Update(ctx, actor, s.nowMS(), func(tx Tx) (ota.Change, error) {
		ses, err := tx.Session(ctx, id)
		if err == nil && ses.UserID != userID {
			err = ota.NotFound("session_not_found", "there is no such session")
		}
		if err != nil {
			return ota.Change{}, err
		}
		u, err := tx.User(ctx, userID)
		if err != nil {
			return ota.Change{}, err
		}
		return change("session.delete", u.Email, fields{"session": id}), tx.DeleteSession(ctx, id)
	})
}

// EndSessions ends all sessions of the user and says how many there were.
func (s *Service) EndSessions(ctx context.Context, actor ota.Actor, userID int64) (n int64, err error) {
	err = s.store.Update(ctx, actor, s.nowMS(), func(tx Tx) (ota.Change, error) {
		u, err := tx.User(ctx, userID)
		if err != nil {
			return ota.Change{}, err
		}
		if n, err = tx.DeleteSessions(ctx, userID, 0); err != nil || n == 0 {
			return ota.Change{}, err
		}
		return change("session.delete_all", u.Email, fields{"sessions": n}), nil
	})
	return n, err
}

// fresh fails unless the principal is a person who proved to be there in this
// session within the last minutes. A person who signs in elsewhere and has
// nothing to step up with may rely on a sign-in as recent.
func (s *Service) fresh(ctx context.Context, p ota.Principal) error {
	if p.Kind != ota.PrincipalUser || p.Session == 0 || p.Person == 0 {
		return ota.Errorf(ota.KindForbidden, "session_required", "only a person who is signed in may change how they sign in").
			WithHint("do it in the console; tokens cannot")
	}
	since := s.nowMS() - freshFor.Milliseconds()
	if p.StrongAt > since {
		return nil
	}
	ses, err := s.store.Session(ctx, p.Session)
	if err != nil {
		return err
	}
	m, err := s.Methods(ctx, p.Person)
	if err != nil {
		return err
	}
	if ses.CreatedAt > since && len(m.Passkeys) == 0 && !m.TOTP {
		return nil
	}
	return ota.Errorf(ota.KindForbidden, CodeStepUp, "show that it is you first").
		WithHint("step up with your passkey or a code of your authenticator app")
}

// User returns a user.
func (s *Service) User(ctx context.Context, id int64) (ota.User, error) { return s.store.User(ctx, id) }

// EndSessionOf ends a session of another user, whom the principal may manage.
func (s *Service) EndSessionOf(ctx context.Context, p ota.Principal, userID, id int64) error {
	if err := s.may.MayManage(ctx, p, userID); err != nil {
		return err
	}
	return s.EndSession(ctx, p.Actor(), userID, id)
}

// EndSessionsOf ends all sessions of another user, whom the principal may manage.
func (s *Service) EndSessionsOf(ctx context.Context, p ota.Principal, userID int64) (int64, error) {
	if err := s.may.MayManage(ctx, p, userID); err != nil {
		return 0, err
	}
	return s.EndSessions(ctx, p.Actor(), userID)
}
