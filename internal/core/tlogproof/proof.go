package tlogproof

import (
	"encoding/base64"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// Proof is a C2SP tlog-proof.
type Proof struct {
	Extra      []byte // not authenticated by anything; nil = none
	Index      int64  // of the entry
	Hashes     []ota.Digest
	Checkpoint string // signed, verbatim
}

const (
	proofHead = "c2sp.org/tlog-proof@v1\n"

	// MaxProof bounds the text of a proof, in bytes.
	MaxProof = 16 << 10
	// maxHashes is the height of the tallest tree.
	maxHashes = 63
	// maxSize bounds sizes and indexes: every language has the numbers below it.
	maxSize = 1 << 53
)

func proofInvalid(why string) *ota.Error {
	return ota.Invalid("proof_invalid", "this is not a proof of a log: %s", why)
}

// Parse reads a proof in the one form that [Proof.Text] writes. The checkpoint in
// it is not looked at. It fails with proof_invalid.
func Parse(text string) (Proof, error) {
	var p Proof
	if len(text) > MaxProof {
		return p, proofInvalid("it is too long")
	}
	rest, ok := strings.CutPrefix(text, proofHead)
	if !ok {
		return p, proofInvalid("its first line is another")
	}
	line, rest, _ := strings.Cut(rest, "\n")
	if b64, ok := strings.CutPrefix(line, "extra "); ok {
		extra, err := base64.StdEncoding.Strict().DecodeString(b64)
		if err != nil || base64.StdEncoding.EncodeToString(extra) != b64 || len(extra) == 0 {
			return p, proofInvalid("its extra line is no base64")
		}
		p.Extra = extra
		line, rest, _ = strings.Cut(rest, "\n")
	}
	index, ok := strings.CutPrefix(line, "index ")
	n, err := strconv.ParseInt(index, 10, 64)
	if !ok || err != nil || n < 0 || n >= maxSize || strconv.FormatInt(n, 10) != index {
		return p, proofInvalid("its index is no number")
	}
	p.Index = n
	for {
		line, after, found := strings.Cut(rest, "\n")
		if rest = after; !found {
			return p, proofInvalid("it has no checkpoint")
		}
		if line == "" {
			break
		}
		raw, err := base64.StdEncoding.Strict().DecodeString(line)
		if err != nil || len(raw) != tlog.HashSize || base64.StdEncoding.EncodeToString(raw) != line || len(p.Hashes) == maxHashes {
			return p, proofInvalid("one of its lines is no hash, or there are too many")
		}
		p.Hashes = append(p.Hashes, ota.Digest(raw))
	}
	if rest == "" {
		return p, proofInvalid("it has no checkpoint")
	}
	p.Checkpoint = rest
	return p, nil
}

// Text writes the proof.
func (p Proof) Text() string {
	var b strings.Builder
	b.WriteString(proofHead)
	if len(p.Extra) > 0 {
		b.WriteString("extra " + base64.StdEncoding.EncodeToString(p.Extra) + "\n")
	}
	b.WriteString("index " + strconv.FormatInt(p.Index, 10) + "\n")
	for _, h := range p.Hashes {
		b.WriteString(base64.StdEncoding.EncodeToString(h[:]) + "\n")
	}
	b.WriteString("\n" + p.Checkpoint)
	return b.String()
}
