package snap

import (
	"github.com/waxwing-ota/waxwing/internal/core/decide"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/target"
)

// NeedsCohorts reports whether a channel's rollout has a target, which may name
// cohorts.
func NeedsCohorts(c ota.Channel) bool {
	return c.Rollout != nil && c.Rollout.Plan != nil && c.Rollout.Plan.Target != ""
}

// targets compiles what an app's rollouts are for.
type targets struct {
	cohorts []ota.Cohort
	set     *target.Cohorts // made with the first
	err     error
}

func newTargets(l Loaded) *targets { return &targets{cohorts: l.Cohorts} }

// of returns whom a rollout is for; nil = everybody. It was checked before it was
// stored; if it cannot be compiled all the same, it is for nobody.
func (t *targets) of(r *ota.Rollout) decide.Target {
	if r == nil || r.Plan == nil || r.Plan.Target == "" {
		return nil
	}
	if t.set == nil && t.err == nil {
		t.set, t.err = target.NewCohorts(t.cohorts)
	}
	if t.err != nil {
		return target.Nobody{Why: t.err.Error()}
	}
	m, err := t.set.Compile(r.Plan.Target)
	if err != nil {
		return target.Nobody{Why: err.Error()}
	}
	return m
}
