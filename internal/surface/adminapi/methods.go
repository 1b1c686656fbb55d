package adminapi

import (
	"net/http"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/secret"
)

type passkeyInput struct {
	Request
	ID int64 `path:"id" minimum:"1"`
}

type passkeyName struct {
	Name string `json:"name"`
}

type newPassword struct {
	Password string `json:"password" doc:"12 to 200 characters"`
}

type totpCode struct {
	Flow string `json:"flow" doc:"from the answer of POST"`
	Code string `json:"code" doc:"what the app shows"`
}

type codesAnswer struct {
	Codes []string `json:"codes" nullable:"false" doc:"shown only this once"`
}

// registerMyMethods adds what signed-in people do to how they sign in. Tokens
// cannot; the ceremonies that need a browser are below /auth/.
func (s *server) registerMyMethods() {
	const tag = "sign-in"
	id := s.deps.Identity
	register(s, route{
		id: "get-sign-in-methods", method: http.MethodGet, path: "/me/sign-in-methods", action: "me.get", tag: tag,
		summary: "Get how the caller can sign in",
	},
		func(c *call, _ *Request, _ none) (ota.SignInMethods, error) {
			if c.principal.Person == 0 {
				return ota.SignInMethods{Passkeys: []ota.Passkey{}, SSO: []string{}}, nil
			}
			return id.Methods(c, c.principal.Person)
		})
	register(s, route{
		id: "list-passkeys", method: http.MethodGet, path: "/me/passkeys", action: "me.get", tag: tag,
		summary: "List the caller's passkeys",
	},
		func(c *call, _ *Request, _ none) (list[ota.Passkey], error) {
			m, err := id.Methods(c, c.principal.Person)
			return listOf(m.Passkeys, "", err)
		})
	register(s, route{
		id: "rename-passkey", method: http.MethodPatch, path: "/me/passkeys/{id}", action: "me.update", tag: tag,
		summary: "Rename a passkey",
	},
		func(c *call, in *passkeyInput, body passkeyName) (ota.Passkey, error) {
			return id.RenamePasskey(c, c.principal, in.ID, body.Name)
		})
	register(s, route{
		id: "delete-passkey", method: http.MethodDelete, path: "/me/passkeys/{id}", action: "me.update", tag: tag, status: http.StatusNoContent,
		summary: "Delete a passkey, but not the last way to sign in",
	},
		func(c *call, in *passkeyInput, _ none) (none, error) {
			return none{}, id.DeletePasskey(c, c.principal, in.ID)
		})
	register(s, route{
		id: "set-password", method: http.MethodPut, path: "/me/password", action: "me.update", tag: tag, status: http.StatusNoContent,
		summary: "Set or change the caller's password; other sessions end",
	},
		func(c *call, _ *Request, body newPassword) (none, error) {
			return none{}, id.SetPassword(c, c.principal, secret.New(body.Password))
		})
	register(s, route{
		id: "delete-password", method: http.MethodDelete, path: "/me/password", action: "me.update", tag: tag, status: http.StatusNoContent,
		summary: "Delete the caller's password",
	},
		func(c *call, _ *Request, _ none) (none, error) {
			return none{}, id.DeletePassword(c, c.principal)
		})
	register(s, route{
		id: "begin-totp", method: http.MethodPost, path: "/me/totp", action: "me.update", tag: tag,
		summary: "Draw a secret for an authenticator app; the old one holds until the first code",
	},
		func(c *call, _ *Request, _ none) (ota.TOTPSetup, error) {
			return id.BeginTOTP(c, c.principal)
		})
	register(s, route{
		id: "confirm-totp", method: http.MethodPut, path: "/me/totp", action: "me.update", tag: tag, status: http.StatusNoContent,
		summary: "Take the drawn secret, with the first code of the app",
	},
		func(c *call, _ *Request, body totpCode) (none, error) {
			return none{}, id.ConfirmTOTP(c, c.principal, secret.New(body.Flow), body.Code)
		})
	register(s, route{
		id: "delete-totp", method: http.MethodDelete, path: "/me/totp", action: "me.update", tag: tag, status: http.StatusNoContent,
		summary: "Forget the authenticator app, and the password that needs it",
	},
		func(c *call, _ *Request, _ none) (none, error) {
			return none{}, id.DeleteTOTP(c, c.principal)
		})
	register(s, route{
		id: "create-recovery-codes", method: http.MethodPost, path: "/me/recovery-codes", action: "me.update", tag: tag, status: http.StatusCreated,
		summary: "Replace the caller's recovery codes",
	},
		func(c *call, _ *Request, _ none) (codesAnswer, error) {
			codes, err := id.NewRecoveryCodes(c, c.principal)
			if codes == nil {
				codes = []string{}
			}
			return codesAnswer{codes}, err
		})
}
