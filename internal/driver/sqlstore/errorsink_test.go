package sqlstore

import (
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/plane/errtrack"
	"github.com/waxwing-ota/waxwing/internal/plane/ingest"
)

// wrong is an event of device n that reports error e of a version at a time.
func wrong(n, e byte, version string, at int64) ingest.EventRow {
	r := happened(n, "webview_javascript_error", version, at)
	r.Platform, r.Metadata = "ios", map[string]string{"message": fmt.Sprintf("boom %d", e)}
	r.Mark = int64(e)
	r.Fault = &ota.Fault{Print: ota.ErrorPrint{e}, Kind: r.Action, Title: fmt.Sprintf("Error: boom %d", e), Culprit: "f (a.js)", Version: version}
	return r
}

func mustGroups(tb testing.TB, db *DB, f ota.ErrorFilter) []ota.ErrorGroup {
	tb.Helper()
	all, _, err := db.ErrorGroups(tb.Context(), reportingApp, f, ota.Page{Limit: 500})
	if err != nil {
		tb.Fatal(err)
	}
	return all
}

// However events are split over commits, and whatever is sent twice, the counts
// are those of a recount.
func TestErrorGroupsAgreeWithARecount(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		db := intakeDB(t)
		type sum struct {
			Count, Devices, First, Last int64
			Versions, Hours             map[string]int64
		}
		want := map[byte]*sum{}
		devices := map[byte]map[byte]bool{}
		sent := map[string]bool{}
		for range rapid.IntRange(1, 6).Draw(rt, "commits") {
			var b ingest.Batch
			for range rapid.IntRange(0, 20).Draw(rt, "events") {
				n, e := byte(rapid.IntRange(0, 4).Draw(rt, "device")), byte(rapid.IntRange(0, 2).Draw(rt, "error"))
				version := rapid.SampledFrom([]string{"1.0.0", "1.1.0", "other"}).Draw(rt, "version")
				at := int64(rapid.IntRange(1, 200).Draw(rt, "minute")) * 60_000
				ev := wrong(n, e, version, at)
				b.Events = append(b.Events, ev)
				key := fmt.Sprint(n, e, at)
				if sent[key] {
					continue
				}
				sent[key] = true
				s := want[e]
				if s == nil {
					s = &sum{First: at, Versions: map[string]int64{}, Hours: map[string]int64{}}
					want[e], devices[e] = s, map[byte]bool{}
				}
				devices[e][n] = true
				s.Count, s.Devices = s.Count+1, int64(len(devices[e]))
				s.Last = max(s.Last, at)
				s.Versions[version]++
				s.Hours[fmt.Sprint(at-at%hourMS, version)]++
			}
			mustWrite(t, db, b)
		}
		got := map[byte]*sum{}
		for _, g := range mustGroups(t, db, ota.ErrorFilter{}) {
			s := &sum{Count: g.Count, Devices: g.Devices, Last: g.LastSeen, Versions: map[string]int64{}, Hours: map[string]int64{}}
			var e byte
			if _, err := fmt.Sscanf(g.Title, "Error: boom %d", &e); err != nil {
				rt.Fatal(err)
			}
			got[e] = s
			s.First = want[e].First // of the first commit, not of all time
			versions, err := db.ErrorVersions(t.Context(), g.ID)
			if err != nil {
				rt.Fatal(err)
			}
			for _, v := range versions {
				s.Versions[v.Version] += v.Count
			}
			hours, err := db.ErrorHours(t.Context(), g.ID, 0)
			if err != nil {
				rt.Fatal(err)
			}
			for _, h := range hours {
				s.Hours[fmt.Sprint(h.At, h.Version)] += h.Count
			}
			samples, err := db.ErrorSamples(t.Context(), g.ID)
			if err != nil {
				rt.Fatal(err)
			}
			if len(samples) == 0 || len(samples) > keptSamples {
				rt.Fatalf("%d samples", len(samples))
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			rt.Fatalf("groups (-want +got):\n%s", diff)
		}
		db.Close()
	})
}

