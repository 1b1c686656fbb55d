package insight

import (
	"context"

	"github.com/waxwing-ota/waxwing/internal/core/rollup"
)

// The kinds of units.
const (
	devices = "devices"
	count   = "count"
	share   = "percent"
	millis  = "ms"
	seconds = "seconds"
	octets  = "bytes"
	instant = "time"
)

// funnel is what success shows, in the order of what happens.
var funnel = []rollup.Field{
	rollup.Offered, rollup.Downloading, rollup.Downloaded, rollup.Installed, rollup.Healthy,
	rollup.Failed, rollup.Regressed, rollup.RolledBack,
}

// success is how updates went: devices that came to each state, and why some failed.
func (s *Service) success(ctx context.Context, k *question) error {
	steps, versions, all, err := s.sums(ctx, k)
	if err != nil {
		return err
	}
	for _, f := range funnel {
		k.add(rollup.Columns[f], "", devices, column(steps, f))
		k.fact(rollup.Columns[f], "", devices, float64(all[f]))
	}
	rates, known := make([]float64, len(steps)), make([]bool, len(steps))
	for i := range steps {
		rates[i], known[i] = successRate(&steps[i])
	}
	k.addKnown("success_rate", "", share, rates, known)
	if rate, ok := successRate(&all); ok {
		k.fact("success_rate", "", share, rate)
	}
	for _, v := range top(versions, maxSeries, func(c *rollup.Counts) int64 { return c[rollup.Offered] }) {
		if rate, ok := successRate(versions[v]); ok && v != "" {
			k.fact("success_rate", v, share, rate)
		}
	}
	reasons, err := s.store.RollupReasons(ctx, k.Span)
	if err != nil {
		return err
	}
	sum := map[string]int64{}
	for _, r := range reasons {
		sum[r.Reason] += r.N
	}
	for _, reason := range top(sum, 20, func(n int64) int64 { return n }) {
		k.fact("reason", reason, devices, float64(sum[reason]))
	}
	return nil
}

// successRate is the part of the devices that ended well among those that ended.
func successRate(c *rollup.Counts) (float64, bool) {
	well := max(0, c[rollup.Healthy]-c[rollup.Regressed])
	ended := well + c[rollup.Failed]
	return percent(well, ended), ended > 0
}

// engagement is how much an app is used.
func (s *Service) engagement(ctx context.Context, k *question) error {
	steps, versions, all, err := s.sums(ctx, k)
	if err != nil {
		return err
	}
	k.add("opens", "", count, column(steps, rollup.Opens))
	k.add("sessions", "", count, column(steps, rollup.Sessions))
	k.add("foreground", "", seconds, scaled(column(steps, rollup.ForegroundMS), 1e-3))
	tell := func(label string, c *rollup.Counts) {
		k.fact("opens", label, count, float64(c[rollup.Opens]))
		k.fact("sessions", label, count, float64(c[rollup.Sessions]))
		k.fact("foreground", label, seconds, float64(c[rollup.ForegroundMS])/1e3)
		if n := c[rollup.Sessions]; n > 0 {
			k.fact("foreground_per_session", label, seconds, float64(c[rollup.ForegroundMS])/1e3/float64(n))
		}
	}
	tell("", &all)
	for _, v := range top(versions, maxSeries, func(c *rollup.Counts) int64 { return c[rollup.Opens] }) {
		if v != "" && k.Version == "" && versions[v][rollup.Opens] > 0 {
			tell(v, versions[v])
		}
	}
	return nil
}

func scaled(values []float64, by float64) []float64 {
	for i := range values {
		values[i] *= by
	}
	return values
}

// launch is how launches go, and how long they take.
func (s *Service) launch(ctx context.Context, k *question) error {
	steps, versions, all, err := s.sums(ctx, k)
	if err != nil {
		return err
	}
	fields := []rollup.Field{rollup.Starts, rollup.Launches, rollup.LaunchTimeouts, rollup.Crashes, rollup.ANRs, rollup.WebErrors}
	for _, f := range fields {
		k.add(rollup.Columns[f], "", count, column(steps, f))
		k.fact(rollup.Columns[f], "", count, float64(all[f]))
	}
	for _, v := range top(versions, maxSeries, func(c *rollup.Counts) int64 { return c[rollup.Starts] + c[rollup.Launches] }) {
		for _, f := range fields {
			if v != "" && k.Version == "" {
				k.fact(rollup.Columns[f], v, count, float64(versions[v][f]))
			}
		}
	}
	span := k.Span
	span.Res = max(span.Res, rollup.Hour)
	span.From = span.Res.Floor(span.From)
	rows, err := s.store.RollupLaunches(ctx, span)
	if err != nil {
		return err
	}
	hists, of, whole := make([]rollup.Hist, len(steps)), map[string]*rollup.Hist{}, &rollup.Hist{}
	known := make([]bool, len(steps))
	for i := range rows {
		r := &rows[i]
		whole.Merge(&r.Hist)
		if of[r.Version] == nil {
			of[r.Version] = &rollup.Hist{}
		}
		of[r.Version].Merge(&r.Hist)
		if span.Res == k.Res {
			hists[k.index(r.At)].Merge(&r.Hist)
			known[k.index(r.At)] = true
		}
	}
	of[""] = whole
	for _, q := range []struct {
		name string
		q    float64
	}{{"launch_p50", 0.5}, {"launch_p90", 0.9}, {"launch_p95", 0.95}} {
		values := make([]float64, len(steps))
		for i := range hists {
			values[i] = float64(hists[i].Quantile(q.q))
		}
		k.addKnown(q.name, "", millis, values, known)
		for _, v := range top(of, maxSeries+1, func(h *rollup.Hist) int64 { return h.Count() }) {
			if of[v].Count() > 0 && (v == "" || k.Version == "") {
				k.fact(q.name, v, millis, float64(of[v].Quantile(q.q)))
			}
		}
	}
	return nil
}

// bandwidth is what was sent, against what sending everything would have cost.
func (s *Service) bandwidth(ctx context.Context, k *question) error {
	rows, err := s.store.Rollups(ctx, k.Span)
	if err != nil {
		return err
	}
	full, err := s.store.FullSizes(ctx, k.App)
	if err != nil {
		return err
	}
	n := k.steps()
	sent, requests, whole, taken := make([]float64, n), make([]float64, n), make([]float64, n), make([]float64, n)
	var sums [4]float64
	for i := range rows {
		r, at := &rows[i], k.index(rows[i].At)
		values := [4]float64{
			float64(r.Counts[rollup.Bytes]), float64(r.Counts[rollup.Downloads]),
			float64(r.Counts[rollup.Downloaded]) * float64(full[r.Version]), float64(r.Counts[rollup.Downloaded]),
		}
		for j, to := range [][]float64{sent, requests, whole, taken} {
			to[at] += values[j]
			sums[j] += values[j]
		}
	}
	for j, c := range []struct {
		name, unit string
		values     []float64
	}{{"bytes", octets, sent}, {"requests", count, requests}, {"full_bytes", octets, whole}, {"bundles", devices, taken}} {
		k.add(c.name, "", c.unit, c.values)
		k.fact(c.name, "", c.unit, sums[j])
	}
	if k.Version == "" && sums[2] > 0 {
		k.fact("saved", "", octets, max(0, sums[2]-sums[0]))
		k.fact("saved_share", "", share, max(0, 100*(1-sums[0]/sums[2])))
	}
	return nil
}
