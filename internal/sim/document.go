package sim

import (
	"context"
	"fmt"
	"io"
	"strings"
)

// A case of the document: a scenario, what is changed of it, and how many devices.
type caseOf struct {
	title   string
	preset  string
	devices int
	note    string
	change  func(*Scenario)
}

func cases() []caseOf {
	return []caseOf{
		{title: "A good release to everybody", preset: "default", devices: 100_000},
		{
			title: "Twice the faults", preset: "default", devices: 100_000,
			note:   "Every fault of networks and devices is twice as frequent as assumed.",
			change: twice,
		},
		{
			title: "A good release in steps", preset: "good", devices: 100_000,
			note: "By the plan fast, which opens to everybody after two hours.",
		},
		{
			title: "A release that fails on 30 % of devices", preset: "bad30", devices: 100_000,
			note: "The first step is 1 %. A repaired version goes out to everybody six hours after the halt.",
		},
		{
			title: "The same by the plan fast", preset: "bad30", devices: 100_000,
			change: byPlan("fast"),
		},
		{
			title: "The same with the guard alone", preset: "bad30", devices: 100_000,
			note:   "Without the threshold rule: the comparison with the control devices has to find it.",
			change: func(s *Scenario) { s.Rollout.NoThreshold = true },
		},
		{
			title: "A release that fails on 2 % of devices", preset: "bad30", devices: 100_000,
			note:   "Too few for the threshold rule, which acts at 10 %.",
			change: func(s *Scenario) { s.Release.Fails = map[string]float64{android: 0.02, ios: 0.02} },
		},
		{
			title: "The same by the plan fast", preset: "bad30", devices: 100_000,
			note: "What fast steps cost: less is known of each when the next one begins.",
			change: func(s *Scenario) {
				s.Release.Fails = map[string]float64{android: 0.02, ios: 0.02}
				byPlan("fast")(s)
			},
		},
		{
			title: "A good release by the plan standard", preset: "good", devices: 100_000,
			note:   "16 hours to one half, and a gate that waits for the guard: it reaches its last step later than a day.",
			change: byPlan("standard"),
		},
		{title: "The server is away for six hours", preset: "outage", devices: 100_000},
		{title: "A push message opens half of the apps at once", preset: "herd", devices: 100_000},
		{
			title: "Bad networks, single files", preset: "flaky", devices: 100_000,
			note: "The plugin on iOS refuses a version for good when a download of single files failed; that is what most of the missing devices are.",
		},
		{
			title: "Bad networks, whole bundles", preset: "flaky", devices: 100_000,
			note:   "The same networks, and the release travels as one zip.",
			change: func(s *Scenario) { s.Release.Delivery = deliverZip },
		},
		{
			title: "Devices that lie", preset: "poison", devices: 100_000,
			note: "2 % of the devices report a good release as failed, from two networks. A halt here is false: forged failures are the price of " +
				"a guard that believes failures, and the minimum of distinct devices and networks bounds it only while nobody honest fails.",
		},
		{title: "A million devices", preset: "default", devices: MaxDevices},
	}
}

// byPlan has the release go out by a plan that comes with the program.
func byPlan(name string) func(*Scenario) {
	return func(s *Scenario) { s.Rollout.Plan, s.Rollout.Steps = name, nil }
}

// twice doubles every fault.
func twice(s *Scenario) {
	n, d := &s.Network, &s.Device
	for _, f := range []*float64{
		&n.Offline, &n.Captive, &n.Slow, &n.Lossy, &n.Loss, &n.LossyLoss, &n.CutsPerMB, &d.DeathsPerDay, &d.FullDisk, &d.Crashes, &d.NotReady,
	} {
		*f *= 2
	}
}

// Measure says what a run cost: it is called after each.
type Measure func() string

