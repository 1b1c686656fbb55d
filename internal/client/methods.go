package client

import (
	"context"
	"net/http"
	"strconv"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/secret"
)

// RenamePasskey gives one of the caller's passkeys a name.
func (c *Client) RenamePasskey(ctx context.Context, id int64, name string) (ota.Passkey, error) {
	in := struct {
		Name string `json:"name"`
	}{name}
	return send[ota.Passkey](ctx, c, http.MethodPatch, in, "me", "passkeys", strconv.FormatInt(id, 10))
}

// DeletePasskey removes one of the caller's passkeys, but not the last way in.
func (c *Client) DeletePasskey(ctx context.Context, id int64) error {
	return remove(ctx, c, nil, "me", "passkeys", strconv.FormatInt(id, 10))
}

// SetPassword sets or changes the caller's password; their other sessions end.
func (c *Client) SetPassword(ctx context.Context, password secret.Text) error {
	in := struct {
		Password string `json:"password"`
	}{password.Reveal()}
	_, err := c.do(ctx, call{method: http.MethodPut, path: []string{"me", "password"}, in: in})
	return err
}

// DeletePassword removes the caller's password.
func (c *Client) DeletePassword(ctx context.Context) error {
	return remove(ctx, c, nil, "me", "password")
}

// BeginTOTP draws a secret for an authenticator app.
func (c *Client) BeginTOTP(ctx context.Context) (ota.TOTPSetup, error) {
	return send[ota.TOTPSetup](ctx, c, http.MethodPost, nil, "me", "totp")
}

// ConfirmTOTP takes the drawn secret, with the flow of its setup and the first
// code of the app.
func (c *Client) ConfirmTOTP(ctx context.Context, flow, code string) error {
	in := struct {
		Flow string `json:"flow"`
		Code string `json:"code"`
	}{flow, code}
	_, err := c.do(ctx, call{method: http.MethodPut, path: []string{"me", "totp"}, in: in})
	return err
}

// DeleteTOTP forgets the caller's authenticator app.
func (c *Client) DeleteTOTP(ctx context.Context) error { return remove(ctx, c, nil, "me", "totp") }

// NewRecoveryCodes replaces the caller's recovery codes; they are shown only
// this once.
func (c *Client) NewRecoveryCodes(ctx context.Context) ([]string, error) {
	out, err := send[struct {
		Codes []string `json:"codes"`
	}](ctx, c, http.MethodPost, nil, "me", "recovery-codes")
	return out.Codes, err
}
