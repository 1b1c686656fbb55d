package tuf_test

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/canon"
	"github.com/waxwing-ota/waxwing/internal/core/p256"
	"github.com/waxwing-ota/waxwing/internal/core/tuf"
)

// obj is a JSON object whose content tests may change at will.
type obj = map[string]any

// sim is a repository of others: it publishes whatever a test makes of it, right
// or wrong. It does what the simulator of the TUF conformance suite does, so that
// the suite's cases can be told in the same steps.
type sim struct {
	t         *testing.T
	docs      map[string]obj           // what each role will sign next
	by        map[string][]p256.Signer // who signs for it
	published map[string][][]byte      // index 0 is version 1
	artifacts map[string][]byte        // by target path
	hashes    bool                     // say lengths and hashes of metadata
	log       []string                 // files of metadata that were asked for
	lastKey   int                      // the keys used so far
}

func newSim(t *testing.T) *sim {
	s := &sim{t: t, docs: map[string]obj{}, by: map[string][]p256.Signer{}, published: map[string][][]byte{}, artifacts: map[string][]byte{}, lastKey: 100}
	for _, role := range []string{"root", "timestamp", "snapshot", "targets"} {
		s.docs[role] = obj{"_type": role, "spec_version": "1.0.34", "version": 1, "expires": stamp(day.AddDate(0, 0, 30))}
	}
	s.docs["root"]["consistent_snapshot"] = true
	s.docs["root"]["keys"] = obj{}
	s.docs["root"]["roles"] = obj{}
	for _, role := range []string{"root", "timestamp", "snapshot", "targets"} {
		s.docs["root"]["roles"].(obj)[role] = obj{"keyids": []any{}, "threshold": 1}
		s.addKey(role, s.newSigner())
	}
	s.docs["timestamp"]["meta"] = obj{"snapshot.json": obj{"version": 1}}
	s.docs["snapshot"]["meta"] = obj{"targets.json": obj{"version": 1}}
	s.docs["targets"]["targets"] = obj{}
	s.publish("targets", "snapshot", "timestamp", "root")
	return s
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05Z") }

func (s *sim) newSigner() p256.Signer {
	s.lastKey++
	return signer(s.t, s.lastKey)
}

func keyJSON(k p256.Key) obj {
	return obj{"keytype": k.Type, "scheme": k.Scheme, "keyval": obj{"public": k.Val.Public}}
}

// role is what the delegator says of a top-level role.
func (s *sim) role(name string) obj { return s.docs["root"]["roles"].(obj)[name].(obj) }

// addKey gives a top-level role one more key and signer.
func (s *sim) addKey(role string, k p256.Signer) {
	s.listKey(role, k.Public())
	s.by[role] = append(s.by[role], k)
}

func (s *sim) listKey(role string, k p256.Key) {
	s.docs["root"]["keys"].(obj)[k.ID()] = keyJSON(k)
	s.role(role)["keyids"] = append(s.role(role)["keyids"].([]any), k.ID())
}

func (s *sim) dropKeys(role string) { s.role(role)["keyids"], s.by[role] = []any{}, nil }

// rotate gives a top-level role new keys, as many as its threshold.
func (s *sim) rotate(role string) {
	s.dropKeys(role)
	for range s.role(role)["threshold"].(int) {
		s.addKey(role, s.newSigner())
	}
}

// delegate adds a delegated role with a key of its own.
func (s *sim) delegate(from, name string, terminating bool, paths ...string) p256.Signer {
	d, ok := s.docs[from]["delegations"].(obj)
	if !ok {
		d = obj{"keys": obj{}, "roles": []any{}}
		s.docs[from]["delegations"] = d
	}
	k := s.newSigner()
	d["keys"].(obj)[k.Public().ID()] = keyJSON(k.Public())
	d["roles"] = append(d["roles"].([]any), obj{
		"name": name, "keyids": []any{k.Public().ID()}, "threshold": 1, "terminating": terminating, "paths": paths,
	})
	s.by[name] = append(s.by[name], k)
	if s.docs[name] == nil {
		s.docs[name] = obj{"_type": "targets", "spec_version": "1.0.34", "version": 1, "expires": stamp(day.AddDate(0, 0, 30)), "targets": obj{}}
	}
	return k
}

func (s *sim) addArtifact(role, path, content string) {
	s.docs[role]["targets"].(obj)[path] = obj{"length": len(content), "hashes": obj{"sha256": hash256(content)}}
	s.artifacts[path] = []byte(content)
}

// publish signs the roles, each with the next version if it has one already, and
// writes their versions into the parents' documents, which are signed when it is
// their turn.
func (s *sim) publish(roles ...string) {
	s.t.Helper()
	for _, role := range roles {
		doc := s.docs[role]
		if _, again := s.published[role]; again {
			doc["version"] = doc["version"].(int) + 1
		}
		b := s.sign(role)
		s.published[role] = append(s.published[role], b)
		m := obj{"version": doc["version"].(int)}
		if s.hashes {
			m["length"], m["hashes"] = len(b), obj{"sha256": hash256(string(b))}
		}
		switch role {
		case "root", "timestamp":
		case "snapshot":
			s.docs["timestamp"]["meta"].(obj)["snapshot.json"] = m
		default:
			s.docs["snapshot"]["meta"].(obj)[role+".json"] = m
		}
	}
}

func (s *sim) sign(role string) []byte {
	s.t.Helper()
	body, err := json.Marshal(s.docs[role])
	if err != nil {
		s.t.Fatal(err)
	}
	message, err := canon.Canonical(body, 1<<22)
	if err != nil {
		s.t.Fatal(err)
	}
	sigs := []any{}
	seen := map[string]bool{}
	for _, k := range s.by[role] {
		if seen[k.Public().ID()] {
			continue
		}
		seen[k.Public().ID()] = true
		der, err := k.Sign(s.t.Context(), message)
		if err != nil {
			s.t.Fatal(err)
		}
		sigs = append(sigs, obj{"keyid": k.Public().ID(), "sig": hex.EncodeToString(der)})
	}
	b, err := json.MarshalIndent(obj{"signatures": sigs, "signed": s.docs[role]}, "", " ")
	if err != nil {
		s.t.Fatal(err)
	}
	return b
}

// editSignatures rewrites the signatures of what a role published last.
func (s *sim) editSignatures(role string, edit func([]any) []any) {
	s.t.Helper()
	all := s.published[role]
	var e obj
	if err := json.Unmarshal(all[len(all)-1], &e); err != nil {
		s.t.Fatal(err)
	}
	e["signatures"] = edit(e["signatures"].([]any))
	b, err := json.Marshal(e)
	if err != nil {
		s.t.Fatal(err)
	}
	all[len(all)-1] = b
}

// fetch serves the published metadata and notes what was asked for.
func (s *sim) fetch(n tuf.Need) ([]byte, bool, error) {
	role := strings.TrimSuffix(n.File, ".json")
	version := 0
	if n.Role != "timestamp" {
		if _, err := fmt.Sscanf(n.File, "%d.", &version); err != nil {
			return nil, false, err
		}
		_, role, _ = strings.Cut(role, ".")
	}
	s.log = append(s.log, n.File)
	all := s.published[role]
	if n.Role == "timestamp" {
		version = len(all)
	}
	if version < 1 || version > len(all) {
		return nil, false, nil
	}
	return all[version-1], true, nil
}

// user is a client of a sim with what it stored: it makes a new Client for each
// refresh, as a program that is started anew does.
type user struct {
	s      *sim
	stored tuf.State
	now    time.Time
	files  map[string][]byte // targets it has downloaded
	gets   []string          // files of targets that it asked for
}

func (s *sim) user() *user {
	return &user{s: s, stored: tuf.State{Root: s.published["root"][0]}, now: day, files: map[string][]byte{}}
}

func (u *user) refresh() (*tuf.Client, error) {
	c, err := tuf.StartForeign(u.stored.Root, nil)
	if err != nil {
		return nil, err
	}
	roles := map[string][]byte{}
	for role, b := range u.stored.Roles {
		roles[role] = b
	}
	c.LoadForeign(u.stored.Timestamp, u.stored.Snapshot, roles, u.now)
	err = c.Pull(u.s.fetch, u.now)
	u.stored = c.State()
	return c, err
}

// download gets targets in one session and stops at the first that fails.
func (u *user) download(paths ...string) error {
	c, err := u.refresh()
	if err != nil {
		return err
	}
	for _, path := range paths {
		_, _, err := c.PullTarget(path, u.s.fetch, u.now)
		u.stored = c.State()
		if err != nil {
			return err
		}
		file, _, holds, err := c.ForeignTarget(path)
		if err != nil {
			return err
		}
		if b, ok := u.files[path]; ok && holds(b) == nil {
			continue
		}
		u.gets = append(u.gets, file)
		b := u.s.artifacts[path]
		if err := holds(b); err != nil {
			return err
		}
		u.files[path] = b
	}
	return nil
}

// version is that of a role's stored document, 0 if there is none.
func (u *user) version(role string) int {
	b := map[string][]byte{"root": u.stored.Root, "timestamp": u.stored.Timestamp, "snapshot": u.stored.Snapshot}[role]
	if r, ok := u.stored.Roles[role]; ok {
		b = r
	}
	var e struct{ Signed struct{ Version int } }
	if len(b) == 0 || json.Unmarshal(b, &e) != nil {
		return 0
	}
	return e.Signed.Version
}

// versions says what is stored, such as "root 2 snapshot 1".
func (u *user) versions() string {
	var all []string
	roles := slices.Sorted(maps.Keys(u.stored.Roles))
	for _, role := range append([]string{"root", "timestamp", "snapshot"}, roles...) {
		if v := u.version(role); v > 0 {
			all = append(all, fmt.Sprint(role, " ", v))
		}
	}
	return strings.Join(all, " ")
}
