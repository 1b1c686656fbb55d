package tuf_test

import (
	"bytes"
	"testing"

	"github.com/waxwing-ota/waxwing/internal/core/p256"
)

// step is a version of a role: the keys it has, how many must sign, who signs,
// and whether clients must refuse it.
type step struct {
	keys      []int
	threshold int
	sigs      []int
	refused   bool
}

var zeroTo4 = []int{0, 1, 2, 3, 4}

// rootSteps are the rotations of the suite's test_root_rotation.
var rootSteps = map[string][]step{
	"1-of-1-key-rotation": {
		{[]int{1}, 1, []int{1}, false}, {[]int{2}, 1, []int{2, 1}, false}, {[]int{2}, 1, []int{2}, false},
	},
	"1-of-1-key-rotation-unused-signatures": {
		{[]int{1}, 1, []int{3, 1, 4}, false}, {[]int{2}, 1, []int{3, 2, 1, 4}, false}, {[]int{2}, 1, []int{3, 2, 4}, false},
	},
	"3-of-5-sign-with-different-keycombos": {
		{zeroTo4, 3, []int{0, 2, 4}, false}, {zeroTo4, 3, []int{0, 4, 1}, false}, {zeroTo4, 3, []int{0, 1, 3}, false}, {zeroTo4, 3, []int{0, 1, 3}, false},
	},
	"3-of-5-one-key-rotated": {
		{zeroTo4, 3, []int{0, 2, 4}, false}, {[]int{0, 1, 3, 4, 5}, 3, []int{0, 4, 1}, false},
	},
	"3-of-5-one-key-rotated-with-intermediate-step": {
		{zeroTo4, 3, []int{0, 2, 4}, false}, {[]int{0, 1, 3, 4, 5}, 3, []int{0, 2, 4, 5}, false}, {[]int{0, 1, 3, 4, 5}, 3, []int{0, 4, 5}, false},
	},
	"3-of-5-all-keys-rotated-with-intermediate-step": {
		{zeroTo4, 3, []int{0, 2, 4}, false}, {[]int{5, 6, 7, 8, 9}, 3, []int{0, 2, 4, 5, 6, 7}, false}, {[]int{5, 6, 7, 8, 9}, 3, []int{5, 6, 7}, false},
	},
	"1-of-3-threshold-increase-to-2-of-3": {
		{[]int{1, 2, 3}, 1, []int{1}, false}, {[]int{1, 2, 3}, 2, []int{1, 2}, false},
	},
	"2-of-3-threshold-decrease-to-1-of-3": {
		{[]int{1, 2, 3}, 2, []int{1, 2}, false}, {[]int{1, 2, 3}, 1, []int{1, 2}, false}, {[]int{1, 2, 3}, 1, []int{1}, false},
	},
	"1-of-2-threshold-increase-to-2-of-2": {
		{[]int{1}, 1, []int{1}, false}, {[]int{1, 2}, 2, []int{1, 2}, false},
	},
	"1-of-1-key-rotation-fail-not-signed-with-old-key": {
		{[]int{1}, 1, []int{1}, false}, {[]int{2}, 1, []int{2, 3, 4}, true},
	},
	"1-of-1-key-rotation-fail-not-signed-with-new-key": {
		{[]int{1}, 1, []int{1}, false}, {[]int{2}, 1, []int{1, 3, 4}, true},
	},
	"3-of-5-one-key-rotate-fails-not-signed-with-3-new-keys": {
		{zeroTo4, 3, []int{0, 2, 4}, false}, {[]int{0, 1, 3, 4, 5}, 3, []int{0, 2, 4}, true},
	},
	"3-of-5-one-key-rotate-fails-not-signed-with-3-old-keys": {
		{zeroTo4, 3, []int{0, 2, 4}, false}, {[]int{0, 1, 3, 4, 5}, 3, []int{0, 4, 5}, true},
	},
	"1-of-3-threshold-bump-to-2-of-3-fails-new-threshold-not-reached": {
		{[]int{1, 2, 3}, 1, []int{1}, false}, {[]int{1, 2, 3}, 2, []int{2}, true},
	},
	"2-of-3-threshold-decr-to-1-of-3-fails-old-threshold-not-eached": {
		{[]int{1, 2, 3}, 2, []int{1, 2}, false}, {[]int{1, 2, 3}, 1, []int{1}, true},
	},
}

// roleSteps are the rotations of the suite's test_non_root_rotations.
var roleSteps = map[string]step{
	"1-of-1-key-rotation":                                            {[]int{2}, 1, []int{2}, false},
	"1-of-1-key-rotation-unused-signatures":                          {[]int{1}, 1, []int{3, 1, 4}, false},
	"1-of-1-key-rotation-fail-not-signed-with-new-key":               {[]int{2}, 1, []int{1, 3, 4}, true},
	"3-of-5-one-key-signature-wrong-not-signed-with-3-expected-keys": {[]int{0, 1, 3, 4, 5}, 3, []int{0, 2, 4}, true},
	"2-of-5-one-key-signature-mising-threshold-not-reached":          {[]int{0, 1, 3, 4, 5}, 3, []int{0, 4}, true},
	"3-of-5-sign-first-combo":                                        {zeroTo4, 3, []int{0, 2, 4}, false},
	"3-of-5-sign-second-combo":                                       {zeroTo4, 3, []int{0, 4, 1}, false},
	"3-of-5-sign-third-combo":                                        {zeroTo4, 3, []int{0, 1, 3}, false},
	"3-of-5-sign-fourth-combo":                                       {zeroTo4, 3, []int{1, 2, 3}, false},
	"3-of-5-sign-fifth-combo":                                        {zeroTo4, 3, []int{2, 3, 4}, false},
}

// take makes a top-level role what a step says.
func (s *sim) take(role string, ring []p256.Signer, at step) {
	s.dropKeys(role)
	s.role(role)["threshold"] = at.threshold
	for _, k := range at.keys {
		s.listKey(role, ring[k].Public())
	}
	for _, k := range at.sigs {
		s.by[role] = append(s.by[role], ring[k])
	}
}

func TestConformanceRootRotation(t *testing.T) {
	ring := signers(t, 200, 201, 202, 203, 204, 205, 206, 207, 208, 209)
	for name, steps := range rootSteps {
		t.Run("test_root_rotation/"+name, func(t *testing.T) {
			s := newSim(t)
			delete(s.published, "root")
			for _, at := range steps {
				s.take("root", ring, at)
				s.publish("root")
			}
			s.publish("targets", "snapshot", "timestamp")
			u := s.user()
			_, err := u.refresh()
			last := len(steps) - 1
			if steps[last].refused {
				last--
			}
			if (err != nil) != steps[len(steps)-1].refused || !bytes.Equal(u.stored.Root, s.published["root"][last]) {
				t.Error(err, u.versions())
			}
		})
	}
}

func TestConformanceNonRootRotations(t *testing.T) {
	ring := signers(t, 200, 201, 202, 203, 204, 205, 206, 207, 208, 209)
	for name, at := range roleSteps {
		t.Run("test_non_root_rotations/"+name, func(t *testing.T) {
			s := newSim(t)
			u := s.user()
			for _, role := range []string{"timestamp", "snapshot", "targets"} {
				s.take(role, ring, at)
				s.publish("root", "targets", "snapshot", "timestamp")
				if at.refused {
					refuseRefresh(t, u, "")
					continue
				}
				mustRefresh(t, u)
				wantVersion(t, u, role, len(s.published[role]))
			}
		})
	}
}
