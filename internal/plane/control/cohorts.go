package control

import (
	"context"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	targets "github.com/waxwing-ota/waxwing/internal/core/target"
)

// maxCohortID bounds a custom id: devices' are cut there.
const maxCohortID = 150

// Cohorts lists an app's cohorts by name, without their lists of ids.
func (s *Service) Cohorts(ctx context.Context, app string) ([]ota.Cohort, error) {
	if _, err := s.store.App(ctx, app); err != nil {
		return nil, err
	}
	return s.store.CohortNames(ctx, app)
}

// Cohort returns a cohort with its list.
func (s *Service) Cohort(ctx context.Context, app, name string) (ota.Cohort, error) {
	if _, err := s.store.App(ctx, app); err != nil {
		return ota.Cohort{}, err
	}
	return s.store.Cohort(ctx, app, name)
}

// SetCohort makes a cohort or replaces what it is. One that decides who gets a
// rollout of a protected channel stays as it was approved.
func (s *Service) SetCohort(ctx context.Context, actor ota.Actor, app, name string, in ota.CohortRequest) (ota.Cohort, error) {
	c := ota.Cohort{App: app, Name: name, UpdatedAt: s.nowMS(), UpdatedBy: string(actor)}
	if err := checkCohort(&c, in); err != nil {
		return c, err
	}
	err := s.update(ctx, actor, app, func(tx Tx) (ota.Change, error) {
		if _, err := tx.App(ctx, app); err != nil {
			return ota.Change{}, err
		}
		all, err := tx.Cohorts(ctx, app)
		if err != nil {
			return ota.Change{}, err
		}
		var before any
		at := slices.IndexFunc(all, func(h ota.Cohort) bool { return h.Name == name })
		switch {
		case at >= 0 && sameCohort(&all[at], &c):
			c = all[at]
			return ota.Change{}, nil
		case at >= 0:
			before, all[at] = told(all[at]), c
		case len(all) >= ota.MaxCohorts:
			return ota.Change{}, ota.Conflict(CodeTooManyCohorts, "app %q has %d cohorts, more are not possible", app, len(all)).
				WithHint("delete those that no rollout needs: waxwing cohorts list --app %s", app)
		default:
			all = append(all, c)
		}
		if err := cohortsHold(ctx, tx, app, name, all); err != nil {
			return ota.Change{}, err
		}
		return changed(change("cohort.set", app, name, fields{"expression": c.Expr, "size": c.Size}), before, told(c)), tx.SetCohort(ctx, c)
	})
	return c, err
}

// told is a cohort as the record of changes keeps it: its ids name people.
func told(c ota.Cohort) ota.Cohort {
	c.CustomIDs = nil
	return c
}

func sameCohort(a, b *ota.Cohort) bool {
	return a.Expr == b.Expr && a.Note == b.Note && slices.Equal(a.CustomIDs, b.CustomIDs)
}

func checkCohort(c *ota.Cohort, in ota.CohortRequest) (err error) {
	if err = ota.CheckChannelName(c.Name); err != nil {
		return ota.Invalid(CodeNameInvalid, "cohort name %q: use 1 to 64 letters, digits, '.', '_' or '-', a letter or digit first", c.Name).WithField("name")
	}
	if c.Note, err = cleanText("note", in.Note, maxNote); err != nil {
		return err
	}
	c.Expr = strings.TrimSpace(in.Expr)
	switch {
	case (c.Expr == "") == (len(in.CustomIDs) == 0):
		return ota.Invalid(CodeCohortInvalid, "a cohort is either an expression or a list of custom ids").WithField("expression")
	case len(in.CustomIDs) > ota.MaxCohortIDs:
		return ota.Invalid(CodeCohortInvalid, "a cohort has %d custom ids, at most %d are possible", len(in.CustomIDs), ota.MaxCohortIDs).
			WithField("custom_ids").WithHint("split it and name both: cohort(\"a\") || cohort(\"b\")")
	}
	for _, id := range in.CustomIDs {
		id = strings.TrimSpace(id)
		odd := strings.ContainsFunc(id, func(r rune) bool { return unicode.IsControl(r) || r == utf8.RuneError })
		if id == "" || len(id) > maxCohortID || odd {
			return ota.Invalid(CodeCohortInvalid, "%.60q is no custom id: it must have 1 to %d bytes of text", id, maxCohortID).WithField("custom_ids")
		}
		c.CustomIDs = append(c.CustomIDs, id)
	}
	slices.Sort(c.CustomIDs)
	c.CustomIDs = slices.Compact(c.CustomIDs)
	c.Size = len(c.CustomIDs)
	return nil
}