// WriteDocument runs the cases of docs/simulation.md and writes it. at most
// devices are simulated in each; 0 = as many as the document has. begin is
// called before each run and returns what measures it.
func WriteDocument(ctx context.Context, w io.Writer, atMost int, seed uint64, begin func(title string) Measure) error {
	base, err := Preset("default")
	if err != nil {
		return err
	}
	fmt.Fprint(w, intro)
	base.writeAssumptions(w)
	fmt.Fprintf(w, "\n## What came of it\n\nSeed %d. Made by `waxwing simulate --report`; the same version makes the same figures, but for the time a run takes.\n\n", seed)
	var all []Report
	for _, c := range cases() {
		s, err := Preset(c.preset)
		if err != nil {
			return err
		}
		if c.change != nil {
			c.change(&s)
		}
		n := c.devices
		if atMost > 0 {
			n = min(n, atMost)
		}
		end := begin(c.title)
		r, err := Run(ctx, s, n, seed)
		if err != nil {
			return err
		}
		c.write(w, &r, end())
		all = append(all, r)
	}
	writeYardsticks(w, all)
	return nil
}

const intro = `# Trying a release on a simulated fleet

    waxwing simulate                                  # a good release to everybody
    waxwing simulate bad30 --devices 1000000
    waxwing simulate ./mine.yaml --seed 7 --json
    waxwing simulate good --csv adoption.csv
    waxwing simulate --server http://127.0.0.1:8080 --app com.example.shop --devices 200 --duration 60s
    waxwing simulate --server http://127.0.0.1:8080 --app com.example.shop --sealed --root root.json --devices 50

runs up to a million virtual devices on a virtual clock, in one process and
without a server. What is real: the decision which bundle a device gets
(core/decide, on a snapshot that plane/snap builds), outcomes (core/outcome), the
guard and the threshold rule (core/guard), the plan of a rollout (core/rollout),
and the state machine of a device (core/lifecycle), which the device library runs
too. What is left out: HTTP, signatures and storage. What is assumed: how people
and networks behave.

With --server the device library itself asks a running server over HTTP, with
faults put between them. Another machine than this one is asked only with
--i-own-this-server. With --sealed they are devices of sealed updates, which take
only what the keys of --root approved, enrol when they meet an encrypted bundle,
and count what they refused; the virtual fleet takes plain updates alone.

A scenario is YAML or JSON and says what differs from the default one;
` + "`waxwing simulate --list`" + ` names those that come with the program, their files are
in internal/sim/scenarios.

## What is assumed

None of these figures was measured or taken from a publication: they are
assumptions. One of the runs below doubles every fault, to show how much hangs
on them.

`

func (s *Scenario) writeAssumptions(w io.Writer) {
	f, n, d, r := &s.Fleet, &s.Network, &s.Device, &s.Release
	var people []string
	for _, o := range f.Opens {
		people = append(people, fmt.Sprintf("%.0f %% %g times a day", 100*o.Share, o.PerDay))
	}
	rows := [][2]string{
		{"platforms", fmt.Sprintf("%.0f %% iOS, the others Android, all with the current plugin", 100*f.IOS)},
		{"installed and never opened", fmt.Sprintf("%.0f %%", 100*f.Dormant)},
		{"the others open the app", strings.Join(people, ", ") + fmt.Sprintf("; each device times a lognormal factor (sigma %g), by the local hour", f.Spread)},
		{"a session", fmt.Sprintf("%g s in the median, lognormal (sigma %g)", f.Session.MedianSeconds, f.Session.Spread)},
		{"speed", fmt.Sprintf("%g Mbit/s in the median, lognormal (sigma %g)", n.MedianMbit, n.Spread)},
		{"openings without network", fmt.Sprintf("%g %%, each begins a spell of %g h in the mean", 100*n.Offline, n.OfflineHours)},
		{"openings behind a captive portal", fmt.Sprintf("%g %%: it answers everything with 200 and HTML, and swallows reports", 100*n.Captive)},
		{"openings with a slow network", fmt.Sprintf("%g %%, a twentieth of the speed", 100*n.Slow)},
		{"openings with a lossy network", fmt.Sprintf("%g %%: %g %% of requests lost and ten times the cuts", 100*n.Lossy, 100*n.LossyLoss)},
		{"requests lost otherwise", fmt.Sprintf("%g %%, half of them after the server had them", 100*n.Loss)},
		{"downloads cut", fmt.Sprintf("%g for each MB, at a random byte", n.CutsPerMB)},
		{"devices that end", fmt.Sprintf("%g %% a day", 100*d.DeathsPerDay)},
		{"full disks", fmt.Sprintf("%g %%, for %g days in the mean", 100*d.FullDisk, d.FullDays)},
		{"sessions with a crash", fmt.Sprintf("%g %%, whatever version runs", 100*d.Crashes)},
		{"good releases that are not confirmed in time", fmt.Sprintf("%g %% of activations", 100*d.NotReady)},
		{"a release", fmt.Sprintf("%s, of which %s are new, as single files", size(float64(r.Bytes)), size(float64(r.DeltaBytes)))},
	}
	fmt.Fprintln(w, "| what | how much |\n|---|---|")
	for _, row := range rows {
		fmt.Fprintf(w, "| %s | %s |\n", row[0], row[1])
	}
	fmt.Fprint(w, `
How the platforms go on with a download that ended is not assumed but read from
the plugins: Android's worker tries a whole bundle again by itself and resumes
it; iOS begins again with the next check, keeps files that were whole, and
refuses a version for good after a failed download of single files.
`)
}

