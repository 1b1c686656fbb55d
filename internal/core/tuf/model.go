package tuf

import (
	"crypto/sha256"
	"encoding/hex"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// document is what the workflow needs of any document, in both readings.
type document struct {
	role    string // whose document it is, for errors
	raw     []byte // as it came
	message []byte // what signatures are over
	sigs    map[string][]byte
	version uint32
	expires time.Time

	// vouched remembers the keys that were found to have signed this document, as
	// neither ever changes.
	vouched *keyring
}

// keyring is the keys of a role and how many of them must sign.
type keyring struct {
	keys      map[string]verifier // by key id
	threshold int
}

// verifier is a public key. Two with the same identity are one key, whatever
// their ids.
type verifier struct {
	identity string
	verify   func(message, sig []byte) bool
}

// signedBy refuses a document that less than the threshold of the keys signed.
// Each key counts once; signatures by other keys are not looked at.
func (d *document) signedBy(k *keyring) error {
	if d.vouched == k {
		return nil
	}
	valid := map[string]bool{}
	for id, key := range k.keys {
		if sig, ok := d.sigs[id]; ok && !valid[key.identity] && key.verify(d.message, sig) {
			valid[key.identity] = true
		}
	}
	if len(valid) < k.threshold {
		return ota.Invalid(CodeSignature, "the document of %s, version %d, has %d valid signatures of its role, %d are needed",
			d.role, d.version, len(valid), k.threshold).WithField("signatures")
	}
	d.vouched = k
	return nil
}

func (d *document) fresh(now time.Time) error {
	if now.Before(d.expires) {
		return nil
	}
	return ota.Invalid(CodeExpired, "the document of %s, version %d, expired at %s",
		d.role, d.version, d.expires.UTC().Format(time.RFC3339)).WithField("expires")
}

// meta is what a parent says of a document; length and hash may be absent in the
// foreign reading only.
type meta struct {
	version uint32
	length  int64             // 0 = not said
	hashes  map[string]string // by algorithm, in hex; empty = not said
}

// holds refuses bytes that are not what the parent names.
func (m meta) holds(role string, b []byte) error {
	if m.length > 0 && int64(len(b)) != m.length {
		return ota.Invalid(CodeHash, "the document of %s has %d bytes, its parent says %d", role, len(b), m.length)
	}
	if !hashesHold(m.hashes, b) {
		return ota.Invalid(CodeHash, "the document of %s is not the one whose hash its parent names", role)
	}
	return nil
}

type rootDoc struct {
	document
	roles      map[string]*keyring
	plainNames bool // foreign: file names have no versions and hashes
}

type timestampDoc struct {
	document
	snapshot meta
}

type snapshotDoc struct {
	document
	meta map[string]meta // by role
}

type targetsDoc struct {
	document
	targets     map[string]TargetFile
	hashes      map[string]map[string]string // foreign: all hashes of a target
	delegations []delegation
}

// delegation is a delegated role as its delegator describes it.
type delegation struct {
	name        string
	keys        *keyring
	terminating bool
	covers      func(path string) bool
}

// rules is one of the two readings.
type rules interface {
	root(b []byte) (*rootDoc, error)
	timestamp(b []byte) (*timestampDoc, error)
	snapshot(b []byte) (*snapshotDoc, error)
	targets(role string, b []byte) (*targetsDoc, error)
	bounds() bounds
}

// bounds are the limits of a reading.
type bounds struct {
	root, timestamp, document int // bytes
	delegations               int // roles that one search looks at, after the top-level one
}

func tooLong(role string, b []byte, max int64) error {
	if int64(len(b)) <= max {
		return nil
	}
	return ota.Invalid(CodeTooLong, "the document of %s has %d bytes, at most %d are allowed here", role, len(b), max)
}

func sha256Hex(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}
