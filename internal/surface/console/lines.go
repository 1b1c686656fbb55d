package console

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// lines is a chart of numbers over time, drawn by the server. Script replaces it
// by one to point at, made from the same numbers; the table holds them too.
type lines struct {
	ID     string
	Name   string
	Unit   string
	Max    float64
	Times  []int64
	Series []line
}

type line struct {
	Name, Class string
	Claimed     bool       // a device told the name
	Values      []*float64 // per time; nil = not known
	Path        string     // in a picture of 600 by 120
}

const lineClasses = 6

// newLines makes a chart of the series of an answer that have one of the names.
func newLines(a *ota.Analytics, id, title string, names ...string) *lines {
	c := &lines{ID: id, Name: title}
	for at := a.From; at < a.To; at += a.Step {
		c.Times = append(c.Times, at)
	}
	for _, name := range names {
		for i := range a.Series {
			s := &a.Series[i]
			if s.Name != name || len(c.Series) == lineClasses {
				continue
			}
			c.Unit = s.Unit
			l := line{Name: strings.ReplaceAll(name, "_", " "), Class: "s" + strconv.Itoa(len(c.Series)), Values: make([]*float64, len(c.Times))}
			if s.Label != "" {
				l.Name, l.Claimed = visible(s.Label), true
			}
			for j := range s.Points {
				p := &s.Points[j]
				if at := int((p.At - a.From) / a.Step); at >= 0 && at < len(l.Values) {
					l.Values[at] = &p.Value
					c.Max = max(c.Max, p.Value)
				}
			}
			c.Series = append(c.Series, l)
		}
	}
	for i := range c.Series {
		c.Series[i].Path = c.path(c.Series[i].Values)
	}
	return c
}

// path draws a line; where a value is not known it is broken.
func (c *lines) path(values []*float64) string {
	if c.Max == 0 || len(values) == 0 {
		return ""
	}
	var b strings.Builder
	step := chartWidth / math.Max(1, float64(len(values)-1))
	pen := byte('M')
	for i, v := range values {
		if v == nil {
			pen = 'M'
			continue
		}
		fmt.Fprintf(&b, "%c%.1f %.1f", pen, float64(i)*step, chartHeight-*v/c.Max*(chartHeight-4))
		pen = 'L'
	}
	return b.String()
}

// Data is the values for script.
func (l line) Data() string {
	var b strings.Builder
	for i, v := range l.Values {
		if i > 0 {
			b.WriteByte(',')
		}
		if v != nil {
			b.WriteString(strconv.FormatFloat(*v, 'f', -1, 64))
		}
	}
	return b.String()
}

// Last is the latest known value in words.
func (c *lines) Last(l line) string {
	for _, v := range slices.Backward(l.Values) {
		if v != nil {
			return unitText(c.Unit, *v)
		}
	}
	return "–"
}

type lineRow struct {
	At    int64
	Cells []string
}

// Rows is the table: the steps in which there is something, latest first.
func (c *lines) Rows() []lineRow {
	var rows []lineRow
	for i, at := range slices.Backward(c.Times) {
		row, some := lineRow{At: at}, false
		for _, l := range c.Series {
			text := "–"
			if v := l.Values[i]; v != nil {
				text, some = unitText(c.Unit, *v), some || *v != 0
			}
			row.Cells = append(row.Cells, text)
		}
		if some {
			rows = append(rows, row)
		}
	}
	return rows
}

// unitText writes a value of an answer.
func unitText(unit string, v float64) string {
	switch unit {
	case "bytes":
		return bytesText(int64(v))
	case "percent":
		return strconv.FormatFloat(v, 'f', 1, 64) + " %"
	case "ms":
		return numText(int64(math.Round(v))) + " ms"
	case "seconds":
		return time.Duration(v * float64(time.Second)).Round(time.Second).String()
	}
	return numText(int64(math.Round(v)))
}

// stepText writes the time of a step.
func stepText(ms int64) string { return time.UnixMilli(ms).UTC().Format("2 Jan 15:04") }
