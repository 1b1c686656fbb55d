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

// maxLookedOutcomes is how many outcomes a page of a search by reason looks at.
const maxLookedOutcomes = 20_000

// OutcomeList implements [insight.Store]. A page of a search by reason may hold
// fewer than there is room for and yet have a next one.
func (s reads) OutcomeList(ctx context.Context, app string, f ota.OutcomeFilter, p ota.Page) ([]ota.DeviceOutcome, string, error) {
	var w where
	w.and("app = %s", app)
	w.and("version = %s", f.Version)
	if f.State != "" {
		state, _ := outcome.Parse(f.State)
		w.and("state = %s", int64(state))
	}
	if p.After != "" {
		id, ok := ota.ParseDeviceID(p.After)
		if !ok {
			return nil, "", badCursor(p.After)
		}
		w.and("device > %s", id[:])
	}
	limit := pageLimit(p)
	query := `SELECT ` + outcomeColumns + ` FROM device_outcomes WHERE ` + w.String() + ` ORDER BY device LIMIT `
	if f.Reason == "" {
		items, err := selectAll(ctx, s.q, scanOutcome, query+w.arg(limit+1), w.args...)
		if err != nil || len(items) <= limit {
			return items, "", err
		}
		return items[:limit], items[limit-1].Device.String(), nil
	}
	items, looked, last := []ota.DeviceOutcome{}, 0, ""
	err := s.each(ctx, query+w.arg(maxLookedOutcomes), func(r scanner) error {
		looked++
		if len(items) > limit {
			return nil
		}
		o, err := scanOutcome(r)
		if err == nil && o.Reason == f.Reason {
			items = append(items, o)
		}
		last = o.Device.String()
		return err
	}, w.args...)
	switch {
	case err != nil:
		return nil, "", err
	case len(items) > limit:
		return items[:limit], items[limit-1].Device.String(), nil
	case looked == maxLookedOutcomes:
		return items, last, nil
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
