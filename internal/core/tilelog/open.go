package tilelog

import (
	"encoding/base64"
	"errors"
	"strings"

	"golang.org/x/mod/sumdb/note"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// Opened is a checkpoint with who signed it.
type Opened struct {
	Checkpoint
	signed map[*Verifier]uint64 // with the time, of cosignatures
}

// SignedBy reports whether that verifier, given to [Open], verified a line.
func (o *Opened) SignedBy(v *Verifier) bool {
	_, ok := o.signed[v]
	return ok
}

// CosignedAt is when a witness says that it signed, in Unix seconds.
func (o *Opened) CosignedAt(v *Verifier) uint64 { return o.signed[v] }

// MaxSignatures is how many signature lines a checkpoint may have.
const MaxSignatures = 32

// Open reads a signed checkpoint. Lines of unknown keys are ignored; a line that
// claims one of the keys and does not verify refuses the whole, as does one that is
// not in its one form or stands there twice. It fails with checkpoint_invalid, or
// with checkpoint_unsigned if none of the keys signed it.
func Open(signed string, keys ...*Verifier) (Opened, error) {
	if len(signed) > maxCheckpoint {
		return Opened{}, checkpointInvalid("it is too long")
	}
	known := make([]note.Verifier, len(keys))
	for i, k := range keys {
		known[i] = k
	}
	n, err := note.Open([]byte(signed), note.VerifierList(known...))
	if err != nil {
		var unsigned *note.UnverifiedNoteError
		var wrong *note.InvalidSignatureError
		if errors.As(err, &unsigned) || errors.As(err, &wrong) {
			return Opened{}, ota.Invalid("checkpoint_unsigned", "the checkpoint is not signed with the keys of its log").WithCause(err).
				WithHint("either it was altered, or another server or another key signed it")
		}
		return Opened{}, checkpointInvalid("it is no signed note").WithCause(err)
	}
	if err := checkLines(signed, n); err != nil {
		return Opened{}, err
	}
	o := Opened{signed: make(map[*Verifier]uint64, len(n.Sigs))}
	if o.Checkpoint, err = ParseCheckpoint(n.Text); err != nil {
		return Opened{}, err
	}
	for _, s := range n.Sigs {
		for _, k := range keys {
			if k.name == s.Name && k.hash == s.Hash {
				at := uint64(0)
				if raw, err := base64.StdEncoding.DecodeString(s.Base64); err == nil && k.kind == TypeCosignature {
					at, _, _ = splitCosignature(raw[4:])
				}
				o.signed[k] = at
			}
		}
	}
	return o, nil
}

// checkLines refuses what note.Open lets through: a line twice, and base64 in
// another than its one form.
func checkLines(signed string, n *note.Note) error {
	all := append(append([]note.Signature(nil), n.Sigs...), n.UnverifiedSigs...)
	lines := strings.Count(signed[len(n.Text)+1:], "\n")
	if lines != len(all) || lines > MaxSignatures {
		return checkpointInvalid("it has a signature twice, or more than %d", MaxSignatures)
	}
	for _, s := range all {
		raw, err := base64.StdEncoding.Strict().DecodeString(s.Base64)
		if err != nil || base64.StdEncoding.EncodeToString(raw) != s.Base64 {
			return checkpointInvalid("a signature is not in its one form of base64")
		}
	}
	return nil
}

// Lines returns the signature lines of a checkpoint that keys verified, each with
// its line break, in the order of keys. Use it to move a witness's answer over.
func Lines(signed string, keys ...*Verifier) ([]string, error) {
	o, err := Open(signed, keys...)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, k := range keys {
		if !o.SignedBy(k) {
			continue
		}
		for line := range strings.Lines(signed[strings.LastIndex(signed, "\n\n")+2:]) {
			name, b64, _ := strings.Cut(strings.TrimPrefix(line, "— "), " ")
			raw, err := base64.StdEncoding.DecodeString(strings.TrimSuffix(b64, "\n"))
			if err == nil && name == k.name && len(raw) > 4 && hashOf(raw) == k.hash {
				out = append(out, line)
			}
		}
	}
	return out, nil
}

func hashOf(raw []byte) uint32 {
	return uint32(raw[0])<<24 | uint32(raw[1])<<16 | uint32(raw[2])<<8 | uint32(raw[3])
}
