package metrics

import (
	"context"
	"errors"
	"log/slog"
	"runtime"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// The pace of asking.
const (
	goodFor  = 5 * time.Second // facts are remembered for
	readTime = 8 * time.Second // they may take
)

// collector makes series of facts.
type collector struct {
	read func(context.Context) (Facts, error)
	now  func() time.Time
	log  *slog.Logger

	mu   sync.Mutex
	at   time.Time
	last Facts
	err  error
}

// facts returns what is shown now.
func (c *collector) facts() (Facts, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.at.IsZero() && c.now().Sub(c.at) < goodFor {
		return c.last, c.err
	}
	// Nobody's context: what one scraper does not wait for, the next one gets.
	ctx, done := context.WithTimeout(context.Background(), readTime)
	defer done()
	c.last, c.err = c.read(ctx)
	c.at = c.now()
	return c.last, c.err
}

func desc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("waxwing_"+name, help, labels, nil)
}

// The series. Their names are part of what operators build on.
var (
	buildInfo   = desc("build_info", "The program that runs; always 1.", "version", "goversion")
	requests    = desc("device_requests_total", "Requests of devices.")
	checks      = desc("update_checks_total", "Answered update checks by answer and, unless it was an update, why.", "app", "answer", "code")
	uncounted   = desc("update_checks_uncounted_total", "Answered update checks that are missing from the counts.")
	events      = desc("events_stored_total", "Stored events by class.", "class")
	duplicates  = desc("events_duplicate_total", "Events that were stored already.")
	commits     = desc("event_commits_total", "Transactions that stored events.")
	failures    = desc("event_commit_failures_total", "Transactions that failed.")
	refused     = desc("event_reports_refused_total", "Reports turned away because too much was waiting.")
	notesLost   = desc("notes_lost_total", "Notes of update checks dropped because too much was waiting.")
	notes       = desc("notes_waiting", "Notes of update checks that wait to be written.")
	halts       = desc("halts_total", "Releases taken back without a person.")
	snapApps    = desc("snapshot_apps", "Apps that devices are answered from memory for.")
	snapDevices = desc("snapshot_devices", "Devices of which something is remembered in memory.")
	devices     = desc("devices", "Known devices.", "app")
	active      = desc("active_devices_today", "Distinct devices heard of since midnight UTC.", "app")
	outcomes    = desc("device_outcomes_today", "Devices that came to a state with a release since midnight UTC.", "app", "state")
	ratio       = desc("rollout_ratio", "Share of the devices that a rollout is for, 0 to 1.", "app", "channel", "version")
	paused      = desc("rollout_paused", "Whether a rollout is paused.", "app", "channel", "version")
	eValue      = desc("guard_e_value", "Evidence that a rollout's release is worse.", "app", "channel", "version")
	eThreshold  = desc("guard_threshold", "Evidence at which the guard acts.", "app", "channel", "version")
	guardState  = desc("guard_state", "1 for the state that the guard of a rollout is in.", "app", "channel", "version", "state")
	guardSeen   = desc("guard_devices", "Devices that the guard counts.", "app", "channel", "version", "arm")
	guardFailed = desc("guard_failed_devices", "Devices of those on which it failed.", "app", "channel", "version", "arm")
	alerts      = desc("alerts", "Open alerts.", "app", "rule", "severity", "state")
)

// Describe implements [prometheus.Collector]. None are described beforehand:
// which series there are depends on the apps.
func (*collector) Describe(ch chan<- *prometheus.Desc) { ch <- buildInfo }

// errUnread is all that a scraper hears of what went wrong.
var errUnread = errors.New("the server's numbers cannot be read now; its log says why")

// Collect implements [prometheus.Collector].
func (c *collector) Collect(ch chan<- prometheus.Metric) {
	f, err := c.facts()
	if err != nil {
		c.log.Error("metrics cannot be read", "err", err)
		ch <- prometheus.NewInvalidMetric(buildInfo, errUnread)
		return
	}
	out := &sink{ch}
	out.gauge(buildInfo, 1, f.Version, runtime.Version())
	for _, v := range []struct {
		d *prometheus.Desc
		n int64
	}{
		{requests, f.Requests},
		{uncounted, f.Uncounted},
		{duplicates, f.Duplicates},
		{commits, f.Commits},
		{failures, f.CommitsFailed},
		{refused, f.Refused},
		{notesLost, f.NotesLost},
		{halts, f.Halts},
	} {
		out.counter(v.d, float64(v.n))
	}
	for class, n := range f.Events {
		out.counter(events, float64(n), class)
	}
	out.gauge(notes, float64(f.Waiting))
	out.gauge(snapApps, float64(f.SnapshotApps))
	out.gauge(snapDevices, float64(f.SnapshotDevices))
	out.apps(&f)
	for i := range f.Rollouts {
		out.rollout(&f.Rollouts[i])
	}
}

type sink struct{ ch chan<- prometheus.Metric }

func (s *sink) gauge(d *prometheus.Desc, v float64, labels ...string) {
	s.ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
}

func (s *sink) counter(d *prometheus.Desc, v float64, labels ...string) {
	s.ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, v, labels...)
}

func (s *sink) apps(f *Facts) {
	name := f.named()
	known, heard, came, answered := summed{}, summed{}, summed{}, summed{}
	for i := range f.Apps {
		a := &f.Apps[i]
		id := name(a.ID)
		known[[3]string{id}] += float64(a.Devices)
		heard[[3]string{id}] += float64(a.Active)
		for state, n := range a.Today {
			came[[3]string{id, state}] += float64(n)
		}
	}
	for i := range f.Checks {
		c := &f.Checks[i]
		answered[[3]string{name(c.App), c.Answer, c.Code}] += float64(c.N)
	}
	known.each(func(l [3]string, v float64) { s.gauge(devices, v, l[0]) })
	heard.each(func(l [3]string, v float64) { s.gauge(active, v, l[0]) })
	came.each(func(l [3]string, v float64) { s.gauge(outcomes, v, l[0], l[1]) })
	answered.each(func(l [3]string, v float64) { s.counter(checks, v, l[:]...) })
	open := map[[4]string]float64{}
	for i := range f.Alerts {
		a := &f.Alerts[i]
		open[[4]string{name(a.App), string(a.Kind), string(a.Severity), string(a.State)}]++
	}
	for l, v := range open {
		s.gauge(alerts, v, l[:]...)
	}
}

func (s *sink) rollout(r *Rollout) {
	l := []string{r.App, r.Channel, r.Version}
	s.gauge(ratio, float64(r.BPS)/10_000, l...)
	s.gauge(paused, truth(r.Paused), l...)
	g := r.Guard
	if g == nil {
		return
	}
	s.gauge(eValue, g.E, l...)
	s.gauge(eThreshold, g.Threshold, l...)
	for _, state := range []ota.GuardState{ota.GuardWatching, ota.GuardGateOpen, ota.GuardHalted, ota.GuardInsufficient} {
		s.gauge(guardState, truth(state == g.State), append(l, string(state))...)
	}
	s.gauge(guardSeen, float64(g.Treated), append(l, "treated")...)
	s.gauge(guardSeen, float64(g.Control), append(l, "control")...)
	s.gauge(guardFailed, float64(g.TreatedFailed), append(l, "treated")...)
	s.gauge(guardFailed, float64(g.ControlFailed), append(l, "control")...)
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
