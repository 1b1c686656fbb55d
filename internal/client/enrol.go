package client

import (
	"context"
	"net/http"
	"net/url"
	"strconv"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// SealedPolicy returns which devices of an app get certificates and keys.
func (c *Client) SealedPolicy(ctx context.Context, app string) (ota.SealedPolicy, error) {
	return get[ota.SealedPolicy](ctx, c, "apps", app, "sealed", "policy")
}

// SetSealedPolicy changes which devices of an app get certificates and keys.
func (c *Client) SetSealedPolicy(ctx context.Context, app string, in ota.SealedPolicyPatch) (ota.SealedPolicy, error) {
	return send[ota.SealedPolicy](ctx, c, http.MethodPatch, in, "apps", app, "sealed", "policy")
}

// SealedDevices lists the enrolled devices of an app, newest first.
func (c *Client) SealedDevices(ctx context.Context, app string, f ota.SealedDeviceFilter, page ota.Page) ([]ota.SealedDevice, string, error) {
	q := url.Values{}
	set(q, "device", f.Device)
	set(q, "subject", f.Subject)
	if f.Revoked != nil {
		set(q, "revoked", strconv.FormatBool(*f.Revoked))
	}
	return getList[ota.SealedDevice](ctx, c, page, q, "apps", app, "sealed", "devices")
}

// SealedDevice returns enrolled keys by their thumbprint.
func (c *Client) SealedDevice(ctx context.Context, app, thumbprint string) (ota.SealedDevice, error) {
	return get[ota.SealedDevice](ctx, c, "apps", app, "sealed", "devices", thumbprint)
}

// SealedRevocations lists the revocations that hold, newest first.
func (c *Client) SealedRevocations(ctx context.Context, app string, page ota.Page) ([]ota.SealedRevocation, string, error) {
	return getList[ota.SealedRevocation](ctx, c, page, nil, "apps", app, "sealed", "revocations")
}

// RevokeSealed ends the grants of a device, a subject or a range of serials.
func (c *Client) RevokeSealed(ctx context.Context, app string, in ota.NewSealedRevocation) (ota.SealedRevocation, error) {
	return send[ota.SealedRevocation](ctx, c, http.MethodPost, in, "apps", app, "sealed", "revocations")
}

// LiftSealedRevocation ends a revocation.
func (c *Client) LiftSealedRevocation(ctx context.Context, app string, id int64) error {
	return remove(ctx, c, nil, "apps", app, "sealed", "revocations", decimal(id))
}

// SealedRecipient returns whom the content keys of an app are sealed to.
func (c *Client) SealedRecipient(ctx context.Context, app string) (ota.SealedRecipient, error) {
	return get[ota.SealedRecipient](ctx, c, "apps", app, "sealed", "recipient")
}

// SealedUses lists what devices asked for, by hour, newest first.
func (c *Client) SealedUses(ctx context.Context, app string, since int64, page ota.Page) ([]ota.SealedUse, string, error) {
	q := url.Values{}
	if since > 0 {
		set(q, "since", decimal(since))
	}
	return getList[ota.SealedUse](ctx, c, page, q, "apps", app, "sealed", "uses")
}
