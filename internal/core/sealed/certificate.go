package sealed

import (
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/canon"
	"github.com/waxwing-ota/waxwing/internal/core/p256"
)

// EnrolRequest asks for a certificate. It is signed by the key to be certified.
type EnrolRequest struct {
	Type        string      `json:"_type"`
	V           int64       `json:"v"` // 1
	App         string      `json:"app"`
	Device      string      `json:"device"`
	Nonce       canon.Hex   `json:"nonce"` // 16 random bytes
	Platform    string      `json:"platform"`
	SignKey     p256.Key    `json:"sign_key"`
	AgreeKey    canon.Hex   `json:"agree_key"` // uncompressed P-256 point
	Assurance   string      `json:"assurance"` // how the device says that it keeps its keys
	Attestation Attestation `json:"attestation"`
	IDToken     string      `json:"id_token"` // of the customer's identity provider; "" = none
	Sig         canon.Hex   `json:"sig"`
}

// Attestation is what the platform says about the keys: a signal, no proof.
type Attestation struct {
	Kind string       `json:"kind"` // "" = none
	Data canon.Base64 `json:"data"`
}

// Kind is the document's _type.
func (*EnrolRequest) Kind() string { return "enrol" }

// Cap is MaxEnrol.
func (*EnrolRequest) Cap() int { return MaxEnrol }

func (e *EnrolRequest) typ() *string          { return &e.Type }
func (e *EnrolRequest) signature() *canon.Hex { return &e.Sig }

// Check says whether it is an enrolment and every field has a meaning.
func (e *EnrolRequest) Check() error {
	r := rulesOf(e)
	r.uint("v", e.V, 1, 1)
	r.app("app", e.App)
	r.uuid("device", e.Device)
	r.bytes("nonce", e.Nonce, 16, 16)
	r.platform("platform", e.Platform)
	r.key("sign_key", e.SignKey)
	r.point("agree_key", e.AgreeKey)
	r.assurance("assurance", e.Assurance)
	r.text("attestation.kind", e.Attestation.Kind, 64)
	r.that((e.Attestation.Kind == "") == (len(e.Attestation.Data) == 0), "attestation", "needs both its fields or none")
	r.bytes("attestation.data", e.Attestation.Data, 0, 32<<10)
	r.text("id_token", e.IDToken, 16<<10)
	r.sig(e.Sig)
	return r.err
}

// Certificate is an authority's word on who holds a device's keys. It travels in
// an envelope.
type Certificate struct {
	Type       string     `json:"_type"`
	App        string     `json:"app"`
	Device     string     `json:"device"`
	Subject    string     `json:"subject"` // whom the identity provider named; "" = nobody
	Groups     []string   `json:"groups"`  // sorted
	SignKey    p256.Key   `json:"sign_key"`
	AgreeKey   canon.Hex  `json:"agree_key"`
	Thumbprint string     `json:"thumbprint"` // SignKey.ID
	Assurance  string     `json:"assurance"`
	Issued     canon.Time `json:"issued"`
	Expires    canon.Time `json:"expires"` // at most 30 days later
	Serial     int64      `json:"serial"`
}

// Kind is the document's _type.
func (*Certificate) Kind() string { return "certificate" }

// Cap is MaxCertificate.
func (*Certificate) Cap() int { return MaxCertificate }

func (c *Certificate) typ() *string { return &c.Type }

// Check says whether it is a certificate and every field has a meaning.
func (c *Certificate) Check() error {
	r := rulesOf(c)
	r.app("app", c.App)
	r.uuid("device", c.Device)
	r.text("subject", c.Subject, 255)
	r.count("groups", len(c.Groups), 0, MaxGroups)
	for i, g := range c.Groups {
		r.name("groups", g, 255)
		r.that(i == 0 || c.Groups[i-1] < g, "groups", "are not sorted or one is there twice")
	}
	r.key("sign_key", c.SignKey)
	r.point("agree_key", c.AgreeKey)
	r.that(c.Thumbprint == c.SignKey.ID(), "thumbprint", "is not the id of sign_key")
	r.assurance("assurance", c.Assurance)
	r.span("expires", c.Issued, c.Expires, MaxCertificateAge*time.Second)
	r.uint("serial", c.Serial, 1, MaxInt)
	return r.err
}
