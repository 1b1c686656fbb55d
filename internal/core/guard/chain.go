package guard

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// Chain is the running digest over the inputs of a watch: each link covers the
// one before, so a digest stands for every input up to it, and none of them can
// be changed, left out or added without another digest. It begins with what is
// watched, so that the history of one rollout is not taken for another's.
type Chain [sha256.Size]byte

// NewChain returns the digest before the first input.
func NewChain(app, rollout, channel, version string) Chain {
	h := sha256.New()
	for _, part := range []string{"waxwing guard inputs, 1", app, rollout, channel, version} {
		var n [8]byte
		binary.BigEndian.PutUint64(n[:], uint64(len(part)))
		h.Write(n[:])
		h.Write([]byte(part))
	}
	return Chain(h.Sum(nil))
}

// Next adds an input as it is stored.
func (c Chain) Next(seq int64, input string) Chain {
	h := sha256.New()
	h.Write(c[:])
	var n [16]byte
	binary.BigEndian.PutUint64(n[:8], uint64(seq))
	binary.BigEndian.PutUint64(n[8:], uint64(len(input)))
	h.Write(n[:])
	h.Write([]byte(input))
	return Chain(h.Sum(nil))
}

// String is the digest in hexadecimal.
func (c Chain) String() string { return hex.EncodeToString(c[:]) }

// ParseChain reads what String wrote.
func ParseChain(s string) (c Chain, ok bool) {
	raw, err := hex.DecodeString(s)
	if err != nil || len(raw) != len(c) {
		return c, false
	}
	return Chain(raw), true
}

// Sealed is the result with the digest in its decisions.
func (r Result) Sealed(c Chain) Result {
	for i := range r.Decisions {
		r.Decisions[i].Digest = c.String()
	}
	return r
}

// compareHead compares the end of a history with what the store says of it.
func compareHead(head ota.GuardHead, last int64, c Chain) []Difference {
	switch {
	case head.Digest == "":
		return []Difference{{0, "digest of all inputs", "none", c.String()}}
	case head.Inputs != last:
		return []Difference{{0, "number of inputs", number(head.Inputs), number(last)}}
	case head.Digest != c.String():
		return []Difference{{0, "digest of all inputs", head.Digest, c.String()}}
	}
	return nil
}
