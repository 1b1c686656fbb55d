// Package secret holds values that must not be printed. A [Text] shows as
// "[redacted]" wherever it is formatted, logged or encoded, and is compared in
// constant time.
//
// It must never offer a way to read a value by accident: [Text.Reveal] is the
// only door, so that every use can be found by name.
package secret

import (
	"crypto/subtle"
	"fmt"
	"io"
	"log/slog"
)

const redacted = "[redacted]"

// Text is a string that does not print. The zero Text is "none". It holds a
// pointer because fmt cannot call methods on unexported fields: a Text in one
// then shows as an address.
type Text struct{ v *string }

// New wraps s.
func New(s string) Text {
	if s == "" {
		return Text{}
	}
	return Text{v: &s}
}

// Reveal returns the string itself. Call it only where the value is used.
func (t Text) Reveal() string {
	if t.v == nil {
		return ""
	}
	return *t.v
}

// IsZero reports whether t is "none".
func (t Text) IsZero() bool { return t.v == nil }

// Equal compares in time that depends only on the lengths.
func (t Text) Equal(o Text) bool {
	return subtle.ConstantTimeCompare([]byte(t.Reveal()), []byte(o.Reveal())) == 1
}

// String returns "[redacted]".
func (t Text) String() string { return redacted }

// Format writes "[redacted]" for every verb, %#v and %x included.
func (t Text) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// LogValue returns "[redacted]".
func (t Text) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText writes "[redacted]", for JSON and every other encoder.
func (t Text) MarshalText() ([]byte, error) { return []byte(redacted), nil }
