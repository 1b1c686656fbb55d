// Package provenance says where a bundle came from: an in-toto Statement (v1)
// with a SLSA provenance predicate (v1), in a DSSE envelope that the publisher's
// signing keys sign. It is pure.
//
// It must never take a key id for proof of anything: it only says which key to
// try. It must never read a statement whose signature did not verify as if it
// were signed.
package provenance

import (
	"encoding/base64"
	"encoding/json"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/seal"
)

// PayloadType is the DSSE type of in-toto statements.
const PayloadType = "application/vnd.in-toto+json"

// The bounds of an envelope.
const (
	MaxEnvelope   = 1 << 20
	maxSignatures = 16
)

// Envelope is a DSSE envelope.
type Envelope struct {
	Payload     string      `json:"payload"` // base64
	PayloadType string      `json:"payloadType"`
	Signatures  []Signature `json:"signatures"` // empty = nobody signed
}

// Signature is one of an envelope.
type Signature struct {
	KeyID string `json:"keyid"`
	Sig   string `json:"sig"` // base64
}

// PAE is DSSE's pre-authentication encoding: the bytes that are signed.
func PAE(payloadType string, payload []byte) []byte {
	b := make([]byte, 0, len(payloadType)+len(payload)+32)
	b = append(b, "DSSEv1 "...)
	b = strconv.AppendInt(b, int64(len(payloadType)), 10)
	b = append(append(append(b, ' '), payloadType...), ' ')
	b = strconv.AppendInt(b, int64(len(payload)), 10)
	return append(append(b, ' '), payload...)
}

// Sign puts a statement in an envelope, signed with every key; without a key it
// is unsigned.
func Sign(random io.Reader, s Statement, keys []*seal.PrivateKey) ([]byte, error) {
	payload, err := json.Marshal(s)
	if err != nil {
		return nil, ota.Errorf(ota.KindInternal, "provenance_not_written", "the statement could not be written").WithCause(err)
	}
	e := Envelope{Payload: base64.StdEncoding.EncodeToString(payload), PayloadType: PayloadType, Signatures: []Signature{}}
	for _, k := range keys {
		sig, err := k.SignMessage(random, PAE(PayloadType, payload))
		if err != nil {
			return nil, err
		}
		e.Signatures = append(e.Signatures, Signature{k.Public().ID(), base64.StdEncoding.EncodeToString(sig)})
	}
	return json.Marshal(e)
}

func invalid(format string, a ...any) *ota.Error {
	return ota.Invalid("provenance_invalid", format, a...).WithHint("publish the version again from its sources, under a new number")
}

// Verified is an envelope that was read.
type Verified struct {
	Statement Statement
	SignedBy  []string // ids of the given keys whose signatures are right; empty = unsigned
}

// Open reads an envelope. A signature that names one of the keys and is not
// right is an error; one by a key that is not given counts for nothing. An
// envelope that has signatures of which none is by a given key is an error too:
// it is somebody else's.
func Open(data []byte, keys []*seal.PublicKey) (Verified, error) {
	var v Verified
	if len(data) > MaxEnvelope {
		return v, ota.Errorf(ota.KindTooLarge, "provenance_too_large", "an envelope has at most %d bytes, this one has %d", MaxEnvelope, len(data)).WithHint("is this the right file?")
	}
	var e Envelope
	if err := json.Unmarshal(data, &e); err != nil {
		return v, invalid("the envelope is not valid JSON: %s", err)
	}
	if e.PayloadType != PayloadType {
		return v, invalid("the envelope holds %.80q, not %s", e.PayloadType, PayloadType)
	}
	if len(e.Signatures) > maxSignatures {
		return v, invalid("the envelope has %d signatures, at most %d are read", len(e.Signatures), maxSignatures)
	}
	payload, err := unbase64(e.Payload)
	if err != nil {
		return v, invalid("the payload is no base64")
	}
	signed := PAE(e.PayloadType, payload)
	for _, s := range e.Signatures {
		sig, err := unbase64(s.Sig)
		if err != nil {
			return v, invalid("a signature is no base64")
		}
		for _, k := range keys {
			right := k.VerifyMessage(signed, sig)
			if s.KeyID == k.ID() && !right {
				return v, invalid("the signature of key %s is not right: the statement was changed, or another key made it", k.ID())
			}
			if right && !slices.Contains(v.SignedBy, k.ID()) {
				v.SignedBy = append(v.SignedBy, k.ID())
			}
		}
	}
	if len(e.Signatures) > 0 && len(v.SignedBy) == 0 {
		return v, invalid("the statement is signed, and by none of the app's keys")
	}
	v.Statement, err = parseStatement(payload)
	return v, err
}

// unbase64 takes both alphabets, as DSSE asks verifiers to.
func unbase64(s string) ([]byte, error) {
	if strings.ContainsAny(s, "\r\n") {
		return nil, base64.CorruptInputError(0)
	}
	if b, err := base64.StdEncoding.DecodeString(s); err == nil {
		return b, nil
	}
	return base64.URLEncoding.DecodeString(s)
}
