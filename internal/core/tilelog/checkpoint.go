package tilelog

import (
	"crypto/ed25519"
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// Checkpoint says how long a log is and what its root is.
type Checkpoint struct {
	Origin string
	Size   int64
	Root   tlog.Hash
}

// maxCheckpoint bounds a signed checkpoint, in bytes.
const maxCheckpoint = 8 << 10

// Text returns the body of the note: origin, size and root on lines of their own.
func (c Checkpoint) Text() string {
	return fmt.Sprintf("%s\n%d\n%s\n", c.Origin, c.Size, base64.StdEncoding.EncodeToString(c.Root[:]))
}

func checkpointInvalid(format string, a ...any) *ota.Error {
	return ota.Invalid("checkpoint_invalid", "this is not a checkpoint: "+format, a...)
}

// ParseCheckpoint reads the body of a note. Lines after the root are extensions,
// which are left alone.
func ParseCheckpoint(text string) (Checkpoint, error) {
	var c Checkpoint
	origin, rest, _ := strings.Cut(text, "\n")
	size, rest, _ := strings.Cut(rest, "\n")
	root, rest, ended := strings.Cut(rest, "\n")
	if origin == "" || !ended || rest != "" && !strings.HasSuffix(rest, "\n") || strings.HasPrefix(rest, "\n") || strings.Contains(rest, "\n\n") {
		return c, checkpointInvalid("it lacks lines")
	}
	n, err := strconv.ParseInt(size, 10, 64)
	if err != nil || n < 0 || strconv.FormatInt(n, 10) != size {
		return c, checkpointInvalid("its size is no number")
	}
	raw, err := base64.StdEncoding.Strict().DecodeString(root)
	if err != nil || len(raw) != tlog.HashSize || base64.StdEncoding.EncodeToString(raw) != root {
		return c, checkpointInvalid("its root is no hash")
	}
	c.Origin, c.Size = origin, n
	copy(c.Root[:], raw)
	return c, nil
}

// Signer signs the checkpoints of one log.
type Signer struct {
	key      ed25519.PrivateKey
	name     string
	verifier string
	hash     uint32
}

// NewSigner returns the signer of the log with that name (of letters, digits,
// '.', '-', ':' and '/') and that Ed25519 seed.
func NewSigner(name string, seed [32]byte) (*Signer, error) {
	key := ed25519.NewKeyFromSeed(seed[:])
	pub, _ := key.Public().(ed25519.PublicKey)
	vkey, err := note.NewEd25519VerifierKey(name, pub)
	if err != nil {
		return nil, ota.Invalid("log_name_invalid", "%q cannot name a log", name).WithCause(err)
	}
	v, err := note.NewVerifier(vkey)
	if err != nil {
		return nil, ota.Invalid("log_name_invalid", "%q cannot name a log", name).WithCause(err)
	}
	return &Signer{key: key, name: name, verifier: vkey, hash: v.KeyHash()}, nil
}

// Name is the origin of the log.
func (s *Signer) Name() string { return s.name }

// KeyHash names the key in signatures.
func (s *Signer) KeyHash() uint32 { return s.hash }

// Sign implements [note.Signer].
func (s *Signer) Sign(msg []byte) ([]byte, error) { return ed25519.Sign(s.key, msg), nil }

// Verifier is the public half of the key: NAME+HASH+BASE64.
func (s *Signer) Verifier() string { return s.verifier }

// String keeps the key out of logs.
func (s *Signer) String() string { return "signer of " + s.name }

// Checkpoint signs a checkpoint. The same one always gets the same bytes.
func (s *Signer) Checkpoint(size int64, root tlog.Hash) (string, error) {
	msg, err := note.Sign(&note.Note{Text: Checkpoint{s.name, size, root}.Text()}, s)
	if err != nil {
		return "", fmt.Errorf("sign checkpoint: %w", err)
	}
	return string(msg), nil
}

// OpenCheckpoint verifies a signed checkpoint with a verifier key. It fails with
// checkpoint_invalid, key_invalid, or checkpoint_unsigned if nobody with that key
// signed it.
func OpenCheckpoint(signed, verifier string) (Checkpoint, error) {
	if len(signed) > maxCheckpoint {
		return Checkpoint{}, checkpointInvalid("it is too long")
	}
	v, err := note.NewVerifier(strings.TrimSpace(verifier))
	if err != nil {
		return Checkpoint{}, ota.Invalid("key_invalid", "this is not the verifier key of a log").WithCause(err).
			WithHint("it looks like NAME+HASH+BASE64; waxwing audit key prints it")
	}
	n, err := note.Open([]byte(signed), note.VerifierList(v))
	if err != nil {
		return Checkpoint{}, ota.Invalid("checkpoint_unsigned", "the checkpoint is not signed by %s (key %08x)", v.Name(), v.KeyHash()).WithCause(err).
			WithHint("either it was altered, or another server or another key signed it")
	}
	c, err := ParseCheckpoint(n.Text)
	if err == nil && c.Origin != v.Name() {
		err = ota.Invalid("checkpoint_unsigned", "the checkpoint is of the log %q, the key of %q", c.Origin, v.Name())
	}
	return c, err
}