func TestRegression(t *testing.T) {
	db := intakeDB(t)
	write := func(version string, at int64) ota.ErrorGroup {
		t.Helper()
		mustWrite(t, db, ingest.Batch{Events: []ingest.EventRow{wrong(1, 1, version, at)}})
		return mustGroups(t, db, ota.ErrorFilter{})[0]
	}
	set := func(g ota.ErrorGroup) {
		t.Helper()
		if err := (Errors{db}).Update(t.Context(), "user/ada", 5, func(tx errtrack.Tx) (ota.Change, error) {
			return ota.Change{Action: "error.resolve", App: reportingApp, Detail: "{}"}, tx.SetErrorState(t.Context(), g)
		}); err != nil {
			t.Fatal(err)
		}
	}
	g := write("1.0.0", 1000)
	g.State, g.ResolvedIn, g.ResolvedAt, g.ResolvedBy = ota.ErrorResolved, "1.1.0", 5, "user/ada"
	set(g)
	for i, version := range []string{"1.0.0", "1.1.0", "builtin", "other", "1.1.0-rc.1"} {
		if g = write(version, 2000+int64(i)); g.State != ota.ErrorResolved || g.RegressedAt != 0 {
			t.Errorf("seen in %s: %s, regressed at %d", version, g.State, g.RegressedAt)
		}
	}
	if g = write("1.1.1", 3000); g.State != ota.ErrorOpen || g.RegressedAt != 3000 || g.Count != 7 || g.Devices != 1 {
		t.Errorf("seen in a newer version: %+v", g)
	}
	g.State = ota.ErrorIgnored
	set(g)
	if g = write("2.0.0", 4000); g.State != ota.ErrorIgnored {
		t.Errorf("an ignored one is %s", g.State)
	}
}

func TestErrorSamplesAreBounded(t *testing.T) {
	db := intakeDB(t)
	var b ingest.Batch
	for i := range 200 {
		b.Events = append(b.Events, wrong(byte(i), 1, "1.0.0", int64(i)))
	}
	mustWrite(t, db, b)
	if n := count(t, db, `SELECT count(*) FROM error_samples`); n != earlySamples {
		t.Errorf("%d samples of a burst, want %d", n, earlySamples)
	}
	for i := range 40 {
		e := wrong(1, 1, "1.0.0", samplePause*int64(i+2))
		e.Metadata = map[string]string{"user_agent": strings.Repeat("u", 2000), "a": strings.Repeat("a", 2000), "stack": strings.Repeat("s", 2000), "b": strings.Repeat("b", 2000)}
		mustWrite(t, db, ingest.Batch{Events: []ingest.EventRow{e}})
	}
	if n := count(t, db, `SELECT count(*) FROM error_samples`); n != keptSamples {
		t.Errorf("%d samples, want %d", n, keptSamples)
	}
	g := mustGroups(t, db, ota.ErrorFilter{})[0]
	samples, err := db.ErrorSamples(t.Context(), g.ID)
	if err != nil {
		t.Fatal(err)
	}
	size := 0
	for k, v := range samples[0].Metadata {
		size += len(k) + len(v)
	}
	if size > maxSampleText || samples[0].Metadata["stack"] == "" {
		t.Errorf("a sample of %d bytes with %v", size, maps.Keys(samples[0].Metadata))
	}
	if n := count(t, db, `SELECT count(*) FROM error_hours WHERE grp = $1 AND hour < $2`, g.ID, samples[0].At-errorHoursAge); n != 0 {
		t.Errorf("%d hours are too old", n)
	}
}

func TestGroupsOfAnAppAreBounded(t *testing.T) {
	db := intakeDB(t)
	var b ingest.Batch
	for i := range maxErrorGroups + 50 {
		e := wrong(1, 1, "1.0.0", int64(i))
		e.Fault.Print = ota.ErrorPrint{byte(i), byte(i >> 8), 7}
		b.Events = append(b.Events, e)
	}
	mustWrite(t, db, b)
	if n := count(t, db, `SELECT count(*) FROM error_groups`); n != maxErrorGroups+1 {
		t.Errorf("%d groups, want %d and one for the rest", n, maxErrorGroups)
	}
	rest := mustGroups(t, db, ota.ErrorFilter{Kind: "other"})
	if len(rest) != 1 || rest[0].Count != 50 {
		t.Errorf("the rest: %+v", rest)
	}
}

