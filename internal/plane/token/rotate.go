package token

import (
	"context"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/secret"
)

// maxOverlap bounds how long two secrets of a token work side by side, Unix ms.
const maxOverlap = 7 * day

// Rotate gives a token a new secret, which works at once and for as long as the
// token was made for; the old one works until the overlap ends.
func (s *Service) Rotate(ctx context.Context, p ota.Principal, id int64, in ota.TokenRotation) (secret.Text, ota.Token, error) {
	none := secret.Text{}
	if in.Overlap < 0 || in.Overlap > maxOverlap/second {
		return none, ota.Token{}, ota.Invalid(CodeOverlapInvalid, "old and new secret work side by side for at most %d days", maxOverlap/day).
			WithField("overlap")
	}
	text, err := s.newSecret()
	if err != nil {
		return none, ota.Token{}, err
	}
	var t ota.Token
	now := s.nowMS()
	err = s.store.Update(ctx, p.Actor(), now, func(tx Tx) (ota.Change, error) {
		before, err := s.get(ctx, tx, &p, id)
		if err != nil {
			return ota.Change{}, err
		}
		before.Warning = ""
		t = rotated(before, now, in.Overlap*second)
		t.Prefix = prefixOf(text)
		if err := s.mayRotate(ctx, &p, &before, &t); err != nil {
			return ota.Change{}, err
		}
		return change("token.rotate", t.Owner.Org, t.Name, before, t), tx.RotateToken(ctx, t, ota.Sum([]byte(text)))
	})
	if err != nil {
		return none, ota.Token{}, err
	}
	return secret.New(text), t, nil
}

// rotated is the token after a rotation.
func rotated(t ota.Token, now, overlap int64) ota.Token {
	t.PreviousUntil = now + overlap
	if t.ExpiresAt != 0 {
		t.PreviousUntil = min(t.PreviousUntil, t.ExpiresAt)
		t.ExpiresAt += now - max(t.CreatedAt, t.RotatedAt)
	}
	t.RotatedAt = now
	return t
}

// mayRotate refuses to show p the secret of a token that is not p's own, or can
// do more than p.
func (s *Service) mayRotate(ctx context.Context, p *ota.Principal, before, after *ota.Token) error {
	switch {
	case before.Owner.Kind == ota.TokenOfPublisher:
		return ota.Conflict(CodeNotRotated, "tokens of CI runs are not rotated: each run gets its own")
	case before.Owner.Kind == ota.TokenOfNobody && before.Prefix == "":
		return ota.Conflict(CodeFromEnvironment, "the secret of the token %q comes from the environment", before.Name).
			WithHint("change WAXWING_BOOTSTRAP_TOKEN and start the server again")
	case before.Owner.Kind == ota.TokenOfUser && !owns(p, before.Owner):
		return ota.Errorf(ota.KindForbidden, CodeNotAllowed, "a person's token is rotated by that person alone").
			WithHint("revoke it, if it is in wrong hands: waxwing tokens delete %d", before.ID)
	}
	holds := before.Grants
	if before.Owner.Kind == ota.TokenOfService {
		var err error
		if holds, err = s.grants(ctx, ota.SubjectService, before.Owner.ID); err != nil {
			return err
		}
	}
	bound := *p
	if p.Token != nil && p.Token.ID == before.ID {
		bound.Token = nil // a token may renew itself, but for its networks and limits nothing changes
	}
	return withinMaker(&bound, after, holds)
}
