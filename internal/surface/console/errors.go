package console

import (
	"strconv"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

type errorsView struct {
	Errors []ota.ErrorGroup
	Next   string
	Filter ota.ErrorFilter
	States []ota.ErrorState
	Sorts  []ota.ErrorSort
}

func (c *Console) registerErrors() {
	c.page(route{method: "GET", path: "/apps/{app}/errors", action: "error.list"}, c.showErrors)
	c.page(route{method: "GET", path: "/apps/{app}/errors.csv", action: "error.list"}, c.downloadErrors)
}

func errorFilter(r *request) ota.ErrorFilter {
	return ota.ErrorFilter{
		State: ota.ErrorState(r.query("state")), Kind: r.query("kind"), Version: r.query("version"), Platform: r.query("platform"),
		Text: r.query("text"), Sort: ota.ErrorSort(r.query("sort")),
	}
}

func (c *Console) showErrors(r *request) (answer, error) {
	v := errorsView{
		Filter: errorFilter(r), States: []ota.ErrorState{ota.ErrorOpen, ota.ErrorResolved, ota.ErrorIgnored},
		Sorts: []ota.ErrorSort{ota.ErrorsByLastSeen, ota.ErrorsByFirstSeen, ota.ErrorsByCount, ota.ErrorsByDevices},
	}
	var err error
	v.Errors, v.Next, err = r.api.Errors(r, r.app(), v.Filter, r.listPage())
	return r.show("errors", "Errors", v), err
}

func (c *Console) downloadErrors(r *request) (answer, error) {
	rows := [][]string{{"id", "state", "kind", "title", "culprit", "count", "devices", "first_seen", "last_seen", "first_version", "last_version", "regressed_at"}}
	f, page := errorFilter(r), ota.Page{Limit: 500}
	for len(rows) <= maxDownload {
		all, next, err := r.api.Errors(r, r.app(), f, page)
		if err != nil {
			return answer{}, err
		}
		for i := range all {
			e := &all[i]
			regressed := ""
			if e.RegressedAt > 0 {
				regressed = stamp(e.RegressedAt)
			}
			rows = append(rows, []string{
				numPlain(e.ID), string(e.State), e.Kind, e.Title, e.Culprit, numPlain(e.Count), numPlain(e.Devices),
				stamp(e.FirstSeen), stamp(e.LastSeen), e.FirstVersion, e.LastVersion, regressed,
			})
		}
		if page.After = next; next == "" {
			break
		}
	}
	return table("errors.csv", rows), nil
}

// shownDays is how many days the chart of an error has.
const shownDays = 7

// maxVersionSeries is how many versions the chart of an error tells apart.
const maxVersionSeries = 3

type errorView struct {
	Error  ota.ErrorGroupDetail
	Chart  *chart
	Sample *ota.ErrorSample // whose stack is shown; nil = none is kept
}

func (c *Console) registerError() {
	const one = "/apps/{app}/errors/{error}"
	c.page(route{method: "GET", path: one, action: "error.get"}, c.showError)
	c.act(route{method: "POST", path: one + "/resolve", action: "error.update"}, c.resolveError, c.showError)
	c.act(route{method: "POST", path: one + "/ignore", action: "error.update"}, c.ignoreError, c.showError)
	c.act(route{method: "POST", path: one + "/reopen", action: "error.update"}, c.reopenError, c.showError)
}

func (c *Console) showError(r *request) (answer, error) {
	id, err := r.id("error")
	if err != nil {
		return answer{}, err
	}
	sample, _ := strconv.ParseInt(r.query("sample"), 10, 64) // anything else is the newest
	var v errorView
	if v.Error, err = r.api.Error(r, r.app(), id, max(sample, 0)); err != nil {
		return answer{}, err
	}
	for i := range v.Error.Samples {
		if v.Error.Samples[i].ID == v.Error.Sample {
			v.Sample = &v.Error.Samples[i]
		}
	}
	v.Chart = errorChart(&v.Error, c.deps.Now().UnixMilli())
	return r.show("error-group", "Error "+numPlain(id), v), nil
}

// errorChart shows reports per six hours by version: those with most reports
// each, the others together.
func errorChart(e *ota.ErrorGroupDetail, now int64) *chart {
	const step = 6 * hourMillis
	classes := [maxVersionSeries]string{"bad", "warn", "calm"}
	at := map[string]int{}
	var named []series
	for _, v := range e.Versions { // most reports first
		if _, ok := at[v.Version]; ok {
			continue
		}
		at[v.Version] = min(len(named), maxVersionSeries)
		if len(named) < maxVersionSeries {
			named = append(named, series{Name: visible(v.Version), Class: classes[len(named)]})
		}
	}
	if len(at) > maxVersionSeries {
		named = append(named, series{Name: "other versions", Class: "good"})
	}
	if len(named) == 0 {
		named = []series{{Name: "reports", Class: "bad"}}
	}
	c := newChart("Reports per six hours of the last week", now, step, shownDays*4, named)
	for _, h := range e.Hours {
		c.add(min(at[h.Version], len(named)-1), h.At-h.At%step, h.Count)
	}
	return c.draw()
}

func (c *Console) resolveError(r *request) (answer, error) {
	return c.markError(r, "error_resolved", func(id int64) error {
		_, err := r.api.ResolveError(r, r.app(), id, ota.ResolveError{Version: r.text("version")})
		return err
	})
}

func (c *Console) ignoreError(r *request) (answer, error) {
	return c.markError(r, "error_ignored", func(id int64) error {
		_, err := r.api.IgnoreError(r, r.app(), id)
		return err
	})
}

func (c *Console) reopenError(r *request) (answer, error) {
	return c.markError(r, "error_reopened", func(id int64) error {
		_, err := r.api.ReopenError(r, r.app(), id)
		return err
	})
}

func (c *Console) markError(r *request, notice string, mark func(id int64) error) (answer, error) {
	id, err := r.id("error")
	if err != nil {
		return answer{}, err
	}
	return r.done(notice, "apps", r.app(), "errors", numPlain(id)), mark(id)
}
