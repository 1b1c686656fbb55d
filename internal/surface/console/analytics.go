package console

import (
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

type analyticsView struct {
	App     string
	Version string
	Range   string
	Ranges  []string
	Numbers numbersView
}

// numbersView is the part of the page that is sent again when it changes.
type numbersView struct {
	App, Range  string
	Version     string
	Sections    []numberSection
	Parts       []part
	Approximate bool
	Mark        string
}

type numberSection struct {
	Name   string // of the question
	Title  string
	Facts  []ota.Fact // the most telling ones
	Charts []*lines
}

// part is the share of one name in a distribution.
type part struct {
	Dim, Name string
	Share     float64
}

// ranges are what one can look at, by their length.
var ranges = map[string]time.Duration{"2h": 2 * time.Hour, "24h": 24 * time.Hour, "7d": 7 * 24 * time.Hour, "30d": 30 * 24 * time.Hour}

// analyticsEvery is the pace of live analytics, which cost more than a count.
const analyticsEvery = 5 * time.Second

func (c *Console) registerAnalytics() {
	c.page(route{method: "GET", path: "/apps/{app}/analytics", action: "app.get"}, c.showAnalytics)
	c.page(route{method: "GET", path: "/apps/{app}/analytics/live", action: "app.get"}, c.liveAnalytics)
	c.page(route{method: "GET", path: "/apps/{app}/analytics.csv", action: "app.get"}, c.exportAnalytics)
}

func (c *Console) showAnalytics(r *request) (answer, error) {
	n, err := c.numbers(r)
	if err != nil {
		return answer{}, err
	}
	return r.show("analytics", "Analytics", analyticsView{
		App: r.app(), Version: r.query("version"), Range: rangeOf(r), Ranges: []string{"2h", "24h", "7d", "30d"}, Numbers: n,
	}), nil
}

func (c *Console) liveAnalytics(r *request) (answer, error) {
	return c.watch(r, "analytics", analyticsEvery, func() (any, string, error) {
		n, err := c.numbers(r)
		return n, n.Mark, err
	})
}

func rangeOf(r *request) string {
	if _, ok := ranges[r.query("range")]; ok {
		return r.query("range")
	}
	return "24h"
}

// ask returns the query for a question about what the page shows.
func (c *Console) ask(r *request, name string) ota.AnalyticsQuery {
	length := ranges[rangeOf(r)]
	q := ota.AnalyticsQuery{Name: name, Version: r.query("version"), From: c.deps.Now().Add(-length).UnixMilli()}
	if length > 7*24*time.Hour {
		q.Step = "day" // 720 hours would make the page, and every table on it, ten times as large
	}
	if (name == "adoption" || name == "active" && q.Version != "") && length < 24*time.Hour {
		q.From = c.deps.Now().Add(-24 * time.Hour).UnixMilli()
	}
	if name == "distribution" {
		q.Version, q.Step, q.From = "", "day", c.deps.Now().Add(-7*24*time.Hour).UnixMilli()
	}
	return q
}

// questions says what is shown of every answer, in order.
var questions = []struct {
	name, title string
	facts       []string // of all versions, or of the one that is looked at
	charts      [][]string
}{
	{"adoption", "Adoption", []string{"time_to_50", "time_to_90", "time_to_95"}, [][]string{{"Share of active devices", "share"}}},
	{"active", "Active devices", []string{"active_24h", "active_7d", "active_30d"}, [][]string{{"Active devices", "active"}}},
	{
		"success", "Updates",
		[]string{"success_rate", "offered", "downloaded", "installed", "healthy", "failed"},
		[][]string{{"Devices by what happened to their update", "offered", "installed", "healthy", "failed", "rolled_back"}},
	},
	{
		"engagement", "Use",
		[]string{"opens", "sessions", "foreground", "foreground_per_session"},
		[][]string{{"Opens and sessions", "opens", "sessions"}, {"Time in the foreground", "foreground"}},
	},
	{
		"launch", "Launches",
		[]string{"launch_p50", "launch_p95", "launches", "crashes", "anrs", "web_errors"},
		[][]string{{"How long launches take", "launch_p50", "launch_p90", "launch_p95"}, {"Trouble", "launch_timeouts", "crashes", "anrs", "web_errors"}},
	},
	{"bandwidth", "Downloads", []string{"bytes", "full_bytes", "saved_share"}, [][]string{{"Bytes sent, and what full bundles would have cost", "bytes", "full_bytes"}}},
}

func (c *Console) numbers(r *request) (numbersView, error) {
	v := numbersView{App: r.app(), Range: rangeOf(r), Version: r.query("version")}
	for _, s := range questions {
		a, err := r.api.Analytics(r, r.app(), c.ask(r, s.name))
		if err != nil {
			return v, err
		}
		v.Approximate = v.Approximate || a.Approximate
		out := numberSection{Name: s.name, Title: s.title}
		for _, name := range s.facts {
			for _, f := range a.Facts {
				if f.Name == name && (f.Label == "" || f.Label == a.Version) {
					out.Facts = append(out.Facts, f)
					break
				}
			}
		}
		for i, chart := range s.charts {
			out.Charts = append(out.Charts, newLines(&a, fmt.Sprintf("%s-%d", s.name, i), chart[0], chart[1:]...))
		}
		v.Sections = append(v.Sections, out)
	}
	a, err := r.api.Analytics(r, r.app(), c.ask(r, "distribution"))
	if err != nil {
		return v, err
	}
	for _, f := range a.Facts {
		v.Parts = append(v.Parts, part{Dim: f.Name, Name: f.Label, Share: f.Value})
	}
	v.Mark, err = markOf(v)
	return v, err
}

// exportAnalytics passes the table of one question on.
func (c *Console) exportAnalytics(r *request) (answer, error) {
	body, err := c.streams.AnalyticsCSV(r, r.app(), c.ask(r, r.query("name")))
	if err != nil {
		return answer{}, err
	}
	return answer{raw: func(w http.ResponseWriter) error {
		defer body.Close()
		w.Header().Set("Content-Type", "text/csv; charset=utf-8")
		w.Header().Set("Content-Disposition", fmt.Sprintf("attachment; filename=%q", r.app()+"-"+r.query("name")+".csv"))
		_, err := io.Copy(w, body)
		return err
	}}, nil
}
