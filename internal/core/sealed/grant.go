package sealed

import "github.com/waxwing-ota/waxwing/internal/core/canon"

// GrantRequest asks for the key of a manifest's blobs. It is signed by the
// certified key.
type GrantRequest struct {
	Type        string       `json:"_type"`
	V           int64        `json:"v"` // 1
	App         string       `json:"app"`
	Manifest    string       `json:"manifest"`    // SHA-256
	Certificate canon.Base64 `json:"certificate"` // its envelope
	Nonce       canon.Hex    `json:"nonce"`       // 16 random bytes
	At          canon.Time   `json:"at"`
	Sig         canon.Hex    `json:"sig"`
}

// Kind is the document's _type.
func (*GrantRequest) Kind() string { return "grant_request" }

// Cap is MaxGrantRequest.
func (*GrantRequest) Cap() int { return MaxGrantRequest }

func (g *GrantRequest) typ() *string          { return &g.Type }
func (g *GrantRequest) signature() *canon.Hex { return &g.Sig }

// Check says whether it is a request for a grant and every field has a meaning.
func (g *GrantRequest) Check() error {
	r := rulesOf(g)
	r.uint("v", g.V, 1, 1)
	r.app("app", g.App)
	r.hash("manifest", g.Manifest)
	r.bytes("certificate", g.Certificate, 1, MaxCertificate)
	r.bytes("nonce", g.Nonce, 16, 16)
	r.time("at", g.At)
	r.sig(g.Sig)
	return r.err
}

// Grant is a content key, encrypted to one device. It is signed by the authority
// that decided: the server's, or a broker of the customer.
type Grant struct {
	Type       string     `json:"_type"`
	App        string     `json:"app"`
	Manifest   string     `json:"manifest"` // SHA-256
	KeyEpoch   int64      `json:"key_epoch"`
	Thumbprint string     `json:"thumbprint"` // of the device's certificate
	NotAfter   canon.Time `json:"not_after"`  // at most 24 hours after the request
	Enc        canon.Hex  `json:"enc"`        // HPKE encapsulated key, 65 bytes
	CT         canon.Hex  `json:"ct"`         // HPKE ciphertext of the 32-byte key, 48 bytes
	Issuer     string     `json:"issuer"`     // key id
	Sig        canon.Hex  `json:"sig"`
}

// Kind is the document's _type.
func (*Grant) Kind() string { return "grant" }

// Cap is MaxGrant.
func (*Grant) Cap() int { return MaxGrant }

func (g *Grant) typ() *string          { return &g.Type }
func (g *Grant) signature() *canon.Hex { return &g.Sig }

// Check says whether it is a grant and every field has a meaning.
func (g *Grant) Check() error {
	r := rulesOf(g)
	r.app("app", g.App)
	r.hash("manifest", g.Manifest)
	r.uint("key_epoch", g.KeyEpoch, 1, MaxEpoch)
	r.hash("thumbprint", g.Thumbprint)
	r.time("not_after", g.NotAfter)
	r.point("enc", g.Enc)
	r.bytes("ct", g.CT, 48, 48)
	r.hash("issuer", g.Issuer)
	r.sig(g.Sig)
	return r.err
}
