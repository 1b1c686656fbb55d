package token

import (
	"context"
	"net/netip"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

const (
	// useEvery is how exact LastUsed is, Unix ms: a write for every request
	// would cost more than the requests.
	useEvery = 5 * 60 * second

	// maxSecret bounds what is hashed for a caller whom nobody knows yet.
	maxSecret = 512

	// maxUsed bounds the memory of when uses were written.
	maxUsed = 10_000
)

// Authenticate returns who calls with a secret from an address (the zero Addr
// if that is not known): the token's owner with what that owner holds now,
// narrowed by the token's limits. Callers learn that a token expired, or may
// not be used from where they are, only if their secret was right.
func (s *Service) Authenticate(ctx context.Context, secret string, from netip.Addr) (ota.Principal, error) {
	if len(secret) > maxSecret || mistyped(secret) {
		return ota.Principal{}, unauthorized("the token is incomplete or mistyped")
	}
	// The hash is looked up, not compared: how long that takes tells nothing
	// about the secret.
	t, err := s.store.TokenByHash(ctx, ota.Sum([]byte(secret)))
	if ota.KindOf(err) == ota.KindNotFound {
		return ota.Principal{}, unauthorized("the token is not known here")
	}
	if err != nil {
		return ota.Principal{}, err
	}
	if err := s.usable(&t, from); err != nil {
		return ota.Principal{}, err
	}
	p, err := s.principal(ctx, &t)
	if err != nil {
		return ota.Principal{}, err
	}
	s.touch(ctx, p.Token, from)
	return p, nil
}

func unauthorized(msg string) error {
	return ota.Errorf(ota.KindUnauthorized, CodeTokenInvalid, "%s", msg).
		WithHint("set WAXWING_TOKEN to a token of this server; it may have been revoked")
}

// usable refuses a token that is known but does not count, here and now.
func (s *Service) usable(t *Stored, from netip.Addr) error {
	now := s.nowMS()
	switch {
	case t.Gone:
		return unauthorized("the token is not known here")
	case t.Previous && now >= t.PreviousUntil:
		return ota.Errorf(ota.KindUnauthorized, CodeTokenExpired, "the token has a new secret").
			WithHint("use the one that the rotation gave")
	case t.ExpiresAt != 0 && now >= t.ExpiresAt:
		return ota.Errorf(ota.KindUnauthorized, CodeTokenExpired, "the token has expired").
			WithHint("make another: waxwing tokens create")
	case !inNetworks(t.IPRanges, from):
		return ota.Errorf(ota.KindUnauthorized, CodeTokenIPDenied, "the token may not be used from this address").
			WithHint("its networks were set when it was made")
	case t.Disabled:
		return ota.Errorf(ota.KindUnauthorized, CodeOwnerDisabled, "the owner of the token is disabled")
	}
	return nil
}

// principal is who a usable token is.
func (s *Service) principal(ctx context.Context, t *Stored) (ota.Principal, error) {
	shown := t.Token
	p := ota.Principal{ID: t.Owner.ID, Name: t.Owner.Name, Token: &shown}
	if len(t.Limits.Scopes)+len(t.Limits.Actions) > 0 {
		p.Limits = &shown.Limits
	}
	var err error
	switch t.Owner.Kind {
	case ota.TokenOfUser:
		p.Kind, p.Person = ota.PrincipalUser, t.Owner.ID
		p.Grants, err = s.grants(ctx, ota.SubjectUser, t.Owner.ID)
	case ota.TokenOfService:
		p.Kind = ota.PrincipalService
		p.Grants, err = s.grants(ctx, ota.SubjectService, t.Owner.ID)
	case ota.TokenOfPublisher:
		p.Kind, p.ID, p.Grants = ota.PrincipalCI, t.ID, t.Grants
	case ota.TokenOfNobody:
		p.Kind, p.ID, p.Name, p.Grants = ota.PrincipalToken, t.ID, t.Name, t.Grants
	default:
		err = unauthorized("the token is not known here")
	}
	return p, err
}

// touchTime bounds the wait for a database that takes no writes.
const touchTime = 500 * time.Millisecond

// touch notes the use of a token now and then. It is no reason to refuse a
// request if that cannot be written.
func (s *Service) touch(ctx context.Context, t *ota.Token, from netip.Addr) {
	now := s.nowMS()
	s.usedMu.Lock()
	due := now-max(t.LastUsed, s.used[t.ID]) >= useEvery
	if due {
		if len(s.used) >= maxUsed {
			clear(s.used)
		}
		s.used[t.ID] = now
	}
	s.usedMu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, touchTime)
	defer cancel()
	if due && s.store.TouchToken(ctx, t.ID, now, coarse(from)) == nil {
		t.LastUsed, t.LastFrom = now, coarse(from)
	}
}
