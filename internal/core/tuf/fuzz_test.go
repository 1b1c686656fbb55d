package tuf_test

import (
	"bytes"
	"path"
	"strings"
	"testing"

	"github.com/waxwing-ota/waxwing/internal/core/tuf"
)

// addAll seeds a fuzz target with every document of a repository.
func addAll(f *testing.F) *repo {
	f.Helper()
	r := newRepo(f)
	for _, b := range [][]byte{r.latest.Root, r.latest.Timestamp, r.latest.Snapshot, r.latest.Roles["targets"], r.latest.Roles["staging"]} {
		f.Add(b)
	}
	f.Add([]byte(`{"signatures":[],"signed":{"_type":"root"}}`))
	return r
}

// FuzzDocuments: a document is read by the parser of its own type only, and what
// was read keeps its rules.
func FuzzDocuments(f *testing.F) {
	addAll(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		read := map[string]error{}
		root, err := tuf.ParseRoot(b)
		read["root"] = err
		if err == nil && root.Check() != nil {
			t.Error(root.Check())
		}
		_, read["timestamp"] = tuf.ParseTimestamp(b)
		_, read["snapshot"] = tuf.ParseSnapshot(b)
		_, read["targets"] = tuf.ParseTargets(b)
		info, err := tuf.Inspect(b)
		for kind, e := range read {
			if (e == nil) != (err == nil && info.Type == kind) {
				t.Errorf("%s: %v; inspected as %q: %v", kind, e, info.Type, err)
			}
		}
	})
}

// FuzzClient: whatever is given to a client in the place of a document, it takes
// in nothing but that document.
func FuzzClient(f *testing.F) {
	r := addAll(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		for role, good := range map[string][]byte{
			"timestamp": r.latest.Timestamp, "snapshot": r.latest.Snapshot, "targets": r.latest.Roles["targets"], "staging": r.latest.Roles["staging"],
		} {
			p := r.published()
			switch role {
			case "timestamp":
				p.Timestamp = b
			case "snapshot":
				p.Snapshot = b
			default:
				p.Roles[role] = b
			}
			c, err := tuf.Start(r.roots[0])
			if err != nil {
				t.Fatal(err)
			}
			if err := feed(c, nil, p, day); (err == nil) != bytes.Equal(b, good) {
				t.Errorf("%s: %v", role, err)
			}
			if c.UpdateRoot(b) == nil {
				t.Error("a root that nobody signed was taken in")
			}
		}
		if _, err := tuf.Start(b); err == nil {
			if _, err := tuf.ParseRoot(b); err != nil {
				t.Error(err)
			}
		}
	})
}

// FuzzForeign: the foreign reading takes any bytes without falling over, and a
// client of ours started from a root of ours agrees with it.
func FuzzForeign(f *testing.F) {
	r := addAll(f)
	f.Add([]byte(`{"signatures":[{"keyid":"","sig":""}],"signed":{"_type":"targets","version":1,"expires":"2030-01-01T00:00:00Z","spec_version":"1","targets":{},"delegations":{"keys":{},"roles":[{"name":"a","keyids":[],"threshold":1,"paths":["*"]}]}}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		_, strict := tuf.Start(b)
		_, lax := tuf.StartForeign(b, nil)
		if strict == nil && lax != nil {
			t.Errorf("our root is refused as a foreign one: %v", lax)
		}
		c, err := tuf.StartForeign(r.roots[0], nil)
		if err != nil {
			t.Fatal(err)
		}
		c.LoadForeign(b, b, map[string][]byte{"targets": b}, day)
		_ = c.UpdateRoot(b)
		if c.UpdateTimestamp(r.latest.Timestamp, day) == nil && c.UpdateSnapshot(r.latest.Snapshot, day) == nil {
			_ = c.UpdateTargets("targets", b, day)
			_, _, _ = c.Target("a")
		}
	})
}

// FuzzState: a stored state either goes on or is refused whole.
func FuzzState(f *testing.F) {
	r := newRepo(f)
	b, err := r.client().State().Encode()
	r.must(err)
	f.Add(b)
	f.Add([]byte(`{"roles":{},"root":""}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := tuf.DecodeState(b)
		if err != nil {
			return
		}
		if again, err := s.Encode(); err != nil || !bytes.Equal(again, b) {
			t.Errorf("%v %s", err, again)
		}
		c, err := tuf.Resume(s, day)
		if err != nil {
			wantCode(t, err, tuf.CodeState)
			return
		}
		_, _, _ = c.Target(tuf.TrustPath)
		_ = c.Missing()
	})
}

// FuzzPatterns compares the matching of paths with the standard library's, part by
// part.
func FuzzPatterns(f *testing.F) {
	for _, s := range []string{"*", "staging/*/*", "foo-?.tgz", "a*b*c", "**", "a/*/c?", "", "*a*a*a*a*b"} {
		f.Add(s, "staging/com.example.app/1.manifest")
		f.Add(s, "foo-1.tgz")
		f.Add(s, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")
	}
	f.Fuzz(func(t *testing.T, pattern, name string) {
		if strings.ContainsAny(pattern, `[]\`) || len(pattern) > 100 || len(name) > 100 || !ascii(pattern+name) {
			return
		}
		want := strings.Count(pattern, "/") == strings.Count(name, "/")
		if ok, err := path.Match(pattern, name); err != nil || !ok {
			want = false
		}
		if got := (tuf.DelegatedRole{Paths: []string{pattern}}).Covers(name); got != want {
			t.Errorf("%q covers %q: %v, want %v", pattern, name, got, want)
		}
	})
}

func ascii(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}
