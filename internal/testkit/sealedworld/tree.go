package sealedworld

import (
	"context"
	"strconv"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/waxwing-ota/waxwing/internal/core/canon"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/p256"
	"github.com/waxwing-ota/waxwing/internal/core/tilelog"
	"github.com/waxwing-ota/waxwing/internal/core/tlogproof"
)

// Tree is a log in memory. Its checkpoints have the P-256 line, which is the one
// that devices look at, and those of Cosign.
type Tree struct {
	Origin string
	Cosign []note.Signer // witnesses
	signer note.Signer
	hashes []tlog.Hash
	size   int64
}

type noteSigner struct {
	*tilelog.Verifier
	key p256.Signer
}

func (n noteSigner) Sign(msg []byte) ([]byte, error) {
	return n.key.Sign(context.Background(), msg)
}

func newTree(origin string, key p256.Signer) *Tree {
	v, err := tilelog.ECDSAVerifier(origin, key.Public())
	if err != nil {
		panic(err) // a key that this package made
	}
	return &Tree{Origin: origin, signer: noteSigner{v, key}}
}

// Fork returns a log that is the same up to size and will be another one.
func (t *Tree) Fork(size int64) *Tree {
	f := *t
	f.size = size
	f.hashes = append([]tlog.Hash(nil), t.hashes[:tlog.StoredHashCount(size)]...)
	return &f
}

// ReadHashes is for the library.
func (t *Tree) ReadHashes(idx []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(idx))
	for i, n := range idx {
		out[i] = t.hashes[n]
	}
	return out, nil
}

// Size is how many entries there are.
func (t *Tree) Size() int64 { return t.size }

// Add appends the leaf of a manifest and returns its index.
func (t *Tree) Add(manifest []byte) int64 {
	fresh, err := tlog.StoredHashesForRecordHash(t.size, tlogproof.LeafHash(tlogproof.KindManifest, ota.Sum(manifest)), t)
	if err != nil {
		panic(err) // the log is in memory
	}
	t.hashes = append(t.hashes, fresh...)
	t.size++
	return t.size - 1
}

// Checkpoint signs the log as it was with size entries.
func (t *Tree) Checkpoint(size int64) string {
	var root tlog.Hash
	var err error
	if size > 0 {
		root, err = tlog.TreeHash(size, t)
	} else {
		root = (&tilelog.Range{}).Root()
	}
	if err != nil {
		panic(err)
	}
	text := tilelog.Checkpoint{Origin: t.Origin, Size: size, Root: root}.Text()
	b, err := note.Sign(&note.Note{Text: text}, append([]note.Signer{t.signer}, t.Cosign...)...)
	if err != nil {
		panic(err)
	}
	return string(b)
}

// Prove is the proof of an entry in the log as it was with size entries.
func (t *Tree) Prove(index, size int64) string {
	hashes, err := tlog.ProveRecord(size, index, t)
	if err != nil {
		panic(err)
	}
	return tlogproof.Proof{Index: index, Hashes: tilelog.Digests(hashes), Checkpoint: t.Checkpoint(size)}.Text()
}

// Consistency leads from one size to another.
func (t *Tree) Consistency(from, to int64) []canon.Hex {
	if from <= 0 || from >= to {
		return nil
	}
	hashes, err := tlog.ProveTree(to, from, t)
	if err != nil {
		panic(err)
	}
	var out []canon.Hex
	for _, h := range hashes {
		out = append(out, append(canon.Hex(nil), h[:]...))
	}
	return out
}

func itoa(n int64) string { return strconv.FormatInt(n, 10) }
