package tuf_test

import (
	"testing"
)

func TestConformanceRollback(t *testing.T) {
	runSuite(t, []suiteCase{
		{"test_new_timestamp_version_rollback", func(t *testing.T, s *sim, u *user) {
			s.publish("timestamp")
			mustRefresh(t, u)
			wantVersion(t, u, "timestamp", 2)
			delete(s.published, "timestamp")
			s.docs["timestamp"]["version"] = 1
			s.publish("timestamp")
			refuseRefresh(t, u, "root 1 timestamp 2 snapshot 1 targets 1")
		}},
		{"test_snapshot_rollback/basic", func(t *testing.T, s *sim, u *user) { snapshotRollback(t, s, u, false) }},
		{"test_snapshot_rollback/with hashes", func(t *testing.T, s *sim, u *user) { snapshotRollback(t, s, u, true) }},
		{"test_targets_rollback/basic", func(t *testing.T, s *sim, u *user) { targetsRollback(t, s, u, false) }},
		{"test_targets_rollback/with hashes", func(t *testing.T, s *sim, u *user) { targetsRollback(t, s, u, true) }},
		{"test_targets_role_removal", func(t *testing.T, s *sim, u *user) {
			s.delegate("targets", "delegated", false, "delegatedpath/*")
			s.publish("delegated", "targets", "snapshot", "timestamp")
			mustRefresh(t, u)
			delete(s.docs["snapshot"]["meta"].(obj), "delegated.json")
			s.publish("snapshot", "timestamp")
			refuseRefresh(t, u, "")
			wantVersion(t, u, "snapshot", 2)
		}},
	})
}

func snapshotRollback(t *testing.T, s *sim, u *user, hashes bool) {
	t.Helper()
	s.hashes = hashes
	s.publish("snapshot", "timestamp")
	mustRefresh(t, u)
	delete(s.published, "snapshot")
	s.docs["snapshot"]["version"] = 1
	s.publish("snapshot", "timestamp")
	refuseRefresh(t, u, "root 1 timestamp 2 snapshot 2 targets 1")
	if s.log[len(s.log)-1] != "timestamp.json" {
		t.Error(s.log)
	}
}

func targetsRollback(t *testing.T, s *sim, u *user, hashes bool) {
	t.Helper()
	s.hashes = hashes
	s.publish("targets", "snapshot", "timestamp")
	mustRefresh(t, u)
	delete(s.published, "targets")
	s.docs["targets"]["version"] = 1
	s.publish("targets", "snapshot", "timestamp")
	refuseRefresh(t, u, "root 1 timestamp 3 snapshot 2 targets 2")
}

// TestConformanceFastForward: an attacker raised versions as far as they go; new
// keys in the root let the repository start over.
func TestConformanceFastForward(t *testing.T) {
	raise := func(s *sim, role string) {
		for range 99 {
			s.publish(role)
		}
	}
	runSuite(t, []suiteCase{
		{"test_targets_fast_forward_recovery", func(t *testing.T, s *sim, u *user) {
			s.delegate("targets", "delegated", false, "delegatedpath/*")
			s.publish("delegated")
			raise(s, "targets")
			s.publish("snapshot", "timestamp")
			mustRefresh(t, u)
			wantVersion(t, u, "targets", 100)
			s.rotate("snapshot")
			delete(s.published, "targets")
			s.docs["targets"]["version"] = 1
			delete(s.docs["snapshot"]["meta"].(obj), "delegated.json")
			s.publish("root", "targets", "snapshot", "timestamp")
			mustRefresh(t, u)
			wantVersion(t, u, "targets", 1)
		}},
		{"test_new_snapshot_fast_forward_recovery", func(t *testing.T, s *sim, u *user) {
			raise(s, "snapshot")
			s.publish("timestamp")
			mustRefresh(t, u)
			wantVersion(t, u, "snapshot", 100)
			s.rotate("snapshot")
			s.rotate("timestamp")
			delete(s.published, "snapshot")
			s.docs["snapshot"]["version"] = 1
			s.publish("root", "targets", "snapshot", "timestamp")
			mustRefresh(t, u)
			wantVersion(t, u, "snapshot", 1)
		}},
		{"test_new_timestamp_fast_forward_recovery", func(t *testing.T, s *sim, u *user) {
			raise(s, "timestamp")
			mustRefresh(t, u)
			wantVersion(t, u, "timestamp", 100)
			s.rotate("timestamp")
			delete(s.published, "timestamp")
			s.docs["timestamp"]["version"] = 1
			s.publish("root", "timestamp")
			mustRefresh(t, u)
			wantVersion(t, u, "timestamp", 1)
		}},
		{"another key alone forgets nothing", func(t *testing.T, s *sim, u *user) {
			raise(s, "timestamp")
			mustRefresh(t, u)
			s.addKey("timestamp", s.newSigner())
			s.role("timestamp")["threshold"] = 2
			delete(s.published, "timestamp")
			s.docs["timestamp"]["version"] = 1
			s.publish("root", "timestamp")
			refuseRefresh(t, u, "")
			wantVersion(t, u, "timestamp", 100)
		}},
	})
}
