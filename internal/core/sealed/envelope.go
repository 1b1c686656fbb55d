package sealed

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/waxwing-ota/waxwing/internal/core/canon"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/p256"
)

// maxDER is how many bytes an ECDSA P-256 signature has at most in DER.
const maxDER = 72

// Signature is one signature of an envelope.
type Signature struct {
	KeyID string    `json:"keyid"` // p256.Key.ID of who signed
	Sig   canon.Hex `json:"sig"`   // DER
}

// Envelope is a signed document on the wire. The signatures are over the bytes
// of signed as they travel.
type Envelope struct {
	Signatures []Signature `json:"signatures"`
	Signed     canon.Raw   `json:"signed"`
}

// Open reads an envelope of at most limit bytes whose signed part has the _type
// typ, and demands valid signatures of at least threshold of the keys, which are
// by their ids. Signatures of other keys do not count and do not harm. into is
// set only if everything holds.
func Open[T any](b []byte, limit int, keys map[string]p256.Key, threshold int, typ string, into *T) error {
	e, err := parseEnvelope(b, limit, typ)
	if err != nil {
		return err
	}
	if err := e.demand(keys, threshold, typ); err != nil {
		return err
	}
	// Sorted by bytes, _type is before every other name of ours.
	if want := `{"_type":"` + typ + `"`; !bytes.HasPrefix(e.Signed, []byte(want)) {
		return ota.Invalid(CodeType, "what is signed is not a %s", typ).WithField("_type").
			WithHint("documents of one kind are never taken for another; ask the server anew")
	}
	if err := canon.Decode(e.Signed, limit, into); err != nil {
		return fmt.Errorf("read the %s: %w", typ, err)
	}
	return nil
}

// Peek reads what an envelope says without looking at its signatures. Nothing
// may be done on its word but to find the key that verifies it.
func Peek[T any](b []byte, limit int, typ string, into *T) error {
	e, err := parseEnvelope(b, limit, typ)
	if err != nil {
		return err
	}
	if err := canon.Decode(e.Signed, limit, into); err != nil {
		return fmt.Errorf("read the %s: %w", typ, err)
	}
	return nil
}

func parseEnvelope(b []byte, limit int, typ string) (*Envelope, error) {
	var e Envelope
	if err := canon.Decode(b, limit, &e); err != nil {
		return nil, fmt.Errorf("read the envelope of the %s: %w", typ, err)
	}
	return &e, e.check()
}

// check wants distinct signatures in the order of their key ids, so that one set
// of signatures has one envelope.
func (e *Envelope) check() error {
	if n := len(e.Signatures); n == 0 || n > MaxSignatures {
		return ota.Invalid(CodeEnvelope, "an envelope has 1 to %d signatures, not %d", MaxSignatures, n).WithField("signatures")
	}
	for i, s := range e.Signatures {
		field := fmt.Sprintf("signatures[%d]", i)
		if len(s.KeyID) != 64 || !isHex(s.KeyID) || len(s.Sig) == 0 || len(s.Sig) > maxDER {
			return ota.Invalid(CodeEnvelope, "%s is no signature: it needs a key id of 64 hex digits and DER of at most %d bytes", field, maxDER).WithField(field)
		}
		if i > 0 && e.Signatures[i-1].KeyID >= s.KeyID {
			return ota.Invalid(CodeEnvelope, "%s is a second one of its key, or not in the order of key ids", field).WithField(field)
		}
	}
	return nil
}

// demand counts each key once, and only under its own id.
func (e *Envelope) demand(keys map[string]p256.Key, threshold int, typ string) error {
	good := 0
	for _, s := range e.Signatures {
		key, ok := keys[s.KeyID]
		if ok && key.ID() == s.KeyID && p256.Verify(key, e.Signed, s.Sig) {
			good++
		}
	}
	if threshold < 1 || good < threshold {
		return ota.Invalid(CodeSignature, "the %s has %d valid signatures of trusted keys and needs %d", typ, good, max(threshold, 1)).
			WithField("signatures").
			WithHint("it must be signed by the keys that the trust of this app names")
	}
	return nil
}

// Make signs a document and writes its envelope.
func Make(ctx context.Context, signed any, signers ...p256.Signer) ([]byte, error) {
	var e Envelope
	var err error
	if doc, ok := signed.(Document); ok {
		e.Signed, err = Encode(doc)
	} else {
		e.Signed, err = canon.Encode(signed)
	}
	if err != nil {
		return nil, fmt.Errorf("write what is to be signed: %w", err)
	}
	for _, s := range signers {
		der, err := p256.Sign(ctx, s, e.Signed)
		if err != nil {
			return nil, fmt.Errorf("sign: %w", err)
		}
		e.Signatures = append(e.Signatures, Signature{KeyID: s.Public().ID(), Sig: der})
	}
	slices.SortFunc(e.Signatures, func(a, b Signature) int { return strings.Compare(a.KeyID, b.KeyID) })
	if err := e.check(); err != nil {
		return nil, err
	}
	b, err := canon.Encode(e)
	if err != nil {
		return nil, fmt.Errorf("write the envelope: %w", err)
	}
	return b, nil
}

// KeySet returns the keys by their ids.
func KeySet(list ...p256.Key) map[string]p256.Key {
	m := make(map[string]p256.Key, len(list))
	for _, k := range list {
		m[k.ID()] = k
	}
	return m
}
