package attest

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/binary"
	"math/big"
	"testing"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// cbor writes a head and what follows it.
func cbor(major byte, n int, rest ...[]byte) []byte {
	b := []byte{major<<5 | 25, 0, 0}
	switch {
	case n < 24:
		b = []byte{major<<5 | byte(n)}
	case n < 256:
		b = []byte{major<<5 | 24, byte(n)}
	default:
		binary.BigEndian.PutUint16(b[1:], uint16(n))
	}
	return append(b, bytes.Join(rest, nil)...)
}

func text(s string) []byte { return cbor(majorText, len(s), []byte(s)) }

func octets(b []byte) []byte { return cbor(majorBytes, len(b), b) }

// apple is a device's statement, with what may be wrong about it.
type apple struct {
	appID       string
	environment string
	counter     uint32
	nonce       string // of the enrolment that it was made for
	otherName   bool   // the key's name is that of another
	more        bool   // a byte follows
}

func (a apple) statement(p *phone, in Asked) []byte {
	own := key(p.t)
	point, err := own.PublicKey.Bytes()
	if err != nil {
		p.t.Fatal(err)
	}
	name, app := sha256.Sum256(point), sha256.Sum256([]byte(a.appID))
	if a.otherName {
		name[0]++
	}
	data := append(app[:], 0x40)
	data = binary.BigEndian.AppendUint32(data, a.counter)
	data = append(data, a.environment...)
	data = binary.BigEndian.AppendUint16(data, keyName)
	data = append(data, name[:]...)
	client := ClientData(in.App, in.Device, a.nonce, in.Thumbprint, in.AgreeKey)
	nonce := sha256.Sum256(append(bytes.Clone(data), client[:]...))
	ext := p.der(struct {
		Nonce []byte `asn1:"tag:1,explicit"`
	}{nonce[:]}, "")
	cert := p.leaf(&own.PublicKey, ext)
	out := cbor(majorMap, 3, text("fmt"), text(appleFormat),
		text("attStmt"), cbor(majorMap, 2, text("x5c"), cbor(majorArray, 2, octets(cert.Raw), octets(p.root.Raw)), text("receipt"), octets([]byte("r"))),
		text("authData"), octets(data))
	if a.more {
		out = append(out, 0)
	}
	return out
}

func (p *phone) leaf(pub *ecdsa.PublicKey, nonce []byte) *x509.Certificate {
	return p.sign(&x509.Certificate{
		SerialNumber: big.NewInt(4), Subject: pkix.Name{CommonName: "key"}, NotBefore: time.Unix(1_600_000_000, 0), NotAfter: time.Unix(2_600_000_000, 0),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtraExtensions: []pkix.Extension{{Id: asn1.ObjectIdentifier{1, 2, 840, 113635, 100, 8, 2}, Value: nonce}},
	}, pub, p.root, p.rootKey)
}

func TestAppAttest(t *testing.T) {
	const production = "appattest\x00\x00\x00\x00\x00\x00\x00"
	good := apple{appID: "TEAM123456.com.example.shop", environment: production, nonce: "nonce"}
	for _, c := range []struct {
		name  string
		phone func(*apple)
		asked func(*Asked)
		want  ota.Assurance
		code  string
	}{
		{"good", nil, nil, ota.AssuranceTEE, ""},
		{"development", func(a *apple) { a.environment = "appattestdevelop" }, nil, ota.AssuranceSoftware, ""},
		{"another app", func(a *apple) { a.appID = "TEAM123456.com.evil.app" }, nil, ota.AssuranceSoftware, ""},
		{"the operator named no app", nil, func(a *Asked) { a.AppleAppID = "" }, ota.AssuranceSoftware, ""},
		{"no root is trusted", nil, func(a *Asked) { a.Roots = nil }, ota.AssuranceSoftware, ""},
		{"for another enrolment", func(a *apple) { a.nonce = "other" }, nil, "", CodeChallenge},
		{"for another signing key", nil, func(a *Asked) { a.Thumbprint = "other" }, "", CodeChallenge},
		{"for another agreement key", nil, func(a *Asked) { a.AgreeKey = "other" }, "", CodeChallenge},
		{"name of another key", func(a *apple) { a.otherName = true }, nil, "", CodeKey},
		{"used before", func(a *apple) { a.counter = 1 }, nil, "", CodeInvalid},
		{"more than a statement", func(a *apple) { a.more = true }, nil, "", CodeInvalid},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, a := newPhone(t), good
			in := Asked{
				App: "com.example.shop", Device: "device", Nonce: "nonce", Thumbprint: "thumb", AgreeKey: "agree", Key: &p.key.PublicKey,
				Roots: []*x509.Certificate{p.root}, AppleAppID: "TEAM123456.com.example.shop",
			}
			if c.phone != nil {
				c.phone(&a)
			}
			made := a.statement(p, in)
			if c.asked != nil {
				c.asked(&in)
			}
			got, err := Read(AppAttest, made, in)
			if (err != nil) != (c.code != "") || err != nil && ota.CodeOf(err) != c.code || got.Level != c.want {
				t.Errorf("level %q (%v), %v; want %q, code %q", got.Level, got.Notes, err, c.want, c.code)
			}
		})
	}
}
