package sealed

import (
	"fmt"

	"github.com/waxwing-ota/waxwing/internal/core/canon"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// Document is a document of the wire. Its kinds are the types of this package.
type Document interface {
	// Kind is what its _type says.
	Kind() string
	// Cap is how many bytes its encoding may have.
	Cap() int
	// Check says whether it is of its kind and every field has a meaning.
	Check() error

	typ() *string
}

// Parse reads a document that is no envelope. Only the bytes that Encode would
// write are accepted.
func Parse[T any, D interface {
	*T
	Document
}](b []byte,
) (*T, error) {
	doc := D(new(T))
	if err := canon.Decode(b, doc.Cap(), doc); err != nil { // asks Check, too
		return nil, fmt.Errorf("read the %s: %w", doc.Kind(), err)
	}
	return (*T)(doc), nil
}

// Encode checks a document and writes it. It sets an empty _type.
func Encode(doc Document) ([]byte, error) {
	if t := doc.typ(); *t == "" {
		*t = doc.Kind()
	}
	if err := doc.Check(); err != nil {
		return nil, err
	}
	b, err := canon.Encode(doc)
	if err != nil {
		return nil, fmt.Errorf("write the %s: %w", doc.Kind(), err)
	}
	if len(b) > doc.Cap() {
		return nil, ota.Errorf(ota.KindTooLarge, CodeTooLarge, "the %s has %d bytes, and nobody reads more than %d", doc.Kind(), len(b), doc.Cap()).
			WithHint("publish fewer files in one bundle")
	}
	return b, nil
}
