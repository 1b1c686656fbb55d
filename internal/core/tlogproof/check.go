package tlogproof

import (
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/tilelog"
)

// Checkpoint says how long a log is and what its root is. A device keeps the
// last one that it verified; the zero value is "none yet".
type Checkpoint = tilelog.Checkpoint

// Check verifies that the document with that digest is in the log, that the
// checkpoint of the proof is signed as the policy asks, and that its log is the
// kept one, grown. It returns the checkpoint that is to be kept from now on.
//
// consistency leads from the kept checkpoint to the one in the proof; it is empty
// if nothing is kept or nothing was added.
//
// It fails with the errors of [Parse], [Policy.Open] and [Advance], and with
// entry_not_proven.
func Check(proof string, digest ota.Digest, kind Kind, policy Policy, kept Checkpoint, consistency []ota.Digest) (Checkpoint, error) {
	if !kind.Valid() || digest.IsZero() {
		return Checkpoint{}, proofInvalid("nothing that could be in a log was asked about")
	}
	p, err := Parse(proof)
	if err != nil {
		return Checkpoint{}, err
	}
	cp, err := Advance(p.Checkpoint, policy, kept, consistency)
	if err != nil {
		return Checkpoint{}, err
	}
	if err := tilelog.CheckInclusion(cp, p.Index, LeafHash(kind, digest), p.Hashes); err != nil {
		return Checkpoint{}, err
	}
	return cp, nil
}

// Advance verifies a checkpoint that comes without a proof of an entry: signed as
// the policy asks, and of the kept log, grown.
//
// A checkpoint of fewer entries than the kept one is refused with log_shrunk, one
// of a log that does not begin with the kept one with log_forked; log_other says
// that the policy names another log than the kept one. A new log is begun by whoever
// signs the policy: a caller that has such a policy passes the zero Checkpoint.
func Advance(signed string, policy Policy, kept Checkpoint, consistency []ota.Digest) (Checkpoint, error) {
	if len(consistency) > maxHashes {
		return Checkpoint{}, proofInvalid("it has too many hashes")
	}
	cp, err := policy.Open(signed)
	if err != nil {
		return Checkpoint{}, err
	}
	if kept == (Checkpoint{}) {
		if len(consistency) > 0 {
			return Checkpoint{}, proofInvalid("there is no kept checkpoint to go on from")
		}
		return cp, nil
	}
	if kept.Origin != policy.Origin {
		return Checkpoint{}, ota.Conflict("log_other", "the kept checkpoint is of the log %q, the policy names %q", kept.Origin, policy.Origin).
			WithHint("a new log needs a policy that names it, signed by the release role")
	}
	if kept.Size == 0 && len(consistency) > 0 {
		return Checkpoint{}, proofInvalid("everything goes on from an empty log")
	}
	if err := tilelog.CheckConsistency(kept, cp, consistency); err != nil {
		return Checkpoint{}, err
	}
	return cp, nil
}
