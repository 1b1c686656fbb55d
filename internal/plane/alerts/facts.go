package alerts

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/alert"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// The bounds of one look at an app.
const (
	maxDays      = 14 // of the past; as the parameters of rules allow
	maxOutcomes  = 5000
	offersEvery  = 5 * time.Minute // offers are counted over hours
	settle       = 2 * time.Minute // after its end a quarter is complete
	knownAfter   = 45 * time.Minute
	codeMismatch = "key_id_mismatch"
	guardActor   = "system/guard"
	aDay         = 96 // quarters without which nobody knows what is usual
)

// appCache is what of an app need not be read at each look.
type appCache struct {
	quarter int64 // up to which the past is stored and read
	past    map[string]map[int64]int64
	offers  []VersionCount
	counted int64 // when offers were counted
	checks  map[int64]int64
}

// facts reads what the rules of an app need, whose open alerts are these.
func (s *Service) facts(ctx context.Context, app string, rules map[ota.AlertKind]ota.AlertRule, open map[key]*Row) (*alert.Facts, error) {
	now := s.nowMS()
	f := &alert.Facts{Now: now}
	if s.d.Metadata != nil {
		f.Metadata = s.d.Metadata(app)
	}
	c, err := s.remember(ctx, app, now)
	if err != nil {
		return nil, err
	}
	channels, err := s.d.Store.Channels(ctx, app)
	if err != nil {
		return nil, err
	}
	left, err := s.d.Store.GuardLeft(ctx, app, now-int64(rules[ota.AlertGuardHalt].Params["hours"]*3_600_000))
	if err != nil {
		return nil, err
	}
	f.Halts = leftOn(halts(channels), channels, left)
	if err := s.outcomes(ctx, app, rules, channels, c, f); err != nil {
		return nil, err
	}
	if r := rules[ota.AlertNoCheckins]; r.Enabled {
		f.Checks = c.usualChecks(int(r.Params["days"]))
		f.Checks.Known = now-s.started.UnixMilli() >= knownAfter.Milliseconds()
	}
	all, mismatch, err := s.d.Store.ChecksSince(ctx, app, now-quarterMS, codeMismatch)
	if err != nil {
		return nil, err
	}
	f.Asked = float64(all)
	usual := func(kind ota.AlertKind, series string, n int64) alert.Usual {
		// While it is bad nothing is learnt: a wave that goes on must not become usual.
		until := now - quarterMS
		for k, r := range open {
			if k.kind == kind && r.Since != 0 {
				until = min(until, r.Since-quarterMS)
			}
		}
		u := alert.Usual{N: float64(n), Past: c.series(series, until, int(rules[kind].Params["days"]))}
		u.Known = series == seriesMismatch || len(u.Past) >= aDay
		return u
	}
	var counts map[string]int64
	f.Networks, f.Reported, counts = s.seen.lately(app)
	f.Mismatch = usual(ota.AlertKeyMismatch, seriesMismatch, mismatch)
	f.Switched = usual(ota.AlertSwitching, seriesSwitched, counts[seriesSwitched])
	f.Unknown = usual(ota.AlertForged, seriesUnknown, counts[seriesUnknown])
	f.Odd = usual(ota.AlertForged, seriesOdd, counts[seriesOdd])
	hours := max(rules[ota.AlertErrorNew].Params["hours"], rules[ota.AlertErrorRegressed].Params["hours"])
	f.Errors, err = s.d.Store.FreshErrors(ctx, app, now-int64(hours*3600_000), maxSubjects)
	return f, err
}

// outcomes fills in how versions fare and whether devices take what they are offered.
func (s *Service) outcomes(ctx context.Context, app string, rules map[ota.AlertKind]ota.AlertRule, channels []ota.Channel, c *appCache, f *alert.Facts) error {
	failing, stalled := rules[ota.AlertFailureRate], rules[ota.AlertAdoptionStalled]
	since := func(r ota.AlertRule) int64 { return f.Now - int64(r.Params["hours"]*3600_000) }
	hours, err := s.d.Store.OutcomeHours(ctx, app, min(since(failing), since(stalled))-3600_000, maxOutcomes)
	if err != nil {
		return err
	}
	recent, took := map[string]*alert.Outcomes{}, map[string]int64{}
	var order []string
	for _, h := range hours {
		if h.At+3600_000 > since(failing) { // whole hours: the window may be up to one longer
			v := recent[h.Version]
			if v == nil {
				v = &alert.Outcomes{Version: h.Version}
				recent[h.Version] = v
				order = append(order, h.Version)
			}
			v.Took += h.Took
			v.Failed += h.Failed
		}
		if h.At+3600_000 > since(stalled) {
			took[h.Version] += h.Took - h.Failed
		}
	}
	for _, v := range order {
		f.Versions = append(f.Versions, *recent[v])
	}
	if !stalled.Enabled {
		return nil
	}
	if f.Now-c.counted >= offersEvery.Milliseconds() || c.counted > f.Now {
		if c.offers, err = s.d.Store.OffersSince(ctx, app, since(stalled)); err != nil {
			return err
		}
		c.counted = f.Now
	}
	for _, o := range c.offers {
		if at := releasedAt(channels, o.Channel, o.Version); at != 0 {
			f.Answers = append(f.Answers, alert.Answers{Channel: o.Channel, Version: o.Version, Asked: o.N, Took: took[o.Version], ReleasedAt: at})
		}
	}
	return nil
}