// DeleteCohort removes a cohort that nothing names.
func (s *Service) DeleteCohort(ctx context.Context, actor ota.Actor, app, name string) error {
	return s.update(ctx, actor, app, func(tx Tx) (ota.Change, error) {
		if _, err := tx.App(ctx, app); err != nil {
			return ota.Change{}, err
		}
		have, err := tx.Cohort(ctx, app, name)
		if err != nil {
			return ota.Change{}, err
		}
		all, err := tx.Cohorts(ctx, app)
		if err != nil {
			return ota.Change{}, err
		}
		if by, err := namedBy(ctx, tx, app, name, all); err != nil || by != "" {
			if err == nil {
				err = ota.Conflict(CodeCohortInUse, "cohort %q is named by %s", name, by).WithHint("change that first")
			}
			return ota.Change{}, err
		}
		return changed(change("cohort.delete", app, name, fields{}), told(have), nil), tx.DeleteCohort(ctx, app, name)
	})
}

// cohortsHold checks that an app's cohorts, of which one is changed, make sense
// together and with the targets that name them.
func cohortsHold(ctx context.Context, tx Tx, app, name string, all []ota.Cohort) error {
	set, err := targets.NewCohorts(all)
	if err != nil {
		return inExpression(err)
	}
	channels, err := tx.Channels(ctx, app)
	if err != nil {
		return err
	}
	for i := range channels {
		ch := &channels[i]
		src := targetOf(ch.Rollout)
		if src == "" {
			continue
		}
		e, err := targets.Parse(src)
		if err != nil || !slices.Contains(set.Uses(e), name) {
			continue
		}
		if ch.Policy.Protected() {
			return ota.Conflict(CodeCohortProtected, "cohort %q decides who gets the rollout of protected channel %q", name, ch.Name).
				WithHint("make another cohort, and ask for the approval of a plan that names it")
		}
		if _, err := set.Compile(src); err != nil {
			return inExpression(err)
		}
	}
	return nil
}

// inExpression names the field that a cohort's expression is in.
func inExpression(err error) error {
	if e, ok := err.(*ota.Error); ok { //nolint:errorlint // package target returns them as they are
		return e.WithField("expression")
	}
	return err
}

// namedBy says what names a cohort; "" = nothing.
func namedBy(ctx context.Context, tx Tx, app, name string, all []ota.Cohort) (string, error) {
	names := func(src string) bool {
		e, err := targets.Parse(src)
		return err == nil && slices.Contains(e.Cohorts(), name)
	}
	for i := range all {
		if all[i].Expr != "" && names(all[i].Expr) {
			return "cohort " + all[i].Name, nil
		}
	}
	channels, err := tx.Channels(ctx, app)
	if err != nil {
		return "", err
	}
	for i := range channels {
		if src := targetOf(channels[i].Rollout); src != "" && names(src) {
			return "the rollout of channel " + channels[i].Name, nil
		}
	}
	return "", nil
}

// targetOf is the target of a rollout; "" = everybody.
func targetOf(r *ota.Rollout) string {
	if r == nil || r.Plan == nil {
		return ""
	}
	return r.Plan.Target
}
