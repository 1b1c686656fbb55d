// Package access decides whether a device gets a content key: the one decision
// that the server and a key broker share.
//
// It must never read a clock, a database or the network, hold a content key,
// take anything on the word of the device alone, or say yes where it cannot say
// why: what it does not know is a no.
package access

import (
	"slices"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/canon"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/p256"
	"github.com/waxwing-ota/waxwing/internal/core/sealed"
)

// Codes of refusals.
const (
	CodeApp         = "grant_app"         // another app's certificate, or one that no keys are granted for
	CodeCertificate = "grant_certificate" // not signed by an authority
	CodeExpired     = "grant_expired"     // the certificate has expired, or is not valid yet
	CodeTime        = "grant_time"        // the request is not of now
	CodeSignature   = "grant_signature"   // the request is not signed by the certified key
	CodeGroups      = "grant_groups"      // the device is in none of the groups
	CodeAssurance   = "grant_assurance"   // the device keeps its keys too badly
	CodeRevoked     = "grant_revoked"     // somebody revoked the certificate
	CodeDevice      = "grant_device"      // not one of the devices that may
)

// Skew is how far the clock of a device may be off.
const Skew = 5 * time.Minute

// Rules says which devices of an app get keys.
type Rules struct {
	App          string
	Authority    map[string]p256.Key // by id; who may have signed the certificate
	Groups       []string            // the device must be in one of them; none = any device
	MinAssurance ota.Assurance
	Lifetime     time.Duration // of a grant, at most a day
	Thumbprints  []string      // of the devices that may; none = any device

	// Revoked says whether a certificate, or what it names, was revoked. It must
	// be there: nil refuses everybody.
	Revoked func(*sealed.Certificate) bool
}

// Allowed is a decision for a device: nothing else leads to a grant.
type Allowed struct {
	cert     *sealed.Certificate
	manifest string
	notAfter canon.Time
}

// Certificate is the certificate that was decided on.
func (a Allowed) Certificate() *sealed.Certificate { return a.cert }

// Manifest is the digest of the manifest that the device asked for.
func (a Allowed) Manifest() string { return a.manifest }

// NotAfter is when the grant ends.
func (a Allowed) NotAfter() canon.Time { return a.notAfter }

// Decide decides on a request of a device at now. Its errors are of KindForbidden,
// or of KindInvalid or KindUnauthorized for requests that prove nothing.
func Decide(req *sealed.GrantRequest, rules *Rules, now time.Time) (Allowed, error) {
	if req.App != rules.App {
		return Allowed{}, refuse(CodeApp, "no keys are granted for the app %s here", req.App)
	}
	cert, err := certified(req, rules)
	if err != nil {
		return Allowed{}, err
	}
	switch {
	case cert.App != rules.App:
		return Allowed{}, refuse(CodeApp, "the certificate is of another app")
	case now.Before(cert.Issued.Add(-Skew)), !now.Before(cert.Expires.Time):
		return Allowed{}, unproven(CodeExpired, "the certificate has expired or is not valid yet").WithHint("enrol anew")
	case now.Sub(req.At.Time).Abs() > Skew:
		return Allowed{}, unproven(CodeTime, "the request says that it is of %s, and it is %s", req.At.Format(time.RFC3339), now.UTC().Format(time.RFC3339)).
			WithHint("set the clock of the device")
	case rules.Revoked == nil || rules.Revoked(cert):
		return Allowed{}, refuse(CodeRevoked, "the device was revoked")
	case len(rules.Thumbprints) > 0 && !slices.Contains(rules.Thumbprints, cert.Thumbprint):
		return Allowed{}, refuse(CodeDevice, "the device is not one of those that get keys")
	case len(rules.Groups) > 0 && !slices.ContainsFunc(cert.Groups, func(g string) bool { return slices.Contains(rules.Groups, g) }):
		return Allowed{}, refuse(CodeGroups, "the device's user is in none of the groups that get keys")
	case !ota.Assurance(cert.Assurance).AtLeast(rules.MinAssurance):
		return Allowed{}, refuse(CodeAssurance, "the device keeps its keys with assurance %s, and %s is needed", cert.Assurance, rules.MinAssurance)
	}
	return Allowed{cert: cert, manifest: req.Manifest, notAfter: end(req, rules, cert, now)}, nil
}

// certified opens the certificate of a request and checks that its holder asks.
func certified(req *sealed.GrantRequest, rules *Rules) (*sealed.Certificate, error) {
	var cert sealed.Certificate
	if err := sealed.Open(req.Certificate, sealed.MaxCertificate, rules.Authority, 1, cert.Kind(), &cert); err != nil {
		return nil, unproven(CodeCertificate, "the certificate is not one of this app's authority").WithHint("enrol anew").WithCause(err)
	}
	if err := sealed.VerifyBody(req, cert.SignKey); err != nil {
		return nil, unproven(CodeSignature, "the request is not signed by the key of its certificate").WithCause(err)
	}
	return &cert, nil
}

// end is at most a day after the request, and not after the certificate's.
func end(req *sealed.GrantRequest, rules *Rules, cert *sealed.Certificate, now time.Time) canon.Time {
	life := min(max(rules.Lifetime, time.Minute), sealed.MaxGrantAge*time.Second)
	from := now
	if req.At.Before(now) {
		from = req.At.Time
	}
	until := from.Add(life)
	if cert.Expires.Before(until) {
		until = cert.Expires.Time
	}
	return canon.At(until)
}

func refuse(code, format string, a ...any) *ota.Error {
	return ota.Errorf(ota.KindForbidden, code, format, a...)
}

func unproven(code, format string, a ...any) *ota.Error {
	return ota.Errorf(ota.KindUnauthorized, code, format, a...)
}
