package sim

import (
	"context"
	"encoding/json"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

func run(t *testing.T, name string, n int, seed uint64, change func(*Scenario)) Report {
	t.Helper()
	s, err := Preset(name)
	if err != nil {
		t.Fatal(err)
	}
	if change != nil {
		change(&s)
	}
	r, err := Run(t.Context(), s, n, seed)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// The published yardsticks: 95 % of active devices within a day, 82 % of
// attempts that succeed; and our own: 99 % of those who open the app end healthy.
func TestOrdinaryFleet(t *testing.T) {
	for seed := range uint64(3) {
		r := run(t, "default", 10_000, seed, nil)
		if r.ActiveDone < 0.95 || r.To.NinetyFive < 0 || r.To.NinetyFive > 24 {
			t.Errorf("seed %d: %.4f of active devices updated within a day, 95 %% after %.1f h", seed, r.ActiveDone, r.To.NinetyFive)
		}
		if r.Healthy < 0.99 {
			t.Errorf("seed %d: %.4f of those that opened the app are healthy: %+v", seed, r.Healthy, r.Missing)
		}
		if r.Attempts.Rate < 0.82 {
			t.Errorf("seed %d: %.4f of attempts succeeded", seed, r.Attempts.Rate)
		}
		if len(r.Halts) > 0 {
			t.Errorf("seed %d: a good release was halted: %+v", seed, r.Halts)
		}
	}
}

// In steps it holds too, by the plan that opens to everybody within two hours,
// measured from the start. Measured from when the release was for a device, it
// holds with no regard to how long the steps take.
func TestOrdinaryFleetInSteps(t *testing.T) {
	for seed := range uint64(3) {
		r := run(t, "good", 20_000, seed, nil)
		if r.ActiveDone < 0.95 || r.Healthy < 0.99 || r.Attempts.Rate < 0.82 || len(r.Halts) > 0 {
			t.Errorf("seed %d: %.4f of active devices within a day, %.4f healthy, %+v, halts %+v", seed, r.ActiveDone, r.Healthy, r.Missing, r.Halts)
		}
		e := r.Eligible
		if e.ActiveDone < r.ActiveDone || e.Healthy < r.Healthy || e.Opened > r.Opened {
			t.Errorf("seed %d: %+v", seed, e)
		}
	}
	slow := run(t, "good", 20_000, 1, func(s *Scenario) {
		s.Rollout = Rollout{Guard: true, Steps: []Step{{BPS: 100, SoakMinutes: 240}, {BPS: 5000, SoakMinutes: 24 * 60}, {BPS: 10_000}}}
	})
	if slow.ActiveDone > 0.8 || slow.Eligible.ActiveDone < 0.95 {
		t.Errorf("slow steps: %.4f of active devices within a day, %+v", slow.ActiveDone, slow.Eligible)
	}
}

// To everybody at once the release is for all from the start, so both measures agree.
func TestEligibleFromTheStart(t *testing.T) {
	r := run(t, "default", 5_000, 4, nil)
	if e := r.Eligible; e.Opened != r.Opened || e.Active != r.Active || e.ActiveDone != r.ActiveDone || e.Healthy != r.Healthy || e.To != r.To {
		t.Errorf("%+v, and measured from the start %+v", e, r)
	}
}

func TestPlanOrSteps(t *testing.T) {
	for _, text := range []string{"rollout: {plan: reckless}", "rollout: {plan: fast, steps: [{bps: 100}]}"} {
		if _, err := Parse([]byte(text)); ota.CodeOf(err) != "scenario_invalid" {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestBadReleaseIsHaltedBeforeOnePercentHaveIt(t *testing.T) {
	for seed := range uint64(5) {
		r := run(t, "bad30", 20_000, seed, nil)
		if len(r.Halts) == 0 || r.HadShare >= 0.01 || r.Halts[0].HadShare >= 0.01 {
			t.Errorf("seed %d: %.4f of the fleet had it, halts %+v", seed, r.HadShare, r.Halts)
		}
		if r.Good != versionName(fix) || r.Healthy < 0.95 {
			t.Errorf("seed %d: good is %s, %.4f healthy", seed, r.Good, r.Healthy)
		}
	}
}

// Without the guard and its rule nothing stops the release.
func TestNothingStopsItWithoutAGuard(t *testing.T) {
	r := run(t, "bad30", 5_000, 1, func(s *Scenario) { s.Rollout.Guard = false })
	if len(r.Halts) > 0 || r.HadShare < 0.5 {
		t.Errorf("%.4f had it, halts %+v", r.HadShare, r.Halts)
	}
	failed := r.Outcomes["failed"] + r.Outcomes["rolled_back"]
	if r.Attempts.NotReady < failed/2 || float64(r.Attempts.NotReady) > 1.15*float64(failed) {
		t.Errorf("%d activations failed on %d devices: a version must not be offered again where it failed", r.Attempts.NotReady, failed)
	}
}

// The comparison with the control devices stops it too, and what it pauses
// comes to nobody else.
func TestGuardAloneHalts(t *testing.T) {
	r := run(t, "bad30", 20_000, 1, func(s *Scenario) { s.Rollout.NoThreshold, s.Release.FixHours = true, 0 })
	if len(r.Halts) == 0 || r.Halts[0].By != "ratio" || r.Halts[0].Action != "pause" || r.HadShare >= 0.01 {
		t.Fatalf("%.4f had it, halts %+v", r.HadShare, r.Halts)
	}
	if late := r.Had - r.Halts[0].Had; late > 5 {
		t.Errorf("%d devices got it after the halt", late)
	}
}

func TestSameSeedSameReport(t *testing.T) {
	for _, name := range Presets() {
		var two [2][]byte
		for i := range two {
			b, err := json.Marshal(run(t, name, 2_000, 7, nil))
			if err != nil {
				t.Fatal(err)
			}
			two[i] = b
		}
		if diff := cmp.Diff(string(two[0]), string(two[1])); diff != "" {
			t.Errorf("%s: two runs of one seed differ:\n%s", name, diff)
		}
	}
	a, b := run(t, "default", 2_000, 7, nil), run(t, "default", 2_000, 8, nil)
	if a.Traffic.Checks == b.Traffic.Checks {
		t.Error("another seed makes the same run")
	}
}

// What is counted in two ways must agree.
func TestCountsAgree(t *testing.T) {
	for _, name := range Presets() {
		r := run(t, name, 3_000, 3, nil)
		missing, known := 0, 0
		for _, c := range r.Missing {
			missing += c.Devices
		}
		for _, n := range r.Outcomes {
			known += n
		}
		last := r.Adoption[len(r.Adoption)-1]
		if missing+r.EndedOn != r.Opened || known != r.Devices || r.Had != last.Had || last.Healthy > last.Running || r.Active > r.Opened {
			t.Errorf("%s: %d missing, %d ended of %d opened; %d outcomes of %d devices; %d and %d had it",
				name, missing, r.EndedOn, r.Opened, known, r.Devices, r.Had, last.Had)
		}
		a := r.Attempts
		if a.Started != a.Succeeded+a.NotReady+a.Cut+a.NoRoom+a.Suspended+a.Open {
			t.Errorf("%s: attempts do not add up: %+v", name, a)
		}
	}
}

func TestOutageDelaysNobodyForGood(t *testing.T) {
	with, without := run(t, "outage", 5_000, 1, nil), run(t, "default", 5_000, 1, nil)
	if with.Healthy < 0.985 || with.Faults.Away == 0 {
		t.Errorf("healthy %.4f with an outage, %d requests in it", with.Healthy, with.Faults.Away)
	}
	if with.To.Half <= without.To.Half {
		t.Errorf("half were done after %.2f h with an outage and %.2f h without", with.To.Half, without.To.Half)
	}
}

func TestScenariosAreRefused(t *testing.T) {
	for _, c := range []struct{ name, text, field string }{
		{"unknown field", "flete: {}", ""},
		{"not a share", "network: {offline: 1.5}", "network.offline"},
		{"not a number", "network: {loss: .nan}", "network.loss"},
		{"too many states", "network: {offline: 0.6, captive: 0.6}", "network"},
		{"too long", "hours: 100000", "hours"},
		{"steps fall", "rollout: {steps: [{bps: 500}, {bps: 100}]}", "rollout.steps"},
		{"platform", "release: {fails: {windows: 0.5}}", "release.fails"},
		{"delivery", "release: {delivery: carrier pigeon}", "release.delivery"},
		{"outage", "outages: [{from: 5, to: 5}]", "outages"},
		{"forgers", "forgers: {share: 0.1}", "forgers"},
		{"nobody", "fleet: {opens: []}", "fleet"},
		{"not a mapping", "[1]", ""},
	} {
		_, err := Parse([]byte(c.text))
		e, ok := errors.AsType[*ota.Error](err)
		if !ok || e.Kind != ota.KindInvalid || c.field != "" && e.Field != c.field {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	if s, err := Parse([]byte(`{"hours": 5, "network": {"loss": 0.5}}`)); err != nil || s.Hours != 5 || s.Network.Loss != 0.5 || s.Network.MedianMbit != 10 {
		t.Errorf("JSON over the defaults: %+v, %v", s, err)
	}
}

func TestRunStopsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	s, err := Preset("default")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Run(ctx, s, 1_000, 1); !errors.Is(err, context.Canceled) {
		t.Errorf("err = %v", err)
	}
	if _, err := Run(t.Context(), s, MaxDevices+1, 1); ota.CodeOf(err) != "scenario_invalid" {
		t.Errorf("too many devices: %v", err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("hours: 3"))
	f.Add([]byte(`{"fleet": {"opens": [{"share": 1, "per_day": 2}]}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		if s, err := Parse(text); err == nil {
			if err := s.Check(); err != nil {
				t.Errorf("Parse took what Check refuses: %v", err)
			}
		}
	})
}

// A good release that goes out faster than its health window is not halted
// later for what only comes to light when the windows end.
func TestGoodReleaseInStepsIsNotHalted(t *testing.T) {
	for _, seed := range []uint64{1, 5} {
		if r := run(t, "good", 20_000, seed, func(s *Scenario) { s.Hours = 60 }); len(r.Halts) > 0 || r.Had < 10_000 {
			t.Errorf("seed %d: %d had it, halts %+v", seed, r.Had, r.Halts)
		}
	}
}

// Devices that claim a success are not counted as devices that have it.
func TestForgersAreNotCounted(t *testing.T) {
	r := run(t, "default", 5_000, 1, func(s *Scenario) { s.Forgers = Forgers{Share: 0.01, Networks: 2, Claim: claimWorks} })
	if len(r.Halts) > 0 || r.Healthy < 0.985 || r.Outcomes["healthy"] <= r.EndedOn-20 {
		t.Errorf("healthy %.4f, outcomes %v, halts %+v", r.Healthy, r.Outcomes, r.Halts)
	}
}

// Reports of success that are made up do not hide a release that fails.
func TestMadeUpSuccessHidesNothing(t *testing.T) {
	r := run(t, "bad30", 20_000, 2, func(s *Scenario) { s.Forgers = Forgers{Share: 0.2, Networks: 50, Claim: claimWorks} })
	if len(r.Halts) == 0 || r.HadShare >= 0.01 {
		t.Errorf("%.4f of the fleet had it, halts %+v", r.HadShare, r.Halts)
	}
}
