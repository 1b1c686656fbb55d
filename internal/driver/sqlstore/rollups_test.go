package sqlstore

import (
	"cmp"
	"context"
	"encoding/json"
	flags "flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/waxwing-ota/waxwing/internal/core/hll"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/rollup"
	"github.com/waxwing-ota/waxwing/internal/plane/ingest"
)

var rollupEvents = flags.Int("rollup.events", 1_000_000, "how many events the recount of the rollups takes (a fiftieth in short mode)")

// fleet makes events of devices that use an app, crash, and are updated.
type fleet struct {
	r       *rand.Rand
	apps    []string
	devices int
}

// systemOf makes up the version of a device's system, which events do not store.
func systemOf(id ota.DeviceID) string { return strconv.Itoa(12 + int(id[0])%6) }

// life returns what one device reports, in the order in which it happened.
func (f *fleet) life(n, events int, start int64) []ingest.EventRow {
	r := f.r
	var id ota.DeviceID
	for i := range id {
		id[i] = byte(r.UintN(256))
	}
	platform := []string{"ios", "android", "electron"}[n%3]
	at := start + r.Int64N(2*rollup.DayMS)
	version := fmt.Sprintf("1.%d.0", r.IntN(3))
	out := make([]ingest.EventRow, 0, events)
	for len(out) < events {
		action, running, meta := "", true, map[string]string(nil)
		switch k := r.IntN(20); {
		case k < 4:
			action = "app_moved_to_foreground"
		case k < 8:
			action = "app_moved_to_background"
		case k < 10:
			action = "app_launch_start"
		case k < 13:
			action, meta = "app_launch_ready", map[string]string{"duration_ms": strconv.Itoa(int(100 * r.ExpFloat64() * 10))}
		case k < 14:
			action, running = []string{"app_crash", "app_anr", "webview_javascript_error", "app_launch_timeout"}[r.IntN(4)], false
		case k < 15:
			action, version = "set", fmt.Sprintf("1.%d.0", r.IntN(5))
		default:
			action, running = []string{"download_complete", "delete", "webview_page_loaded"}[r.IntN(3)], false
		}
		at += int64(r.ExpFloat64() * 600_000)
		out = append(out, ingest.EventRow{
			Event: ota.Event{
				App: f.apps[n%len(f.apps)], Device: id, Action: action, VersionName: version, Platform: platform,
				PluginVersion: []string{"8.51.23", "8.50.0"}[n%2], Timestamp: at, Metadata: meta,
			},
			Mark: int64(len(out)), Sum: ingest.Sum{Version: version, OS: systemOf(id) + ".1", Running: running, Published: n%2 == 0},
		})
	}
	return out
}

// deliveries mixes lives: late within bounds, some twice or more often, in batches
// of any size.
func (f *fleet) deliveries(lives [][]ingest.EventRow) []ingest.EventRow {
	type arrival struct {
		at  int64
		row ingest.EventRow
	}
	var all []arrival
	for _, life := range lives {
		for i, e := range life {
			// Neighbours change places, and what was sent again comes later.
			at := life[min(len(life)-1, i+f.r.IntN(4))].Timestamp + f.r.Int64N(60_000)
			all = append(all, arrival{at, e})
			for f.r.IntN(6) == 0 {
				at = life[min(len(life)-1, i+f.r.IntN(4))].Timestamp + f.r.Int64N(120_000)
				all = append(all, arrival{at, e})
			}
		}
	}
	slices.SortFunc(all, func(a, b arrival) int { return cmp.Compare(a.at, b.at) })
	out := make([]ingest.EventRow, len(all))
	for i, a := range all {
		out[i] = a.row
		out[i].ReceivedAt = a.at
	}
	return out
}

