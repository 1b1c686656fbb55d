package alerts

import (
	"cmp"
	"context"
	"math"
	"slices"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/alert"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

const (
	keep        = 10 * time.Minute // an alert is over once it looked well for so long
	maxOpen     = 10_000           // open alerts of the server
	maxSubjects = 50               // of a rule and an app that may be open at once
	refresh     = 5 * time.Minute  // a number that changed is stored that often
	lookTime    = 25 * time.Second // of one look at all apps
)

// key is what an alert is about.
type key struct {
	kind    ota.AlertKind
	subject string
}

// look is one look at all apps.
type look struct {
	s        *Service
	rules    map[string]map[ota.AlertKind]ota.AlertRule
	open     map[string]map[key]*Row
	silences map[string][]ota.AlertSilence
	save     []Row
	remove   []int64
}

// Look looks at every app once, stores what changed and tells receivers. An app
// that cannot be read keeps its alerts as they are; the first error is returned.
func (s *Service) Look(ctx context.Context) error {
	s.looking.Lock()
	defer s.looking.Unlock()
	ctx, done := context.WithTimeout(ctx, lookTime)
	defer done()
	apps, err := s.d.Store.AlertApps(ctx)
	if err != nil {
		return err
	}
	l, err := s.begin(ctx)
	if err != nil {
		return err
	}
	there := map[string]bool{}
	var failed error
	for _, app := range apps {
		there[app.ID] = true
		if app.Devices == 0 && len(l.open[app.ID]) == 0 {
			continue // nothing can be wrong yet
		}
		if err := l.app(ctx, app); err != nil {
			failed = cmp.Or(failed, err)
		}
	}
	for app := range s.cache {
		if !there[app] {
			delete(s.cache, app)
		}
	}
	s.seen.forget(there)
	if len(l.save)+len(l.remove) > 0 {
		failed = cmp.Or(failed, s.d.Store.SaveAlerts(ctx, l.save, l.remove))
	}
	return failed
}

// begin reads what is the same for all apps.
func (s *Service) begin(ctx context.Context) (*look, error) {
	l := &look{s: s, rules: map[string]map[ota.AlertKind]ota.AlertRule{}, open: map[string]map[key]*Row{}, silences: map[string][]ota.AlertSilence{}}
	changed, err := s.d.Store.AlertRules(ctx, "")
	if err != nil {
		return nil, err
	}
	for _, r := range changed {
		if l.rules[r.App] == nil {
			l.rules[r.App] = defaults(r.App)
		}
		if k, ok := alert.KindOf(r.Kind); ok {
			l.rules[r.App][r.Kind] = k.Stored(r)
		}
	}
	open, err := s.d.Store.OpenAlerts(ctx, "", maxOpen)
	if err != nil {
		return nil, err
	}
	for i := range open {
		r := &open[i]
		if l.open[r.App] == nil {
			l.open[r.App] = map[key]*Row{}
		}
		l.open[r.App][key{r.Kind, r.Subject}] = r
	}
	silences, err := s.d.Store.LiveSilences(ctx, "", s.nowMS())
	if err != nil {
		return nil, err
	}
	for _, v := range silences {
		l.silences[v.App] = append(l.silences[v.App], v)
	}
	return l, nil
}

// defaults are the rules of an app as they come.
func defaults(app string) map[ota.AlertKind]ota.AlertRule {
	out := map[ota.AlertKind]ota.AlertRule{}
	for _, k := range alert.Kinds() {
		out[k.Name] = k.Default(app)
	}
	return out
}

// app looks at one app.
func (l *look) app(ctx context.Context, app AppRef) error {
	rules := l.rules[app.ID]
	if rules == nil {
		rules = defaults(app.ID)
	}
	facts, err := l.s.facts(ctx, app.ID, rules, l.open[app.ID])
	if err != nil {
		return err
	}
	samples := map[key]alert.Sample{}
	for _, k := range alert.Kinds() {
		r := rules[k.Name]
		if !r.Enabled {
			continue
		}
		for _, v := range alert.Evaluate(&r, facts) {
			if v.Bad && !v.Unknown || l.open[app.ID][key{k.Name, v.Subject}] != nil {
				samples[key{k.Name, v.Subject}] = v
			}
		}
	}
	for at := range l.open[app.ID] {
		if _, ok := samples[at]; !ok { // nothing is said of it any more
			samples[at] = alert.Sample{Kind: at.kind, Subject: at.subject}
		}
	}
	return l.settle(ctx, app, rules, samples)
}

// settle moves the alerts of an app on.
func (l *look) settle(ctx context.Context, app AppRef, rules map[ota.AlertKind]ota.AlertRule, samples map[key]alert.Sample) error {
	keys := make([]key, 0, len(samples))
	for k := range samples {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b key) int {
		return cmp.Or(cmp.Compare(a.kind, b.kind), cmp.Compare(a.subject, b.subject))
	})
	subjects := map[ota.AlertKind]int{}
	for k := range l.open[app.ID] {
		subjects[k.kind]++
	}
	var failed error
	for _, k := range keys {
		row, v := l.open[app.ID][k], samples[k]
		if row == nil {
			if subjects[k.kind]++; subjects[k.kind] > maxSubjects {
				continue // one cause has many subjects: fifty say enough
			}
			row = &Row{Open: true, Alert: ota.Alert{Org: app.Org, App: app.ID, Kind: k.kind, Subject: k.subject}}
		}
		failed = cmp.Or(failed, l.one(ctx, row, rules[k.kind], &v))
	}
	return failed
}

