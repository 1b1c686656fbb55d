package enrol

import (
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"net/netip"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/attest"
	"github.com/waxwing-ota/waxwing/internal/core/canon"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/p256"
	"github.com/waxwing-ota/waxwing/internal/core/sealed"
	"github.com/waxwing-ota/waxwing/internal/core/tlogproof"
)

// keepExpired is how long keys whose certificate ended stay listed.
const keepExpired = 30 * 24 * time.Hour

// Enrol gives the device that sent body a certificate, and returns its envelope.
func (s *Service) Enrol(ctx context.Context, app string, body []byte, from netip.Addr) ([]byte, error) {
	out, err := s.enrol(ctx, app, body, from)
	s.count(app, askEnrol, err)
	return out, err
}

func (s *Service) enrol(ctx context.Context, app string, body []byte, from netip.Addr) ([]byte, error) {
	if err := s.rates.allow(askEnrol, app, from, s.Now()); err != nil {
		return nil, err
	}
	policy, err := s.Policy(ctx, app)
	if err != nil {
		return nil, err
	}
	if policy.Enrolment != ota.EnrolOpen && policy.Enrolment != ota.EnrolIDToken {
		return nil, ota.Errorf(ota.KindForbidden, CodeClosed, "devices of app %s cannot be enrolled", app).
			WithHint("open it: waxwing sealed policy set --app %s --enrolment id_token", app)
	}
	req, err := sealed.Parse[sealed.EnrolRequest](body)
	if err != nil {
		return nil, err
	}
	if req.App != app {
		return nil, ota.Invalid(CodeApp, "the request is about the app %s", req.App).WithField("app")
	}
	if err := sealed.VerifyBody(req, req.SignKey); err != nil {
		return nil, ota.Errorf(ota.KindUnauthorized, CodeSignature, "the request is not signed by the key that it is about").WithField("sig").WithCause(err)
	}
	nonceEnds, err := s.checkNonce(app, req.Nonce)
	if err != nil {
		return nil, err
	}
	who, err := s.subject(ctx, &policy, req)
	if err != nil {
		return nil, err
	}
	signal, err := s.attested(&policy, req)
	if err != nil {
		return nil, err
	}
	signer, err := s.Authority(ctx, app)
	if err != nil {
		return nil, err
	}
	row := Row{SealedDevice: ota.SealedDevice{
		App: app, Device: req.Device, Thumbprint: req.SignKey.ID(), Subject: who.Subject, Groups: who.Groups,
		Platform: req.Platform, Assurance: signal.Level, Signals: signal.Notes,
	}, SignKey: req.SignKey, AgreeKey: req.AgreeKey}
	return s.issue(ctx, &policy, row, req.Nonce, nonceEnds, signer)
}

// attested reads what the platform says. A device's own word raises nothing.
func (s *Service) attested(policy *ota.SealedPolicy, req *sealed.EnrolRequest) (attest.Signal, error) {
	roots, err := parseRoots(policy.Roots)
	if err != nil {
		return attest.Signal{}, err
	}
	key, err := req.SignKey.PublicKey()
	if err != nil {
		return attest.Signal{}, err
	}
	signal, err := attest.Read(req.Attestation.Kind, req.Attestation.Data, attest.Asked{
		App: req.App, Device: req.Device, Nonce: hex.EncodeToString(req.Nonce), Thumbprint: req.SignKey.ID(),
		AgreeKey: hex.EncodeToString(req.AgreeKey), Key: key, Roots: roots,
		AndroidPackage: policy.Android.Package, AndroidDigests: policy.Android.Digests, AppleAppID: policy.Apple.AppID,
	})
	if err != nil {
		return signal, err
	}
	if signal.Level == ota.AssuranceNone && req.Assurance != sealed.AssuranceNone {
		signal.Level = ota.AssuranceSoftware
		signal.Notes = append(signal.Notes, "nobody vouches for more than the device says")
	}
	if signal.Notes == nil {
		signal.Notes = []string{}
	}
	return signal, nil
}

// issue uses the nonce up and makes the certificate, its row and its leaf of the
// log in one transaction.
func (s *Service) issue(ctx context.Context, policy *ota.SealedPolicy, row Row, nonce []byte, nonceEnds int64, signer p256.Signer) ([]byte, error) {
	now := s.Now().UTC().Truncate(time.Second)
	ends := now.Add(time.Duration(policy.CertificateDays) * 24 * time.Hour)
	row.Salt = make([]byte, 16)
	if _, err := io.ReadFull(s.Rand, row.Salt); err != nil {
		return nil, fmt.Errorf("draw a salt: %w", err)
	}
	err := s.Store.Issue(ctx, now.UnixMilli(), func(tx Issue) error {
		if err := tx.PurgeSealedDevices(ctx, now.Add(-keepExpired).UnixMilli()); err != nil {
			return err
		}
		fresh, err := tx.TakeNonce(ctx, nonce, nonceEnds, now.UnixMilli())
		if err != nil {
			return err
		}
		if !fresh {
			return ota.Errorf(ota.KindUnauthorized, CodeNonce, "the nonce was used before").WithField("nonce").WithHint("ask for a new one")
		}
		if err := s.mayHold(ctx, tx, &row); err != nil {
			return err
		}
		if row.Serial, err = tx.NextSerial(ctx, row.App); err != nil {
			return err
		}
		row.IssuedAt, row.ExpiresAt = now.UnixMilli(), ends.UnixMilli()
		cert := sealed.Certificate{
			App: row.App, Device: row.Device, Subject: row.Subject, Groups: row.Groups, SignKey: row.SignKey, AgreeKey: row.AgreeKey,
			Thumbprint: row.Thumbprint, Assurance: string(row.Assurance), Issued: canon.At(now), Expires: canon.At(ends), Serial: row.Serial,
		}
		if row.Certificate, err = sealed.Make(ctx, &cert, signer); err != nil {
			return err
		}
		row.CertDigest = ota.Sum(row.Certificate)
		if err := tx.PutSealedDevice(ctx, row); err != nil {
			return err
		}
		return tx.AppendSealedLeaf(ctx, string(tlogproof.KindCertificate), tlogproof.Salted(tlogproof.Salt(row.Salt), row.Certificate))
	})
	if err != nil {
		return nil, err
	}
	return row.Certificate, nil
}

// mayHold refuses what was revoked, and a key that another device has.
func (s *Service) mayHold(ctx context.Context, r Reader, row *Row) error {
	had, err := r.SealedDevice(ctx, row.App, row.Thumbprint)
	if err == nil && had.Device != row.Device {
		return ota.Conflict(CodeKeyTaken, "the key is enrolled under another device").WithField("sign_key").WithHint("make a new key")
	}
	if err != nil && ota.KindOf(err) != ota.KindNotFound {
		return err
	}
	revoked, err := r.SealedRevoked(ctx, row.App, row.Device, row.Subject, 0)
	if err != nil {
		return err
	}
	if revoked || had.Revoked {
		return ota.Errorf(ota.KindForbidden, CodeRevoked, "the device or its user was revoked").
			WithHint("an operator can lift it: waxwing sealed revocations list --app %s", row.App)
	}
	return nil
}