// TestRollupsAreARecount feeds random events, repeated and out of order, and counts
// the stored ones anew: all sums of all resolutions are the same.
func TestRollupsAreARecount(t *testing.T) {
	total := *rollupEvents
	if testing.Short() {
		total /= 50
	}
	db := intakeDB(t)
	f := &fleet{r: rand.New(rand.NewPCG(4, 17)), apps: []string{reportingApp, "com.example.other"}, devices: max(10, total/100)}
	start := int64(1_750_000_000_000)
	lives := make([][]ingest.EventRow, f.devices)
	for i := range lives {
		lives[i] = f.life(i, total/f.devices, start)
	}
	rows := f.deliveries(lives)
	began := time.Now()
	stored := 0
	for len(rows) > 0 {
		n := min(len(rows), 1+f.r.IntN(600))
		for _, yes := range mustWrite(t, db, ingest.Batch{Events: rows[:n]}).Stored {
			if yes {
				stored++
			}
		}
		if f.r.IntN(50) == 0 {
			db.rollups.forget() // as after a restart
		}
		rows = rows[n:]
	}
	t.Logf("%d events stored in %v", stored, time.Since(began).Round(time.Millisecond))
	if want := f.devices * (total / f.devices); stored != want {
		t.Fatalf("%d events stored, want %d", stored, want)
	}
	want := recount(t, db)
	for name, got := range map[string]map[string]string{
		"counts": keptCounts(t, db), "launches": keptLaunches(t, db), "active": keptActive(t, db),
	} {
		if len(want[name]) == 0 {
			t.Errorf("%s: nothing was counted", name)
		}
		if diff := gocmp.Diff(want[name], got); diff != "" {
			t.Errorf("%s (-recount +kept):\n%.3000s", name, diff)
		}
	}
}

func key(parts ...any) string { return fmt.Sprintln(parts...) }

