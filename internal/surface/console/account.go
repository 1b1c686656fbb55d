package console

import (
	"html/template"
	"strconv"
	"strings"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/secret"
)

type accountView struct {
	Methods  ota.SignInMethods
	Sessions []ota.Session
	Codes    []string // new recovery codes, this once
	TOTP     *totpView
}

// totpView is an authenticator app about to be taken.
type totpView struct {
	ota.TOTPSetup
	Picture template.URL
}

func (c *Console) registerAccount() {
	c.page(route{method: "GET", path: "/account", action: "me.get"}, c.showAccount)
	c.act(route{method: "POST", path: "/account/passkeys", action: "me.update"}, c.changePasskey, c.showAccount)
	c.act(route{method: "POST", path: "/account/password", action: "me.update"}, c.changePassword, c.showAccount)
	c.act(route{method: "POST", path: "/account/totp", action: "me.update"}, c.changeTOTP, c.showAccount)
	c.act(route{method: "POST", path: "/account/recovery-codes", action: "me.update"}, c.newCodes, c.showAccount)
	c.act(route{method: "POST", path: "/account/sessions", action: "session.delete_own"}, c.endSession, c.showAccount)
}

func (c *Console) accountOf(r *request) (v accountView, err error) {
	if v.Methods, err = r.api.SignInMethods(r); err != nil {
		return v, err
	}
	v.Sessions, err = r.api.Sessions(r, 0)
	return v, err
}

func (c *Console) showAccount(r *request) (answer, error) {
	v, err := c.accountOf(r)
	return r.show("account", "Your account", v), err
}

func (c *Console) changePasskey(r *request) (answer, error) {
	id, err := strconv.ParseInt(r.text("id"), 10, 64)
	if err != nil {
		return answer{}, ota.NotFound("passkey_not_found", "there is no such passkey")
	}
	if r.text("act") == "delete" {
		return r.done("passkey_deleted", "account"), r.api.DeletePasskey(r, id)
	}
	_, err = r.api.RenamePasskey(r, id, r.text("name"))
	return r.done("passkey_renamed", "account"), err
}

func (c *Console) changePassword(r *request) (answer, error) {
	if r.text("act") == "delete" {
		return r.done("password_deleted", "account"), r.api.DeletePassword(r)
	}
	return r.done("password_set", "account"), r.api.SetPassword(r, secret.New(r.PostFormValue("password")))
}

// changeTOTP draws a secret, takes it with the first code, or forgets the app.
func (c *Console) changeTOTP(r *request) (answer, error) {
	switch r.text("act") {
	case "delete":
		return r.done("totp_deleted", "account"), r.api.DeleteTOTP(r)
	case "confirm":
		return r.done("totp_set", "account"), r.api.ConfirmTOTP(r, r.text("flow"), strings.ReplaceAll(r.text("code"), " ", ""))
	}
	v, err := c.accountOf(r)
	if err != nil {
		return answer{}, err
	}
	setup, err := r.api.BeginTOTP(r)
	if err != nil {
		return answer{}, err
	}
	v.TOTP = &totpView{TOTPSetup: setup}
	if strings.HasPrefix(setup.QR, "data:image/png;base64,") {
		v.TOTP.Picture = template.URL(setup.QR) //nolint:gosec // a picture that this server drew
	}
	return r.show("account", "Your account", v), nil
}

func (c *Console) newCodes(r *request) (answer, error) {
	codes, err := r.api.NewRecoveryCodes(r)
	if err != nil {
		return answer{}, err
	}
	v, err := c.accountOf(r)
	v.Codes = codes
	return r.show("account", "Your account", v), err
}

func (c *Console) endSession(r *request) (answer, error) {
	if r.text("id") == "" {
		_, err := r.api.EndSessions(r, 0)
		return answer{to: address("sign-in") + "?error=signed_out"}, err
	}
	id, err := strconv.ParseInt(r.text("id"), 10, 64)
	if err != nil {
		return answer{}, ota.NotFound("session_not_found", "there is no such session")
	}
	return r.done("session_ended", "account"), r.api.EndSession(r, 0, id)
}
