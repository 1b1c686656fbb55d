package tuf_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/tuf"
)

// edge is a delegation; with no paths it is of "*", and final is terminating.
type edge struct {
	from, to string
	final    bool
	paths    []string
}

func edges(s string) []edge {
	var all []edge
	for w := range strings.FieldsSeq(s) {
		from, rest, _ := strings.Cut(w, ">")
		to, paths, narrow := strings.Cut(rest, "=")
		e := edge{from: from, to: strings.TrimSuffix(to, "!"), final: strings.HasSuffix(to, "!"), paths: []string{"*"}}
		if narrow {
			e.paths = strings.Split(paths, ",")
		}
		all = append(all, e)
	}
	return all
}

// build adds the delegations, lets fill add targets, and publishes all.
func (s *sim) build(graph string, fill func()) {
	var roles []string
	for _, e := range edges(graph) {
		s.delegate(e.from, e.to, e.final, e.paths...)
		for _, r := range []string{e.to, e.from} {
			if !slices.Contains(roles, r) {
				roles = append(roles, r)
			}
		}
	}
	fill()
	s.publish(append(roles, "snapshot", "timestamp")...)
}

// visited are the delegated roles that were asked for, in order.
func (s *sim) visited() string {
	var all []string
	for _, f := range s.log {
		role := strings.TrimSuffix(f[strings.IndexByte(f, '.')+1:], ".json")
		if !slices.Contains([]string{"root", "json", "snapshot", "targets"}, role) {
			all = append(all, role)
		}
	}
	return strings.Join(all, " ")
}

func TestConformanceGraphTraversal(t *testing.T) {
	for _, c := range []struct{ name, graph, order string }{
		{"basic-delegation", "targets>A", "A"},
		{"single-level-delegations", "targets>A targets>B", "A B"},
		{"two-level-delegations", "targets>A targets>B B>C", "A B C"},
		{"two-level-test-DFS-order-of-traversal", "targets>A targets>B A>C A>D", "A C D B"},
		{"three-level-delegation-test-DFS-order-of-traversal", "targets>A targets>B A>C C>D", "A C D B"},
		{"two-level-terminating-ignores-all-but-roles-descendants", "targets>A targets>B A>C! A>D", "A C"},
		{"three-level-terminating-ignores-all-but-roles-descendants", "targets>A targets>B A>C! C>D", "A C D"},
		{"two-level-ignores-all-branches-not-matching-paths", "targets>A=*.py targets>B A>C", "B"},
		{"three-level-ignores-all-branches-not-matching-paths", "targets>A targets>B A>C=*.py C>D", "A B"},
		{"cyclic-graph", "targets>A targets>B B>C C>D D>B", "A B C D"},
		{"two-roles-delegating-to-a-third", "targets>A targets>B B>C A>C", "A C B"},
		{"two-roles-delegating-to-a-third-different-paths", "targets>A targets>B B>C A>C=*.py", "A B C"},
	} {
		t.Run("test_graph_traversal/"+c.name, func(t *testing.T) {
			s := newSim(t)
			u := s.user()
			s.build(c.graph, func() {})
			if err := u.download("missingpath"); err == nil || s.visited() != c.order {
				t.Errorf("visited %q, want %q; %v", s.visited(), c.order, err)
			}
		})
	}
}

