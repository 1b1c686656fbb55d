package token

import (
	"encoding/base64"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// maxIDToken bounds an ID token in bytes; those of GitHub and GitLab have about
// two thousand.
const maxIDToken = 16 << 10

// Algorithms are the signatures that ID tokens may have. All are of public
// keys, so that nothing an issuer publishes can sign.
func Algorithms() []string { return []string{"RS256", "ES256"} }

// jwsHeader is what is looked at of a header. What would bring a key along, or
// change what the rest means, must not be there.
type jwsHeader struct {
	Alg  string         `json:"alg"`
	Kid  string         `json:"kid"`
	Typ  string         `json:"typ"`
	Crit jsontext.Value `json:"crit"`
	B64  jsontext.Value `json:"b64"`
	Zip  jsontext.Value `json:"zip"`
	JWK  jsontext.Value `json:"jwk"`
	JKU  jsontext.Value `json:"jku"`
	X5U  jsontext.Value `json:"x5u"`
	X5C  jsontext.Value `json:"x5c"`
}

// refused is the answer to an ID token that is not known to be anybody's. It
// says nothing about what is wrong; cause is for tests and never shown.
func refused(cause error) error {
	return ota.Errorf(ota.KindUnauthorized, CodeExchangeRefused, "the ID token is not accepted here").
		WithHint("it must come from an issuer that a trusted publisher names; see: waxwing trusted-publishers list").WithCause(cause)
}

// claimedIssuer reads who an ID token says it is from. Nothing in it is proven yet.
func claimedIssuer(raw string) (string, error) {
	if len(raw) > maxIDToken {
		return "", ota.Errorf(ota.KindTooLarge, CodeExchangeRefused, "the ID token has more than %d bytes", maxIDToken)
	}
	parts := strings.Split(raw, ".")
	if len(parts) != 3 || parts[2] == "" {
		return "", refused(malformed("not three parts"))
	}
	var h jwsHeader
	if err := decodePart(parts[0], &h); err != nil {
		return "", refused(err)
	}
	switch {
	case !slices.Contains(Algorithms(), h.Alg):
		return "", refused(malformed("algorithm"))
	case h.Kid == "" || len(h.Kid) > 256:
		return "", refused(malformed("no key is named"))
	case h.Typ != "" && !strings.EqualFold(h.Typ, "JWT"):
		return "", refused(malformed("type"))
	case h.Crit != nil || h.B64 != nil || h.Zip != nil || h.JWK != nil || h.JKU != nil || h.X5U != nil || h.X5C != nil:
		return "", refused(malformed("header"))
	}
	var c struct {
		Iss string `json:"iss"`
	}
	if err := decodePart(parts[1], &c); err != nil {
		return "", refused(err)
	}
	if c.Iss == "" || len(c.Iss) > maxIssuer {
		return "", refused(malformed("no issuer"))
	}
	return c.Iss, nil
}

func malformed(what string) error { return ota.Invalid("jws_malformed", "%s", what) }

// decodePart reads one part of a compact JWS. A repeated name is an error: two
// readers could take it for two things.
func decodePart(part string, v any) error {
	b, err := base64.RawURLEncoding.Strict().DecodeString(part)
	if err != nil {
		return malformed("base64")
	}
	return json.Unmarshal(b, v)
}