// one moves one alert on.
func (l *look) one(ctx context.Context, row *Row, rule ota.AlertRule, v *alert.Sample) error {
	now := l.s.nowMS()
	timing := alert.Timing{For: time.Duration(rule.ForMinutes) * time.Minute, Keep: keep, Repeat: time.Duration(rule.RepeatMinutes) * time.Minute}
	if row.Kind == ota.AlertTest {
		timing.Keep, rule.Severity = alert.MinKeep, row.Severity
	}
	in := alert.Input{
		Bad: v.Bad, Unknown: v.Unknown, Now: now,
		Silenced: alert.SilencedUntil(l.silences[row.App], row.Kind, row.Subject, now) > now,
	}
	before := row.Machine
	before.AckedAt = row.AckedAt
	state, action := alert.Step(before, in, timing)
	if row.ID == 0 && state.Phase == alert.OK {
		return nil
	}
	next := *row
	next.put(state, v, rule.Severity, now)
	if state.Phase == alert.OK && state.Idle() && action == alert.Nothing { // it came to nothing
		l.remove = append(l.remove, row.ID)
		return nil
	}
	if action != alert.Nothing {
		return l.s.tell(ctx, next, action)
	}
	state.AckedAt = before.AckedAt
	stale := v.Bad && next.Summary != row.Summary && now-row.UpdatedAt >= refresh.Milliseconds()
	if row.ID == 0 || state != before || !next.Open || stale {
		l.save = append(l.save, next)
	}
	return nil
}

// put writes a state into the row.
func (r *Row) put(s alert.State, v *alert.Sample, severity ota.AlertSeverity, now int64) {
	r.Machine, r.Open = s, !s.Idle()
	r.State = map[alert.Phase]ota.AlertState{
		alert.OK: ota.AlertResolved, alert.Pending: ota.AlertPending, alert.Firing: ota.AlertFiring, alert.Resolved: ota.AlertResolved,
	}[s.Phase]
	r.Since, r.FiredAt, r.ResolvedAt, r.Notifications, r.NotifiedAt = s.Since, s.FiredAt, s.Resolved, s.Told, s.HeardAt
	r.UpdatedAt = now
	if severity != "" {
		r.Severity = severity
	}
	if v.Bad {
		r.Value, r.Threshold, r.Summary = v.Value, v.Threshold, v.Summary
	}
}

// tell stores an alert and the record that notifies of it, in one transaction.
func (s *Service) tell(ctx context.Context, r Row, action alert.Action) error {
	return s.update(ctx, actor, r.App, func(tx Tx) (ota.Change, error) {
		id, err := tx.SaveAlert(ctx, r)
		if err != nil {
			return ota.Change{}, err
		}
		detail := map[string]any{
			"alert": id, "rule": r.Kind, "subject": r.Subject, "severity": r.Severity, "summary": r.Summary,
			"value": round(r.Value), "threshold": round(r.Threshold), "since": r.Since,
		}
		name := "alert.fire"
		switch action {
		case alert.Again:
			detail["repeat"] = r.Notifications
		case alert.Resolve:
			name = "alert.resolve"
			detail["minutes"] = max(0, (s.nowMS()-r.FiredAt)/60_000)
		}
		if r.AckedAt != 0 {
			detail["acknowledged_by"] = r.AckedBy
		}
		return change(name, object(&r.Alert), detail), nil
	})
}

// round leaves two decimals: more would say nothing.
func round(v float64) float64 { return math.Round(v*100) / 100 }

// object names an alert in the record of changes.
func object(a *ota.Alert) string {
	if a.Subject == "" {
		return string(a.Kind)
	}
	return string(a.Kind) + " " + a.Subject
}
