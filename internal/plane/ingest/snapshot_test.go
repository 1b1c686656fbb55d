package ingest_test

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/plane/control"
	"github.com/waxwing-ota/waxwing/internal/plane/ingest"
	"github.com/waxwing-ota/waxwing/internal/plane/snap"
)

// With the real database and the real snapshot: what failed is not offered any
// more when Record returns, nor after a restart.
func TestFailureReachesTheSnapshot(t *testing.T) {
	db, _ := openDB(t)
	ctx := context.Background()
	err := db.Update(ctx, "test", 1, func(tx control.Tx) (ota.Change, error) {
		if err := tx.InsertApp(ctx, ota.App{ID: app, CreatedAt: 1}); err != nil {
			return ota.Change{}, err
		}
		_, err := tx.InsertBundle(ctx, ota.Bundle{App: app, Version: "2.0.0", CreatedAt: 1}, nil)
		return ota.Change{Action: "test", Detail: "{}"}, err
	})
	if err != nil {
		t.Fatal(err)
	}
	holder := snap.NewHolder(db)
	if err := holder.Load(ctx); err != nil {
		t.Fatal(err)
	}
	s, _ := start(t, ingest.Deps{Store: db, Snap: holder})
	mustRecord(t, s, report(1, "update_fail", "2.0.0", 1), report(1, "update_fail", "6.6.6", 2), report(2, "download_fail", "2.0.0", 3))
	restarted := snap.NewHolder(db)
	if err := restarted.Load(ctx); err != nil {
		t.Fatal(err)
	}
	for name, h := range map[string]*snap.Holder{"live": holder, "restarted": restarted} {
		if diff := cmp.Diff([]string{"2.0.0"}, h.App(app).Facts(deviceID(1)).Failed); diff != "" {
			t.Errorf("%s: failed versions (-want +got):\n%s", name, diff)
		}
		if got := h.App(app).Facts(deviceID(2)).Failed; len(got) != 0 {
			t.Errorf("%s: a failed download is remembered as a failed version: %v", name, got)
		}
	}
	if err := s.Record(ctx, "com.example.other", []ingest.Report{report(1, "set", "1", 1)}); ota.KindOf(err) != ota.KindNotFound {
		t.Errorf("unknown app: %v", err)
	}
}