func TestConformanceTargetfileSearch(t *testing.T) {
	const tree = "targets>A=*.doc,*.md,foo-?.tgz targets>B=releases/*/* B>C=releases/x/* B>D=releases/y/*.zip"
	for _, c := range []struct {
		name, path string
		found      bool
		order      string
	}{
		{"no delegations", "targetfile", true, ""},
		{"targetpath matches wildcard", "README.md", true, "A"},
		{"targetpath with separators x", "releases/x/x_v1", true, "B C"},
		{"targetpath with separators y", "releases/y/y_v1.zip", true, "B D"},
		{"targetpath is not delegated by all roles in the chain", "releases/z/z_v1.zip", false, "B"},
		{"wildcard does not match path separator", "releases/README.md", false, ""},
		{"targetpath matches question mark wildcard", "foo-1.tgz", true, "A"},
		{"targetpath does not match question mark wildcard", "foo-alpha.tgz", false, ""},
		{"targetpath matching is case sensitive", "README.MD", false, ""},
	} {
		t.Run("test_targetfile_search/"+c.name, func(t *testing.T) {
			s := newSim(t)
			u := s.user()
			s.build(tree, func() {
				s.addArtifact("targets", "targetfile", "targetfile content")
				for role, paths := range map[string]string{
					"A": "README.md releases/README.md foo-1.tgz foo-alpha.tgz", "C": "releases/x/x_v1", "D": "releases/y/y_v1.zip releases/z/z_v1.zip",
				} {
					for p := range strings.FieldsSeq(paths) {
						s.addArtifact(role, p, p+" by "+role)
					}
				}
			})
			err := u.download(c.path)
			if (err == nil) != c.found || s.visited() != c.order {
				t.Errorf("visited %q, want %q; %v", s.visited(), c.order, err)
			}
			if diff := cmp.Diff(string(s.artifacts[c.path]), string(u.files[c.path])); c.found && diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestConformanceDelegations(t *testing.T) {
	runSuite(t, []suiteCase{
		{"test_cached_role_is_verified_against_current_delegator", func(t *testing.T, s *sim, u *user) {
			s.delegate("targets", "parent-a", false, "team-a/*")
			s.delegate("targets", "parent-b", false, "team-b/*")
			a := s.delegate("parent-a", "release", false, "team-a/*")
			s.delegate("parent-b", "release", false, "team-b/*")
			s.by["release"] = s.by["release"][:1]
			if s.by["release"][0] != a {
				t.Fatal("the wrong key signs")
			}
			s.addArtifact("release", "team-a/trusted_root.json", "trusted A")
			s.addArtifact("release", "team-b/trusted_root.json", "malicious B")
			s.publish("release", "parent-a", "parent-b", "targets", "snapshot", "timestamp")
			err := u.download("team-a/trusted_root.json", "team-b/trusted_root.json")
			wantCode(t, err, tuf.CodeSignature)
			if len(u.files) != 1 || string(u.files["team-a/trusted_root.json"]) != "trusted A" {
				t.Error(u.files)
			}
		}},
		{"test_delegation_not_in_snapshot", func(t *testing.T, s *sim, u *user) {
			s.delegate("targets", "delegated", false, "delegatedpath/*")
			s.publish("delegated", "targets")
			delete(s.docs["snapshot"]["meta"].(obj), "delegated.json")
			s.publish("snapshot", "timestamp")
			mustRefresh(t, u)
			s.log = nil
			wantCode(t, u.download("delegatedpath/foo"), tuf.CodeRole)
			if diff := cmp.Diff([]string{"2.root.json", "timestamp.json"}, s.log); diff != "" {
				t.Error(diff)
			}
		}},
	})
	for _, role := range []string{"?", "#", "/delegatedrole", "../delegatedrole"} {
		t.Run("test_unusual_role_name/"+role, func(t *testing.T) {
			s := newSim(t)
			u := s.user()
			s.delegate("targets", role, false, "*")
			s.publish(role, "targets", "snapshot", "timestamp")
			if err := u.download("nonexistent target"); ota.CodeOf(err) != tuf.CodeTarget {
				t.Error(err)
			}
			if !slices.Contains(s.log, "1."+role+".json") || len(u.stored.Roles) != 2 {
				t.Error(s.log, u.versions())
			}
		})
	}
}

func TestConformanceFileDownload(t *testing.T) {
	const path, content = "target_file.txt", "target file contents"
	runSuite(t, []suiteCase{
		{"test_client_downloads_expected_file", func(t *testing.T, s *sim, u *user) {
			s.addArtifact("targets", path, content)
			s.publish("targets", "snapshot", "timestamp")
			mustRefresh(t, u)
			if err := u.download(path); err != nil || string(u.files[path]) != content {
				t.Error(err)
			}
		}},
		{"test_client_downloads_expected_file_in_sub_dir", func(t *testing.T, s *sim, u *user) {
			s.addArtifact("targets", "path/to/a/"+path, content)
			s.publish("targets", "snapshot", "timestamp")
			if err := u.download("path/to/a/" + path); err != nil {
				t.Error(err)
			}
			if diff := cmp.Diff([]string{"path/to/a/" + hash256(content) + "." + path}, u.gets); diff != "" {
				t.Error(diff)
			}
		}},
		{"test_repository_substitutes_target_file", func(t *testing.T, s *sim, u *user) {
			s.addArtifact("targets", path, content)
			s.addArtifact("targets", "another", "content")
			s.publish("targets", "snapshot", "timestamp")
			if err := u.download(path); err != nil {
				t.Fatal(err)
			}
			s.artifacts[path], s.artifacts["another"] = []byte("malicious"), []byte("malicious")
			if err := u.download(path); err != nil || string(u.files[path]) != content {
				t.Error(err)
			}
			wantCode(t, u.download("another"), tuf.CodeHash)
		}},
		{"test_multiple_changes_to_target", func(t *testing.T, s *sim, u *user) {
			for i := range 11 {
				text := content + strings.Repeat("x", i)
				s.addArtifact("targets", path, text)
				s.publish("targets", "snapshot", "timestamp")
				if i%5 != 0 {
					continue
				}
				if err := u.download(path); err != nil || string(u.files[path]) != text {
					t.Fatal(i, err)
				}
				s.artifacts[path] = []byte("malicious")
				s.publish("targets", "snapshot", "timestamp")
				if err := u.download(path); err != nil || string(u.files[path]) != text {
					t.Fatal(i, err)
				}
			}
		}},
		{"test_download_with_hash_algorithms/sha512", func(t *testing.T, s *sim, u *user) { downloadWith(t, s, u, "sha512", "") }},
		{"test_download_with_hash_algorithms/sha256 and sha512", func(t *testing.T, s *sim, u *user) {
			downloadWith(t, s, u, "sha256 sha512", "")
		}},
		{"test_download_with_unknown_hash_algorithm", func(t *testing.T, s *sim, u *user) {
			downloadWith(t, s, u, "unknown-hash", tuf.CodeHash)
		}},
		{"a known and an unknown hash algorithm", func(t *testing.T, s *sim, u *user) {
			downloadWith(t, s, u, "sha256 unknown-hash", tuf.CodeHash)
		}},
		{"test_artifact_cache", func(t *testing.T, s *sim, u *user) {
			s.addArtifact("targets", path, content)
			s.publish("targets", "snapshot", "timestamp")
			if err := u.download(path); err != nil {
				t.Fatal(err)
			}
			if err := u.download(path); err != nil || len(u.gets) != 1 {
				t.Error(err, u.gets)
			}
		}},
		{"file names without consistent snapshots", func(t *testing.T, s *sim, u *user) {
			s.docs["root"]["consistent_snapshot"] = false
			s.addArtifact("targets", "a/"+path, content)
			s.publish("root", "targets", "snapshot", "timestamp")
			c, err := tuf.StartForeign(s.published["root"][0], nil)
			if err != nil {
				t.Fatal(err)
			}
			var asked []string
			err = c.Pull(func(n tuf.Need) ([]byte, bool, error) {
				asked = append(asked, n.File)
				if all := s.published[n.Role]; n.Role != "root" {
					return all[len(all)-1], true, nil
				}
				return s.fetch(n)
			}, day)
			if err != nil {
				t.Fatal(err)
			}
			file, _, _, err := c.ForeignTarget("a/" + path)
			if diff := cmp.Diff([]string{"2.root.json", "3.root.json", "timestamp.json", "snapshot.json", "targets.json"}, asked); diff != "" || file != "a/"+path {
				t.Error(diff, file, err)
			}
		}},
	})
}

func downloadWith(t *testing.T, s *sim, u *user, algorithms, code string) {
	t.Helper()
	const path, content = "target_file.txt", "target file contents"
	s.addArtifact("targets", path, content)
	hashes := obj{}
	for a := range strings.FieldsSeq(algorithms) {
		hashes[a] = map[string]string{"sha256": hash256(content), "sha512": hash512(content), "unknown-hash": hash512(content)}[a]
	}
	s.docs["targets"]["targets"].(obj)[path].(obj)["hashes"] = hashes
	s.publish("targets", "snapshot", "timestamp")
	err := u.download(path)
	if code != "" {
		wantCode(t, err, code)
		return
	}
	if err != nil || len(u.gets) != 1 || string(u.files[path]) != content {
		t.Error(err, u.gets)
	}
}
