// Package attest reads what platforms say about a device's keys, Android key
// attestation and Apple App Attest, into one level of assurance.
//
// A statement is a signal and no proof: keys of attested devices have leaked,
// and a rooted device can relay a statement of another. The package must never
// trust a root that it was not handed, never look at a clock or the network,
// and never give a level above software to what it cannot check to the end.
package attest

import (
	"crypto/ecdsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/binary"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// Codes of errors.
const (
	CodeInvalid   = "attestation_invalid"   // it cannot be read
	CodeChallenge = "attestation_challenge" // it was made for another request
	CodeKey       = "attestation_key"       // it is about another key
	CodeKind      = "attestation_kind"      // there is no such kind
)

// The bounds of a statement.
const (
	MaxStatement = 24 << 10 // bytes
	maxChain     = 6        // certificates
	maxRoots     = 16
)

// Kinds of statements.
const (
	None      = "none"
	Android   = "android-key" // DER certificates one after the other, the key's own first
	AppAttest = "app-attest"  // the attestation object of App Attest, CBOR
)

// Asked is what a statement is checked against.
type Asked struct {
	App, Device, Nonce string
	Thumbprint         string // of the signing key, lower hex
	AgreeKey           string // lower hex

	Key   *ecdsa.PublicKey    // the signing key
	Roots []*x509.Certificate // that the operator trusts; none = no statement is checked to the end

	AndroidPackage string   // "" = any
	AndroidDigests []string // of the certificates the app is signed with, lower hex; none = any
	AppleAppID     string   // TEAMID.bundle.id; "" = no statement of App Attest is checked to the end
}

// Signal is what a statement says.
type Signal struct {
	Level ota.Assurance
	Notes []string // why the level is not higher; product words, for people
}

func (s *Signal) note(text string) { s.Notes = append(s.Notes, text) }

func software(notes ...string) Signal { return Signal{Level: ota.AssuranceSoftware, Notes: notes} }

// Read reads a statement of a kind. Statements that cannot be read, or that
// were made for another request or key, are errors; what cannot be checked to
// the end is of level software.
func Read(kind string, data []byte, in Asked) (Signal, error) {
	if len(data) > MaxStatement {
		return Signal{}, ota.Errorf(ota.KindTooLarge, CodeInvalid, "the attestation has more than %d bytes", MaxStatement).WithField("attestation")
	}
	if len(in.Roots) > maxRoots {
		in.Roots = in.Roots[:maxRoots]
	}
	switch kind {
	case None, "":
		if len(data) != 0 {
			return Signal{}, invalid("there is one, and its kind says there is none")
		}
		return Signal{Level: ota.AssuranceNone}, nil
	case Android:
		return android(data, in)
	case AppAttest:
		return appAttest(data, in)
	}
	return Signal{}, ota.Invalid(CodeKind, "there is no attestation of the kind %q", kind).WithField("attestation").
		WithHint("kinds are %s, %s and %s", None, Android, AppAttest)
}

func invalid(what string) *ota.Error {
	return ota.Invalid(CodeInvalid, "the attestation cannot be used: %s", what).WithField("attestation")
}

func otherChallenge() *ota.Error {
	return ota.Errorf(ota.KindUnauthorized, CodeChallenge, "the attestation was made for another request").WithField("attestation").
		WithHint("ask for a nonce, make the key with the challenge of that nonce, and enrol with it")
}

func otherKey() *ota.Error {
	return ota.Errorf(ota.KindUnauthorized, CodeKey, "the attestation is about another key").WithField("attestation")
}

// Challenge is what a key of Android must be made with: SHA-256 over
// "waxwing/attest/v1\n" and, each after its length in two bytes, app, device and nonce.
func Challenge(app, device, nonce string) [32]byte {
	return digest("waxwing/attest/v1\n", app, device, nonce)
}

// ClientData is the client data hash of App Attest: it binds the keys, too,
// since the attested key is none of them.
func ClientData(app, device, nonce, thumbprint, agreeKey string) [32]byte {
	return digest("waxwing/app-attest/v1\n", app, device, nonce, thumbprint, agreeKey)
}

func digest(domain string, parts ...string) [32]byte {
	b := []byte(domain)
	for _, p := range parts {
		b = binary.BigEndian.AppendUint16(b, uint16(len(p)))
		b = append(b, p...)
	}
	return sha256.Sum256(b)
}

// chain reads certificates and checks that each is signed by the next, and the
// last is a root or signed by one. Validity is not looked at: clocks of devices
// that make the first certificate are wrong too often, and a root is distrusted
// by taking it from the list.
func chain(ders [][]byte, roots []*x509.Certificate) (leaf *x509.Certificate, rest []*x509.Certificate, trusted bool, err error) {
	if len(ders) == 0 || len(ders) > maxChain {
		return nil, nil, false, invalid("it has no certificate, or too many")
	}
	certs := make([]*x509.Certificate, len(ders))
	for i, der := range ders {
		if certs[i], err = x509.ParseCertificate(der); err != nil {
			return nil, nil, false, invalid("a certificate cannot be read").WithCause(err)
		}
	}
	for i := range len(certs) - 1 {
		if !signedBy(certs[i], certs[i+1]) {
			return nil, nil, false, invalid("its certificates do not belong together")
		}
	}
	last := certs[len(certs)-1]
	for _, root := range roots {
		if last.Equal(root) && len(certs) > 1 || !last.Equal(root) && root.IsCA && signedBy(last, root) {
			trusted = true
		}
	}
	return certs[0], certs[1:], trusted, nil
}

func signedBy(child, parent *x509.Certificate) bool {
	return parent.IsCA && parent.BasicConstraintsValid && child.CheckSignatureFrom(parent) == nil
}
