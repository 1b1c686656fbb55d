package canon

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// Raw is a part of a document in canonical form, read and written as it is. What
// [Decode] fills it with is exactly the bytes of the document, so a signature
// over a part can be checked over what arrived.
type Raw []byte

// Hex is bytes that are written as lower-case hex.
type Hex []byte

// MarshalText writes lower-case hex.
func (h Hex) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, h), nil }

// UnmarshalText reads lower-case hex, nothing else.
func (h *Hex) UnmarshalText(b []byte) error {
	out := make([]byte, hex.DecodedLen(len(b)))
	if _, err := hex.Decode(out, b); err != nil || hex.EncodeToString(out) != string(b) {
		return ota.Invalid(CodeString, "not lower-case hex")
	}
	*h = out
	return nil
}

// Base64 is bytes that are written in standard base64 with padding (RFC 4648 §4).
type Base64 []byte

// MarshalText writes standard base64.
func (x Base64) MarshalText() ([]byte, error) { return base64.StdEncoding.AppendEncode(nil, x), nil }

// UnmarshalText reads standard base64 with its padding and without line breaks.
func (x *Base64) UnmarshalText(b []byte) error {
	out, err := base64.StdEncoding.Strict().DecodeString(string(b))
	if err != nil || base64.StdEncoding.EncodedLen(len(out)) != len(b) {
		return ota.Invalid(CodeString, "not standard base64 with padding")
	}
	*x = out
	return nil
}

const timeForm = "2006-01-02T15:04:05Z"

// Time is a time in whole seconds, written in RFC 3339 as UTC with a Z, from the
// year 1970 to 9999. The zero Time cannot be written.
type Time struct{ time.Time }

// At is t as a document says it: in UTC, whole seconds.
func At(t time.Time) Time { return Time{t.UTC().Truncate(time.Second)} }

// MarshalText writes 2006-01-02T15:04:05Z.
func (t Time) MarshalText() ([]byte, error) {
	u := t.UTC()
	if y := u.Year(); y < 1970 || y > 9999 || u.Nanosecond() != 0 {
		return nil, fmt.Errorf("the time %v is no whole second between 1970 and 9999", u)
	}
	return u.AppendFormat(nil, timeForm), nil
}

// UnmarshalText reads what MarshalText writes.
func (t *Time) UnmarshalText(b []byte) error {
	v, err := time.Parse(timeForm, string(b))
	if err != nil || v.Year() < 1970 || v.Format(timeForm) != string(b) {
		return ota.Invalid(CodeString, "not a time such as 2026-11-24T19:00:00Z")
	}
	t.Time = v
	return nil
}
