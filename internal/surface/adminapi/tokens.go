package adminapi

import (
	"net/http"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/secret"
)

type createdToken struct {
	Secret string    `json:"secret" doc:"the token itself, shown only this once"`
	Token  ota.Token `json:"token"`
}

// shown is the one place where a token's secret is written out.
func shown(text secret.Text, t ota.Token, err error) (createdToken, error) {
	if err != nil {
		return createdToken{}, err
	}
	return createdToken{Secret: text.Reveal(), Token: t}, nil
}

type tokenInput struct {
	Request
	ID int64 `path:"id" minimum:"1"`
}

type tokensInput struct {
	Request
	PageParams
	All     bool   `query:"all" doc:"those of everybody, not only the caller's own"`
	Service string `query:"service" maxLength:"64" doc:"those of the service account of this name"`
	Org     string `query:"org" maxLength:"64" doc:"organisation of the service account; empty = main"`
}

func (s *server) registerTokens() {
	const tag = "tokens"
	register(s, route{
		id: "list-tokens", method: http.MethodGet, path: "/tokens", action: "token.list", tag: tag,
		summary: "List API tokens: one's own, those of a service account, or all",
	},
		func(c *call, in *tokensInput, _ none) (list[ota.Token], error) {
			f := ota.TokenFilter{All: in.All, Service: in.Service, Org: in.Org}
			return listOf(s.deps.Tokens.List(c, c.principal, f, in.page()))
		})
	register(s, route{
		id: "create-token", method: http.MethodPost, path: "/tokens", action: "token.create", tag: tag, status: http.StatusCreated,
		summary: "Make an API token of one's own, or of a service account",
	},
		func(c *call, _ *Request, body ota.NewToken) (createdToken, error) {
			return shown(s.deps.Tokens.Create(c, c.principal, body))
		})
	register(s, route{
		id: "get-token", method: http.MethodGet, path: "/tokens/{id}", action: "token.get", tag: tag,
		summary: "Get an API token, without its secret",
	},
		func(c *call, in *tokenInput, _ none) (ota.Token, error) {
			return s.deps.Tokens.Get(c, c.principal, in.ID)
		})
	register(s, route{
		id: "rotate-token", method: http.MethodPost, path: "/tokens/{id}/rotate", action: "token.rotate", tag: tag,
		summary: "Give an API token a new secret; the old one works until the overlap ends",
	},
		func(c *call, in *tokenInput, body ota.TokenRotation) (createdToken, error) {
			return shown(s.deps.Tokens.Rotate(c, c.principal, in.ID, body))
		})
	register(s, route{
		id: "delete-token", method: http.MethodDelete, path: "/tokens/{id}", action: "token.delete", tag: tag, status: http.StatusNoContent,
		summary: "Revoke an API token",
	},
		func(c *call, in *tokenInput, _ none) (none, error) {
			return none{}, s.deps.Tokens.Delete(c, c.principal, in.ID)
		})
}
