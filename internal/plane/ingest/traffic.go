package ingest

import (
	"sync"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// TrafficRow adds to what was downloaded on a day.
type TrafficRow struct {
	App       string
	Day       int64        // its start in UTC, Unix ms
	At        int64        // when it was counted, Unix ms
	Device    ota.DeviceID // zero = the request named none
	Downloads int64
	Bytes     int64
}

// maxTraffic is how many devices are counted apart between two writes; beyond
// it downloads count for the app only.
const maxTraffic = 1 << 14

const dayMS = 24 * 60 * 60 * 1000

type trafficKey struct {
	app    string
	device ota.DeviceID
}

// traffic counts downloads in memory. They move files, so a lock costs nothing
// beside them; update checks do not come here.
type traffic struct {
	mu     sync.Mutex
	counts map[trafficKey]*TrafficRow
}

func (t *traffic) add(k trafficKey, bytes int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	row := t.counts[k]
	if row == nil && len(t.counts) >= maxTraffic {
		k.device = ota.DeviceID{}
		row = t.counts[k]
	}
	if row == nil {
		if t.counts == nil {
			t.counts = map[trafficKey]*TrafficRow{}
		}
		row = &TrafficRow{App: k.app, Device: k.device}
		t.counts[k] = row
	}
	row.Downloads++
	row.Bytes += bytes
}

// drain takes the counts out as those of the day that now (Unix ms) is in.
func (t *traffic) drain(now int64) []TrafficRow {
	t.mu.Lock()
	counts := t.counts
	t.counts = nil
	t.mu.Unlock()
	rows := make([]TrafficRow, 0, len(counts))
	for _, row := range counts {
		row.Day, row.At = now-now%dayMS, now
		rows = append(rows, *row)
	}
	return rows
}

// Downloaded counts bytes that were sent to a device (zero = unknown). It never
// waits for the database; a crash loses the last seconds.
func (s *Service) Downloaded(app string, device ota.DeviceID, bytes int64) {
	if bytes > 0 {
		s.traffic.add(trafficKey{app, device}, bytes)
	}
}
