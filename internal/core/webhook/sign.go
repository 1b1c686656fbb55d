package webhook

import (
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"strconv"
	"strings"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// The headers of a request.
const (
	HeaderID        = "webhook-id"
	HeaderTimestamp = "webhook-timestamp"
	HeaderSignature = "webhook-signature"
)

// The prefixes of keys, as the specification has them.
const (
	PrefixSecret  = "whsec_" // #nosec G101 -- a prefix
	PrefixPrivate = "whsk_"
	PrefixPublic  = "whpk_"
)

// The bounds of a shared secret, in bytes.
const (
	minSecret = 24
	maxSecret = 64
)

// SecretLen is how long secrets that the server makes are, in bytes.
const SecretLen = 32

// Tolerance is how far the clocks of sender and receiver may be apart.
const Tolerance = 5 * time.Minute

// Key signs or verifies: a shared secret, a private key or a public key.
type Key struct {
	shared  []byte
	private ed25519.PrivateKey
	public  ed25519.PublicKey
}

// NewKey makes a key of SecretLen random bytes.
func NewKey(how ota.WebhookSigning, random [SecretLen]byte) Key {
	if how == ota.SignEd25519 {
		private := ed25519.NewKeyFromSeed(random[:])
		return Key{private: private, public: private.Public().(ed25519.PublicKey)}
	}
	return Key{shared: random[:]}
}

// ParseKey reads whsec_, whsk_ or whpk_ and base64. A secret without a prefix is a
// shared one, as the specification allows.
func ParseKey(s string) (Key, error) {
	prefix, rest := PrefixSecret, s
	for _, p := range []string{PrefixSecret, PrefixPrivate, PrefixPublic} {
		if after, ok := strings.CutPrefix(s, p); ok {
			prefix, rest = p, after
			break
		}
	}
	b, err := base64.StdEncoding.Strict().DecodeString(rest)
	if err != nil || strings.ContainsAny(rest, "\r\n") {
		return Key{}, badKey("it is not base64")
	}
	switch {
	case prefix == PrefixPublic && len(b) == ed25519.PublicKeySize:
		return Key{public: b}, nil
	case prefix == PrefixPrivate && (len(b) == ed25519.SeedSize || len(b) == ed25519.PrivateKeySize):
		private := ed25519.NewKeyFromSeed(b[:ed25519.SeedSize])
		if len(b) == ed25519.PrivateKeySize && !private.Equal(ed25519.PrivateKey(b)) {
			return Key{}, badKey("its halves do not belong together")
		}
		return Key{private: private, public: private.Public().(ed25519.PublicKey)}, nil
	case prefix == PrefixSecret && len(b) >= minSecret && len(b) <= maxSecret:
		return Key{shared: b}, nil
	}
	return Key{}, badKey("it has %d bytes", len(b))
}

func badKey(why string, a ...any) error {
	return ota.Invalid("webhook_secret_invalid", "this is not the secret of a webhook: "+why, a...).WithField("secret").
		WithHint("a secret is whsec_ and base64 of 24 to 64 bytes, a public key whpk_ and base64 of 32")
}

// Encoded is the form that people see: of a private key too, so take care.
func (k Key) Encoded() string {
	switch {
	case k.private != nil:
		return PrefixPrivate + base64.StdEncoding.EncodeToString(k.private)
	case k.public != nil:
		return PrefixPublic + base64.StdEncoding.EncodeToString(k.public)
	}
	return PrefixSecret + base64.StdEncoding.EncodeToString(k.shared)
}

// Public is the receivers' half of an Ed25519 key, "" of a shared secret.
func (k Key) Public() string {
	if k.public == nil {
		return ""
	}
	return PrefixPublic + base64.StdEncoding.EncodeToString(k.public)
}

// Sign returns the value of HeaderSignature: one signature for each key. A key
// that cannot sign adds none.
func Sign(id string, at time.Time, body []byte, keys ...Key) string {
	var out []string
	text := signed(id, strconv.FormatInt(at.Unix(), 10), body)
	for _, k := range keys {
		switch {
		case k.private != nil:
			out = append(out, "v1a,"+base64.StdEncoding.EncodeToString(ed25519.Sign(k.private, text)))
		case k.shared != nil:
			out = append(out, "v1,"+base64.StdEncoding.EncodeToString(k.mac(text)))
		}
	}
	return strings.Join(out, " ")
}

// Signed is a request as its receiver sees it.
type Signed struct {
	ID        string // of HeaderID
	Timestamp string // of HeaderTimestamp
	Signature string // of HeaderSignature
	Body      []byte
}

// maxSignature bounds the signature header that is looked at.
const maxSignature = 8 << 10

// Verify says why a request is not to be believed at the time now, or nil.
func Verify(r Signed, now time.Time, k Key) error {
	if r.ID == "" || r.Timestamp == "" || r.Signature == "" || strings.Contains(r.ID, ".") {
		return unverified("one of the headers %s, %s and %s is missing or malformed", HeaderID, HeaderTimestamp, HeaderSignature)
	}
	sec, err := strconv.ParseInt(r.Timestamp, 10, 64)
	if err != nil || strconv.FormatInt(sec, 10) != r.Timestamp || sec < 0 || sec > 1<<40 {
		return unverified("%s is not a time in seconds", HeaderTimestamp)
	}
	if off := now.Sub(time.Unix(sec, 0)); off > Tolerance || off < -Tolerance {
		return unverified("it was signed too long ago or in the future, or a clock is wrong")
	}
	if len(r.Signature) > maxSignature {
		return unverified("%s is too long", HeaderSignature)
	}
	text := signed(r.ID, r.Timestamp, r.Body)
	for one := range strings.SplitSeq(r.Signature, " ") {
		version, value, _ := strings.Cut(one, ",")
		sig, err := base64.StdEncoding.Strict().DecodeString(value)
		if err != nil || strings.ContainsAny(value, "\r\n") { // the decoder skips line breaks
			continue
		}
		if version == "v1" && k.shared != nil && hmac.Equal(sig, k.mac(text)) ||
			version == "v1a" && k.public != nil && len(sig) == ed25519.SignatureSize && ed25519.Verify(k.public, text, sig) {
			return nil
		}
	}
	return unverified("no signature is by this secret over this body")
}

func unverified(why string, a ...any) error {
	return ota.Invalid("webhook_unverified", "the request is not to be trusted: "+why, a...)
}

func (k Key) mac(text []byte) []byte {
	h := hmac.New(sha256.New, k.shared)
	h.Write(text)
	return h.Sum(nil)
}

func signed(id, timestamp string, body []byte) []byte {
	b := make([]byte, 0, len(id)+len(timestamp)+len(body)+2)
	b = append(append(b, id...), '.')
	b = append(append(b, timestamp...), '.')
	return append(b, body...)
}

// TimeOf is when a request says it was signed; the zero time if it does not.
func TimeOf(r Signed) time.Time {
	sec, err := strconv.ParseInt(r.Timestamp, 10, 64)
	if err != nil {
		return time.Time{}
	}
	return time.Unix(sec, 0)
}
