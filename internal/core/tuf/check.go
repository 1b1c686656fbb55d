package tuf

import (
	"encoding/hex"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/waxwing-ota/waxwing/internal/core/canon"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/p256"
)

func refuse(field, format string, a ...any) error {
	return ota.Invalid(CodeDocument, format, a...).WithField(field)
}

// head checks what all documents have.
func head(kind, wantKind, spec string, version uint32, expires canon.Time) error {
	switch {
	case kind != wantKind:
		return refuse("_type", "the document is a %.20q, not a %s", kind, wantKind)
	case spec != SpecVersion:
		return refuse("spec_version", "the %s is of specification %.20q, only %s is known", wantKind, spec, SpecVersion)
	case version == 0:
		return refuse("version", "the version of the %s is 0; they start with 1", wantKind)
	case expires.IsZero():
		return refuse("expires", "the %s does not say when it expires", wantKind)
	}
	return nil
}

// Check says whether the document keeps the rules of a root of ours.
func (r Root) Check() error {
	if err := head(r.Type, RoleRoot, r.SpecVersion, r.Version, r.Expires); err != nil {
		return err
	}
	if !r.ConsistentSnapshot {
		return refuse("consistent_snapshot", "a root without consistent snapshots is not one of ours")
	}
	if err := checkKeys("keys", r.Keys); err != nil {
		return err
	}
	used := map[string]bool{}
	for _, n := range []struct {
		name string
		role Role
	}{{RoleRoot, r.Roles.Root}, {RoleTimestamp, r.Roles.Timestamp}, {RoleSnapshot, r.Roles.Snapshot}, {RoleTargets, r.Roles.Targets}} {
		if err := checkRole("roles."+n.name, n.role.KeyIDs, n.role.Threshold, r.Keys, used); err != nil {
			return err
		}
	}
	return checkUsed("keys", r.Keys, used)
}

// Check says whether the document keeps the rules of a timestamp of ours.
func (t Timestamp) Check() error {
	if err := head(t.Type, RoleTimestamp, t.SpecVersion, t.Version, t.Expires); err != nil {
		return err
	}
	return t.Meta.Snapshot.check("meta.snapshot.json")
}

// Check says whether the document keeps the rules of a snapshot of ours.
func (s Snapshot) Check() error {
	if err := head(s.Type, RoleSnapshot, s.SpecVersion, s.Version, s.Expires); err != nil {
		return err
	}
	if len(s.Meta) > MaxDelegations+1 {
		return refuse("meta", "the snapshot names %d roles, at most %d are allowed", len(s.Meta), MaxDelegations+1)
	}
	if _, ok := s.Meta[metaName(RoleTargets)]; !ok {
		return refuse("meta", "the snapshot does not name targets.json")
	}
	for name, m := range s.Meta {
		role, ok := strings.CutSuffix(name, ".json")
		if !ok || role != RoleTargets && checkRoleName(role) != nil {
			return refuse("meta", "the snapshot names %.60q, which is no targets role", name)
		}
		if err := m.check("meta." + name); err != nil {
			return err
		}
	}
	return nil
}

func (m MetaFile) check(field string) error {
	switch {
	case m.Version == 0:
		return refuse(field, "the version of %s is 0; they start with 1", field)
	case m.Length < 1 || m.Length > MaxDocument:
		return refuse(field, "the length of %s is %d bytes, 1 to %d are allowed", field, m.Length, MaxDocument)
	}
	return m.Hashes.check(field)
}

func (h Hashes) check(field string) error {
	if !isHash(h.SHA256) {
		return refuse(field, "%s has no SHA-256 in lower-case hex", field)
	}
	return nil
}

func isHash(s string) bool {
	b, err := hex.DecodeString(s)
	return err == nil && len(b) == 32 && hex.EncodeToString(b) == s
}

// Check says whether the document keeps the rules of a targets document of ours,
// top-level or delegated. What the top-level one alone may have is asked where
// the role is known.
func (t Targets) Check() error {
	if err := head(t.Type, RoleTargets, t.SpecVersion, t.Version, t.Expires); err != nil {
		return err
	}
	for path, f := range t.Targets {
		if err := f.check(path); err != nil {
			return err
		}
	}
	return t.Delegations.check()
}

func (f TargetFile) check(path string) error {
	want, err := customOf(path)
	if err != nil {
		return err
	}
	switch {
	case f.Length < 1 || f.Length > MaxTarget:
		return refuse("targets", "the length of %s is %d bytes, 1 to %d are allowed", path, f.Length, MaxTarget)
	case want == nil && f.Custom != nil:
		return refuse("targets", "%s has custom values, which only manifests have", path)
	case want != nil && (f.Custom == nil || *f.Custom != *want):
		return refuse("targets", "the custom values of %s are not the app and the sequence number that its path says", path)
	}
	return f.Hashes.check("targets")
}

// ManifestPath is the target path of a manifest: of class production or staging.
func ManifestPath(class, app string, seq int64) string {
	return class + "/" + app + "/" + strconv.FormatInt(seq, 10) + manifestSuffix
}

