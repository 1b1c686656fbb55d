package adminapi

import (
	"net/http"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

type newKey struct {
	PublicPEM string `json:"public_pem" doc:"public half of the signing key, PKCS#1 PEM, RSA 2048"`
}

type keyState struct {
	State ota.KeyState `json:"state" enum:"active,retired"`
}

type keyInput struct {
	Request
	AppParams
	Key string `path:"key" doc:"key id, percent-encoded: it may contain + and /"`
}

func (s *server) registerKeys() {
	const tag = "keys"
	register(s, route{
		id: "list-keys", method: http.MethodGet, path: "/apps/{app}/keys", action: "key.list", tag: tag,
		summary: "List an app's signing keys",
	},
		func(c *call, in *appInput, _ none) (list[ota.Key], error) {
			keys, err := s.deps.Control.Keys(c, in.App)
			return listOf(keys, "", err)
		})
	register(s, route{
		id: "register-key", method: http.MethodPost, path: "/apps/{app}/keys", action: "key.create", tag: tag, status: http.StatusCreated,
		waits:   true,
		summary: "Register the public half of a signing key",
	},
		func(c *call, in *appInput, body newKey) (ota.Key, error) {
			return s.deps.Control.RegisterKey(c, c.principal, in.App, body.PublicPEM)
		})
	register(s, route{
		id: "set-key-state", method: http.MethodPatch, path: "/apps/{app}/keys/{key}", action: "key.update", tag: tag,
		waits:   true,
		summary: "Retire a key, or make it active again",
	},
		func(c *call, in *keyInput, body keyState) (ota.Key, error) {
			return s.deps.Control.SetKeyState(c, c.principal, in.App, in.Key, body.State)
		})
}
