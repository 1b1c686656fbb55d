package tuf

import (
	"maps"
	"slices"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/canon"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/p256"
)

// Keys are the keys of a role and how many of them must sign.
type Keys struct {
	Keys      []p256.Key
	Threshold int
}

// With adds a key, once.
func (k Keys) With(key p256.Key) Keys {
	if !slices.Contains(k.Keys, key) {
		k.Keys = append(slices.Clone(k.Keys), key)
	}
	return k
}

// Without takes the key with the id out.
func (k Keys) Without(id string) Keys {
	k.Keys = slices.DeleteFunc(slices.Clone(k.Keys), func(key p256.Key) bool { return key.ID() == id })
	return k
}

func (k Keys) role(all map[string]p256.Key) Role {
	r := Role{Threshold: k.Threshold, KeyIDs: []string{}}
	for _, key := range k.Keys {
		id := key.ID()
		all[id] = key
		r.KeyIDs = append(r.KeyIDs, id)
	}
	slices.Sort(r.KeyIDs)
	return r
}

func keysOf(ids []string, threshold int, all map[string]p256.Key) Keys {
	k := Keys{Threshold: threshold}
	for _, id := range ids {
		k.Keys = append(k.Keys, all[id])
	}
	return k
}

// RootPlan is what people decide about a root.
type RootPlan struct {
	Expires   time.Time
	Root      Keys // offline, 2 of 3 by default
	Targets   Keys // the release role
	Snapshot  Keys // online
	Timestamp Keys // online
}

// NewRoot is the first root of a repository, to be signed.
func NewRoot(p RootPlan) (Root, error) { return p.at(1) }

// Next is the root that follows r: by the plan, with the next version. It must be
// signed by the thresholds of both.
func (r Root) Next(p RootPlan) (Root, error) {
	v, err := nextVersion(r.Version)
	if err != nil {
		return Root{}, err
	}
	return p.at(v)
}

// Plan is what r says, as the start of a plan for the next one.
func (r Root) Plan() RootPlan {
	keys := func(role Role) Keys { return keysOf(role.KeyIDs, role.Threshold, r.Keys) }
	return RootPlan{
		Expires: r.Expires.Time, Root: keys(r.Roles.Root), Targets: keys(r.Roles.Targets),
		Snapshot: keys(r.Roles.Snapshot), Timestamp: keys(r.Roles.Timestamp),
	}
}

func (p RootPlan) at(version uint32) (Root, error) {
	keys := map[string]p256.Key{}
	r := Root{
		Type: RoleRoot, SpecVersion: SpecVersion, ConsistentSnapshot: true, Version: version, Expires: canon.At(p.Expires), Keys: keys,
		Roles: Roles{Root: p.Root.role(keys), Targets: p.Targets.role(keys), Snapshot: p.Snapshot.role(keys), Timestamp: p.Timestamp.role(keys)},
	}
	if err := r.Check(); err != nil {
		return Root{}, err
	}
	// Online keys are on a server. One that is also a root or release key would
	// give whoever takes the server a part of these.
	for _, online := range slices.Concat(r.Roles.Snapshot.KeyIDs, r.Roles.Timestamp.KeyIDs) {
		if slices.Contains(r.Roles.Root.KeyIDs, online) || slices.Contains(r.Roles.Targets.KeyIDs, online) {
			return Root{}, ota.Invalid(CodeKeys, "the key %s is both online and a root or release key", online).
				WithHint("make keys of their own for snapshot and timestamp; the server holds them")
		}
	}
	return r, nil
}

// Delegation is a role that the release role trusts for staging paths.
type Delegation struct {
	Name  string
	Keys  Keys
	Paths []string // such as StagingPaths
}

// TargetsPlan is what a targets role says.
type TargetsPlan struct {
	Expires     time.Time
	Targets     map[string]TargetFile
	Delegations []Delegation // the top-level role only
}

// NewTargets is the first document of a targets role, to be signed.
func NewTargets(p TargetsPlan) (Targets, error) { return p.at(1) }

// Next is the document that follows t: by the plan, with the next version.
func (t Targets) Next(p TargetsPlan) (Targets, error) {
	v, err := nextVersion(t.Version)
	if err != nil {
		return Targets{}, err
	}
	return p.at(v)
}

