package control

import (
	"context"
	"strings"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

const (
	roleOwner = "owner"

	// useEvery is how exact LastUsed is, Unix ms: a write for every request
	// would cost more than the requests.
	useEvery = 5 * 60 * 1000
)

// CreateToken makes an API token and returns its secret, which is stored nowhere.
func (s *Service) CreateToken(ctx context.Context, actor ota.Actor, name string) (secret string, t ota.Token, err error) {
	if ota.CheckChannelName(name) != nil {
		return "", t, ota.Invalid(CodeNameInvalid, "token name %q: use 1 to 64 letters, digits, '.', '_' or '-', a letter or digit first", name).
			WithField("name")
	}
	if secret, err = s.newSecret(); err != nil {
		return "", t, err
	}
	err = s.store.Update(ctx, actor, s.nowMS(), func(tx Tx) (ota.Change, error) {
		have, err := tx.Tokens(ctx)
		if err != nil {
			return ota.Change{}, err
		}
		if named(have, name) != nil {
			return ota.Change{}, ota.Conflict(CodeTokenExists, "there is a token %q already", name).WithField("name").
				WithHint("choose another name, or delete that one first")
		}
		t, err = s.addToken(ctx, tx, name, secret)
		return change("token.create", "", name, nil), err
	})
	if err != nil {
		return "", t, err
	}
	return secret, t, nil
}

func (s *Service) addToken(ctx context.Context, tx Tx, name, secret string) (ota.Token, error) {
	prefix := ""
	if strings.HasPrefix(secret, tokenPrefix) {
		prefix = secret[:min(len(secret), len(tokenPrefix)+4)]
	}
	return tx.InsertToken(ctx, ota.Token{Name: name, Role: roleOwner, Prefix: prefix, CreatedAt: s.nowMS()}, ota.Sum([]byte(secret)))
}

func named(tokens []ota.Token, name string) *ota.Token {
	for i := range tokens {
		if tokens[i].Name == name {
			return &tokens[i]
		}
	}
	return nil
}

// Tokens lists the tokens, newest first.
func (s *Service) Tokens(ctx context.Context) ([]ota.Token, error) { return s.store.Tokens(ctx) }

// DeleteToken revokes a token at once. The last one stays, or nobody could
// make another.
func (s *Service) DeleteToken(ctx context.Context, actor ota.Actor, id int64) error {
	return s.store.Update(ctx, actor, s.nowMS(), func(tx Tx) (ota.Change, error) {
		all, err := tx.Tokens(ctx)
		if err != nil {
			return ota.Change{}, err
		}
		for _, t := range all {
			if t.ID != id {
				continue
			}
			if len(all) == 1 {
				return ota.Change{}, ota.Conflict(CodeLastToken, "this is the only token").WithHint("create another one first")
			}
			return change("token.delete", "", t.Name, nil), tx.DeleteToken(ctx, id)
		}
		return ota.Change{}, ota.NotFound(CodeTokenNotFound, "there is no token %d", id)
	})
}

// Authenticate returns who the token with the secret is.
func (s *Service) Authenticate(ctx context.Context, secret string) (ota.Principal, error) {
	t, err := s.authenticate(ctx, secret)
	if err != nil {
		return ota.Principal{}, err
	}
	return ota.Principal{
		Kind: ota.PrincipalToken, ID: t.ID, Name: t.Name, Token: &t,
		Grants: []ota.Grant{{Role: ota.Role(t.Role), Scope: ota.Scope{Org: ota.MainOrg}}},
	}, nil
}

func (s *Service) authenticate(ctx context.Context, secret string) (ota.Token, error) {
	if mistyped(secret) {
		return ota.Token{}, unauthorized("the token is incomplete or mistyped")
	}
	// The hash is looked up, not compared: how long that takes tells nothing
	// about the secret.
	t, err := s.store.TokenByHash(ctx, ota.Sum([]byte(secret)))
	if ota.KindOf(err) == ota.KindNotFound {
		return ota.Token{}, unauthorized("the token is not known here")
	}
	if err != nil {
		return ota.Token{}, err
	}
	s.touch(ctx, &t)
	return t, nil
}

func unauthorized(msg string) error {
	return ota.Errorf(ota.KindUnauthorized, CodeTokenInvalid, "%s", msg).
		WithHint("set WAXWING_TOKEN to a token of this server; it may have been revoked")
}

// touch notes the use of a token now and then. It is no reason to refuse a
// request if that cannot be written.
func (s *Service) touch(ctx context.Context, t *ota.Token) {
	now := s.nowMS()
	s.usedMu.Lock()
	due := now-max(t.LastUsed, s.used[t.ID]) >= useEvery
	if due {
		s.used[t.ID] = now
	}
	s.usedMu.Unlock()
	if due && s.store.TouchToken(ctx, t.ID, now) == nil {
		t.LastUsed = now
	}
}