// releasedAt is since when a channel serves a version; 0 = it does not.
func releasedAt(channels []ota.Channel, channel, version string) int64 {
	for i := range channels {
		c := &channels[i]
		if c.Name != channel {
			continue
		}
		if c.Release != nil && c.Release.Version == version {
			return c.Release.CreatedAt
		}
		if c.Rollout != nil && c.Rollout.Version == version && c.Rollout.Enabled && c.Rollout.PausedAt == 0 {
			return c.Rollout.StartedAt
		}
	}
	return 0
}

// halts finds the channels on which the server acted by itself.
func halts(channels []ota.Channel) []alert.Halt {
	var out []alert.Halt
	for i := range channels {
		c := &channels[i]
		at := c.Policy.AutoHalt.LastTriggeredAt
		if at == 0 {
			continue
		}
		h := alert.Halt{Channel: c.Name, At: at}
		if r := c.Release; r != nil && r.CreatedBy == guardActor {
			h.Reason = r.Note
		} else if r != nil && r.CreatedAt > at {
			h.Over = true
		}
		if r := c.Rollout; r != nil {
			switch {
			case r.StartedAt > at:
				h.Over = true
			case r.PausedAt != 0:
				h.Version, h.Reason = r.Version, r.PauseReason
			}
		}
		out = append(out, h)
	}
	return out
}

// leftOn adds what the guard found worse and left in service, where a channel
// still serves it; what was halted on the same channel goes first.
func leftOn(out []alert.Halt, channels []ota.Channel, left []alert.Halt) []alert.Halt {
	for _, h := range left { // newest first
		c := slices.IndexFunc(channels, func(c ota.Channel) bool { return c.Name == h.Channel })
		if c < 0 || !servesSince(&channels[c], &h) {
			continue
		}
		at := slices.IndexFunc(out, func(o alert.Halt) bool { return o.Channel == h.Channel })
		switch {
		case at < 0:
			out = append(out, h)
		case out[at].Over, out[at].Reason == "":
			out[at] = h
		}
	}
	return out
}

func servesSince(c *ota.Channel, h *alert.Halt) bool {
	if r := c.Rollout; r != nil && r.Version == h.Version {
		return r.StartedAt <= h.At
	}
	return c.Release != nil && c.Release.Version == h.Version && c.Release.CreatedAt <= h.At
}

// remember stores the quarters of an hour that ended since the last look, and
// returns what is known of the past.
func (s *Service) remember(ctx context.Context, app string, now int64) (*appCache, error) {
	c := s.cache[app]
	upto := now - settle.Milliseconds()
	upto -= upto % quarterMS
	if c != nil && c.quarter == upto {
		return c, nil
	}
	oldest := upto - maxDays*24*3600_000
	if c == nil {
		c = &appCache{}
	}
	stored, err := s.d.Store.Series(ctx, app, oldest)
	if err != nil {
		return nil, err
	}
	from := oldest
	for _, p := range stored {
		if p.Series == seriesMismatch {
			from = max(from, p.Quarter+quarterMS)
		}
	}
	points := s.seen.takeWhole(app, upto)
	mismatch, err := s.d.Store.CodedQuarters(ctx, app, codeMismatch, from, upto)
	if err != nil {
		return nil, err
	}
	// The last quarter is stored even if it has none, so that it is not read again.
	if n := len(mismatch); from < upto && (n == 0 || mismatch[n-1].Quarter != upto-quarterMS) {
		mismatch = append(mismatch, Point{Quarter: upto - quarterMS})
	}
	// What is counted here has a past from its first quarter on, even an empty one.
	for _, name := range []string{seriesSwitched, seriesUnknown, seriesOdd} {
		has := func(p Point) bool { return p.Series == name }
		if !slices.ContainsFunc(stored, has) && !slices.ContainsFunc(points, has) {
			points = append(points, Point{Series: name, Quarter: upto - quarterMS})
		}
	}
	for _, p := range mismatch {
		points = append(points, Point{Series: seriesMismatch, Quarter: p.Quarter, N: p.N})
	}
	if err := s.d.Store.AddSeries(ctx, app, points); err != nil {
		return nil, err
	}
	checks, err := s.d.Store.CheckQuarters(ctx, app, oldest)
	if err != nil {
		return nil, err
	}
	c.past, c.checks, c.quarter = map[string]map[int64]int64{}, map[int64]int64{}, upto
	for _, p := range append(stored, points...) {
		if c.past[p.Series] == nil {
			c.past[p.Series] = map[int64]int64{}
		}
		c.past[p.Series][p.Quarter] = p.N
	}
	for _, q := range checks {
		c.checks[q.At] += q.N
	}
	s.cache[app] = c
	return c, nil
}

// series returns the counts of the quarters of the past days, those without any
// included since the first that is known, up to a time.
func (c *appCache) series(name string, until int64, days int) []float64 {
	known := c.past[name]
	if name == seriesMismatch {
		known = c.checks
	}
	if len(known) == 0 {
		return nil
	}
	from := max(c.quarter-int64(min(days, maxDays))*24*3600_000, slices.Min(slices.Collect(maps.Keys(known))))
	var out []float64
	for q := from; q < min(c.quarter, until); q += quarterMS {
		out = append(out, float64(c.past[name][q]))
	}
	return out
}

// usualChecks counts the checks of the last two whole quarters, and of the same
// two on each of the past days.
func (c *appCache) usualChecks(days int) alert.Usual {
	two := func(end int64) float64 { return float64(c.checks[end-quarterMS] + c.checks[end-2*quarterMS]) }
	u := alert.Usual{N: two(c.quarter)}
	for d := range min(days, maxDays) {
		u.Past = append(u.Past, two(c.quarter-int64(d+1)*24*3600_000))
	}
	return u
}