func TestErrorFiltersAndPages(t *testing.T) {
	db := intakeDB(t)
	var b ingest.Batch
	for e := range byte(7) {
		for i := range int64(e) + 1 {
			b.Events = append(b.Events, wrong(byte(i), e, fmt.Sprintf("1.%d.0", e%2), int64(e%3)*1000+i))
		}
	}
	mustWrite(t, db, b)
	for _, sort := range []ota.ErrorSort{"", ota.ErrorsByFirstSeen, ota.ErrorsByCount, ota.ErrorsByDevices} {
		seen, after := map[int64]bool{}, ""
		for {
			items, next, err := db.ErrorGroups(t.Context(), reportingApp, ota.ErrorFilter{Sort: sort}, ota.Page{After: after, Limit: 2})
			if err != nil {
				t.Fatal(err)
			}
			for _, g := range items {
				if seen[g.ID] {
					t.Errorf("by %q: group %d twice", sort, g.ID)
				}
				seen[g.ID] = true
			}
			if after = next; next == "" {
				break
			}
		}
		if len(seen) != 7 {
			t.Errorf("by %q: %d groups, want 7", sort, len(seen))
		}
	}
	for _, tc := range []struct {
		f    ota.ErrorFilter
		want int
	}{
		{ota.ErrorFilter{State: ota.ErrorOpen}, 7},
		{ota.ErrorFilter{State: ota.ErrorResolved}, 0},
		{ota.ErrorFilter{Version: "1.1.0"}, 3},
		{ota.ErrorFilter{Platform: "android"}, 0},
		{ota.ErrorFilter{Text: "BOOM 3"}, 1},
		{ota.ErrorFilter{Text: "%"}, 0},
		{ota.ErrorFilter{Since: 2000}, 2},
		{ota.ErrorFilter{Kind: "app_anr"}, 0},
	} {
		if got := mustGroups(t, db, tc.f); len(got) != tc.want {
			t.Errorf("%+v: %d groups, want %d", tc.f, len(got), tc.want)
		}
	}
	for _, after := range []string{"x", ".", "1", "1.!", "zzzzzzzzzzzzzzzzzzzz.1"} {
		if _, _, err := db.ErrorGroups(t.Context(), reportingApp, ota.ErrorFilter{}, ota.Page{After: after}); ota.CodeOf(err) != "cursor_invalid" {
			t.Errorf("cursor %q: %v", after, err)
		}
	}
}

func TestRegroupMerges(t *testing.T) {
	db := intakeDB(t)
	mustWrite(t, db, ingest.Batch{Events: []ingest.EventRow{
		wrong(1, 1, "1.0.0", 1000), wrong(2, 1, "1.0.0", 2000), wrong(2, 2, "1.0.0", 3000), wrong(3, 2, "1.1.0", hourMS+1),
	}})
	groups := mustGroups(t, db, ota.ErrorFilter{Sort: ota.ErrorsByFirstSeen}) // 2, 1
	regroup := func(id int64, f ota.Fault) (merged bool) {
		t.Helper()
		err := (Errors{db}).Update(t.Context(), "user/ada", 5, func(tx errtrack.Tx) (ota.Change, error) {
			var err error
			merged, err = tx.RegroupError(t.Context(), id, f)
			return ota.Change{Action: "error.symbolicate", App: reportingApp, Detail: "{}"}, err
		})
		if err != nil {
			t.Fatal(err)
		}
		return merged
	}
	f := ota.Fault{Print: ota.ErrorPrint{99}, Title: "mapped", Mapped: true}
	if regroup(groups[0].ID, f) {
		t.Error("the first was merged with nothing")
	}
	if !regroup(groups[1].ID, f) {
		t.Error("the second was not merged")
	}
	all := mustGroups(t, db, ota.ErrorFilter{})
	if len(all) != 1 || all[0].Count != 4 || all[0].Devices != 3 || all[0].FirstSeen != 1000 || all[0].LastSeen != hourMS+1 || !all[0].Symbolicated {
		t.Fatalf("merged: %+v", all)
	}
	versions, _ := db.ErrorVersions(t.Context(), all[0].ID)
	if len(versions) != 2 || versions[0].Count != 3 || versions[0].FirstSeen != 1000 {
		t.Errorf("versions: %+v", versions)
	}
	if samples, _ := db.ErrorSamples(t.Context(), all[0].ID); len(samples) != 4 {
		t.Errorf("%d samples, want 4", len(samples))
	}
}

func TestErrorsAreForgotten(t *testing.T) {
	db := intakeDB(t)
	mustWrite(t, db, ingest.Batch{Events: []ingest.EventRow{wrong(1, 1, "1.0.0", 1000), wrong(1, 2, "1.0.0", 9000)}})
	if _, err := db.PurgeEvents(t.Context(), 5000, 1000); err != nil {
		t.Fatal(err)
	}
	for table, want := range map[string]int{"error_groups": 1, "error_versions": 1, "error_hours": 1, "error_samples": 1} {
		if n := count(t, db, `SELECT count(*) FROM `+table); n != want {
			t.Errorf("%s: %d rows, want %d", table, n, want)
		}
	}
}
