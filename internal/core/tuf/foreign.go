package tuf

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/canon"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/p256"
)

// VerifyFunc checks a signature by a key that is not of P-256.
type VerifyFunc func(keytype, scheme, public string, message, sig []byte) bool

// StartForeign is [Start] for repositories that others made: any JSON whose keys
// are there once, with fields that we do not know, delegations of any shape, and
// hashes and lengths that may be absent. Signatures are over the canonical form
// of all that was received. other may be nil. No device uses it.
func StartForeign(root []byte, other VerifyFunc) (*Client, error) {
	return start(&foreign{other: other}, root)
}

// LoadForeign gives a foreign client what it knew before, so that it refuses
// older documents; what cannot be read is passed over.
func (c *Client) LoadForeign(timestamp, snapshot []byte, roles map[string][]byte, now time.Time) {
	c.now = now
	if d, err := c.rules.timestamp(timestamp); err == nil && d.signedBy(c.root.roles[RoleTimestamp]) == nil {
		c.timestamp = d
	}
	if d, err := c.rules.snapshot(snapshot); err == nil && d.signedBy(c.root.roles[RoleSnapshot]) == nil {
		c.snapshot = d
	}
	for role, b := range roles {
		if d, err := c.rules.targets(role, b); err == nil {
			c.targets[role] = d
		}
	}
}

type foreign struct {
	other VerifyFunc
}

func (f *foreign) bounds() bounds {
	return bounds{root: 512_000, timestamp: 16 << 10, document: 5_000_000, delegations: 32}
}

// The documents as far as they matter here.
type (
	foreignHead struct {
		Type        string `json:"_type"`
		SpecVersion string `json:"spec_version"`
		Version     uint32 `json:"version"`
		Expires     string `json:"expires"`
	}
	foreignKey struct {
		Type   string `json:"keytype"`
		Scheme string `json:"scheme"`
		Val    struct {
			Public string `json:"public"`
		} `json:"keyval"`
	}
	foreignRoot struct {
		ConsistentSnapshot bool                  `json:"consistent_snapshot"`
		Keys               map[string]foreignKey `json:"keys"`
		Roles              map[string]Role       `json:"roles"`
	}
	foreignMeta struct {
		Version uint32            `json:"version"`
		Length  int64             `json:"length"`
		Hashes  map[string]string `json:"hashes"`
	}
	foreignMetas struct {
		Meta map[string]foreignMeta `json:"meta"`
	}
	foreignTargets struct {
		Targets map[string]struct {
			Length int64             `json:"length"`
			Hashes map[string]string `json:"hashes"`
		} `json:"targets"`
		Delegations *struct {
			Keys  map[string]foreignKey `json:"keys"`
			Roles []struct {
				Name             string   `json:"name"`
				KeyIDs           []string `json:"keyids"`
				Threshold        int      `json:"threshold"`
				Terminating      bool     `json:"terminating"`
				Paths            []string `json:"paths"`
				PathHashPrefixes []string `json:"path_hash_prefixes"`
			} `json:"roles"`
			Succinct json.RawMessage `json:"succinct_roles"`
		} `json:"delegations"`
	}
)

// read opens an envelope of others and reads the document into into.
func (f *foreign) read(b []byte, kind string, max int, into any) (document, error) {
	if _, err := canon.Canonical(b, max); err != nil { // each key once, bounded
		return document{}, err
	}
	var e struct {
		Signatures []Signature     `json:"signatures"`
		Signed     json.RawMessage `json:"signed"`
	}
	var head foreignHead
	if json.Unmarshal(b, &e) != nil || json.Unmarshal(e.Signed, &head) != nil || json.Unmarshal(e.Signed, into) != nil {
		return document{}, refuse("signed", "the document is not a %s", kind)
	}
	message, err := canon.Canonical(e.Signed, max)
	if err != nil {
		return document{}, err
	}
	expires, err := time.Parse(time.RFC3339, head.Expires)
	if err != nil || head.Type != kind || head.Version < 1 || !strings.HasPrefix(head.SpecVersion, "1.") {
		return document{}, refuse("_type", "the document is not a %s of specification 1 with version and expiry", kind)
	}
	d := document{role: kind, raw: b, message: message, sigs: map[string][]byte{}, version: head.Version, expires: expires}
	seen := map[string]bool{}
	for _, s := range e.Signatures {
		if seen[s.KeyID] {
			return document{}, refuse("signatures", "the key %.70q signed twice", s.KeyID)
		}
		seen[s.KeyID] = true
		d.sigs[s.KeyID] = hexBytes(s.Sig)
	}
	return d, nil
}

func (f *foreign) ring(keys map[string]foreignKey, ids []string, threshold int) (*keyring, error) {
	k := &keyring{keys: map[string]verifier{}, threshold: threshold}
	if threshold < 1 {
		return nil, refuse("threshold", "the threshold of a role is %d", threshold)
	}
	for _, id := range ids {
		if _, twice := k.keys[id]; twice {
			return nil, refuse("keyids", "a key is in a role twice")
		}
		key, ok := keys[id]
		if !ok {
			return nil, refuse("keyids", "a key of a role is not listed")
		}
		k.keys[id] = f.verifier(key)
	}
	return k, nil
}

