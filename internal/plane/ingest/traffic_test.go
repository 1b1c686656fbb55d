package ingest_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/plane/ingest"
)

func TestTraffic(t *testing.T) {
	db, _ := openDB(t)
	const day = 24 * 60 * 60 * 1000
	clock := time.UnixMilli(20_000*day + 5)
	s, _ := start(t, ingest.Deps{Store: db, Now: func() time.Time { return clock }})
	s.Offer(check(0, "1.0.0"))
	mustFlush(t, s)

	known, claimed := device(0).ID, device(1).ID
	s.Downloaded(app, known, 100)
	s.Downloaded(app, known, 20)
	s.Downloaded(app, known, 0)          // nothing was sent
	s.Downloaded(app, claimed, 3)        // a device that the app does not know
	s.Downloaded(app, ota.DeviceID{}, 4) // none named
	s.Downloaded("com.example.other", known, 50)
	mustFlush(t, s)
	clock = clock.Add(24 * time.Hour)
	s.Downloaded(app, known, 7)
	mustFlush(t, s)

	for _, tt := range []struct {
		name   string
		device *ota.DeviceID
		since  int64
		want   []ota.Traffic
	}{
		{"all", nil, 0, []ota.Traffic{{Day: 20_001 * day, Downloads: 1, Bytes: 7}, {Day: 20_000 * day, Downloads: 4, Bytes: 127}}},
		{"since", nil, 20_001 * day, []ota.Traffic{{Day: 20_001 * day, Downloads: 1, Bytes: 7}}},
		{"device", &known, 0, []ota.Traffic{{Day: 20_001 * day, Downloads: 1, Bytes: 7}, {Day: 20_000 * day, Downloads: 2, Bytes: 120}}},
		{"claimed device", &claimed, 0, []ota.Traffic{}},
	} {
		got, err := db.Traffic(context.Background(), app, tt.device, tt.since)
		if diff := cmp.Diff(tt.want, got); err != nil || diff != "" {
			t.Errorf("%s: %v (-want +got):\n%s", tt.name, err, diff)
		}
	}
}

// TestTrafficIsBounded holds that requests which claim ever new devices do not
// grow the memory: beyond the bound they count for the app.
func TestTrafficIsBounded(t *testing.T) {
	db, _ := openDB(t)
	s, _ := start(t, ingest.Deps{Store: db, Now: time.Now})
	const n = 20_000
	for i := range n {
		s.Downloaded(app, device(i).ID, 1)
	}
	mustFlush(t, s)
	got, err := db.Traffic(context.Background(), app, nil, 0)
	if err != nil || len(got) != 1 || got[0].Bytes != n || got[0].Downloads != n {
		t.Errorf("%+v, %v", got, err)
	}
}
