package console

import (
	"slices"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// chart is a stack of bars over time, drawn by the server. Script replaces it by
// one to point at, made from the same numbers.
type chart struct {
	Name   string
	Series []series
	Bars   []bar
	Max    int64
	Times  []int64 // start of each step, Unix ms
}

type series struct {
	Name, Class string
	Values      []int64
	Total       int64
}

// bar is a rectangle in a picture of 600 by 120.
type bar struct {
	X, Y, W, H float64
	Class      string
}

const chartWidth, chartHeight = 600.0, 120.0

// newChart fills a chart of n steps that end with the one that holds now.
func newChart(name string, now, step int64, n int, named []series) *chart {
	c := &chart{Name: name, Series: named}
	end := now - now%step
	for i := range n {
		c.Times = append(c.Times, end-int64(n-1-i)*step)
	}
	for i := range c.Series {
		c.Series[i].Values = make([]int64, n)
	}
	return c
}

// add counts n at a time in a series.
func (c *chart) add(s int, at, n int64) {
	i, ok := slices.BinarySearch(c.Times, at)
	if !ok {
		return
	}
	c.Series[s].Values[i] += n
	c.Series[s].Total += n
}

// draw lays the bars out.
func (c *chart) draw() *chart {
	for i := range c.Times {
		var sum int64
		for _, s := range c.Series {
			sum += s.Values[i]
		}
		c.Max = max(c.Max, sum)
	}
	if c.Max == 0 {
		return c
	}
	w := chartWidth / float64(len(c.Times))
	for i := range c.Times {
		y := chartHeight
		for _, s := range c.Series {
			if h := float64(s.Values[i]) / float64(c.Max) * (chartHeight - 4); h > 0 {
				y -= h
				c.Bars = append(c.Bars, bar{X: float64(i)*w + 1, Y: y, W: max(1, w-2), H: h, Class: s.Class})
			}
		}
	}
	return c
}

const hourMillis, quarterMillis = int64(3_600_000), int64(900_000)

// outcomeChart shows installations and failures per hour of a day.
func outcomeChart(hours []ota.OutcomeHour, now int64) *chart {
	c := newChart("Installations and failures per hour", now, hourMillis, 24, []series{{Name: "installed", Class: "good"}, {Name: "failed", Class: "bad"}})
	for _, h := range hours {
		c.add(0, h.At, h.Took-h.Failed)
		c.add(1, h.At, h.Failed)
	}
	return c.draw()
}

// checkChart shows update checks by answer per quarter of an hour of a day.
func checkChart(quarters []ota.CheckQuarter, now int64) *chart {
	c := newChart("Update checks per quarter of an hour", now, quarterMillis, 96, []series{
		{Name: "up to date", Class: "calm"}, {Name: "update", Class: "good"}, {Name: "blocked", Class: "warn"}, {Name: "failed", Class: "bad"},
	})
	at := map[string]int{"up_to_date": 0, "update": 1, "revert": 1, "blocked": 2, "failed": 3}
	for _, q := range quarters {
		if s, ok := at[q.Answer]; ok {
			c.add(s, q.At, q.N)
		}
	}
	return c.draw()
}