func (f *foreign) verifier(key foreignKey) verifier {
	if strings.HasPrefix(key.Type, "ecdsa") && key.Scheme == p256.Scheme {
		k, err := p256.ParsePEM(key.Val.Public)
		pub, err2 := k.PublicKey()
		if err == nil && err2 == nil {
			return verifier{identity: k.ID(), verify: func(message, sig []byte) bool { return p256.VerifyPublic(pub, message, sig) }}
		}
	}
	return verifier{identity: key.Type + " " + key.Val.Public, verify: func(message, sig []byte) bool {
		return f.other != nil && f.other(key.Type, key.Scheme, key.Val.Public, message, sig)
	}}
}

func (f *foreign) root(b []byte) (*rootDoc, error) {
	var r foreignRoot
	d, err := f.read(b, RoleRoot, f.bounds().root, &r)
	if err != nil {
		return nil, err
	}
	out := &rootDoc{document: d, roles: map[string]*keyring{}, plainNames: !r.ConsistentSnapshot}
	for _, role := range []string{RoleRoot, RoleTimestamp, RoleSnapshot, RoleTargets} {
		if out.roles[role], err = f.ring(r.Keys, r.Roles[role].KeyIDs, r.Roles[role].Threshold); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (f *foreign) timestamp(b []byte) (*timestampDoc, error) {
	var m foreignMetas
	d, err := f.read(b, RoleTimestamp, f.bounds().timestamp, &m)
	if err != nil {
		return nil, err
	}
	snapshot, ok := m.Meta[metaName(RoleSnapshot)]
	if !ok || len(m.Meta) != 1 || snapshot.Version < 1 {
		return nil, refuse("meta", "the timestamp does not name one snapshot")
	}
	return &timestampDoc{document: d, snapshot: meta{snapshot.Version, snapshot.Length, snapshot.Hashes}}, nil
}

func (f *foreign) snapshot(b []byte) (*snapshotDoc, error) {
	var m foreignMetas
	d, err := f.read(b, RoleSnapshot, f.bounds().document, &m)
	if err != nil {
		return nil, err
	}
	out := &snapshotDoc{document: d, meta: map[string]meta{}}
	for name, v := range m.Meta {
		role, ok := strings.CutSuffix(name, ".json")
		if !ok || v.Version < 1 {
			return nil, refuse("meta", "the snapshot names %.60q", name)
		}
		out.meta[role] = meta{v.Version, v.Length, v.Hashes}
	}
	return out, nil
}

func (f *foreign) targets(role string, b []byte) (*targetsDoc, error) {
	var t foreignTargets
	d, err := f.read(b, RoleTargets, f.bounds().document, &t)
	if err != nil {
		return nil, err
	}
	d.role = role
	out := &targetsDoc{document: d, targets: map[string]TargetFile{}, hashes: map[string]map[string]string{}}
	for path, v := range t.Targets {
		out.targets[path] = TargetFile{Length: v.Length, Hashes: Hashes{SHA256: v.Hashes["sha256"]}}
		out.hashes[path] = v.Hashes
	}
	if t.Delegations == nil {
		return out, nil
	}
	if t.Delegations.Succinct != nil {
		return nil, refuse("delegations", "succinct delegations are not known")
	}
	seen := map[string]bool{}
	for _, r := range t.Delegations.Roles {
		ring, err := f.ring(t.Delegations.Keys, r.KeyIDs, r.Threshold)
		if err != nil {
			return nil, err
		}
		if seen[r.Name] {
			return nil, refuse("delegations", "a role is delegated to twice")
		}
		seen[r.Name] = true
		paths, prefixes := DelegatedRole{Paths: r.Paths}, r.PathHashPrefixes
		out.delegations = append(out.delegations, delegation{name: r.Name, keys: ring, terminating: r.Terminating, covers: func(path string) bool {
			return paths.Covers(path) || hasPrefix(sha256Hex([]byte(path)), prefixes)
		}})
	}
	return out, nil
}

func hasPrefix(hash string, prefixes []string) bool {
	for _, p := range prefixes {
		if strings.HasPrefix(hash, p) {
			return true
		}
	}
	return false
}

// ForeignTarget is [Client.Target] for foreign repositories: where the file is,
// and a check of its bytes against all hashes that were signed.
func (c *Client) ForeignTarget(path string) (file string, length int64, holds func([]byte) error, err error) {
	f, role, err := c.Target(path)
	if err != nil {
		return "", 0, nil, err
	}
	hashes := c.targets[role].hashes[path]
	hash := hashes["sha256"]
	if hash == "" {
		hash = hashes["sha512"]
	}
	switch {
	case hash == "":
		return "", 0, nil, ota.Invalid(CodeHash, "the target has no hash of a known kind")
	case c.root.plainNames:
		file = path
	default:
		file = TargetFileName(path, hash)
	}
	return file, f.Length, func(b []byte) error { return holdsTarget(f.Length, hashes, b) }, nil
}
