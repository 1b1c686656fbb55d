package ingest_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/waxwing-ota/waxwing/internal/core/decide"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/outcome"
	"github.com/waxwing-ota/waxwing/internal/plane/ingest"
)

// inArm returns the n-th device or a later one that is in that arm of rollout r
// at 10 %.
func inArm(n int, arm decide.Arm) int {
	for ; ; n++ {
		if in := decide.Bucket("r", deviceID(n)) < 1000; in == (arm == decide.Treated) {
			return n
		}
	}
}

// observations collects what a service hands on.
type observations chan ingest.Observed

func (o observations) observe(_ context.Context, v ingest.Observed) { o <- v }

func TestCommitsAreObserved(t *testing.T) {
	db, _ := openDB(t)
	v := viewOf()
	v.set(watched())
	got := make(observations, 100)
	s, stop := start(t, ingest.Deps{Store: db, Snap: v, Observe: got.observe})
	treated, control := inArm(0, decide.Treated), inArm(0, decide.Control)
	for n, arm := range map[int]decide.Arm{treated: decide.Treated, control: decide.Control} {
		seen := check(n, "1.0.0")
		seen.Rollout, seen.Arm, seen.Network = "r", arm, 7
		if arm == decide.Control {
			seen.Kind, seen.Code, seen.Offered = decide.UpToDate, decide.CodeNoNewVersion, "1.0.0"
		}
		for range 3 {
			s.Offer(seen)
		}
	}
	gone := check(50_000, "1.0.0")
	gone.Rollout, gone.Arm = "another", decide.Treated // it ended before the note was written
	emulator := check(50_001, "1.0.0")
	emulator.Device.IsEmulator, emulator.Rollout, emulator.Arm = true, "r", decide.Treated
	s.Offer(gone)
	s.Offer(emulator)
	mustFlush(t, s)
	mustRecord(t, s, report(treated, "set", "2.0.0", 1), report(treated, "update_fail", "2.0.0", 2))
	mustRecord(t, s, report(control, "app_crash", "1.0.0", 3))
	back := check(treated, "1.0.0") // it has left what failed on it
	a := watched()
	a.Devices = failedOn{deviceID(treated): {"2.0.0"}}
	v.set(a)
	s.Offer(back)
	mustFlush(t, s)
	stop()
	close(got)

	arms, failing, states := map[int]decide.Arm{}, map[int]string{}, map[outcome.State]int{}
	for o := range got {
		for _, e := range o.Exposed {
			if e.Version != "2.0.0" || e.Rollout != "r" || e.Channel != "production" || e.Network != 7 || e.Moved {
				t.Errorf("exposure %+v", e)
			}
			arms[indexOf(t, e.Device[:], treated, control)] = e.Arm
		}
		for _, f := range o.Failing {
			failing[indexOf(t, f.Device[:], treated, control)] = f.Arm.String() + " " + f.Reason
		}
		for _, m := range o.Moves {
			states[m.To]++
		}
		if o.Unstored {
			t.Error("what was stored is called unstored")
		}
	}
	if diff := cmp.Diff(map[int]decide.Arm{treated: decide.Treated, control: decide.Control}, arms); diff != "" {
		t.Errorf("arms (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[int]string{treated: "treated update_fail", control: "control app_crash"}, failing); diff != "" {
		t.Errorf("failing (-want +got):\n%s", diff)
	}
	want := map[outcome.State]int{outcome.Offered: 2, outcome.Failed: 1, outcome.RolledBack: 1} // "gone" was offered 2.0.0 too
	if diff := cmp.Diff(want, states); diff != "" {
		t.Errorf("moves (-want +got):\n%s", diff)
	}
}

// failedOn remembers versions that failed.
type failedOn map[ota.DeviceID][]string

func (f failedOn) Facts(id ota.DeviceID) decide.Facts { return decide.Facts{Failed: f[id]} }

func indexOf(t *testing.T, id []byte, of ...int) int {
	t.Helper()
	for _, n := range of {
		if want := deviceID(n); string(want[:]) == string(id) {
			return n
		}
	}
	t.Errorf("a device that should not count: %x", id)
	return -1
}

// Failures that cannot be stored are handed on once, with the arm that the
// snapshot tells, so that a release can be taken back without the database.
func TestFailuresAreObservedWithoutADatabase(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &fakeStore{write: func(*ingest.Batch) (ingest.Written, error) { return ingest.Written{}, errors.New("read-only") }}
		v := viewOf()
		v.set(watched())
		got := make(observations, 100)
		s, stop := start(t, ingest.Deps{Store: store, Snap: v, Observe: got.observe})
		defer stop()
		treated, control := inArm(0, decide.Treated), inArm(0, decide.Control)
		for range 3 { // devices send again what was not stored
			for _, r := range []ingest.Report{
				report(treated, "update_fail", "2.0.0", 1), report(treated, "app_crash", "1.0.0", 1),
				report(control, "app_crash", "1.0.0", 1), report(control, "app_crash", "2.0.0", 1), report(control, "set", "1.0.0", 1),
			} {
				if s.Record(t.Context(), app, []ingest.Report{r}) == nil {
					t.Fatal("a report that was not stored was acknowledged")
				}
			}
		}
		time.Sleep(time.Second)
		var arms []string
		for len(got) > 0 {
			o := <-got
			if !o.Unstored || len(o.Exposed)+len(o.Moves) > 0 {
				t.Errorf("observed %+v", o)
			}
			for _, f := range o.Failing {
				arms = append(arms, f.Arm.String()+" "+f.Reason)
			}
		}
		if diff := cmp.Diff([]string{"treated update_fail", "control app_crash"}, arms); diff != "" {
			t.Errorf("failing (-want +got):\n%s", diff)
		}
	})
}

// A device that fails before the note of its offer was written counts all the same.
func TestFailureRightAfterTheOffer(t *testing.T) {
	db, _ := openDB(t)
	v := viewOf()
	v.set(watched())
	got := make(observations, 100)
	s, stop := start(t, ingest.Deps{Store: db, Snap: v, Observe: got.observe})
	treated, control := inArm(0, decide.Treated), inArm(0, decide.Control)
	for n, arm := range map[int]decide.Arm{treated: decide.Treated, control: decide.Control} {
		seen := check(n, "1.0.0")
		seen.Rollout, seen.Arm, seen.Network = "r", arm, 7
		s.Offer(seen)
	}
	mustRecord(t, s, report(treated, "update_fail", "2.0.0", 1), report(control, "app_crash", "1.0.0", 2))
	stop()
	close(got)
	failing := map[int]bool{}
	for o := range got {
		for _, f := range o.Failing {
			failing[indexOf(t, f.Device[:], treated, control)] = true
		}
	}
	if len(failing) != 2 {
		t.Errorf("failing devices %v, want both", failing)
	}
}
