package seal

import (
	"fmt"
	"io"
	"log/slog"
)

const redacted = "[redacted]"

// hidden is embedded in what must not be printed. Its methods have value
// receivers, so that a copy is as silent as a pointer.
type hidden struct{}

// String returns "[redacted]".
func (hidden) String() string { return redacted }

// Format writes "[redacted]" for every verb.
func (hidden) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// LogValue logs as "[redacted]".
func (hidden) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText marshals as "[redacted]", in JSON too.
func (hidden) MarshalText() ([]byte, error) { return []byte(redacted), nil }
