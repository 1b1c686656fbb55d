package insight

import (
	"context"
	"slices"
	"strings"

	"github.com/waxwing-ota/waxwing/internal/core/hll"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/rollup"
)

// SumRow is what reports came to in one step.
type SumRow struct {
	At      int64
	Version string
	Counts  rollup.Counts
}

// ReasonRow counts the devices that failed for a reason.
type ReasonRow struct {
	Version, Reason string
	N               int64
}

// LaunchRow is how long launches took.
type LaunchRow struct {
	At      int64
	Version string
	Hist    rollup.Hist
}

// ActiveRow counts the devices that were heard of.
type ActiveRow struct {
	At      int64
	Name    string
	N       int64
	Devices hll.Set // empty unless asked for
}

// Span is what part of the rollups to read: steps that begin at From or later
// and before To.
type Span struct {
	App      string
	Res      rollup.Resolution
	From, To int64
	Version  string // "" = all
}

// Sums is the part of the Store that analytics read. Rows are in order of time.
type Sums interface {
	Rollups(ctx context.Context, s Span) ([]SumRow, error)
	RollupReasons(ctx context.Context, s Span) ([]ReasonRow, error) // the most frequent first
	RollupLaunches(ctx context.Context, s Span) ([]LaunchRow, error)
	// RollupActive reads one dimension; Span.Version is the name in it. sets = with Devices.
	RollupActive(ctx context.Context, s Span, dim rollup.Dim, sets bool) ([]ActiveRow, error)
	// FirstSeen returns the hour in which a version was first heard of since a time; 0 = it was not.
	FirstSeen(ctx context.Context, app, version string, since int64) (int64, error)
	// FullSizes returns the bytes of a download of everything, by version.
	FullSizes(ctx context.Context, app string) (map[string]int64, error)
}

// maxSteps bounds the points of a series, maxSeries how many versions are told apart.
const (
	maxSteps  = 1500
	maxSeries = 10
)

// question is an AnalyticsQuery that is understood.
type question struct {
	Span
	out *ota.Analytics
}

// analyses are the questions by their name.
var analyses = map[string]func(*Service, context.Context, *question) error{
	"active":       (*Service).active,
	"adoption":     (*Service).adoption,
	"bandwidth":    (*Service).bandwidth,
	"distribution": (*Service).distribution,
	"engagement":   (*Service).engagement,
	"launch":       (*Service).launch,
	"success":      (*Service).success,
}

// Analytics answers one question from the rollups.
func (s *Service) Analytics(ctx context.Context, app string, q ota.AnalyticsQuery) (ota.Analytics, error) {
	answer := analyses[q.Name]
	if answer == nil {
		return ota.Analytics{}, ota.NotFound("analytics_unknown", "there are no analytics %q", q.Name).
			WithHint("known are active, adoption, bandwidth, distribution, engagement, launch and success").WithField("name")
	}
	if _, err := s.store.App(ctx, app); err != nil {
		return ota.Analytics{}, err
	}
	k, err := s.understand(ctx, app, q)
	if err != nil {
		return ota.Analytics{}, err
	}
	if q.Version != "" {
		// Devices may run what was never published here: what their native app has.
		if err := s.known(ctx, app, q.Version); err != nil {
			if first, seenErr := s.store.FirstSeen(ctx, app, q.Version, 0); seenErr == nil && first == 0 {
				return ota.Analytics{}, err
			}
		}
	}
	if err := answer(s, ctx, k); err != nil {
		return ota.Analytics{}, err
	}
	return *k.out, nil
}

