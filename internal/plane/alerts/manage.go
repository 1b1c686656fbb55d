package alerts

import (
	"context"
	"slices"

	"github.com/waxwing-ota/waxwing/internal/core/alert"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// Rules lists the rules of an app as they are in force.
func (s *Service) Rules(ctx context.Context, app string) ([]ota.AlertRule, error) {
	if _, err := s.d.Store.App(ctx, app); err != nil {
		return nil, err
	}
	changed, err := s.d.Store.AlertRules(ctx, app)
	if err != nil {
		return nil, err
	}
	var out []ota.AlertRule
	for _, k := range alert.Kinds() {
		r := k.Default(app)
		if i := slices.IndexFunc(changed, func(c ota.AlertRule) bool { return c.Kind == k.Name }); i >= 0 {
			r = k.Stored(changed[i])
		}
		out = append(out, r)
	}
	return out, nil
}

func kindOf(name ota.AlertKind) (alert.Kind, error) {
	k, ok := alert.KindOf(name)
	if !ok {
		return k, ota.NotFound(CodeRuleNotFound, "there is no alert rule %.40q", name).WithHint("list them with: waxwing alerts rules")
	}
	return k, nil
}

// rule returns a rule of an app as it is in force.
func rule(ctx context.Context, from Reader, app string, k *alert.Kind) (ota.AlertRule, error) {
	changed, err := from.AlertRules(ctx, app)
	if err != nil {
		return ota.AlertRule{}, err
	}
	if i := slices.IndexFunc(changed, func(c ota.AlertRule) bool { return c.Kind == k.Name }); i >= 0 {
		return k.Stored(changed[i]), nil
	}
	return k.Default(app), nil
}

// SetRule changes a rule of an app.
func (s *Service) SetRule(ctx context.Context, who ota.Actor, app string, kind ota.AlertKind, in ota.AlertRulePatch) (ota.AlertRule, error) {
	var out ota.AlertRule
	k, err := kindOf(kind)
	if err != nil {
		return out, err
	}
	err = s.update(ctx, who, app, func(tx Tx) (ota.Change, error) {
		was, err := rule(ctx, tx, app, &k)
		if err != nil {
			return ota.Change{}, err
		}
		if out, err = k.Patch(was, in); err != nil {
			return ota.Change{}, err
		}
		out.Changed, out.UpdatedAt, out.UpdatedBy = true, s.nowMS(), who
		c := change("alert_rule.set", string(kind), map[string]any{"enabled": out.Enabled, "severity": out.Severity})
		c.Before, c.After = ota.JSON(was), ota.JSON(out)
		return c, tx.SetAlertRule(ctx, app, kind, &out)
	})
	return out, err
}

// ResetRule makes a rule of an app what it is as it comes.
func (s *Service) ResetRule(ctx context.Context, who ota.Actor, app string, kind ota.AlertKind) (ota.AlertRule, error) {
	k, err := kindOf(kind)
	if err != nil {
		return ota.AlertRule{}, err
	}
	err = s.update(ctx, who, app, func(tx Tx) (ota.Change, error) {
		was, err := rule(ctx, tx, app, &k)
		if err != nil {
			return ota.Change{}, err
		}
		c := change("alert_rule.reset", string(kind), nil)
		c.Before, c.After = ota.JSON(was), ota.JSON(k.Default(app))
		return c, tx.SetAlertRule(ctx, app, kind, nil)
	})
	return k.Default(app), err
}

// Alerts lists alerts within reach, newest first. A page may hold fewer than it
// could.
func (s *Service) Alerts(ctx context.Context, reach ota.Reach, f ota.AlertFilter, p ota.Page) ([]ota.Alert, string, error) {
	if f.App != "" {
		if _, err := s.d.Store.App(ctx, f.App); err != nil {
			return nil, "", err
		}
	}
	items, next, err := s.d.Store.Alerts(ctx, f, p)
	if err != nil {
		return nil, "", err
	}
	if !reach.All {
		items = slices.DeleteFunc(items, func(a ota.Alert) bool { return !reach.Contains(ota.Scope{Org: a.Org, App: a.App}) })
	}
	return items, next, s.silenced(ctx, f.App, items)
}

// silenced notes until when open alerts are silenced.
func (s *Service) silenced(ctx context.Context, app string, items []ota.Alert) error {
	now := s.nowMS()
	all, err := s.d.Store.LiveSilences(ctx, app, now)
	if err != nil || len(all) == 0 {
		return err
	}
	by := map[string][]ota.AlertSilence{}
	for _, v := range all {
		by[v.App] = append(by[v.App], v)
	}
	for i := range items {
		if a := &items[i]; a.State != ota.AlertResolved {
			a.SilencedUntil = alert.SilencedUntil(by[a.App], a.Kind, a.Subject, now)
		}
	}
	return nil
}

// Alert returns one.
func (s *Service) Alert(ctx context.Context, app string, id int64) (ota.Alert, error) {
	r, err := s.d.Store.Alert(ctx, app, id)
	if err != nil {
		return ota.Alert{}, err
	}
	one := []ota.Alert{r.Alert}
	err = s.silenced(ctx, app, one)
	return one[0], err
}

// Ack notes that somebody takes care of an alert: it is not told again until it
// is over. Acknowledging it again changes and tells nothing: it stays with who
// took it.
func (s *Service) Ack(ctx context.Context, who ota.Actor, app string, id int64, note string) (ota.Alert, error) {
	var out ota.Alert
	note, err := clean("note", note)
	if err != nil {
		return out, err
	}
	err = s.update(ctx, who, app, func(tx Tx) (ota.Change, error) {
		r, err := tx.Alert(ctx, app, id)
		if err != nil {
			return ota.Change{}, err
		}
		out = r.Alert
		if out.State == ota.AlertResolved {
			return ota.Change{}, ota.Conflict(CodeAlertOver, "alert %d is over already", id)
		}
		if out.AckedAt != 0 {
			return ota.Change{}, nil
		}
		out.AckedAt, out.AckedBy, out.AckNote = s.nowMS(), who, note
		return change("alert.ack", object(&out), map[string]any{
			"alert": id, "rule": out.Kind, "subject": out.Subject, "severity": out.Severity, "summary": out.Summary, "note": note,
		}), tx.AckAlert(ctx, out)
	})
	return out, err
}

// Test fires an alert that nothing is wrong with, to see who is told. It is over
// by itself after some minutes.
func (s *Service) Test(ctx context.Context, who ota.Actor, app string) (ota.Alert, error) {
	s.looking.Lock()
	defer s.looking.Unlock()
	now := s.nowMS()
	v := alert.Sample{Bad: true, Value: 1, Threshold: 1, Summary: "test of alerts by " + string(who) + ": nothing is wrong"}
	state, action := alert.Step(alert.State{}, alert.Input{Bad: true, Now: now}, alert.Timing{})
	r := Row{Alert: ota.Alert{App: app, Kind: ota.AlertTest}}
	r.put(state, &v, ota.AlertWarning, now)
	a, err := s.d.Store.App(ctx, app)
	if err != nil {
		return r.Alert, err
	}
	r.Org = a.Org
	open, err := s.d.Store.OpenAlerts(ctx, app, maxOpen)
	if err != nil {
		return r.Alert, err
	}
	if i := slices.IndexFunc(open, func(o Row) bool { return o.Kind == ota.AlertTest }); i >= 0 {
		return open[i].Alert, ota.Conflict(CodeTestRunning, "alert %d is a test that still fires", open[i].ID).WithHint("it is over after some minutes")
	}
	if err := s.tell(ctx, r, action); err != nil {
		return r.Alert, err
	}
	items, _, err := s.d.Store.Alerts(ctx, ota.AlertFilter{App: app, Kind: ota.AlertTest}, ota.Page{Limit: 1})
	if err != nil || len(items) == 0 {
		return r.Alert, err
	}
	return items[0], nil
}
