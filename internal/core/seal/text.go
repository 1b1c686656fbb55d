package seal

import (
	"encoding/base64"
	"errors"
	"fmt"
)

var errBase64 = errors.New("is not standard base64 with padding")

// unbase64 decodes text that is size bytes in standard, padded base64 without
// line ends. Its errors continue a sentence about the text.
func unbase64(text string, size int) ([]byte, error) {
	if n := base64.StdEncoding.EncodedLen(size); len(text) != n {
		return nil, fmt.Errorf("has %d characters, not %d", len(text), n)
	}
	b, err := base64.StdEncoding.Strict().DecodeString(text)
	if err != nil {
		return nil, errBase64
	}
	// Less padding hides up to two bytes more in the same number of characters,
	// and line ends, which the decoder skips, make for fewer.
	if len(b) != size {
		return nil, fmt.Errorf("holds %d bytes, not %d", len(b), size)
	}
	return b, nil
}
