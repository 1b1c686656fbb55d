package token

import (
	"context"
	"strings"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

const (
	ownerName     = "owner"
	bootstrapName = "bootstrap"
	bootActor     = ota.Actor("system/bootstrap")

	// minSecret is for secrets operators bring along; only their hash is stored,
	// so a short one could be guessed from a copy of the database.
	minSecret = 8
)

// Bootstrap makes sure that somebody can get in. A secret from the environment
// becomes the token "bootstrap", in place of one it was before. Without one, the
// first start makes the token "owner" and returns its secret to be printed once.
// Both are tokens of nobody, own the server, and do not expire.
func (s *Service) Bootstrap(ctx context.Context, fromEnv string) (printed string, err error) {
	if fromEnv != "" {
		return "", s.bootstrapFrom(ctx, fromEnv)
	}
	text, err := s.newSecret()
	if err != nil {
		return "", err
	}
	err = s.store.Update(ctx, bootActor, s.nowMS(), func(tx Tx) (ota.Change, error) {
		if have, err := tx.HasTokens(ctx); err != nil || have {
			return ota.Change{}, err
		}
		// A team may have done away with every token: its owners sign in.
		if other, err := tx.OtherWayIn(ctx, 0, s.nowMS()); err != nil || other {
			return ota.Change{}, err
		}
		printed = text
		return s.addBootstrap(ctx, tx, ownerName, text)
	})
	if err != nil {
		return "", err
	}
	return printed, nil
}

func (s *Service) addBootstrap(ctx context.Context, tx Tx, name, text string) (ota.Change, error) {
	t, err := tx.InsertToken(ctx, ota.Token{
		Name: name, Owner: ota.TokenOwner{Kind: ota.TokenOfNobody, Org: ota.MainOrg},
		Grants: []ota.Grant{{Role: ota.RoleOwner, Scope: ota.Scope{Org: ota.MainOrg}}},
		Prefix: prefixOf(text), CreatedAt: s.nowMS(), CreatedBy: bootActor,
	}, ota.Sum([]byte(text)))
	return change("token.bootstrap", ota.MainOrg, name, nil, t), err
}

func (s *Service) bootstrapFrom(ctx context.Context, text string) error {
	if len(text) < minSecret || len(text) > maxSecret || strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return ota.Invalid(CodeTokenWeak, "the bootstrap token must have %d to %d visible ASCII characters", minSecret, maxSecret).
			WithHint("make one with: openssl rand -hex 32")
	}
	if mistyped(text) {
		return ota.Invalid(CodeTokenWeak, "the bootstrap token starts like a token of ours but is incomplete or mistyped")
	}
	return s.store.Update(ctx, bootActor, s.nowMS(), func(tx Tx) (ota.Change, error) {
		if _, err := tx.TokenByHash(ctx, ota.Sum([]byte(text))); err == nil || ota.KindOf(err) != ota.KindNotFound {
			return ota.Change{}, err
		}
		old, err := tx.TokenNamed(ctx, ota.TokenOwner{Kind: ota.TokenOfNobody}, bootstrapName)
		switch {
		case err == nil:
			err = tx.DeleteToken(ctx, old.ID)
		case ota.KindOf(err) == ota.KindNotFound:
			err = nil
		}
		if err != nil {
			return ota.Change{}, err
		}
		return s.addBootstrap(ctx, tx, bootstrapName, text)
	})
}