func keptCounts(t *testing.T, db *DB) map[string]string {
	out := map[string]string{}
	_, err := selectAll(context.Background(), db.r, func(s scanner) (_ struct{}, err error) {
		var app, version string
		var res, at int64
		var n rollup.Counts
		dest := []any{&app, &res, &at, &version}
		for i := range n {
			dest = append(dest, &n[i])
		}
		err = s.Scan(dest...)
		if n != (rollup.Counts{}) { // else all in it was taken back
			out[key(app, res, at, version)] = fmt.Sprint(n)
		}
		return struct{}{}, err
	}, `SELECT * FROM rollup_counts`)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func keptLaunches(t *testing.T, db *DB) map[string]string {
	out := map[string]string{}
	_, err := selectAll(context.Background(), db.r, func(s scanner) (_ struct{}, err error) {
		var app, version string
		var res, at int64
		var b []byte
		err = s.Scan(&app, &res, &at, &version, &b)
		h, bad := rollup.DecodeHist(b)
		if bad != nil {
			t.Fatal(bad)
		}
		out[key(app, res, at, version)] = fmt.Sprint(h)
		return struct{}{}, err
	}, `SELECT * FROM rollup_launches`)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func keptActive(t *testing.T, db *DB) map[string]string {
	out := map[string]string{}
	_, err := selectAll(context.Background(), db.r, func(s scanner) (_ struct{}, err error) {
		var app, name string
		var res, at, dim, n int64
		var b []byte
		err = s.Scan(&app, &res, &at, &dim, &name, &n, &b)
		set, bad := hll.Decode(b)
		if bad != nil || set.Count() != n {
			t.Fatalf("%v, %d in the row, %d in the set", bad, n, set.Count())
		}
		out[key(app, res, at, dim, name)] = fmt.Sprint(n)
		return struct{}{}, err
	}, `SELECT * FROM rollup_active`)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// turn is a report of use, as the recount remembers all of them.
type turn struct {
	at, got int64
	front   bool
	version string
}

// recounter adds stored events up the plain way.
type recounter struct {
	counts   map[string]*rollup.Counts
	launches map[string]*rollup.Hist
	active   map[string]*hll.Set
	turns    map[string][]turn
	hash     func(ota.DeviceID) uint64
}

func (c *recounter) count(app string, at int64, version string, f rollup.Field, n int64) {
	for _, res := range rollup.Resolutions {
		k := key(app, int64(res), at/res.Step()*res.Step(), version)
		if c.counts[k] == nil {
			c.counts[k] = new(rollup.Counts)
		}
		c.counts[k][f] += n
	}
}

func (c *recounter) event(e *ota.Event) {
	running := false
	switch e.Action {
	case "app_moved_to_foreground":
		running = true
		c.count(e.App, e.ReceivedAt, e.VersionName, rollup.Opens, 1)
	case "app_launch_start":
		running = true
		c.count(e.App, e.ReceivedAt, e.VersionName, rollup.Starts, 1)
	case "app_launch_ready":
		running = true
		c.count(e.App, e.ReceivedAt, e.VersionName, rollup.Launches, 1)
		if ms, err := strconv.ParseInt(e.Metadata["duration_ms"], 10, 64); err == nil && ms <= 600_000 {
			c.count(e.App, e.ReceivedAt, e.VersionName, rollup.LaunchMS, ms)
			for _, res := range []rollup.Resolution{rollup.Hour, rollup.Day} {
				k := key(e.App, int64(res), e.ReceivedAt/res.Step()*res.Step(), e.VersionName)
				if c.launches[k] == nil {
					c.launches[k] = new(rollup.Hist)
				}
				c.launches[k].Add(ms)
			}
		}
	case "set", "app_moved_to_background":
		running = true
	case "app_crash":
		c.count(e.App, e.ReceivedAt, e.VersionName, rollup.Crashes, 1)
	case "app_anr":
		c.count(e.App, e.ReceivedAt, e.VersionName, rollup.ANRs, 1)
	case "webview_javascript_error":
		c.count(e.App, e.ReceivedAt, e.VersionName, rollup.WebErrors, 1)
	case "app_launch_timeout":
		c.count(e.App, e.ReceivedAt, e.VersionName, rollup.LaunchTimeouts, 1)
	}
	if e.Action == "app_moved_to_foreground" || e.Action == "app_moved_to_background" {
		k := key(e.App, e.Device)
		c.turns[k] = append(c.turns[k], turn{min(e.Timestamp, e.ReceivedAt), e.ReceivedAt, e.Action == "app_moved_to_foreground", e.VersionName})
	}
	in := func(res rollup.Resolution, dim rollup.Dim, name string) {
		k := key(e.App, int64(res), e.ReceivedAt/res.Step()*res.Step(), int64(dim), name)
		if c.active[k] == nil {
			c.active[k] = new(hll.Set)
		}
		c.active[k].Add(c.hash(e.Device))
	}
	in(rollup.Minute, rollup.All, "")
	in(rollup.Hour, rollup.All, "")
	in(rollup.Day, rollup.All, "")
	in(rollup.Day, rollup.Platform, e.Platform)
	in(rollup.Day, rollup.Plugin, e.PluginVersion)
	in(rollup.Day, rollup.OS, e.Platform+" "+systemOf(e.Device))
	if running {
		in(rollup.Hour, rollup.Version, e.VersionName)
		in(rollup.Day, rollup.Version, e.VersionName)
	}
}

// use adds sessions and time in the foreground from whole histories in order.
func (c *recounter) use() {
	for k, turns := range c.turns {
		app, _, _ := strings.Cut(k, " ")
		slices.SortFunc(turns, func(a, b turn) int {
			front := func(t turn) int { return map[bool]int{true: 1}[t.front] }
			return cmp.Or(cmp.Compare(a.at, b.at), front(a)-front(b), strings.Compare(a.version, b.version))
		})
		for i, b := range turns {
			stayed := i > 0 && turns[i-1].front && !b.front
			if i == 0 || !stayed && b.at-turns[i-1].at > 30*60_000 {
				c.count(app, b.got, b.version, rollup.Sessions, 1)
			}
			if stayed {
				if d := b.at - turns[i-1].at; d <= 4*3_600_000 {
					c.count(app, b.got, turns[i-1].version, rollup.ForegroundMS, d)
				}
			}
		}
	}
}

// recount reads every stored event.
func recount(t *testing.T, db *DB) map[string]map[string]string {
	c := &recounter{
		counts: map[string]*rollup.Counts{}, launches: map[string]*rollup.Hist{}, active: map[string]*hll.Set{}, turns: map[string][]turn{},
		hash: func(id ota.DeviceID) uint64 { return db.rollups.hash(&id) },
	}
	err := db.each(context.Background(), `SELECT app, device, ts, received_at, action, version_name, platform, plugin_version, COALESCE(metadata, '{}')
		FROM events`, func(s scanner) error {
		var e ota.Event
		var device []byte
		var meta string
		if err := s.Scan(&e.App, &device, &e.Timestamp, &e.ReceivedAt, &e.Action, &e.VersionName, &e.Platform, &e.PluginVersion, &meta); err != nil {
			return err
		}
		copy(e.Device[:], device)
		if err := json.Unmarshal([]byte(meta), &e.Metadata); err != nil {
			return err
		}
		c.event(&e)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	c.use()
	out := map[string]map[string]string{"counts": {}, "launches": {}, "active": {}}
	for k, n := range c.counts {
		out["counts"][k] = fmt.Sprint(*n)
	}
	for k, h := range c.launches {
		out["launches"][k] = fmt.Sprint(*h)
	}
	for k, s := range c.active {
		out["active"][k] = fmt.Sprint(s.Count())
	}
	return out
}
