package tlogproof

import (
	"crypto/sha256"
	"slices"
	"strings"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// Kind says what the document of an entry is.
type Kind string

// The kinds. The digests of rules, approvals, policies and certificates are salted, see [Salted].
const (
	KindManifest    Kind = "manifest"    // what may be installed
	KindMetadata    Kind = "metadata"    // a version of signed metadata
	KindRule        Kind = "rule"        // whom something is for: targeting and rollout of a channel
	KindApproval    Kind = "approval"    // what people approved
	KindPolicy      Kind = "policy"      // the rules of approval of a channel
	KindCertificate Kind = "certificate" // of a device
	KindSignature   Kind = "signature"   // a use of a signing key
)

// Kinds lists them.
func Kinds() []Kind {
	return []Kind{KindManifest, KindMetadata, KindRule, KindApproval, KindPolicy, KindCertificate, KindSignature}
}

// Valid reports whether k is one of [Kinds].
func (k Kind) Valid() bool {
	return slices.Contains(Kinds(), k)
}

// Salted reports whether digests of this kind are made with a salt, because what
// they are of could be guessed.
func (k Kind) Salted() bool {
	return k == KindRule || k == KindApproval || k == KindPolicy || k == KindCertificate
}

const entryHead = "waxwing/sealed-log/v1\n"

// Entry is the text of an entry of the log.
func Entry(kind Kind, digest ota.Digest) []byte {
	return []byte(entryHead + string(kind) + "\n" + digest.String() + "\n")
}

// ParseEntry reads the text of an entry. It fails with entry_invalid.
func ParseEntry(b []byte) (Kind, ota.Digest, error) {
	bad := ota.Invalid("entry_invalid", "this is not an entry of a log of sealed updates")
	rest, ok := strings.CutPrefix(string(b), entryHead)
	if !ok || len(rest) > 100 {
		return "", ota.Digest{}, bad
	}
	kind, rest, _ := strings.Cut(rest, "\n")
	hex, rest, ended := strings.Cut(rest, "\n")
	digest, err := ota.ParseDigest(hex)
	if !ended || rest != "" || err != nil || !Kind(kind).Valid() {
		return "", ota.Digest{}, bad
	}
	return Kind(kind), digest, nil
}

// LeafHash is the hash of an entry in the tree (RFC 6962, section 2.1).
func LeafHash(kind Kind, digest ota.Digest) tlog.Hash { return tlog.RecordHash(Entry(kind, digest)) }

// Salt keeps the document of an entry from being guessed.
type Salt [16]byte

// Salted is the digest of a document with its salt: SHA-256(salt ‖ document).
func Salted(salt Salt, document []byte) ota.Digest {
	h := sha256.New()
	h.Write(salt[:])
	h.Write(document)
	return ota.Digest(h.Sum(nil))
}
