package alerts_test

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/driver/sqlstore"
	"github.com/waxwing-ota/waxwing/internal/plane/alerts"
	"github.com/waxwing-ota/waxwing/internal/plane/control"
	"github.com/waxwing-ota/waxwing/internal/plane/ingest"
)

// BenchmarkLook looks at a hundred apps whose devices are busy: six hours of
// counts by minute.
func BenchmarkLook(b *testing.B) {
	db, err := sqlstore.Open(b.Context(), filepath.Join(b.TempDir(), "db"))
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	now := time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)
	var batch ingest.Batch
	for i := range 100 {
		id := fmt.Sprintf("com.example.app%d", i)
		if err := db.Update(b.Context(), ada, 1, func(tx control.Tx) (ota.Change, error) {
			return ota.Change{Action: "app.create", App: id}, tx.InsertApp(context.Background(), ota.App{ID: id, Org: ota.MainOrg, CreatedAt: 1})
		}); err != nil {
			b.Fatal(err)
		}
		batch.Devices = append(batch.Devices, ingest.DeviceRow{Device: ota.Device{App: id, ID: ota.DeviceID{1}, LastSeen: now.UnixMilli()}, Reach: ingest.Running})
		for m := range 360 {
			for v, answer := range []string{"update", "up_to_date", "blocked", "failed"} {
				batch.Checks = append(batch.Checks, ingest.CheckRow{
					App: id, Minute: now.Add(-time.Duration(m) * time.Minute).UnixMilli(), Channel: "production", Answer: answer, Version: fmt.Sprintf("1.0.%d", v), N: 50,
				})
			}
		}
	}
	if _, err := db.Write(b.Context(), &batch); err != nil {
		b.Fatal(err)
	}
	s := alerts.New(alerts.Deps{Store: sqlstore.Alerts{DB: db}, Now: func() time.Time { return now }, Log: slog.New(slog.DiscardHandler)})
	if err := s.Look(b.Context()); err != nil { // reads the past once
		b.Fatal(err)
	}
	for b.Loop() {
		if err := s.Look(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}
