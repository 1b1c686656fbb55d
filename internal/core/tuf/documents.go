package tuf

import (
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/canon"
	"github.com/waxwing-ota/waxwing/internal/core/p256"
)

// Root says which keys speak for which role, how many of them must agree, and
// until when.
type Root struct {
	Type               string              `json:"_type"` // always RoleRoot
	SpecVersion        string              `json:"spec_version"`
	ConsistentSnapshot bool                `json:"consistent_snapshot"` // always true
	Version            uint32              `json:"version"`             // from 1, each by one
	Expires            canon.Time          `json:"expires"`
	Keys               map[string]p256.Key `json:"keys"` // by key id; those that roles use, no more
	Roles              Roles               `json:"roles"`
}

// Roles are the four top-level roles.
type Roles struct {
	Root      Role `json:"root"`
	Timestamp Role `json:"timestamp"`
	Snapshot  Role `json:"snapshot"`
	Targets   Role `json:"targets"`
}

// Role is a set of keys of which Threshold must sign.
type Role struct {
	KeyIDs    []string `json:"keyids"`
	Threshold int      `json:"threshold"`
}

// Timestamp names the current snapshot; it is renewed often.
type Timestamp struct {
	Type        string        `json:"_type"` // always RoleTimestamp
	SpecVersion string        `json:"spec_version"`
	Version     uint32        `json:"version"`
	Expires     canon.Time    `json:"expires"`
	Meta        TimestampMeta `json:"meta"`
}

// TimestampMeta has the one entry that a timestamp has.
type TimestampMeta struct {
	Snapshot MetaFile `json:"snapshot.json"`
}

// Snapshot names the current documents of all targets roles.
type Snapshot struct {
	Type        string              `json:"_type"` // always RoleSnapshot
	SpecVersion string              `json:"spec_version"`
	Version     uint32              `json:"version"`
	Expires     canon.Time          `json:"expires"`
	Meta        map[string]MetaFile `json:"meta"` // by role and ".json"
}

// MetaFile is what a parent says of a document.
type MetaFile struct {
	Version uint32 `json:"version"`
	Length  int64  `json:"length"` // bytes
	Hashes  `json:"hashes"`
}

// Hashes are the hashes of a file: SHA-256 and no other.
type Hashes struct {
	SHA256 string `json:"sha256"` // lower-case hex
}

// Targets names target files and delegates to other roles. Only the top-level
// role delegates; in a delegated one both parts of Delegations are empty.
type Targets struct {
	Type        string                `json:"_type"` // always RoleTargets
	SpecVersion string                `json:"spec_version"`
	Version     uint32                `json:"version"`
	Expires     canon.Time            `json:"expires"`
	Targets     map[string]TargetFile `json:"targets"` // by path
	Delegations Delegations           `json:"delegations"`
}

// TargetFile is what a role says of a target file.
type TargetFile struct {
	Length int64 `json:"length"` // bytes
	Hashes `json:"hashes"`
	Custom *Custom `json:"custom" canon:"optional"` // of manifests, and of nothing else
}

// Custom repeats of a manifest what its path says.
type Custom struct {
	App string `json:"app"`
	Seq int64  `json:"seq"`
}

// Delegations are the roles that a targets role trusts for some paths.
type Delegations struct {
	Keys  map[string]p256.Key `json:"keys"`
	Roles []DelegatedRole     `json:"roles"`
}

// DelegatedRole may sign the paths that one of Paths matches.
type DelegatedRole struct {
	Name        string   `json:"name"`
	KeyIDs      []string `json:"keyids"`
	Threshold   int      `json:"threshold"`
	Terminating bool     `json:"terminating"` // always true: nobody else is asked for its paths
	Paths       []string `json:"paths"`
}

// Signature is one signature of a document.
type Signature struct {
	KeyID string `json:"keyid"`
	Sig   string `json:"sig"` // DER in lower-case hex
}

// envelope is a document as it travels.
type envelope struct {
	Signatures []Signature `json:"signatures"`
	Signed     canon.Raw   `json:"signed"`
}

func (r Root) head() (string, uint32, time.Time)      { return r.Type, r.Version, r.Expires.Time }
func (t Timestamp) head() (string, uint32, time.Time) { return t.Type, t.Version, t.Expires.Time }
func (s Snapshot) head() (string, uint32, time.Time)  { return s.Type, s.Version, s.Expires.Time }
func (t Targets) head() (string, uint32, time.Time)   { return t.Type, t.Version, t.Expires.Time }
