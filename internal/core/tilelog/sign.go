package tilelog

import (
	"context"
	"fmt"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/waxwing-ota/waxwing/internal/core/p256"
)

// ecdsaSigner signs notes with a P-256 key.
type ecdsaSigner struct {
	ctx context.Context //nolint:containedctx // package note has no place for it, and the value lives for one call
	v   *Verifier
	key p256.Signer
}

func (s ecdsaSigner) Name() string                    { return s.v.name }
func (s ecdsaSigner) KeyHash() uint32                 { return s.v.hash }
func (s ecdsaSigner) Sign(msg []byte) ([]byte, error) { return p256.Sign(s.ctx, s.key, msg) }

// Both signs a checkpoint with the Ed25519 key of s and with a P-256 key, a line
// for each.
func (s *Signer) Both(ctx context.Context, key p256.Signer, size int64, root tlog.Hash) (string, error) {
	v, err := ECDSAVerifier(s.name, key.Public())
	if err != nil {
		return "", err
	}
	msg, err := note.Sign(&note.Note{Text: Checkpoint{s.name, size, root}.Text()}, s, ecdsaSigner{ctx, v, key})
	if err != nil {
		return "", fmt.Errorf("sign checkpoint: %w", err)
	}
	return string(msg), nil
}

// RootOf is the root of the first size leaves of a log.
func RootOf(size int64, r tlog.HashReader) (tlog.Hash, error) {
	if size == 0 {
		return (&Range{}).Root(), nil
	}
	return tlog.TreeHash(size, r)
}

// Consistency proves that the log of from leaves is the beginning of the log of to
// leaves; the proof is empty if nothing needs one.
func Consistency(from, to int64, r tlog.HashReader) ([]tlog.Hash, error) {
	if from == 0 || from == to {
		return nil, nil
	}
	return tlog.ProveTree(to, from, r)
}
