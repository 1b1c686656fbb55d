package tuf

import (
	"encoding/hex"
	"fmt"

	"github.com/waxwing-ota/waxwing/internal/core/canon"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/p256"
)

// strict is the reading of devices.
type strict struct{}

func (strict) bounds() bounds {
	return bounds{root: MaxRoot, timestamp: MaxTimestamp, document: MaxDocument, delegations: MaxDelegations}
}

// open reads an envelope and the document in it; least is how many signatures
// must be there, 0 for drafts.
func open[T any](b []byte, max, least int, into *T) (document, []Signature, error) {
	var e envelope
	if err := canon.Decode(b, max, &e); err != nil {
		return document{}, nil, err
	}
	if len(e.Signatures) < least || len(e.Signatures) > MaxSignatures {
		return document{}, nil, refuse("signatures", "the document has %d signatures, %d to %d are allowed", len(e.Signatures), least, MaxSignatures)
	}
	d := document{raw: b, message: canon.Signing(e.Signed), sigs: map[string][]byte{}}
	for _, s := range e.Signatures {
		der, err := p256.ParseHex(s.Sig)
		if err != nil {
			return document{}, nil, err
		}
		if !isHash(s.KeyID) {
			return document{}, nil, refuse("signatures", "%.70q is no key id", s.KeyID)
		}
		if d.sigs[s.KeyID] != nil {
			return document{}, nil, refuse("signatures", "the key %s signed twice", s.KeyID)
		}
		d.sigs[s.KeyID] = der
	}
	return d, e.Signatures, canon.Decode(e.Signed, max, into)
}

func (strict) root(b []byte) (*rootDoc, error) {
	var r Root
	d, _, err := open(b, MaxRoot, 1, &r)
	if err != nil {
		return nil, err
	}
	d.role, d.version, d.expires = RoleRoot, r.Version, r.Expires.Time
	ring := func(role Role) *keyring { return ringOf(r.Keys, role.KeyIDs, role.Threshold) }
	return &rootDoc{document: d, roles: map[string]*keyring{
		RoleRoot:      ring(r.Roles.Root),
		RoleTimestamp: ring(r.Roles.Timestamp),
		RoleSnapshot:  ring(r.Roles.Snapshot),
		RoleTargets:   ring(r.Roles.Targets),
	}}, nil
}

func (strict) timestamp(b []byte) (*timestampDoc, error) {
	var t Timestamp
	d, _, err := open(b, MaxTimestamp, 1, &t)
	if err != nil {
		return nil, err
	}
	d.role, d.version, d.expires = RoleTimestamp, t.Version, t.Expires.Time
	return &timestampDoc{document: d, snapshot: t.Meta.Snapshot.meta()}, nil
}

func (strict) snapshot(b []byte) (*snapshotDoc, error) {
	var s Snapshot
	d, _, err := open(b, MaxDocument, 1, &s)
	if err != nil {
		return nil, err
	}
	d.role, d.version, d.expires = RoleSnapshot, s.Version, s.Expires.Time
	out := &snapshotDoc{document: d, meta: map[string]meta{}}
	for name, m := range s.Meta {
		out.meta[name[:len(name)-len(".json")]] = m.meta()
	}
	return out, nil
}

func (strict) targets(role string, b []byte) (*targetsDoc, error) {
	var t Targets
	d, _, err := open(b, MaxDocument, 1, &t)
	if err != nil {
		return nil, err
	}
	if err := t.checkAs(role); err != nil {
		return nil, err
	}
	d.role, d.version, d.expires = role, t.Version, t.Expires.Time
	out := &targetsDoc{document: d, targets: t.Targets}
	for _, r := range t.Delegations.Roles {
		out.delegations = append(out.delegations, delegation{
			name: r.Name, keys: ringOf(t.Delegations.Keys, r.KeyIDs, r.Threshold), terminating: r.Terminating, covers: r.Covers,
		})
	}
	return out, nil
}

// checkAs refuses what only the top-level role may have.
func (t Targets) checkAs(role string) error {
	if role != RoleTargets && len(t.Delegations.Roles) > 0 {
		return refuse("delegations.roles", "the delegated role %s delegates on, which only the top-level role may", role)
	}
	return nil
}

// Covers says whether the role may sign the path.
func (r DelegatedRole) Covers(path string) bool {
	for _, p := range r.Paths {
		if matches(p, path) {
			return true
		}
	}
	return false
}

func (m MetaFile) meta() meta {
	return meta{version: m.Version, length: m.Length, hashes: map[string]string{"sha256": m.SHA256}}
}

// ringOf makes the keys of a role ready. They were checked before.
func ringOf(keys map[string]p256.Key, ids []string, threshold int) *keyring {
	k := &keyring{keys: map[string]verifier{}, threshold: threshold}
	for _, id := range ids {
		pub, err := keys[id].PublicKey()
		if err != nil {
			continue // counts as a key that never signs
		}
		k.keys[id] = verifier{identity: id, verify: func(message, sig []byte) bool {
			return p256.VerifyPublic(pub, message, sig)
		}}
	}
	return k
}

// seal writes an envelope.
func seal(signed any, sigs []Signature, max int) ([]byte, error) {
	body, err := canon.Encode(signed)
	if err != nil {
		return nil, err
	}
	b, err := canon.Encode(envelope{Signatures: sigs, Signed: body})
	if err != nil {
		return nil, err
	}
	if len(b) > max {
		return nil, ota.Invalid(CodeTooLong, "the document has %d bytes, devices read at most %d", len(b), max).
			WithHint("list fewer targets: those below the floor need not be listed any more")
	}
	return b, nil
}

// hexBytes is the bytes of lower-case hex, nil if it is none.
func hexBytes(s string) []byte {
	b, err := hex.DecodeString(s)
	if err != nil || fmt.Sprintf("%x", b) != s {
		return nil
	}
	return b
}
