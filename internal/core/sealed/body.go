package sealed

import (
	"bytes"
	"context"
	"encoding/hex"
	"fmt"

	"github.com/waxwing-ota/waxwing/internal/core/canon"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/p256"
)

// SelfSigned is a document that carries its one signature in its field sig:
// requests of devices, and grants.
type SelfSigned interface {
	Document
	signature() *canon.Hex
}

// Message returns what the sig of a document is over: its encoding without the
// member sig.
func Message(doc SelfSigned) ([]byte, error) {
	b, err := Encode(doc)
	if err != nil {
		return nil, err
	}
	// No text can hold this: a quotation mark in it is escaped. In none of these
	// documents is sig the last member or the name of a deeper one.
	member := []byte(`"sig":"` + hex.EncodeToString(*doc.signature()) + `",`)
	if bytes.Count(b, member) != 1 {
		return nil, ota.Errorf(ota.KindInternal, CodeDocument, "a %s has not one member sig", doc.Kind())
	}
	i := bytes.Index(b, member)
	return append(b[:i:i], b[i+len(member):]...), nil
}

// SignBody sets the sig of a document.
func SignBody(ctx context.Context, doc SelfSigned, signer p256.Signer) error {
	*doc.signature() = nil
	message, err := Message(doc)
	if err != nil {
		return err
	}
	der, err := p256.Sign(ctx, signer, message)
	if err != nil {
		return fmt.Errorf("sign the %s: %w", doc.Kind(), err)
	}
	*doc.signature() = der
	return nil
}

// VerifyBody demands that the sig of a document is that of the key.
func VerifyBody(doc SelfSigned, key p256.Key) error {
	message, err := Message(doc)
	if err != nil {
		return err
	}
	if !p256.Verify(key, message, *doc.signature()) {
		return ota.Invalid(CodeSignature, "the %s is not signed by the key it should be signed by", doc.Kind()).WithField("sig")
	}
	return nil
}
