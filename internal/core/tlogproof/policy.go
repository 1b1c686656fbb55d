package tlogproof

import (
	"bytes"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/p256"
	"github.com/waxwing-ota/waxwing/internal/core/tilelog"
)

// Policy says whose log it is and who must have signed its checkpoints.
type Policy struct {
	Origin string // the name of the log

	// The keys of the log. Every one that is set must have signed; one must be
	// set. Devices set P256 only: it is what every platform can verify.
	P256    p256.Key // the zero value = not asked for
	Ed25519 []byte   // 32 bytes; nil = not asked for

	Witnesses []Witness
	Threshold int // how many of Witnesses must have cosigned; 0 = none need
}

// Witness is who cosigns checkpoints (C2SP tlog-cosignature, Ed25519).
type Witness struct {
	Name    string
	Ed25519 []byte // 32 bytes
}

// maxWitnesses bounds the witnesses of a policy.
const maxWitnesses = 16

func policyInvalid(format string, a ...any) *ota.Error {
	return ota.Invalid("log_policy_invalid", "the policy of the log cannot be used: "+format, a...)
}

// verifiers reads the keys of the policy. Two witnesses with one key would count
// twice, so they are refused.
func (p Policy) verifiers() (log, witnesses []*tilelog.Verifier, err error) {
	add := func(list *[]*tilelog.Verifier, v *tilelog.Verifier, err error) error {
		if err != nil {
			return policyInvalid("a key is none").WithCause(err)
		}
		*list = append(*list, v)
		return nil
	}
	if p.P256 != (p256.Key{}) {
		v, err := tilelog.ECDSAVerifier(p.Origin, p.P256)
		if err := add(&log, v, err); err != nil {
			return nil, nil, err
		}
	}
	if p.Ed25519 != nil {
		v, err := tilelog.Ed25519Verifier(p.Origin, p.Ed25519)
		if err := add(&log, v, err); err != nil {
			return nil, nil, err
		}
	}
	if len(log) == 0 {
		return nil, nil, policyInvalid("it has no key of the log")
	}
	if p.Threshold < 0 || p.Threshold > len(p.Witnesses) || len(p.Witnesses) > maxWitnesses {
		return nil, nil, policyInvalid("%d of %d witnesses cannot be asked for", p.Threshold, len(p.Witnesses))
	}
	for i, w := range p.Witnesses {
		for _, other := range p.Witnesses[:i] {
			if bytes.Equal(w.Ed25519, other.Ed25519) || w.Name == other.Name {
				return nil, nil, policyInvalid("the witness %q is in it twice", w.Name)
			}
		}
		if bytes.Equal(w.Ed25519, p.Ed25519) {
			return nil, nil, policyInvalid("the log cannot be its own witness")
		}
		v, err := tilelog.CosignatureVerifier(w.Name, w.Ed25519)
		if err := add(&witnesses, v, err); err != nil {
			return nil, nil, err
		}
	}
	return log, witnesses, nil
}

// Check fails with log_policy_invalid if nothing could ever satisfy the policy.
func (p Policy) Check() error {
	_, _, err := p.verifiers()
	return err
}

// Open verifies a signed checkpoint. It fails with checkpoint_invalid,
// checkpoint_unsigned, witnesses_missing or log_policy_invalid.
func (p Policy) Open(signed string) (Checkpoint, error) {
	log, witnesses, err := p.verifiers()
	if err != nil {
		return Checkpoint{}, err
	}
	o, err := tilelog.Open(signed, append(append([]*tilelog.Verifier(nil), log...), witnesses...)...)
	if err != nil {
		return Checkpoint{}, err
	}
	for _, v := range log {
		if !o.SignedBy(v) {
			return Checkpoint{}, ota.Invalid("checkpoint_unsigned", "the checkpoint is not signed by %s (key %08x)", v.Name(), v.KeyHash()).
				WithHint("either it was altered, or another server or another key signed it")
		}
	}
	if o.Origin != p.Origin {
		return Checkpoint{}, ota.Invalid("checkpoint_unsigned", "the checkpoint is of the log %.80q, not of %q", o.Origin, p.Origin)
	}
	if o.Size >= maxSize {
		return Checkpoint{}, ota.Invalid("checkpoint_invalid", "this is not a checkpoint: no log has %d entries", o.Size)
	}
	have := 0
	for _, v := range witnesses {
		if o.SignedBy(v) {
			have++
		}
	}
	if have < p.Threshold {
		return Checkpoint{}, ota.Invalid("witnesses_missing", "%d of the witnesses cosigned the checkpoint, %d must", have, p.Threshold).
			WithHint("the server may not reach its witnesses, or hides the log from them")
	}
	return o.Checkpoint, nil
}
