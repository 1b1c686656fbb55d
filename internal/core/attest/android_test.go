package attest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/hex"
	"math/big"
	"testing"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// phone makes statements as Android does, under a root of the test.
type phone struct {
	t         *testing.T
	root      *x509.Certificate
	rootKey   *ecdsa.PrivateKey
	key       *ecdsa.PrivateKey
	level     asn1.Enumerated
	challenge [32]byte
	locked    bool
	state     asn1.Enumerated
	origin    int
	purpose   []int
	pkg       string
	above     bool // the certificate above says how the key is kept, too
}

func key(t *testing.T) *ecdsa.PrivateKey {
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func (p *phone) der(v any, params string) []byte {
	b, err := asn1.MarshalWithParams(v, params)
	if err != nil {
		p.t.Fatal(err)
	}
	return b
}

func (p *phone) tagged(tag int, inner []byte) []byte {
	return p.der(asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: tag, IsCompound: true, Bytes: inner}, "")
}

func (p *phone) sequence(parts ...[]byte) asn1.RawValue {
	var all []byte
	for _, b := range parts {
		all = append(all, b...)
	}
	return asn1.RawValue{Tag: asn1.TagSequence, IsCompound: true, Bytes: all}
}

func (p *phone) description() []byte {
	digest := sha256.Sum256([]byte("signer"))
	app := p.der(struct {
		Packages []struct {
			Name    []byte
			Version int64
		} `asn1:"set"`
		Digests [][]byte `asn1:"set"`
	}{[]struct {
		Name    []byte
		Version int64
	}{{[]byte(p.pkg), 7}}, [][]byte{digest[:]}}, "")
	boot := p.der(struct {
		Key    []byte
		Locked bool
		State  asn1.Enumerated
		Hash   []byte
	}{[]byte{1}, p.locked, p.state, []byte{2}}, "")
	return p.der(keyDescription{
		Version: 4, Level: p.level, MintVersion: 4, MintLevel: p.level, Challenge: p.challenge[:], UniqueID: []byte{},
		Software: p.sequence(p.tagged(tagApplication, p.der(app, ""))),
		Hard: p.sequence(p.tagged(tagPurpose, p.der(p.purpose, "set")), p.tagged(tagOrigin, p.der(p.origin, "")),
			p.tagged(tagRootOfTrust, boot)),
	}, "")
}

func (p *phone) sign(of *x509.Certificate, pub any, by *x509.Certificate, with *ecdsa.PrivateKey) *x509.Certificate {
	der, err := x509.CreateCertificate(rand.Reader, of, by, pub, with)
	if err != nil {
		p.t.Fatal(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		p.t.Fatal(err)
	}
	return c
}

func (p *phone) authority(serial int64) *x509.Certificate {
	return &x509.Certificate{
		SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: "authority"}, NotBefore: time.Unix(1_600_000_000, 0), NotAfter: time.Unix(2_600_000_000, 0),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
}

func newPhone(t *testing.T) *phone {
	p := &phone{t: t, rootKey: key(t), key: key(t), level: levelTEE, locked: true, purpose: []int{purposeSign}, pkg: "com.example.shop"}
	p.challenge = Challenge("com.example.shop", "device", "nonce")
	a := p.authority(1)
	p.root = p.sign(a, &p.rootKey.PublicKey, a, p.rootKey)
	return p
}

// statement is the key's certificate, one between, and the root.
func (p *phone) statement() []byte {
	between, betweenKey := p.authority(2), key(p.t)
	ext := []pkix.Extension{{Id: keyDescriptionOID(), Value: p.description()}}
	if p.above {
		between.ExtraExtensions = ext
	}
	mid := p.sign(between, &betweenKey.PublicKey, p.root, p.rootKey)
	leaf := p.sign(&x509.Certificate{
		SerialNumber: big.NewInt(3), Subject: pkix.Name{CommonName: "Android Keystore Key"}, NotBefore: time.Unix(0, 0), NotAfter: time.Unix(2_600_000_000, 0),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtraExtensions: ext,
	}, &p.key.PublicKey, mid, betweenKey)
	return append(append(append([]byte{}, leaf.Raw...), mid.Raw...), p.root.Raw...)
}

func TestAndroid(t *testing.T) {
	digest := sha256.Sum256([]byte("signer"))
	for _, c := range []struct {
		name  string
		phone func(*phone)
		asked func(*Asked)
		want  ota.Assurance
		code  string
	}{
		{"secure hardware", nil, nil, ota.AssuranceTEE, ""},
		{"strongbox", func(p *phone) { p.level = levelStrongBox }, nil, ota.AssuranceStrongBox, ""},
		{"in software", func(p *phone) { p.level = 0 }, nil, ota.AssuranceSoftware, ""},
		{"a level that does not exist", func(p *phone) { p.level = 9 }, nil, ota.AssuranceSoftware, ""},
		{"open boot loader", func(p *phone) { p.locked = false }, nil, ota.AssuranceSoftware, ""},
		{"another system", func(p *phone) { p.state = 2 }, nil, ota.AssuranceSoftware, ""},
		{"imported key", func(p *phone) { p.origin = 2 }, nil, ota.AssuranceSoftware, ""},
		{"key also decrypts", func(p *phone) { p.purpose = []int{1, 2} }, nil, ota.AssuranceSoftware, ""},
		{"another app", func(p *phone) { p.pkg = "com.evil.app" }, nil, ota.AssuranceSoftware, ""},
		{"signed by others", nil, func(a *Asked) { a.AndroidDigests = []string{hex.EncodeToString(make([]byte, 32))} }, ota.AssuranceSoftware, ""},
		{"no root is trusted", nil, func(a *Asked) { a.Roots = nil }, ota.AssuranceSoftware, ""},
		{"another root is trusted", nil, func(a *Asked) { a.Roots = []*x509.Certificate{newPhone(t).root} }, ota.AssuranceSoftware, ""},
		{"for another request", nil, func(a *Asked) { a.Nonce = "other" }, "", CodeChallenge},
		{"for another device", nil, func(a *Asked) { a.Device = "other" }, "", CodeChallenge},
		{"another key", nil, func(a *Asked) { a.Key = &key(t).PublicKey }, "", CodeKey},
		{"a certificate above describes a key", func(p *phone) { p.above = true }, nil, "", CodeInvalid},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := newPhone(t)
			in := Asked{
				App: "com.example.shop", Device: "device", Nonce: "nonce", Key: &p.key.PublicKey, Roots: []*x509.Certificate{p.root},
				AndroidPackage: "com.example.shop", AndroidDigests: []string{hex.EncodeToString(digest[:])},
			}
			if c.phone != nil {
				c.phone(p)
			}
			if c.asked != nil {
				c.asked(&in)
			}
			got, err := Read(Android, p.statement(), in)
			if (err != nil) != (c.code != "") || err != nil && ota.CodeOf(err) != c.code || got.Level != c.want {
				t.Errorf("level %q (%v), %v; want %q, code %q", got.Level, got.Notes, err, c.want, c.code)
			}
		})
	}
}
