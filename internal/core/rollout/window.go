package rollout

import (
	"slices"
	"strings"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// days are the days of the week as time.Weekday counts them.
const days = "sun mon tue wed thu fri sat"

// dayOf returns the weekday, or -1.
func dayOf(s string) int { return slices.Index(strings.Fields(days), strings.ToLower(s)) }

// clock reads a time of day such as 09:30 as minutes; 24:00 is the day's end.
func clock(s string) (int, bool) {
	if len(s) != 5 || s[2] != ':' {
		return 0, false
	}
	for _, i := range []int{0, 1, 3, 4} {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
	}
	h, m := int(s[0]-'0')*10+int(s[1]-'0'), int(s[3]-'0')*10+int(s[4]-'0')
	return h*60 + m, m < 60 && (h < 24 || h == 24 && m == 0)
}

// InWindow reports whether a time (Unix ms) is in one of the windows; without
// any it always is. A window whose zone is not known any more is closed.
func InWindow(ws []ota.RolloutWindow, zone Zone, now int64) bool {
	if len(ws) == 0 {
		return true
	}
	for i := range ws {
		if loc, err := zone(ws[i].TZ); err == nil && open(&ws[i], time.UnixMilli(now).In(loc)) {
			return true
		}
	}
	return false
}

func open(w *ota.RolloutWindow, t time.Time) bool {
	from, _ := clock(w.From)
	to, _ := clock(w.To)
	m, day := t.Hour()*60+t.Minute(), int(t.Weekday())
	if from < to {
		return on(w, day) && m >= from && m < to
	}
	return on(w, day) && m >= from || on(w, (day+6)%7) && m < to // the night belongs to the day it begins on
}

func on(w *ota.RolloutWindow, day int) bool {
	return len(w.Days) == 0 || slices.ContainsFunc(w.Days, func(d string) bool { return dayOf(d) == day })
}

// NextOpen is when the next window begins after a time (Unix ms), or that time
// itself in a window; 0 = never.
func NextOpen(ws []ota.RolloutWindow, zone Zone, now int64) int64 {
	if InWindow(ws, zone, now) {
		return now
	}
	var next int64
	for i := range ws {
		loc, err := zone(ws[i].TZ)
		if err != nil {
			continue
		}
		from, _ := clock(ws[i].From)
		t := time.UnixMilli(now).In(loc)
		for d := range 9 { // a week, and a day whose hour the clocks skip
			at := time.Date(t.Year(), t.Month(), t.Day()+d, 0, from, 0, 0, loc)
			if ms := at.UnixMilli(); ms >= now && open(&ws[i], at) {
				if next == 0 || ms < next {
					next = ms
				}
				break
			}
		}
	}
	return next
}
