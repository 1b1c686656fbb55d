package cobblestone

import (
	"bytes"
	"testing"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// TestCounter: the number of a chunk is XORed into the last five bytes of the
// nonce, and ends at 2^38.
func TestCounter(t *testing.T) {
	k, _ := KeyFrom(make([]byte, KeySize))
	s, err := newStream(k, make([]byte, SaltSize), nil)
	if err != nil {
		t.Fatal(err)
	}
	var n nonce
	base := nonce{1, 2, 3, 4, 5, 6, 7, 0xff, 0, 0, 0, 0x0f}
	if got, want := n.of(&base, 0x2100000001), []byte{1, 2, 3, 4, 5, 6, 7, 0xde, 0, 0, 0, 0x0e}; !bytes.Equal(got, want) {
		t.Errorf("%x", got)
	}
	if got, want := n.of(&base, MaxChunks-1), []byte{1, 2, 3, 4, 5, 6, 7, 0xc0, 0xff, 0xff, 0xff, 0xf0}; !bytes.Equal(got, want) {
		t.Errorf("%x", got)
	}
	if _, err := s.seal(nil, &n, MaxChunks-1, nil); err != nil {
		t.Error(err)
	}
	if _, err := s.seal(nil, &n, MaxChunks, nil); ota.CodeOf(err) != CodeTooLong {
		t.Error(err)
	}
	if _, err := s.open(nil, &n, MaxChunks, make([]byte, TagSize)); ota.CodeOf(err) != CodeTooLong {
		t.Error(err)
	}
}