func (c *caseOf) write(w io.Writer, r *Report, cost string) {
	fmt.Fprintf(w, "### %s\n\n`%s`, %d devices, %d hours. %s\n\n", c.title, c.preset, r.Devices, r.Hours, cost)
	if c.note != "" {
		fmt.Fprintf(w, "%s\n\n", c.note)
	}
	fmt.Fprintln(w, "| | |\n|---|---|")
	for _, row := range r.rows() {
		fmt.Fprintf(w, "| %s | %s |\n", row[0], row[1])
	}
	for _, h := range r.Halts {
		fmt.Fprintf(w, "| halted (%s, by %s) | after %s; %d devices had it by then, %s of the fleet |\n", h.Action, h.By, minutes(h.Minute), h.Had, percent(h.HadShare))
	}
	fmt.Fprintln(w)
	if len(r.Missing) > 0 {
		var parts []string
		for _, m := range r.Missing {
			parts = append(parts, fmt.Sprintf("%d %s", m.Devices, m.Why))
		}
		fmt.Fprintf(w, "Opened the app and do not run %s in the end: %s.\n\n", r.Good, strings.Join(parts, "; "))
	}
}

// writeYardsticks holds the runs against what others publish and what we promise.
func writeYardsticks(w io.Writer, all []Report) {
	good, twice, steps, bad := &all[0], &all[1], &all[2], &all[3]
	fmt.Fprint(w, "## Against the yardsticks\n\n| yardstick | to everybody | twice the faults | in steps |\n|---|---|---|---|\n")
	line := func(name string, of func(*Report) float64) {
		fmt.Fprintf(w, "| %s | %s | %s | %s |\n", name, percent(of(good)), percent(of(twice)), percent(of(steps)))
	}
	line("95 % of active devices updated within 24 h of the start (published by others)", func(r *Report) float64 { return r.ActiveDone })
	line("the same, within 24 h after the release was for the device", func(r *Report) float64 { return r.Eligible.ActiveDone })
	line("82 % of update attempts succeed (published by others)", func(r *Report) float64 { return r.Attempts.Rate })
	line("99 % of devices that open the app end healthy on the good release", func(r *Report) float64 { return r.Healthy })
	line("the same, of those that open it after the release was for them", func(r *Report) float64 { return r.Eligible.Healthy })
	fmt.Fprintf(w, "\nA release that fails on 30 %% of devices is to be halted before 1 %% of the fleet has it: %s had it.\n", percent(bad.HadShare))
	fmt.Fprint(w, `
An active device is one that opened the app in the first 24 hours. An attempt is
an update that a device began to download; it succeeded when the app confirmed
the new version. These figures hold for the assumptions above and not for any
real fleet; what others publish was measured on theirs. A release in steps
reaches 95 % later, by as much as its steps take, and misses those who open the
app once, before it comes to them. So there are two measures: one from the start,
of everybody, and one from when the release was for a device (the step that let
it in), of those that opened the app after that.

What is missing of 100 % is not the server's to heal: plugins on iOS refuse a
version by its name for good after a download of single files failed, a version
that failed on a device is not offered to it again, and the rest had no working
network, no room, or did not open the app again.

What a real server knows besides: how earlier releases of the app did, with
which the guard compares a release that goes to everybody at once. The fleet
here has no history, so that guard has only the absolute limit.
`)
}
