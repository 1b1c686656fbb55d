package insight

import (
	"context"

	"github.com/waxwing-ota/waxwing/internal/core/hll"
	"github.com/waxwing-ota/waxwing/internal/core/rollup"
)

// active is how many devices were heard of.
func (s *Service) active(ctx context.Context, k *question) error {
	dim := rollup.All
	if k.Version != "" {
		dim = rollup.Version
	}
	rows, err := s.store.RollupActive(ctx, k.Span, dim, false)
	if err != nil {
		return err
	}
	values := make([]float64, k.steps())
	for _, r := range rows {
		values[k.index(r.At)] = float64(r.N)
		k.out.Approximate = k.out.Approximate || r.N > hll.MaxExact
	}
	k.add("active", k.Version, devices, values)
	for _, of := range []struct {
		name string
		res  rollup.Resolution
		n    int64
	}{{"active_24h", rollup.Hour, 24}, {"active_7d", rollup.Day, 7}, {"active_30d", rollup.Day, 30}} {
		last := of.res.Floor(k.To - 1)
		span := Span{App: k.App, Version: k.Version, Res: of.res, From: last - (of.n-1)*of.res.Step(), To: last + 1}
		rows, err := s.store.RollupActive(ctx, span, dim, true)
		if err != nil {
			return err
		}
		var all hll.Set
		for i := range rows {
			all.Merge(&rows[i].Devices)
		}
		k.out.Approximate = k.out.Approximate || !all.Exact()
		k.fact(of.name, k.Version, devices, float64(all.Count()))
	}
	return nil
}

// dims are what a distribution is told by.
var dims = []struct {
	dim  rollup.Dim
	name string
}{{rollup.Version, "version"}, {rollup.Platform, "platform"}, {rollup.OS, "os"}, {rollup.Plugin, "plugin"}}

// distribution is which versions, platforms, systems and plugins are in use.
func (s *Service) distribution(ctx context.Context, k *question) error {
	span := k.Span
	span.Version = ""
	all, err := s.store.RollupActive(ctx, span, rollup.All, false)
	if err != nil {
		return err
	}
	whole := map[int64]int64{}
	for _, r := range all {
		whole[r.At] = r.N
	}
	for _, d := range dims {
		if k.Res != rollup.Day && d.dim != rollup.Version {
			continue
		}
		rows, err := s.store.RollupActive(ctx, span, d.dim, false)
		if err != nil {
			return err
		}
		of, latest := map[string][]float64{}, int64(0)
		for _, r := range rows {
			if of[r.Name] == nil {
				of[r.Name] = make([]float64, k.steps())
			}
			of[r.Name][k.index(r.At)] = float64(r.N)
			latest = max(latest, r.At)
			k.out.Approximate = k.out.Approximate || r.N > hll.MaxExact
		}
		if latest == 0 {
			continue
		}
		now := k.index(latest)
		for _, name := range top(of, 2*maxSeries, func(v []float64) int64 { return int64(v[now]) }) {
			k.add(d.name, name, devices, of[name])
			k.fact(d.name, name, share, min(100, percent(int64(of[name][now]), whole[latest])))
		}
	}
	return nil
}

// windowHours is how long a device counts as active after it was heard of.
const windowHours = 24

// adoption is which part of the active devices runs a version: of those that
// were heard of in the last 24 hours, those that ran it in that time.
func (s *Service) adoption(ctx context.Context, k *question) error {
	window := windowHours
	if k.Res == rollup.Day {
		window = 1
	}
	before := k.Span
	before.From -= int64(window-1) * k.Res.Step()
	n := k.steps() + window - 1
	whole, err := s.sets(ctx, before, rollup.All, n)
	if err != nil {
		return err
	}
	active := rollup.Trailing(whole[""], window)[window-1:]
	of, err := s.sets(ctx, before, rollup.Version, n)
	if err != nil {
		return err
	}
	ran := map[string][]int64{}
	for v, sets := range of {
		ran[v] = rollup.Trailing(sets, window)[window-1:]
	}
	for _, a := range active {
		k.out.Approximate = k.out.Approximate || a > hll.MaxExact
	}
	last := len(active) - 1
	for _, v := range top(ran, maxSeries, func(n []int64) int64 { return n[last] }) {
		shares, known := make([]float64, len(active)), make([]bool, len(active))
		for i, n := range ran[v] {
			// Two estimates can make more than all.
			shares[i], known[i] = min(100, percent(n, active[i])), active[i] > 0
		}
		k.addKnown("share", v, share, shares, known)
		k.fact("share", v, share, shares[last])
		k.fact("devices", v, devices, float64(ran[v][last]))
		if k.Version != "" {
			k.add("devices", v, devices, floats(ran[v]))
			s.reached(k, v, shares)
		}
	}
	k.add("active", "", devices, floats(active))
	return nil
}

// sets reads the sets of a dimension per name and step.
func (s *Service) sets(ctx context.Context, span Span, dim rollup.Dim, n int) (map[string][]*hll.Set, error) {
	if dim == rollup.All {
		span.Version = ""
	}
	rows, err := s.store.RollupActive(ctx, span, dim, true)
	if err != nil {
		return nil, err
	}
	out := map[string][]*hll.Set{}
	if dim == rollup.All {
		out[""] = make([]*hll.Set, n)
	}
	for i := range rows {
		r := &rows[i]
		if out[r.Name] == nil {
			out[r.Name] = make([]*hll.Set, n)
		}
		out[r.Name][(r.At-span.From)/span.Res.Step()] = &r.Devices
	}
	return out, nil
}

// reached tells when the version was first seen, and how long it took from then
// to run on 50, 90 and 95 percent of the active devices.
func (s *Service) reached(k *question, version string, shares []float64) {
	first := -1
	for i, v := range shares {
		if v > 0 {
			first = i
			break
		}
	}
	if first < 0 {
		return
	}
	k.fact("first_seen", version, instant, float64(k.From+int64(first)*k.Res.Step()))
	step := float64(k.Res.Step()) / 1e3
	for _, goal := range []struct {
		name string
		at   float64
	}{{"time_to_50", 50}, {"time_to_90", 90}, {"time_to_95", 95}} {
		was := 0.0
		for i := first; i < len(shares); i++ {
			if shares[i] >= goal.at {
				// Somewhere within the step; where, a straight line tells well enough.
				part := (goal.at - was) / (shares[i] - was)
				k.fact(goal.name, version, seconds, (float64(i-first)+part)*step)
				break
			}
			was = shares[i]
		}
	}
}

func floats(n []int64) []float64 {
	out := make([]float64, len(n))
	for i, v := range n {
		out[i] = float64(v)
	}
	return out
}
