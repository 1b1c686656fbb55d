package tuf_test

import (
	"bytes"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/waxwing-ota/waxwing/internal/core/tuf"
)

// The tests in the conformance_*_test.go files tell the cases of the TUF
// conformance suite (theupdateframework/tuf-conformance at eec841c) in our words;
// the names of the subtests are the suite's. docs/sealed/spec-metadata.md lists
// them.

func hash256(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}

func hash512(s string) string {
	sum := sha512.Sum512([]byte(s))
	return hex.EncodeToString(sum[:])
}

// suiteCase is a case of the suite. It fails by t.
type suiteCase struct {
	name string
	run  func(t *testing.T, s *sim, u *user)
}

func runSuite(t *testing.T, cases []suiteCase) {
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s := newSim(t)
			c.run(t, s, s.user())
		})
	}
}

func mustRefresh(t *testing.T, u *user) {
	t.Helper()
	if _, err := u.refresh(); err != nil {
		t.Fatalf("refresh: %v", err)
	}
}

func refuseRefresh(t *testing.T, u *user, want string) {
	t.Helper()
	if _, err := u.refresh(); err == nil {
		t.Fatal("refresh: want a refusal")
	}
	if got := u.versions(); want != "" && got != want {
		t.Fatalf("stored %s, want %s", got, want)
	}
}

func wantVersion(t *testing.T, u *user, role string, v int) {
	t.Helper()
	if got := u.version(role); got != v {
		t.Fatalf("%s has version %d, want %d", role, got, v)
	}
}

func TestConformanceBasic(t *testing.T) {
	four := []string{"2.root.json", "timestamp.json", "1.snapshot.json", "1.targets.json"}
	runSuite(t, []suiteCase{
		{"test_basic_refresh_requests", func(t *testing.T, s *sim, u *user) {
			mustRefresh(t, u)
			if diff := cmp.Diff(four, s.log); diff != "" {
				t.Error(diff)
			}
		}},
		{"test_basic_refresh_trusted_data", func(t *testing.T, s *sim, u *user) {
			mustRefresh(t, u)
			for role, b := range map[string][]byte{
				"root": u.stored.Root, "timestamp": u.stored.Timestamp, "snapshot": u.stored.Snapshot, "targets": u.stored.Roles["targets"],
			} {
				if !bytes.Equal(b, s.published[role][0]) {
					t.Error(role)
				}
			}
		}},
		{"test_implicit_refresh", func(t *testing.T, s *sim, u *user) {
			if err := u.download("nonexistent artifact"); err == nil {
				t.Error("a target that is not there was found")
			}
			if diff := cmp.Diff(four, s.log); diff != "" || u.versions() != "root 1 timestamp 1 snapshot 1 targets 1" {
				t.Error(diff, u.versions())
			}
		}},
		{"test_invalid_initial_root", func(t *testing.T, s *sim, u *user) {
			delete(s.docs["root"], "version")
			u.stored.Root = s.sign("root")
			if _, err := u.refresh(); err == nil || len(s.log) > 0 {
				t.Error(err, s.log)
			}
		}},
		{"test_unsigned_initial_root", func(t *testing.T, s *sim, u *user) {
			s.by["root"] = signers(t, 1)
			u.stored.Root = s.sign("root")
			if _, err := u.refresh(); err == nil || len(s.log) > 0 {
				t.Error(err, s.log)
			}
		}},
		{"test_timestamp_content_changes", func(t *testing.T, s *sim, u *user) {
			mustRefresh(t, u)
			s.docs["timestamp"]["meta"].(obj)["snapshot.json"] = obj{"version": 100}
			delete(s.published, "timestamp")
			s.publish("timestamp")
			mustRefresh(t, u)
			if s.log[len(s.log)-1] != "timestamp.json" || !strings.Contains(string(u.stored.Timestamp), `"version": 1`) || strings.Contains(string(u.stored.Timestamp), `"version": 100`) {
				t.Error(s.log, string(u.stored.Timestamp))
			}
		}},
		{"test_metadata_bytes_match", func(t *testing.T, s *sim, u *user) {
			s.published["timestamp"][0] = append(s.published["timestamp"][0], ' ')
			mustRefresh(t, u)
			if !bytes.Equal(u.stored.Timestamp, s.published["timestamp"][0]) {
				t.Error("stored in another serialisation")
			}
		}},
		{"test_custom_fields", func(t *testing.T, s *sim, u *user) {
			mustRefresh(t, u)
			k := s.newSigner()
			s.addKey("root", k)
			s.docs["root"]["custom-field"] = "value"
			s.role("root")["another-field"] = "value"
			s.docs["root"]["keys"].(obj)[k.Public().ID()].(obj)["extra-field"] = obj{"a": 1, "b": 2}
			s.publish("root")
			mustRefresh(t, u)
			wantVersion(t, u, "root", 2)
		}},
		{"test_deprecated_keyid_hash_algorithms", func(t *testing.T, s *sim, u *user) {
			mustRefresh(t, u)
			s.rotate("snapshot")
			id := s.role("snapshot")["keyids"].([]any)[0].(string)
			s.docs["root"]["keys"].(obj)[id].(obj)["keyid_hash_algorithms"] = "md5"
			s.publish("root", "snapshot", "timestamp")
			mustRefresh(t, u)
			if got := u.versions(); got != "root 2 timestamp 2 snapshot 2 targets 1" {
				t.Error(got)
			}
		}},
		{"test_incorrect_metadata_type", func(t *testing.T, s *sim, u *user) {
			s.by["snapshot"] = append(s.by["snapshot"], s.by["timestamp"]...)
			s.listKey("snapshot", s.by["timestamp"][0].Public())
			s.docs["snapshot"]["meta"] = obj{"snapshot.json": obj{"version": 1}}
			s.publish("root", "snapshot")
			s.published["timestamp"] = append(s.published["timestamp"], s.published["snapshot"][1])
			s.published["snapshot"] = s.published["snapshot"][:1]
			refuseRefresh(t, u, "root 2")
		}},
		{"test_faketime", func(t *testing.T, s *sim, u *user) {
			s.docs["root"]["expires"] = stamp(day.AddDate(0, 0, 7))
			s.publish("root")
			mustRefresh(t, u)
			u.now = day.AddDate(0, 0, 8)
			refuseRefresh(t, u, "")
		}},
	})
}