// customOf checks a target path and returns what its custom values must be, nil
// for the path of trust.json.
func customOf(path string) (*Custom, error) {
	if path == TrustPath {
		return nil, nil //nolint:nilnil // nothing is what it must have
	}
	bad := func() (*Custom, error) {
		return nil, refuse("targets", "%.80q is no target path: they are production/<app>/<seq>.manifest, staging/<app>/<seq>.manifest and %s", path, TrustPath)
	}
	part := strings.Split(path, "/")
	if len(path) > MaxPath || len(part) != 3 || part[0] != productionPart && part[0] != stagingPart || ota.CheckAppID(part[1]) != nil {
		return bad()
	}
	digits, ok := strings.CutSuffix(part[2], manifestSuffix)
	seq, err := strconv.ParseInt(digits, 10, 64)
	if !ok || err != nil || seq < 1 || seq > canon.MaxInt || strconv.FormatInt(seq, 10) != digits {
		return bad()
	}
	return &Custom{App: part[1], Seq: seq}, nil
}

func (d Delegations) check() error {
	if len(d.Roles) > MaxDelegations {
		return refuse("delegations.roles", "%d roles are delegated to, at most %d are allowed", len(d.Roles), MaxDelegations)
	}
	if err := checkKeys("delegations.keys", d.Keys); err != nil {
		return err
	}
	used := map[string]bool{}
	seen := map[string]bool{}
	for _, r := range d.Roles {
		field := "delegations.roles." + r.Name
		if err := checkRoleName(r.Name); err != nil {
			return err
		}
		if seen[r.Name] {
			return refuse(field, "the role %q is delegated to twice", r.Name)
		}
		seen[r.Name] = true
		if err := checkRole(field, r.KeyIDs, r.Threshold, d.Keys, used); err != nil {
			return err
		}
		if !r.Terminating {
			return refuse(field, "the role %q is not terminating", r.Name)
		}
		if err := checkPatterns(field, r.Paths); err != nil {
			return err
		}
	}
	return checkUsed("delegations.keys", d.Keys, used)
}

// checkRoleName lets through names that are safe as file names and that no
// top-level role has.
func checkRoleName(name string) error {
	ok := len(name) >= 1 && len(name) <= 40 && !slices.Contains([]string{RoleRoot, RoleTimestamp, RoleSnapshot, RoleTargets}, name)
	for i := range len(name) {
		c := name[i]
		ok = ok && (c >= 'a' && c <= 'z' || i > 0 && (c >= '0' && c <= '9' || c == '-' || c == '_'))
	}
	if !ok {
		return refuse("delegations.roles", "%.60q is no name of a delegated role: up to 40 of a-z, 0-9, - and _, a letter first, not that of a top-level role", name)
	}
	return nil
}

// checkPatterns lets delegated roles have staging paths only: what is for
// production is signed by the release role itself.
func checkPatterns(field string, patterns []string) error {
	if len(patterns) == 0 || len(patterns) > MaxPatterns {
		return refuse(field, "%s has %d path patterns, 1 to %d are allowed", field, len(patterns), MaxPatterns)
	}
	seen := map[string]bool{}
	for _, p := range patterns {
		if seen[p] || len(p) > MaxPath || !strings.HasPrefix(p, stagingPart+"/") || strings.Trim(p, patternBytes) != "" {
			return refuse(field, "%.80q is no path pattern here: each is there once, starts with staging/ and has letters, digits and ._-/*? only", p)
		}
		seen[p] = true
	}
	return nil
}

const patternBytes = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-/*?"

func checkKeys(field string, keys map[string]p256.Key) error {
	if len(keys) > MaxKeys {
		return refuse(field, "%d keys are listed, at most %d are allowed", len(keys), MaxKeys)
	}
	for id, k := range keys {
		if err := k.Check(); err != nil {
			return err
		}
		if k.ID() != id {
			return refuse(field, "the key %.64q has another id: %s", id, k.ID())
		}
	}
	return nil
}

func checkRole(field string, ids []string, threshold int, keys map[string]p256.Key, used map[string]bool) error {
	if len(ids) == 0 || len(ids) > MaxRoleKeys {
		return refuse(field, "%s has %d keys, 1 to %d are allowed", field, len(ids), MaxRoleKeys)
	}
	for i, id := range ids {
		if _, ok := keys[id]; !ok {
			return refuse(field, "the key %.64q of %s is not listed", id, field)
		}
		if slices.Contains(ids[:i], id) {
			return refuse(field, "the key %s is in %s twice", id, field)
		}
		used[id] = true
	}
	if threshold < 1 || threshold > len(ids) {
		return refuse(field, "the threshold of %s is %d with %d keys", field, threshold, len(ids))
	}
	return nil
}

func checkUsed(field string, keys map[string]p256.Key, used map[string]bool) error {
	for id := range keys {
		if !used[id] {
			return refuse(field, "the key %s is listed but no role has it", id)
		}
	}
	return nil
}

// nextVersion is v+1, refused at the end of the numbers.
func nextVersion(v uint32) (uint32, error) {
	if v == math.MaxUint32 {
		return 0, ota.Conflict(CodeVersion, "no version comes after %d", v)
	}
	return v + 1, nil
}
