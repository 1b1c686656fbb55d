package insight_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/plane/insight"
)

// fakeStore answers from fields.
type fakeStore struct {
	insight.Store
	channels      []ota.Channel
	counts, bound []insight.DeviceCount
	total         int64
	totals        []ota.VersionStats
	since         int64
}

func (f *fakeStore) App(context.Context, string) (ota.App, error) {
	return ota.App{ID: "com.x", Org: ota.MainOrg}, nil
}

func (f *fakeStore) Channels(context.Context, string) ([]ota.Channel, error) { return f.channels, nil }

func (f *fakeStore) Watched(context.Context, int) ([]ota.Channel, error) { return f.channels, nil }

func (f *fakeStore) ChannelsOf(context.Context, []string) ([]ota.Channel, error) {
	return f.channels, nil
}

func (f *fakeStore) DeviceTotals(context.Context, []string) (map[string]int64, error) {
	return map[string]int64{"com.x": f.total}, nil
}

func (f *fakeStore) DeviceCounts(context.Context, string, int) ([]insight.DeviceCount, error) {
	return append([]insight.DeviceCount{}, f.counts...), nil
}

func (f *fakeStore) BoundCounts(context.Context, string, int) ([]insight.DeviceCount, error) {
	return f.bound, nil
}

func (f *fakeStore) OutcomeTotals(context.Context, string, int) ([]ota.VersionStats, error) {
	return f.totals, nil
}

func (f *fakeStore) OutcomeHours(_ context.Context, _ string, since int64, _ int) ([]ota.OutcomeHour, error) {
	f.since = since
	return []ota.OutcomeHour{}, nil
}

func (f *fakeStore) CheckQuarters(context.Context, string, int64) ([]ota.CheckQuarter, error) {
	return []ota.CheckQuarter{}, nil
}

func now() time.Time { return time.UnixMilli(1_700_000_000_000) }

// fleet: production is public for phones, beta may be chosen, closed may not.
func fleet() *fakeStore {
	phones := ota.Policy{Public: true, IOS: true, Android: true}
	return &fakeStore{
		channels: []ota.Channel{
			{ID: 1, App: "com.x", Name: "beta", Policy: ota.Policy{AllowSelfSet: true, IOS: true}},
			{ID: 2, App: "com.x", Name: "closed", Policy: ota.Policy{IOS: true}},
			{
				ID: 3, App: "com.x", Name: "production", Policy: phones, Release: &ota.Release{Version: "2.0.0"},
				Rollout: &ota.Rollout{Version: "3.0.0"},
			},
		},
		counts: []insight.DeviceCount{
			{Version: "2.0.0", Platform: "ios", N: 10},
			{Version: "3.0.0", Platform: "android", N: 5},
			{Version: "1.0.0", Platform: "android", Named: "production", N: 4},
			{Version: "1.0.0", Platform: "ios", Named: "beta", N: 3},
			{Version: "1.0.0", Platform: "android", Named: "beta", N: 2}, // beta does not serve it
			{Version: "1.0.0", Platform: "ios", Named: "closed", N: 1},
			{Version: "1.0.0", Platform: "electron", N: 7}, // no public channel
		},
		bound:  []insight.DeviceCount{{Version: "2.0.0", Platform: "ios", Bound: "closed", N: 4}},
		total:  32,
		totals: []ota.VersionStats{{Version: "2.0.0", Took: 12, Failed: 2}, {Version: "0.9.0", Took: 3}},
	}
}

func TestStats(t *testing.T) {
	f := fleet()
	got, err := insight.New(f, now).Stats(t.Context(), "com.x", 0)
	if err != nil {
		t.Fatal(err)
	}
	want := ota.AppStats{
		Devices: 32,
		Versions: []ota.VersionStats{
			{Version: "1.0.0", Devices: 17},
			{Version: "2.0.0", Devices: 10, Took: 12, Failed: 2},
			{Version: "3.0.0", Devices: 5},
			{Version: "0.9.0", Took: 3},
		},
		Platforms: []ota.Count{{Name: "ios", Devices: 14}, {Name: "android", Devices: 11}, {Name: "electron", Devices: 7}},
		Channels:  []ota.Count{{Name: "production", Devices: 15}, {Name: "", Devices: 10}, {Name: "closed", Devices: 4}, {Name: "beta", Devices: 3}},
		Hours:     []ota.OutcomeHour{}, Checks: []ota.CheckQuarter{},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if day := now().Add(-24 * time.Hour).Truncate(time.Hour).UnixMilli(); f.since != day {
		t.Errorf("series since %d, want %d", f.since, day)
	}
	f.total = 99 // there are devices in counts too small to be read
	if got, err = insight.New(f, now).Stats(t.Context(), "com.x", insight.MaxHours); err != nil || !got.Approximate {
		t.Errorf("approximate = %v, %v", got.Approximate, err)
	}
	if _, err = insight.New(f, now).Stats(t.Context(), "com.x", insight.MaxHours+1); ota.KindOf(err) != ota.KindInvalid {
		t.Errorf("too many hours: %v", err)
	}
}

func TestImpact(t *testing.T) {
	f := fleet()
	got, err := insight.New(f, now).Impact(t.Context(), f.channels[2], "1.0.0")
	if err != nil {
		t.Fatal(err)
	}
	want := ota.Impact{
		App: "com.x", Channel: "production", From: "2.0.0", To: "1.0.0", Rollout: "3.0.0", Devices: 15, OnVersion: 6, OnRollout: 5,
		Platforms: []ota.PlatformImpact{{Platform: "android", Devices: 9, OnRollout: 5}, {Platform: "ios", Devices: 6, OnVersion: 6}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestAttention(t *testing.T) {
	f := fleet()
	f.channels[0].Rollout = &ota.Rollout{Version: "4.0.0", PausedAt: 7, PauseReason: "too many failures"}
	f.channels[1].Policy.AutoHalt.LastTriggeredAt = now().Add(-time.Hour).UnixMilli()
	f.channels[2].Policy.AutoHalt.LastTriggeredAt = now().Add(-30 * 24 * time.Hour).UnixMilli() // long over
	got, err := insight.New(f, now).Attention(t.Context(), ota.Reach{All: true})
	if err != nil {
		t.Fatal(err)
	}
	var kinds []string
	for _, a := range got {
		kinds = append(kinds, a.Kind+" "+a.Channel)
	}
	if diff := cmp.Diff([]string{"halted closed", "paused beta", "rolling production"}, kinds); diff != "" {
		t.Error(diff)
	}
}

func TestAttentionIsCutToReach(t *testing.T) {
	f := fleet()
	for _, tt := range []struct {
		scope ota.Scope
		want  int
	}{
		{ota.Scope{Org: "main", App: "com.x"}, 1},
		{ota.Scope{Org: "main", App: "com.x", Channel: "production"}, 1},
		{ota.Scope{Org: "main", App: "com.x", Channel: "beta"}, 0},
		{ota.Scope{Org: "other"}, 0},
	} {
		got, err := insight.New(f, now).Attention(t.Context(), ota.Reach{Scopes: []ota.Scope{tt.scope}})
		if err != nil || len(got) != tt.want {
			t.Errorf("within %s: %v, %v", tt.scope, got, err)
		}
	}
}