func TestConformanceUnsignedAndMismatch(t *testing.T) {
	all := []string{"root", "targets", "snapshot", "timestamp"}
	for role, stored := range map[string]string{
		"root": "root 1", "timestamp": "root 2", "snapshot": "root 2 timestamp 2", "targets": "root 2 timestamp 2 snapshot 2",
	} {
		t.Run("test_unsigned_metadata/"+role, func(t *testing.T) {
			s := newSim(t)
			u := s.user()
			s.by[role] = nil
			s.publish(all...)
			refuseRefresh(t, u, stored)
		})
		if role == "timestamp" {
			continue
		}
		t.Run("test_url_and_metadata_version_mismatch/"+role, func(t *testing.T) {
			s := newSim(t)
			u := s.user()
			s.docs[role]["version"] = 2
			s.publish(all...)
			// The parents name the version of the file, as the suite's do not: so
			// only the version inside differs.
			refuseRefresh(t, u, map[string]string{"root": "root 1"}[role])
			if u.version(role) > 1 {
				t.Error(u.versions())
			}
		})
	}
}

func TestConformanceLengthsHashesAbsence(t *testing.T) {
	runSuite(t, []suiteCase{
		{"test_basic_metadata_hash_support", func(t *testing.T, s *sim, u *user) {
			s.hashes = true
			s.publish("targets", "snapshot", "timestamp")
			mustRefresh(t, u)
		}},
		{"test_targets_hash_mismatch", func(t *testing.T, s *sim, u *user) {
			s.hashes = true
			s.publish("targets", "snapshot", "timestamp")
			mustRefresh(t, u)
			s.publish("targets")
			s.docs["snapshot"]["meta"].(obj)["targets.json"].(obj)["hashes"] = obj{"sha256": strings.Repeat("0", 64)}
			s.publish("snapshot", "timestamp")
			refuseRefresh(t, u, "root 1 timestamp 3 snapshot 3 targets 2")
		}},
		{"test_snapshot_hash_mismatch", func(t *testing.T, s *sim, u *user) {
			s.hashes = true
			s.publish("snapshot", "timestamp")
			mustRefresh(t, u)
			s.publish("snapshot")
			s.docs["timestamp"]["meta"].(obj)["snapshot.json"].(obj)["hashes"] = obj{"sha256": strings.Repeat("0", 64)}
			s.publish("timestamp")
			refuseRefresh(t, u, "root 1 timestamp 3 snapshot 2 targets 1")
		}},
		{"snapshot and targets of another length", func(t *testing.T, s *sim, u *user) {
			s.hashes = true
			s.publish("targets", "snapshot", "timestamp")
			n := len(s.published["snapshot"]) - 1
			s.published["snapshot"][n] = append(s.published["snapshot"][n], '\n')
			refuseRefresh(t, u, "root 1 timestamp 2")
		}},
		{"test_snapshot_404", func(t *testing.T, s *sim, u *user) {
			mustRefresh(t, u)
			s.docs["timestamp"]["meta"].(obj)["snapshot.json"] = obj{"version": 2}
			s.publish("timestamp")
			refuseRefresh(t, u, "root 1 timestamp 2 snapshot 1 targets 1")
			if s.log[len(s.log)-1] != "2.snapshot.json" {
				t.Error(s.log)
			}
		}},
		{"test_targets_404", func(t *testing.T, s *sim, u *user) {
			mustRefresh(t, u)
			s.docs["snapshot"]["meta"].(obj)["targets.json"] = obj{"version": 2}
			s.publish("snapshot", "timestamp")
			refuseRefresh(t, u, "root 1 timestamp 2 snapshot 2 targets 1")
			if s.log[len(s.log)-1] != "2.targets.json" {
				t.Error(s.log)
			}
		}},
		{"test_timestamp_404", func(t *testing.T, s *sim, u *user) {
			mustRefresh(t, u)
			delete(s.published, "timestamp")
			refuseRefresh(t, u, "root 1 timestamp 1 snapshot 1 targets 1")
		}},
	})
}

