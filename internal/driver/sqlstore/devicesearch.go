package sqlstore

import (
	"context"
	"database/sql"
	"encoding/hex"
	"errors"
	"math"
	"strconv"
	"strings"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// The bounds of a search for devices: fewDevices are found by an index and
// sorted; more of them are found by walking along the order of the list, where
// a page looks at maxLooked.
const (
	fewDevices = 20_000
	maxLooked  = 20_000
)

// What a list of devices is ordered by. An expression keeps the index of the
// list's order out of the plan.
const (
	byLastSeen = "d.last_seen"
	sorted     = "(d.last_seen + 0)"
	noDevice   = "" // there is none to list
)

// narrow adds the conditions of a filter and returns what to order by. An
// expression on a column keeps the column's index out of the plan.
func (s reads) narrow(ctx context.Context, w *where, app string, f ota.DeviceFilter) (order string, err error) {
	order = byLastSeen
	alike, err := s.alike(ctx, app, f)
	if err != nil || alike == 0 {
		return noDevice, err
	}
	if alike > 0 && alike <= fewDevices {
		order = sorted
		var k where
		k.args = w.args
		k.and("k.app = %s", app)
		countFilter(&k, "k.", f)
		w.args = k.args
		w.conds = append(w.conds, `d.id IN (SELECT e.id FROM device_counts k CROSS JOIN devices e WHERE `+k.String()+
			` AND e.app = k.app AND e.version_name = k.version AND e.platform = k.platform AND e.default_channel = k.channel)`)
	} else {
		w.andText("(d.version_name || '')", f.Version)
		w.andText("(d.platform || '')", f.Platform)
		w.andText("(d.default_channel || '')", f.Channel)
	}
	if f.CustomID == "" {
		return order, nil
	}
	n, err := selectOne(ctx, s.q, nil, scanInt, `SELECT count(*) FROM (SELECT 1 FROM devices WHERE app = $1 AND custom_id = $2 AND custom_id <> '' LIMIT $3) AS some`,
		app, f.CustomID, fewDevices)
	switch {
	case err != nil || n == 0:
		return noDevice, err
	case n == fewDevices:
		w.andText("(d.custom_id || '')", f.CustomID)
		return order, nil
	}
	w.conds = append(w.conds, "d.id IN (SELECT id FROM devices WHERE app = "+w.arg(app)+" AND custom_id = "+w.arg(f.CustomID)+" AND custom_id <> '')")
	return sorted, nil
}

// alike counts the devices that are as the filter says, by the counts that are
// kept; -1 = very many kinds of devices fit, so nobody counted.
func (s reads) alike(ctx context.Context, app string, f ota.DeviceFilter) (int64, error) {
	if f.Version == "" && f.Platform == "" && f.Channel == "" {
		return -1, nil
	}
	var w where
	w.and("app = %s", app)
	countFilter(&w, "", f)
	var kinds, n int64
	row := s.q.QueryRowContext(ctx, `SELECT count(*), COALESCE(sum(n), 0) FROM (SELECT n FROM device_counts WHERE `+w.String()+` LIMIT `+w.arg(fewDevices)+`) AS some`,
		w.args...)
	if err := row.Scan(&kinds, &n); err != nil {
		return 0, storeError("count devices", err)
	}
	if kinds == fewDevices {
		return -1, nil
	}
	return n, nil
}

// countFilter adds a filter's conditions on device_counts.
func countFilter(w *where, prefix string, f ota.DeviceFilter) {
	w.andText(prefix+"version", f.Version)
	w.andText(prefix+"platform", f.Platform)
	w.andText(prefix+"channel", f.Channel)
}

// devicePlace is a place in the list of devices.
type devicePlace struct {
	seen int64
	id   []byte
}

// String returns the cursor of the page that comes after the place.
func (p devicePlace) String() string {
	return strconv.FormatInt(p.seen, 36) + "." + hex.EncodeToString(p.id)
}

// deviceBound returns the place where a walk from after on ends for one page; no
// id means that the list ends before.
func (s reads) deviceBound(ctx context.Context, app string, after devicePlace) (p devicePlace, err error) {
	err = s.q.QueryRowContext(ctx, `SELECT last_seen, id FROM devices WHERE app = $1 AND (last_seen, id) < ($2, $3)
		ORDER BY last_seen DESC, id DESC LIMIT 1 OFFSET $4`, app, after.seen, after.id, maxLooked-1).Scan(&p.seen, &p.id)
	if errors.Is(err, sql.ErrNoRows) {
		return devicePlace{}, nil
	}
	if err != nil {
		return p, storeError("query", err)
	}
	return p, nil
}

// deviceCursor returns the place that a page comes after.
func deviceCursor(p ota.Page) (devicePlace, error) {
	if p.After == "" {
		return devicePlace{math.MaxInt64, []byte{}}, nil
	}
	at, device, _ := strings.Cut(p.After, ".")
	seen, err := strconv.ParseInt(at, 36, 64)
	id, err2 := hex.DecodeString(device)
	if err != nil || err2 != nil || len(id) != len(ota.DeviceID{}) {
		return devicePlace{}, ota.Invalid("cursor_invalid", "the page cursor %q is not one this server gave", p.After).
			WithHint("leave it out to start over").WithField("after")
	}
	return devicePlace{seen, id}, nil
}
