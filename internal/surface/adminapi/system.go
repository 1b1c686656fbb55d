package adminapi

import (
	"net/http"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

type newToken struct {
	Name string `json:"name" doc:"what the token is for, such as ci"`
}

type createdToken struct {
	Secret string    `json:"secret" doc:"the token itself, shown only this once"`
	Token  ota.Token `json:"token"`
}

type tokenInput struct {
	Request
	ID int64 `path:"id" minimum:"1"`
}

func (s *server) registerSystem() {
	const tag = "system"
	register(s, route{
		id: "get-status", method: http.MethodGet, path: "/status", action: "status.get", tag: tag,
		summary: "Get what the server says of itself",
	},
		func(c *call, _ *Request, _ none) (ota.ServerStatus, error) {
			return s.deps.Status(c)
		})
	register(s, route{
		id: "get-me", method: http.MethodGet, path: "/me", action: "me.get", tag: tag,
		summary: "Get who the caller is",
	},
		func(c *call, _ *Request, _ none) (ota.Me, error) {
			return ota.Me{Actor: c.actor, Principal: c.principal}, nil
		})
	register(s, route{
		id: "collect-garbage", method: http.MethodPost, path: "/gc", action: "gc.run", tag: tag,
		summary: "Remove what nothing refers to any more",
	},
		func(c *call, _ *Request, _ none) (ota.GCReport, error) {
			return s.deps.Control.CollectGarbage(c, c.actor)
		})
	register(s, route{
		id: "list-tokens", method: http.MethodGet, path: "/tokens", action: "token.list", tag: tag,
		summary: "List API tokens",
	},
		func(c *call, _ *Request, _ none) (list[ota.Token], error) {
			tokens, err := s.deps.Control.Tokens(c)
			return listOf(tokens, "", err)
		})
	register(s, route{
		id: "create-token", method: http.MethodPost, path: "/tokens", action: "token.create", tag: tag, status: http.StatusCreated,
		summary: "Make an API token",
	},
		func(c *call, _ *Request, body newToken) (createdToken, error) {
			secret, t, err := s.deps.Control.CreateToken(c, c.actor, body.Name)
			return createdToken{Secret: secret, Token: t}, err
		})
	register(s, route{
		id: "delete-token", method: http.MethodDelete, path: "/tokens/{id}", action: "token.delete", tag: tag, status: http.StatusNoContent,
		summary: "Revoke an API token",
	},
		func(c *call, in *tokenInput, _ none) (none, error) {
			return none{}, s.deps.Control.DeleteToken(c, c.actor, in.ID)
		})
}