func TestConformanceExpiration(t *testing.T) {
	past := func(days int) string { return stamp(day.AddDate(0, 0, -days)) }
	runSuite(t, []suiteCase{
		{"test_root_expired", func(t *testing.T, s *sim, u *user) {
			mustRefresh(t, u)
			s.publish("root")
			mustRefresh(t, u)
			s.docs["root"]["expires"] = past(1)
			s.publish("root", "targets", "snapshot", "timestamp")
			refuseRefresh(t, u, "root 3 timestamp 1 snapshot 1 targets 1")
		}},
		{"test_timestamp_expired", func(t *testing.T, s *sim, u *user) {
			mustRefresh(t, u)
			s.docs["timestamp"]["expires"] = past(5)
			s.publish("timestamp")
			refuseRefresh(t, u, "root 1 timestamp 1 snapshot 1 targets 1")
		}},
		{"test_snapshot_expired", func(t *testing.T, s *sim, u *user) {
			mustRefresh(t, u)
			s.docs["snapshot"]["expires"] = past(5)
			s.publish("snapshot", "timestamp")
			refuseRefresh(t, u, "root 1 timestamp 2 snapshot 1 targets 1")
		}},
		{"test_targets_expired", func(t *testing.T, s *sim, u *user) {
			mustRefresh(t, u)
			s.docs["targets"]["expires"] = past(5)
			s.publish("targets", "snapshot", "timestamp")
			refuseRefresh(t, u, "root 1 timestamp 2 snapshot 2 targets 1")
		}},
		{"test_expired_local_root", func(t *testing.T, s *sim, u *user) {
			s.docs["root"]["expires"] = past(-7)
			s.publish("root")
			mustRefresh(t, u)
			s.docs["root"]["expires"] = past(-21)
			s.publish("root")
			u.now = day.AddDate(0, 0, 18)
			mustRefresh(t, u)
			wantVersion(t, u, "root", 3)
		}},
		{"test_expired_local_timestamp", func(t *testing.T, s *sim, u *user) {
			s.docs["timestamp"]["expires"] = past(-7)
			s.publish("timestamp")
			mustRefresh(t, u)
			s.docs["timestamp"]["expires"] = past(-21)
			s.publish("targets", "snapshot", "timestamp")
			u.now = day.AddDate(0, 0, 18)
			mustRefresh(t, u)
			if got := u.versions(); got != "root 1 timestamp 3 snapshot 2 targets 2" {
				t.Error(got)
			}
		}},
	})
}

