package tilelog

import (
	"golang.org/x/mod/sumdb/tlog"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// digests and hashes are the same bytes; one is ours, the other the tree's.
func hashes(in []ota.Digest) []tlog.Hash {
	out := make([]tlog.Hash, len(in))
	for i := range in {
		out[i] = tlog.Hash(in[i])
	}
	return out
}

// Digests turns hashes of the tree into digests.
func Digests(in []tlog.Hash) []ota.Digest {
	out := make([]ota.Digest, len(in))
	for i := range in {
		out[i] = ota.Digest(in[i])
	}
	return out
}

// CheckConsistency checks that the log of one checkpoint is the beginning of the
// log of a longer one.
func CheckConsistency(from, to Checkpoint, proof []ota.Digest) error {
	switch {
	case from.Size == 0 || from.Size == to.Size && from.Root == to.Root && len(proof) == 0:
		return nil
	case from.Size >= to.Size || tlog.CheckTree(hashes(proof), to.Size, to.Root, from.Size, from.Root) != nil:
		return Forked(from, to)
	}
	return nil
}

// CheckInclusion checks that a leaf is in the log of a checkpoint.
func CheckInclusion(c Checkpoint, leaf int64, h tlog.Hash, proof []ota.Digest) error {
	if leaf < 0 || leaf >= c.Size || tlog.CheckRecord(hashes(proof), c.Size, c.Root, leaf, h) != nil {
		return ota.Conflict("entry_not_proven", "entry %d is not in the log that the checkpoint of %d entries signs", leaf, c.Size)
	}
	return nil
}

// Forked is the error of a log that does not go on where it once was.
func Forked(kept, now Checkpoint) *ota.Error {
	hint := "the history of this server was rewritten or another one was put in its place: keep both checkpoints as evidence"
	if now.Size < kept.Size {
		return ota.Conflict("log_shrunk", "the log has %d entries, but had %d when the checkpoint was kept", now.Size, kept.Size).WithHint("%s", hint)
	}
	return ota.Conflict("log_forked", "the log of %d entries does not contain the one of %d entries that was kept", now.Size, kept.Size).WithHint("%s", hint)
}
