package sim

import (
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
)

// WriteText writes a report for people.
func WriteText(w io.Writer, r *Report) {
	fmt.Fprintf(w, "%s: %s\n%d devices, %d hours, seed %d; the good version is %s\n\n", r.Scenario, r.About, r.Devices, r.Hours, r.Seed, r.Good)
	for _, row := range r.rows() {
		fmt.Fprintf(w, "  %-37s %s\n", row[0], row[1])
	}
	if len(r.Missing) > 0 {
		fmt.Fprintf(w, "\nOpened the app and do not run %s in the end:\n", r.Good)
		for _, c := range r.Missing {
			fmt.Fprintf(w, "  %8d  %s\n", c.Devices, c.Why)
		}
	}
	for _, h := range r.Halts {
		fmt.Fprintf(w, "\nHalted after %s by %s (%s): %s\n  %d devices had it by then, %s of the fleet\n",
			minutes(h.Minute), h.By, h.Action, h.Text, h.Had, percent(h.HadShare))
	}
	fmt.Fprintf(w, "\n%8s %10s %10s %10s %10s %10s\n", "hour", "opened", "running", "healthy", "ever had", "fixed")
	for _, p := range r.some(16) {
		fmt.Fprintf(w, "%8.1f %10d %10d %10d %10d %10d\n", p.Hour, p.Opened, p.Running, p.Healthy, p.Had, p.Fixed)
	}
}

// rows are the figures of a report with their names.
func (r *Report) rows() [][2]string {
	a, t := &r.Attempts, &r.Traffic
	rows := [][2]string{
		{"the good version in the end", r.Good},
		{"devices that opened the app", strconv.Itoa(r.Opened)},
		{"of them healthy on that version", percent(r.Healthy)},
		{"active in the first 24 h", strconv.Itoa(r.Active)},
		{"of them on the release in 24 h", percent(r.ActiveDone)},
		{"50 / 90 / 95 % of active on it", r.To.String()},
		{"50 / 90 / 95 % of all that opened", r.ToOpeners.String()},
	}
	if e := &r.Eligible; r.Good == versionName(release) {
		rows = append(rows, [][2]string{
			{"opened the app after it was for them", fmt.Sprintf("%d, %s of them healthy on that version", e.Opened, percent(e.Healthy))},
			{"active in 24 h after it was for them", fmt.Sprintf("%d, %s of them on the release in those 24 h", e.Active, percent(e.ActiveDone))},
			{"50 / 90 / 95 % of those on it", e.To.String() + " after it was for them"},
		}...)
	}
	rows = append(rows, [][2]string{
		{"update attempts", fmt.Sprintf("%d, %s succeeded", a.Started, percent(a.Rate))},
		{"attempts that failed", fmt.Sprintf("%d not ready, %d cut, %d no room, %d suspended", a.NotReady, a.Cut, a.NoRoom, a.Suspended)},
		{"devices that ever ran the release", fmt.Sprintf("%d, %s of the fleet", r.Had, percent(r.HadShare))},
		{"checks, busiest minute", fmt.Sprintf("%d, %.1f per second", t.Checks, t.Busiest)},
		{"events, lost to captive portals", fmt.Sprintf("%d, %d", t.Events, t.EventsLost)},
		{"bytes, per successful update", fmt.Sprintf("%s, %s", size(float64(t.Bytes)), size(t.PerUpdate))},
	}...)
	if g := r.Guard; g != nil {
		rows = append(rows, [2]string{"guard", fmt.Sprintf("%s (%s), %d of %d treated and %d of %d control devices failed, E %.3g of %.4g",
			g.State, g.Mode, g.TreatedFailed, g.Treated, g.ControlFailed, g.Control, g.E, g.Threshold)})
	}
	return rows
}

// some thins the curve out to about n points.
func (r *Report) some(n int) []Point {
	step := max(1, len(r.Adoption)/n)
	var list []Point
	for i := 0; i < len(r.Adoption); i += step {
		list = append(list, r.Adoption[i])
	}
	return list
}

// WriteCSV writes the adoption curve.
func WriteCSV(w io.Writer, r *Report) error {
	c := csv.NewWriter(w)
	rows := [][]string{{"hour", "opened", "running", "healthy", "had", "fixed"}}
	for _, p := range r.Adoption {
		rows = append(rows, []string{
			strconv.FormatFloat(p.Hour, 'f', -1, 64), strconv.Itoa(p.Opened), strconv.Itoa(p.Running), strconv.Itoa(p.Healthy),
			strconv.Itoa(p.Had), strconv.Itoa(p.Fixed),
		})
	}
	return c.WriteAll(rows)
}

// String writes the three times in hours.
func (t Times) String() string {
	return hours(t.Half) + " / " + hours(t.Ninety) + " / " + hours(t.NinetyFive)
}

func hours(h float64) string {
	if h < 0 {
		return "never"
	}
	return fmt.Sprintf("%.1f h", h)
}

func minutes(m float64) string {
	if m < 120 {
		return fmt.Sprintf("%.0f min", m)
	}
	return hours(m / 60)
}

func percent(share float64) string {
	if share < 0 {
		return "-"
	}
	return fmt.Sprintf("%.2f %%", share*100)
}

func size(n float64) string {
	units := []string{"B", "kB", "MB", "GB", "TB"}
	i := 0
	for ; n >= 1000 && i < len(units)-1; i++ {
		n /= 1000
	}
	if n < 0 {
		return "-"
	}
	return fmt.Sprintf("%.4g %s", n, units[i])
}