func TestConformanceKeys(t *testing.T) {
	runSuite(t, []suiteCase{
		{"test_snapshot_does_not_meet_threshold", func(t *testing.T, s *sim, u *user) {
			s.role("snapshot")["threshold"] = 3
			s.addKey("snapshot", s.newSigner())
			s.addKey("snapshot", s.newSigner())
			s.publish("root", "targets", "snapshot", "timestamp")
			mustRefresh(t, u)
			s.by["snapshot"] = s.by["snapshot"][:2]
			s.publish("targets", "snapshot", "timestamp")
			refuseRefresh(t, u, "root 2 timestamp 3 snapshot 2 targets 2")
		}},
		{"test_snapshot_has_too_few_keys", func(t *testing.T, s *sim, u *user) {
			for range 4 {
				s.addKey("snapshot", s.newSigner())
			}
			s.role("snapshot")["threshold"] = 6
			s.publish("root", "snapshot", "timestamp")
			refuseRefresh(t, u, "root 2 timestamp 2")
		}},
		{"test_duplicate_keys", func(t *testing.T, s *sim, u *user) {
			k := s.newSigner()
			for range 9 {
				s.listKey("snapshot", k.Public())
			}
			s.by["snapshot"] = append(s.by["snapshot"], k)
			s.role("snapshot")["threshold"] = 6
			s.publish("root", "snapshot", "timestamp")
			s.editSignatures("snapshot", func(all []any) []any {
				return slices.Concat(all, slices.Repeat(all[len(all)-1:], 8))
			})
			refuseRefresh(t, u, "root 1")
		}},
		{"test_duplicate_sig_keyids", func(t *testing.T, s *sim, u *user) {
			s.editSignatures("snapshot", func(all []any) []any { return append(all, all[0]) })
			refuseRefresh(t, u, "root 1 timestamp 1")
		}},
		{"one key under two ids", func(t *testing.T, s *sim, u *user) {
			s.role("timestamp")["threshold"] = 2
			id := s.role("timestamp")["keyids"].([]any)[0].(string)
			keys := s.docs["root"]["keys"].(obj)
			keys["another"] = keys[id]
			s.role("timestamp")["keyids"] = []any{id, "another"}
			s.publish("root", "timestamp")
			s.editSignatures("timestamp", func(all []any) []any {
				return append(all, obj{"keyid": "another", "sig": all[0].(obj)["sig"]})
			})
			_, err := u.refresh()
			wantCode(t, err, tuf.CodeSignature)
			s.role("timestamp")["threshold"] = 1
			s.publish("root", "timestamp")
			mustRefresh(t, u)
		}},
		{"test_keytype_and_scheme/ecdsa", func(t *testing.T, s *sim, u *user) {
			mustRefresh(t, u)
			s.addKey("root", s.newSigner())
			s.role("root")["threshold"] = 2
			s.publish("root")
			mustRefresh(t, u)
			s.publish("root")
			s.editSignatures("root", func(all []any) []any {
				all[1].(obj)["sig"] = "3046022100fa1f62d38e0f5c565fa23e5d230086258427d87f024c146071966deefde55468022100b3347b4bd9ba6701ca6cef949d04b5742394b9f8c4417933e5d4fa76c3ca3a98"
				return all
			})
			refuseRefresh(t, u, "root 2 timestamp 1 snapshot 1 targets 1")
		}},
		{"test_invalid_sig_in_valid_metadata", func(t *testing.T, s *sim, u *user) {
			old := sigOf(t, s.published["timestamp"][0])
			for _, bad := range []string{old, ""} {
				if bad == old {
					s.addKey("timestamp", s.newSigner())
					s.publish("root")
				}
				s.publish("timestamp")
				s.editSignatures("timestamp", func(all []any) []any {
					all[0].(obj)["sig"] = bad
					return all
				})
				mustRefresh(t, u)
			}
			wantVersion(t, u, "timestamp", 3)
		}},
	})
}

func sigOf(t *testing.T, b []byte) string {
	t.Helper()
	var e struct{ Signatures []tuf.Signature }
	if err := json.Unmarshal(b, &e); err != nil {
		t.Fatal(err)
	}
	return e.Signatures[0].Sig
}
