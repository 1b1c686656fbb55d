package control

import (
	"context"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/plane/snap"
)

// Devices lists an app's devices, last seen first, including what was reported
// before the call.
func (s *Service) Devices(ctx context.Context, app string, f ota.DeviceFilter, p ota.Page) ([]ota.Device, string, error) {
	if err := s.settled(ctx, app); err != nil {
		return nil, "", err
	}
	return s.store.Devices(ctx, app, f, p)
}

// Device returns one device.
func (s *Service) Device(ctx context.Context, app string, id ota.DeviceID) (ota.Device, error) {
	if err := s.settled(ctx, app); err != nil {
		return ota.Device{}, err
	}
	return s.store.Device(ctx, app, id)
}

// Events lists what an app's devices reported, newest first.
func (s *Service) Events(ctx context.Context, app string, f ota.EventFilter, p ota.Page) ([]ota.Event, string, error) {
	if err := s.settled(ctx, app); err != nil {
		return nil, "", err
	}
	return s.store.Events(ctx, app, f, p)
}

// Traffic lists what was downloaded per day, latest first, by a device (nil =
// all), over the last days (0 = 30) with today.
func (s *Service) Traffic(ctx context.Context, app string, device *ota.DeviceID, days int) ([]ota.Traffic, error) {
	if err := s.settled(ctx, app); err != nil {
		return nil, err
	}
	if days == 0 {
		days = 30
	}
	today := s.now().UTC().Truncate(day)
	return s.store.Traffic(ctx, app, device, today.AddDate(0, 0, 1-days).UnixMilli())
}

// settled checks that the app exists and waits for what devices reported.
func (s *Service) settled(ctx context.Context, app string) error {
	if _, err := s.store.App(ctx, app); err != nil {
		return err
	}
	return s.flush(ctx)
}

// SetOverride binds a device, seen or not, to a channel.
func (s *Service) SetOverride(ctx context.Context, actor ota.Actor, app string, id ota.DeviceID, channel string) error {
	return s.bind(ctx, actor, app, id, channel, Override{})
}

// ClearOverride lets a device choose its channel again. A device that is not
// bound stays so.
func (s *Service) ClearOverride(ctx context.Context, actor ota.Actor, app string, id ota.DeviceID) error {
	if _, err := s.store.App(ctx, app); err != nil {
		return err
	}
	return s.unbind(ctx, actor, app, id)
}

// bind stores that a device is on a channel and tells the snapshot.
func (s *Service) bind(ctx context.Context, actor ota.Actor, app string, id ota.DeviceID, channel string, o Override) error {
	err := s.store.Update(ctx, actor, s.nowMS(), func(tx Tx) (ota.Change, error) {
		ch, err := findChannel(ctx, tx, app, channel)
		if err != nil {
			return ota.Change{}, err
		}
		o.ChannelID = ch.ID
		have, err := tx.Override(ctx, app, id)
		if err == nil && have == o {
			return ota.Change{}, nil
		}
		if err != nil && ota.KindOf(err) != ota.KindNotFound {
			return ota.Change{}, err
		}
		if !o.SelfSet {
			if err := s.mayBind(ctx, tx, &ch); err != nil {
				return ota.Change{}, err
			}
		}
		return change("device.bind", app, id.String(), fields{"channel": channel, "self_set": o.SelfSet}),
			tx.SetOverride(ctx, app, id, o, s.nowMS())
	})
	if err == nil {
		s.patchOverrides(app, []ota.DeviceID{id}, o.ChannelID, o.SelfSet)
	}
	return err
}

func (s *Service) unbind(ctx context.Context, actor ota.Actor, app string, id ota.DeviceID) error {
	err := s.store.Update(ctx, actor, s.nowMS(), func(tx Tx) (ota.Change, error) {
		if _, err := tx.Override(ctx, app, id); ota.KindOf(err) == ota.KindNotFound {
			return ota.Change{}, nil
		} else if err != nil {
			return ota.Change{}, err
		}
		return change("device.unbind", app, id.String(), nil), tx.ClearOverride(ctx, app, id)
	})
	if err == nil {
		s.patchOverrides(app, []ota.DeviceID{id}, 0, false)
	}
	return err
}

// patchOverrides tells the snapshot that devices are on a channel (0 = on none).
func (s *Service) patchOverrides(app string, ids []ota.DeviceID, channel int64, selfSet bool) {
	ch := make([]snap.FactsChange, len(ids))
	for i, id := range ids {
		ch[i] = snap.FactsChange{Device: id, SetOverride: &channel, SelfSet: selfSet}
	}
	s.snap.PatchFacts(app, ch)
}

// ClearFailures forgets that a version ("" = every one) failed on a device
// (nil = on every device), so that it is offered again.
func (s *Service) ClearFailures(ctx context.Context, actor ota.Actor, app string, id *ota.DeviceID, version string) error {
	if err := s.settled(ctx, app); err != nil {
		return err
	}
	var devices []ota.DeviceID
	err := s.store.Update(ctx, actor, s.nowMS(), func(tx Tx) (ota.Change, error) {
		var err error
		if devices, err = tx.ClearFailures(ctx, app, id, version); err != nil || len(devices) == 0 {
			return ota.Change{}, err
		}
		object := "all devices"
		if id != nil {
			object = id.String()
		}
		return change("device.forgive", app, object, fields{"version": version, "devices": len(devices)}), nil
	})
	if err != nil {
		return err
	}
	ch := make([]snap.FactsChange, len(devices))
	for i, d := range devices {
		ch[i] = snap.FactsChange{Device: d, ClearAllFailed: version == ""}
		if version != "" {
			ch[i].ClearFailed = []string{version}
		}
	}
	s.snap.PatchFacts(app, ch)
	return nil
}
