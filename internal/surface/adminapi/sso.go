package adminapi

import (
	"net/http"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

type providerInput struct {
	Request
	Provider string `path:"provider" maxLength:"40" doc:"provider id"`
}

func (s *server) registerSSO() {
	const tag = "sign-in"
	id := s.deps.Identity
	register(s, route{
		id: "list-sso-providers", method: http.MethodGet, path: "/sso/providers", action: "sso.list", tag: tag,
		summary: "List single sign-on providers, without their secrets",
	},
		func(c *call, _ *Request, _ none) (list[ota.SSOProvider], error) {
			all, err := id.Providers(c)
			return listOf(all, "", err)
		})
	register(s, route{
		id: "create-sso-provider", method: http.MethodPost, path: "/sso/providers", action: "sso.create", tag: tag, status: http.StatusCreated,
		summary: "Add a single sign-on provider (OpenID Connect)",
	},
		func(c *call, _ *Request, body ota.NewSSOProvider) (ota.SSOProvider, error) {
			return id.CreateProvider(c, c.principal, body)
		})
	register(s, route{
		id: "get-sso-provider", method: http.MethodGet, path: "/sso/providers/{provider}", action: "sso.list", tag: tag,
		summary: "Get a single sign-on provider, without its secret",
	},
		func(c *call, in *providerInput, _ none) (ota.SSOProvider, error) {
			return id.Provider(c, in.Provider)
		})
	register(s, route{
		id: "update-sso-provider", method: http.MethodPatch, path: "/sso/providers/{provider}", action: "sso.update", tag: tag,
		summary: "Change a single sign-on provider; its issuer stays",
	},
		func(c *call, in *providerInput, body ota.SSOProviderPatch) (ota.SSOProvider, error) {
			return id.UpdateProvider(c, c.principal, in.Provider, body)
		})
	register(s, route{
		id: "delete-sso-provider", method: http.MethodDelete, path: "/sso/providers/{provider}", action: "sso.delete", tag: tag, status: http.StatusNoContent,
		summary: "Delete a single sign-on provider; users stay, the groups it put them in do not",
	},
		func(c *call, in *providerInput, _ none) (none, error) {
			return none{}, id.DeleteProvider(c, c.principal, in.Provider)
		})
}