// Plan is what t says, as the start of a plan for the next one.
func (t Targets) Plan() TargetsPlan {
	p := TargetsPlan{Expires: t.Expires.Time, Targets: maps.Clone(t.Targets)}
	for _, r := range t.Delegations.Roles {
		p.Delegations = append(p.Delegations, Delegation{
			Name: r.Name, Keys: keysOf(r.KeyIDs, r.Threshold, t.Delegations.Keys), Paths: slices.Clone(r.Paths),
		})
	}
	return p
}

func (p TargetsPlan) at(version uint32) (Targets, error) {
	t := Targets{
		Type: RoleTargets, SpecVersion: SpecVersion, Version: version, Expires: canon.At(p.Expires),
		Targets: map[string]TargetFile{}, Delegations: Delegations{Keys: map[string]p256.Key{}, Roles: []DelegatedRole{}},
	}
	maps.Copy(t.Targets, p.Targets)
	for _, d := range p.Delegations {
		r := d.Keys.role(t.Delegations.Keys)
		t.Delegations.Roles = append(t.Delegations.Roles, DelegatedRole{
			Name: d.Name, KeyIDs: r.KeyIDs, Threshold: r.Threshold, Terminating: true, Paths: slices.Clone(d.Paths),
		})
	}
	return t, t.Check()
}

// File describes a target file, with the custom values that its path demands.
func File(path string, content []byte) (TargetFile, error) {
	custom, err := customOf(path)
	if err != nil {
		return TargetFile{}, err
	}
	f := TargetFile{Length: int64(len(content)), Hashes: Hashes{SHA256: sha256Hex(content)}, Custom: custom}
	return f, f.check(path)
}

// NextSnapshot is the snapshot that follows prev (nil: there is none yet) and
// names the signed documents of all targets roles. It refuses what clients would:
// a role that is gone or whose version is lower than before.
func NextSnapshot(prev *Snapshot, roles map[string][]byte, expires time.Time) (Snapshot, error) {
	s := Snapshot{Type: RoleSnapshot, SpecVersion: SpecVersion, Version: 1, Expires: canon.At(expires), Meta: map[string]MetaFile{}}
	for role, b := range roles {
		doc, err := strict{}.targets(role, b)
		if err != nil {
			return Snapshot{}, err
		}
		s.Meta[metaName(role)] = metaOf(doc.version, b)
	}
	if prev == nil {
		return s, s.Check()
	}
	var err error
	if s.Version, err = nextVersion(prev.Version); err != nil {
		return Snapshot{}, err
	}
	for name, m := range prev.Meta {
		switch now, ok := s.Meta[name]; {
		case !ok:
			return Snapshot{}, ota.Conflict(CodeRollback, "the snapshot would no longer name %s", name).
				WithHint("publish a last version of it without targets; a role leaves the snapshot only when the snapshot's keys are replaced")
		case now.Version < m.Version:
			return Snapshot{}, ota.Conflict(CodeRollback, "%s would go back from version %d to %d", name, m.Version, now.Version)
		}
	}
	return s, s.Check()
}

func metaOf(version uint32, b []byte) MetaFile {
	return MetaFile{Version: version, Length: int64(len(b)), Hashes: Hashes{SHA256: sha256Hex(b)}}
}

// NextTimestamp is the timestamp that follows prev (nil: there is none yet) and
// names the signed snapshot. With the snapshot that prev names it is a renewal.
func NextTimestamp(prev *Timestamp, snapshot []byte, expires time.Time) (Timestamp, error) {
	doc, err := strict{}.snapshot(snapshot)
	if err != nil {
		return Timestamp{}, err
	}
	t := Timestamp{
		Type: RoleTimestamp, SpecVersion: SpecVersion, Version: 1, Expires: canon.At(expires),
		Meta: TimestampMeta{Snapshot: metaOf(doc.version, snapshot)},
	}
	if prev == nil {
		return t, t.Check()
	}
	if doc.version < prev.Meta.Snapshot.Version {
		return Timestamp{}, ota.Conflict(CodeRollback, "the snapshot would go back from version %d to %d", prev.Meta.Snapshot.Version, doc.version)
	}
	if t.Version, err = nextVersion(prev.Version); err != nil {
		return Timestamp{}, err
	}
	return t, t.Check()
}