// understand fills in what a query leaves open, and bounds it.
func (s *Service) understand(ctx context.Context, app string, q ota.AnalyticsQuery) (*question, error) {
	now := s.now().UnixMilli()
	if q.To <= 0 || q.To > now {
		q.To = now + 1
	}
	if q.From < 0 || q.From >= q.To {
		return nil, ota.Invalid("range_invalid", "the range ends before it begins").WithField("from").
			WithHint("from and to are times in ms since 1970")
	}
	k := &question{Span: Span{App: app, Version: q.Version, To: q.To, From: q.From}}
	if q.From == 0 {
		k.From = q.To - rollup.DayMS
		if q.Name == "adoption" && q.Version != "" {
			first, err := s.store.FirstSeen(ctx, app, q.Version, q.To-35*rollup.DayMS)
			if err != nil {
				return nil, err
			}
			if first != 0 {
				k.From = min(first, k.From)
			}
		}
		if q.Name == "distribution" || q.Step == rollup.Day.String() {
			k.From = q.To - 30*rollup.DayMS
		} else if q.Step == rollup.Minute.String() {
			k.From = q.To - 2*rollup.HourMS
		}
	}
	ok := true
	switch length := q.To - k.From; {
	case q.Step != "":
		k.Res, ok = rollup.ParseResolution(q.Step)
	case q.Name == "distribution":
		k.Res = rollup.Day
	case length <= 3*rollup.HourMS && finest(q) == rollup.Minute:
		k.Res = rollup.Minute
	case length <= 35*rollup.DayMS:
		k.Res = rollup.Hour
	default:
		k.Res = rollup.Day
	}
	if !ok || k.Res < finest(q) {
		return nil, ota.Invalid("step_invalid", "%s is not counted per %q", q.Name, strings.ToValidUTF8(q.Step, "?")).WithField("step").
			WithHint("the shortest step here is %s", finest(q))
	}
	k.From = k.Res.Floor(k.From)
	k.To = k.Res.Floor(k.To-1) + k.Res.Step()
	if (k.To-k.From)/k.Res.Step() > maxSteps {
		return nil, ota.Invalid("range_too_long", "these are over %d steps", maxSteps).WithField("from").
			WithHint("ask for a shorter range or a longer step")
	}
	k.out = &ota.Analytics{
		App: app, Name: q.Name, Version: q.Version, From: k.From, To: k.To, Step: k.Res.Step(),
		Facts: []ota.Fact{}, Series: []ota.Series{},
	}
	return k, nil
}

// finest returns the shortest step that is kept for the question.
func finest(q ota.AnalyticsQuery) rollup.Resolution {
	switch {
	case q.Name == "adoption", q.Name == "distribution", q.Name == "active" && q.Version != "":
		return rollup.Hour
	}
	return rollup.Minute
}

// steps returns how many steps there are.
func (k *question) steps() int { return int((k.To - k.From) / k.Res.Step()) }

// index returns which step begins at a time.
func (k *question) index(at int64) int { return int((at - k.From) / k.Res.Step()) }

// add appends a series with a value for every step.
func (k *question) add(name, label, unit string, values []float64) {
	s := ota.Series{Name: name, Label: label, Unit: unit, Points: make([]ota.Point, len(values))}
	for i, v := range values {
		s.Points[i] = ota.Point{At: k.From + int64(i)*k.Res.Step(), Value: v}
	}
	k.out.Series = append(k.out.Series, s)
}

// addKnown is add without the steps that are not known.
func (k *question) addKnown(name, label, unit string, values []float64, known []bool) {
	s := ota.Series{Name: name, Label: label, Unit: unit, Points: []ota.Point{}}
	for i, v := range values {
		if known[i] {
			s.Points = append(s.Points, ota.Point{At: k.From + int64(i)*k.Res.Step(), Value: v})
		}
	}
	k.out.Series = append(k.out.Series, s)
}

func (k *question) fact(name, label, unit string, v float64) {
	k.out.Facts = append(k.out.Facts, ota.Fact{Name: name, Label: label, Unit: unit, Value: v})
}

// sums reads counts and returns them per step, per version and in all.
func (s *Service) sums(ctx context.Context, k *question) (steps []rollup.Counts, versions map[string]*rollup.Counts, all rollup.Counts, err error) {
	rows, err := s.store.Rollups(ctx, k.Span)
	if err != nil {
		return nil, nil, all, err
	}
	steps, versions = make([]rollup.Counts, k.steps()), map[string]*rollup.Counts{}
	for i := range rows {
		r := &rows[i]
		steps[k.index(r.At)].Add(&r.Counts)
		all.Add(&r.Counts)
		if versions[r.Version] == nil {
			versions[r.Version] = new(rollup.Counts)
		}
		versions[r.Version].Add(&r.Counts)
	}
	return steps, versions, all, nil
}

// column returns one field of every step.
func column(steps []rollup.Counts, f rollup.Field) []float64 {
	out := make([]float64, len(steps))
	for i := range steps {
		out[i] = float64(steps[i][f])
	}
	return out
}

// top returns the names with the largest numbers.
func top[T any](all map[string]T, n int, size func(T) int64) []string {
	names := make([]string, 0, len(all))
	for name := range all {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int {
		if x, y := size(all[a]), size(all[b]); x != y {
			return int(min(1, max(-1, y-x)))
		}
		return strings.Compare(a, b)
	})
	return names[:min(n, len(names))]
}

func percent(n, whole int64) float64 {
	if whole <= 0 {
		return 0
	}
	return float64(n) * 100 / float64(whole)
}
