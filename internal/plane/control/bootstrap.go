package control

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
func (s *Service) Bootstrap(ctx context.Context, fromEnv string) (printed string, err error) {
	if fromEnv != "" {
		return "", s.bootstrapFrom(ctx, fromEnv)
	}
	secret, err := s.newSecret()
	if err != nil {
		return "", err
	}
	err = s.store.Update(ctx, bootActor, s.nowMS(), func(tx Tx) (ota.Change, error) {
		have, err := tx.Tokens(ctx)
		if err != nil || len(have) > 0 {
			return ota.Change{}, err
		}
		printed = secret
		_, err = s.addToken(ctx, tx, ownerName, secret)
		return change("token.bootstrap", "", ownerName, nil), err
	})
	if err != nil {
		return "", err
	}
	return printed, nil
}

func (s *Service) bootstrapFrom(ctx context.Context, secret string) error {
	if len(secret) < minSecret || len(secret) > 512 || strings.ContainsFunc(secret, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return ota.Invalid(CodeTokenWeak, "the bootstrap token must have %d to 512 visible ASCII characters", minSecret).
			WithHint("make one with: openssl rand -hex 32")
	}
	if mistyped(secret) {
		return ota.Invalid(CodeTokenWeak, "the bootstrap token starts like a token of ours but is incomplete or mistyped")
	}
	return s.store.Update(ctx, bootActor, s.nowMS(), func(tx Tx) (ota.Change, error) {
		if _, err := tx.TokenByHash(ctx, ota.Sum([]byte(secret))); err == nil || ota.KindOf(err) != ota.KindNotFound {
			return ota.Change{}, err
		}
		have, err := tx.Tokens(ctx)
		if err != nil {
			return ota.Change{}, err
		}
		if old := named(have, bootstrapName); old != nil {
			if err := tx.DeleteToken(ctx, old.ID); err != nil {
				return ota.Change{}, err
			}
		}
		_, err = s.addToken(ctx, tx, bootstrapName, secret)
		return change("token.bootstrap", "", bootstrapName, nil), err
	})
}
