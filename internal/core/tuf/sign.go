package tuf

import (
	"context"
	"encoding/hex"
	"slices"
	"strings"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/canon"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/p256"
)

// Signable is a document that can be signed.
type Signable interface {
	Root | Timestamp | Snapshot | Targets
	Check() error
	head() (kind string, version uint32, expires time.Time)
}

// Sign writes a document with the signatures of the signers; with none it is a
// draft for [AddSignature].
func Sign[T Signable](ctx context.Context, doc T, signers ...p256.Signer) ([]byte, error) {
	if err := doc.Check(); err != nil {
		return nil, err
	}
	draft, err := seal(doc, []Signature{}, MaxDocument)
	for _, s := range signers {
		if err != nil {
			return nil, err
		}
		draft, err = AddSignature(ctx, draft, s)
	}
	return draft, err
}

// Info is what a document says of itself. Nothing of it is verified but the form.
type Info struct {
	Type       string // RoleRoot, RoleTimestamp, RoleSnapshot or RoleTargets
	Version    uint32
	Expires    time.Time
	Message    []byte // what signatures are over
	Digest     string // SHA-256 of Message in hex: what signers compare
	Signatures []Signature
}

// Inspect reads a document or a draft of any type.
func Inspect(b []byte) (Info, error) {
	var e struct {
		Signatures canon.Raw `json:"signatures"`
		Signed     canon.Raw `json:"signed"`
	}
	if err := canon.Decode(b, MaxDocument, &e); err != nil {
		return Info{}, err
	}
	// In canonical form _type comes first.
	signed, _ := strings.CutPrefix(string(e.Signed), `{"_type":"`)
	kind, _, _ := strings.Cut(signed, `"`)
	switch kind {
	case RoleRoot:
		return inspect[Root](b, MaxRoot)
	case RoleTimestamp:
		return inspect[Timestamp](b, MaxTimestamp)
	case RoleSnapshot:
		return inspect[Snapshot](b, MaxDocument)
	case RoleTargets:
		return inspect[Targets](b, MaxDocument)
	default:
		return Info{}, refuse("_type", "the document is a %.20q, which is none of root, timestamp, snapshot and targets", kind)
	}
}

func inspect[T Signable](b []byte, max int) (Info, error) {
	var doc T
	d, sigs, err := open(b, max, 0, &doc)
	if err != nil {
		return Info{}, err
	}
	i := Info{Message: d.message, Digest: sha256Hex(d.message), Signatures: sigs}
	i.Type, i.Version, i.Expires = doc.head()
	return i, nil
}

// AddSignature has a signer sign a document or draft. Signers sign one after the
// other, in any order; signing again replaces the signature.
func AddSignature(ctx context.Context, draft []byte, s p256.Signer) ([]byte, error) {
	i, err := Inspect(draft)
	if err != nil {
		return nil, err
	}
	der, err := p256.Sign(ctx, s, i.Message)
	if err != nil {
		return nil, err
	}
	return AttachSignature(draft, s.Public(), der)
}

// AttachSignature adds a signature that was made elsewhere over Info.Message, and
// refuses one that is not by the key.
func AttachSignature(draft []byte, key p256.Key, der []byte) ([]byte, error) {
	i, err := Inspect(draft)
	if err != nil {
		return nil, err
	}
	if !p256.Verify(key, i.Message, der) {
		return nil, ota.Invalid(CodeDraft, "the signature is not one by the key %s over this document", key.ID()).
			WithHint("sign this very draft: its digest is %s", i.Digest)
	}
	id := key.ID()
	sigs := slices.DeleteFunc(i.Signatures, func(s Signature) bool { return s.KeyID == id })
	sigs = append(sigs, Signature{KeyID: id, Sig: hex.EncodeToString(der)})
	if len(sigs) > MaxSignatures {
		return nil, ota.Invalid(CodeDraft, "a document has at most %d signatures", MaxSignatures)
	}
	slices.SortFunc(sigs, func(a, b Signature) int { return strings.Compare(a.KeyID, b.KeyID) })
	var e envelope
	if err := canon.Decode(draft, MaxDocument, &e); err != nil {
		return nil, err
	}
	e.Signatures = sigs
	return canon.Encode(e)
}

// Progress is how far a draft is with one role that must sign it.
type Progress struct {
	Role      string
	Threshold int
	Signed    []string // key ids with a valid signature
	Open      []string // key ids without one
}

// Met says whether enough have signed.
func (p Progress) Met() bool { return len(p.Signed) >= p.Threshold }

// Progress says which of the keys have signed a draft.
func (k Keys) Progress(role string, draft []byte) (Progress, error) {
	i, err := Inspect(draft)
	if err != nil {
		return Progress{}, err
	}
	p := Progress{Role: role, Threshold: k.Threshold}
	for _, key := range k.Keys {
		id := key.ID()
		if slices.ContainsFunc(i.Signatures, func(s Signature) bool {
			return s.KeyID == id && p256.VerifyHex(key, i.Message, s.Sig)
		}) {
			p.Signed = append(p.Signed, id)
		} else {
			p.Open = append(p.Open, id)
		}
	}
	return p, nil
}
