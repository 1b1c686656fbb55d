package sqlstore

import (
	"github.com/waxwing-ota/waxwing/internal/core/decide"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/outcome"
	"github.com/waxwing-ota/waxwing/internal/plane/ingest"
)

const (
	insertExposure = `INSERT INTO rollout_exposures
		(app, rollout, device, arm, channel, version, platform, network, at, due, failed_at, reason)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 0, '') ON CONFLICT DO NOTHING`

	// A control device that is offered the release begins anew in the other arm.
	moveExposure = `UPDATE rollout_exposures SET arm = 1, moved = 1, network = $4, at = $5, due = $6, failed_at = 0, reason = ''
		WHERE app = $1 AND rollout = $2 AND device = $3 AND arm = 2`

	exposureOut = ` RETURNING rollout, channel, version, arm, platform, network, at, moved`

	// What failed is the release; the treated are those that were offered it.
	failTreated = `UPDATE rollout_exposures SET failed_at = $4, reason = $5
		WHERE app = $1 AND device = $2 AND version = $3 AND arm = 1 AND failed_at = 0` + exposureOut

	// Whatever a control device runs counts, from its exposure on.
	failControl = `UPDATE rollout_exposures SET failed_at = $3, reason = $4
		WHERE app = $1 AND device = $2 AND arm = 2 AND failed_at = 0 AND at <= $3 AND due >= $3` + exposureOut

	silenceControl = `UPDATE rollout_exposures SET failed_at = $4, reason = $5
		WHERE app = $1 AND rollout = $2 AND device = $3 AND arm = 2 AND failed_at = 0` + exposureOut
)

// expose notes in which arm of a rollout a device is.
func (w *batch) expose(d *ingest.DeviceRow) error {
	t := &d.Told
	if t.Rollout == "" || t.Arm == decide.NoArm {
		return nil
	}
	n, err := w.exec(insertExposure, d.App, t.Rollout, d.ID[:], armOf(t.Arm), t.Channel, t.Target, platformOf(d.Platform),
		int64(t.Network), d.LastSeen, d.LastSeen+t.Window)
	if err != nil {
		return err
	}
	moved := false
	if n == 0 && t.Arm == decide.Treated {
		if n, err = w.exec(moveExposure, d.App, t.Rollout, d.ID[:], int64(t.Network), d.LastSeen, d.LastSeen+t.Window); err != nil {
			return err
		}
		moved = n > 0
	}
	if n == 0 {
		return nil
	}
	w.out.Exposed = append(w.out.Exposed, ingest.Exposure{
		App: d.App, Rollout: t.Rollout, Channel: t.Channel, Version: t.Target, Device: d.ID, Arm: t.Arm,
		Platform: platformOf(d.Platform), Network: t.Network, At: d.LastSeen, Moved: moved,
	})
	if t.Arm == decide.Control {
		return w.await(wait{
			app: d.App, device: d.ID, rollout: t.Rollout, platform: platformOf(d.Platform), network: t.Network, since: d.LastSeen,
		}, t.Window)
	}
	if moved {
		return w.unawait(d.App, d.ID, "", t.Rollout)
	}
	return nil
}

// failTreated marks the exposures of a device that failed with their version.
func (w *batch) failTreated(l *lesson, r *outcome.Record) error {
	f := ingest.Failing{App: l.of.app, Device: l.of.device, Reason: r.Reason, At: r.FailedAt}
	return w.fail(f, failTreated, l.of.app, l.of.device[:], l.of.version, r.FailedAt, r.Reason)
}

// failControls marks the control devices on which something failed.
func (w *batch) failControls() error {
	for _, e := range w.hurts {
		f := ingest.Failing{App: e.App, Device: e.Device, Reason: e.Action, At: e.ReceivedAt}
		before := len(w.out.Failing)
		if err := w.fail(f, failControl, e.App, e.Device[:], e.ReceivedAt, e.Action); err != nil {
			return err
		}
		for _, failed := range w.out.Failing[before:] {
			if err := w.unawait(e.App, e.Device, "", failed.Rollout); err != nil {
				return err
			}
		}
	}
	return nil
}

// fail runs a statement that marks exposures, and adds f for each.
func (w *batch) fail(f ingest.Failing, query string, args ...any) error {
	return w.query(query, func(s scanner) error {
		var moved int64
		if err := s.Scan(&f.Rollout, &f.Channel, &f.Version, &f.Arm, &f.Platform, &f.Network, &f.ExposedAt, &moved); err != nil {
			return err
		}
		f.Moved = moved != 0
		w.out.Failing = append(w.out.Failing, f)
		return nil
	}, args...)
}

// wait is a device that is to be heard of again.
type wait struct {
	app      string
	device   ota.DeviceID
	version  string // "" = it is control of rollout
	rollout  string
	platform string
	network  uint32
	since    int64
}
