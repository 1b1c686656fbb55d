package sqlstore

import (
	"context"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/outcome"
)

const outcomeColumns = `device, version, platform, state, reason, offered_at, installed_at, healthy_at, failed_at, left_at`

func scanOutcome(s scanner) (o ota.DeviceOutcome, err error) {
	var device []byte
	var state outcome.State
	err = s.Scan(&device, &o.Version, &o.Platform, &state, &o.Reason, &o.OfferedAt, &o.InstalledAt, &o.HealthyAt, &o.FailedAt, &o.LeftAt)
	copy(o.Device[:], device)
	o.State = state.String()
	return o, err
}

// maxLookedOutcomes is how many outcomes a page of a search looks at.
const maxLookedOutcomes = 20_000

// OutcomeList implements [insight.Store]. Those that failed or left have an
// index; of others a page looks at so many at most, and may hold fewer than
// there is room for and yet have a next one.
func (s reads) OutcomeList(ctx context.Context, app string, f ota.OutcomeFilter, p ota.Page) ([]ota.DeviceOutcome, string, error) {
	var w where
	w.and("app = %s", app)
	w.and("version = %s", f.Version)
	state, _ := outcome.Parse(f.State)
	switch {
	case state == outcome.Failed: // also those that failed and left it since
		w.and("state >= 6 AND (state = %s OR reason <> '')", int64(state))
	case state > outcome.Failed:
		w.and("state >= 6 AND state = %s", int64(state))
	}
	if p.After != "" {
		id, ok := ota.ParseDeviceID(p.After)
		if !ok {
			return nil, "", badCursor(p.After)
		}
		w.and("device > %s", id[:])
	}
	limit, looked := pageLimit(p), 0
	most := maxLookedOutcomes
	if f.Reason == "" && (f.State == "" || state >= outcome.Failed) {
		most = limit + 1
	}
	items, last := []ota.DeviceOutcome{}, ota.DeviceID{}
	err := s.each(ctx, `SELECT `+outcomeColumns+` FROM device_outcomes WHERE `+w.String()+` ORDER BY device LIMIT `+w.arg(most),
		func(r scanner) error {
			if len(items) > limit {
				return nil
			}
			o, err := scanOutcome(r)
			if looked, last = looked+1, o.Device; f.State != "" && state < outcome.Failed && o.State != f.State || f.Reason != "" && o.Reason != f.Reason {
				return err
			}
			items = append(items, o)
			return err
		}, w.args...)
	switch {
	case err != nil:
		return nil, "", err
	case len(items) > limit:
		return items[:limit], items[limit-1].Device.String(), nil
	case looked == most:
		return items, last.String(), nil
	}
	return items, "", nil
}

// OutcomeCounts implements [insight.Store].
func (s reads) OutcomeCounts(ctx context.Context, app, version string) ([]ota.OutcomeCount, error) {
	return selectAll(ctx, s.q, func(r scanner) (c ota.OutcomeCount, err error) {
		var state outcome.State
		err = r.Scan(&state, &c.Reason, &c.Platform, &c.Devices)
		c.State = state.String()
		return c, err
	}, `SELECT state, reason, platform, n FROM outcome_states WHERE app = $1 AND version = $2 ORDER BY state, reason, platform`, app, version)
}

// DeviceOutcomes implements [insight.Store].
func (s reads) DeviceOutcomes(ctx context.Context, app string, id ota.DeviceID, limit int) ([]ota.DeviceOutcome, error) {
	return selectAll(ctx, s.q, scanOutcome, `SELECT `+outcomeColumns+` FROM device_outcomes
		WHERE app = $1 AND device = $2 ORDER BY first_at DESC, version LIMIT $3`, app, id[:], limit)
}
