package sealeddevice

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/canon"
	"github.com/waxwing-ota/waxwing/internal/core/cobblestone"
	"github.com/waxwing-ota/waxwing/internal/core/grant"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/sealed"
)

// Nonce asks the server for the nonce of an enrolment. The ID token of the
// customer's identity provider must have been made for it.
func (d *Device) Nonce(ctx context.Context) (string, error) {
	raw, err := d.post(ctx, "nonce", nil, 4<<10)
	if err != nil {
		return "", err
	}
	var n struct {
		Nonce string `json:"nonce"`
	}
	if err := json.Unmarshal(raw, &n); err != nil {
		return "", ota.Errorf(ota.KindUnavailable, CodeServer, "the server's nonce cannot be read").WithCause(err)
	}
	return n.Nonce, nil
}

// Enrol asks for a certificate of the device's keys. nonce is that of [Device.Nonce],
// "" = it is asked for. Without an ID token the device is nobody's.
func (d *Device) Enrol(ctx context.Context, nonce, idToken string, a sealed.Attestation) error {
	if nonce == "" {
		var err error
		if nonce, err = d.Nonce(ctx); err != nil {
			return err
		}
	}
	raw, err := hex.DecodeString(nonce)
	if err != nil {
		return ota.Invalid(CodeEnrol, "the nonce is not hexadecimal")
	}
	signer, err := d.signer()
	if err != nil {
		return err
	}
	agree, err := grant.ParsePrivate(d.id.Agree)
	if err != nil {
		return err
	}
	req := &sealed.EnrolRequest{
		V: 1, App: d.cfg.Build.App, Device: d.id.Device, Nonce: raw, Platform: d.cfg.Build.Platform, SignKey: signer.Public(),
		AgreeKey: agree.Public().Bytes(), Assurance: sealed.AssuranceSoftware, Attestation: a, IDToken: idToken,
	}
	if err := sealed.SignBody(ctx, req, signer); err != nil {
		return err
	}
	body, err := sealed.Encode(req)
	if err != nil {
		return err
	}
	certificate, err := d.post(ctx, "enrol", body, sealed.MaxCertificate)
	if err != nil {
		return err
	}
	var c sealed.Certificate
	if err := sealed.Peek(certificate, sealed.MaxCertificate, c.Kind(), &c); err != nil {
		return err
	}
	if c.App != req.App || c.Device != req.Device || c.Thumbprint != req.SignKey.ID() || string(c.AgreeKey) != string(req.AgreeKey) {
		return ota.Errorf(ota.KindUnavailable, CodeEnrol, "the certificate is not of this device's keys")
	}
	d.id.Certificate = certificate
	return d.saveIdentity()
}

// grantSkew is how much longer a grant may hold than the protocol's most.
const grantSkew = 5 * time.Minute

// askGrant asks for a content key and opens it with the device's own key.
func (d *Device) askGrant(ctx context.Context, manifest string, epoch int64) (cobblestone.Key, error) {
	var none cobblestone.Key
	if len(d.id.Certificate) == 0 {
		return none, ota.Errorf(ota.KindForbidden, CodeGrant, "the bundle is encrypted and the device is not enrolled").
			WithHint("enrol it: waxwing device sealed enrol")
	}
	nonce, err := d.nonce()
	if err != nil {
		return none, err
	}
	signer, err := d.signer()
	if err != nil {
		return none, err
	}
	now := d.cfg.Now()
	req := &sealed.GrantRequest{V: 1, App: d.cfg.Build.App, Manifest: manifest, Certificate: d.id.Certificate, Nonce: nonce, At: canon.At(now)}
	if err := sealed.SignBody(ctx, req, signer); err != nil {
		return none, err
	}
	body, err := sealed.Encode(req)
	if err != nil {
		return none, err
	}
	raw, err := d.post(ctx, "grant", body, sealed.MaxGrant)
	if err != nil {
		return none, err
	}
	g, err := sealed.Parse[sealed.Grant](raw)
	if err != nil {
		return none, err
	}
	return d.openGrant(g, manifest, epoch, signer.Public().ID(), now)
}

// openGrant takes a grant only from an authority of trust.json and only for this
// bundle, epoch, device and time.
func (d *Device) openGrant(g *sealed.Grant, manifest string, epoch int64, thumbprint string, now time.Time) (cobblestone.Key, error) {
	var none cobblestone.Key
	refused := func(why string) error {
		return ota.Errorf(ota.KindForbidden, CodeGrant, "the grant is refused: %s", why)
	}
	trust, err := sealed.Parse[sealed.Trust](d.state.Admission.Trust)
	if err != nil {
		return none, err
	}
	issuer, ok := sealed.KeySet(trust.Authority...)[g.Issuer]
	if !ok {
		return none, refused("trust.json knows no such authority")
	}
	if err := sealed.VerifyBody(g, issuer); err != nil {
		return none, err
	}
	switch {
	case g.App != d.cfg.Build.App || g.Manifest != manifest || g.KeyEpoch != epoch || g.Thumbprint != thumbprint:
		return none, refused("it is of another app, bundle, epoch or device")
	case !now.Before(g.NotAfter.Time) || g.NotAfter.Sub(now) > sealed.MaxGrantAge*time.Second+grantSkew:
		return none, refused("it is not of this time")
	}
	agree, err := grant.ParsePrivate(d.id.Agree)
	if err != nil {
		return none, err
	}
	m, err1 := ota.ParseDigest(manifest)
	t, err2 := ota.ParseDigest(thumbprint)
	if err1 != nil || err2 != nil {
		return none, refused("its names are no hashes")
	}
	return grant.Open(agree, grant.Info{App: g.App, Manifest: m, Epoch: uint32(epoch), Thumbprint: t, NotAfter: g.NotAfter.Time}, g.Enc, g.CT)
}
