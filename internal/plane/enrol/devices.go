package enrol

import (
	"context"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/sealed"
)

// Devices lists the enrolled devices of an app, newest first.
func (s *Service) Devices(ctx context.Context, app string, f ota.SealedDeviceFilter, p ota.Page) ([]ota.SealedDevice, string, error) {
	if _, err := s.Store.App(ctx, app); err != nil {
		return nil, "", err
	}
	return s.Store.SealedDevices(ctx, app, f, p)
}

// Device finds enrolled keys by their thumbprint.
func (s *Service) Device(ctx context.Context, app, thumbprint string) (ota.SealedDevice, error) {
	row, err := s.Store.SealedDevice(ctx, app, thumbprint)
	return row.SealedDevice, err
}

// Uses lists what devices asked for, by hour, newest first.
func (s *Service) Uses(ctx context.Context, app string, since int64, p ota.Page) ([]ota.SealedUse, string, error) {
	if _, err := s.Store.App(ctx, app); err != nil {
		return nil, "", err
	}
	return s.Store.SealedUses(ctx, app, since, p)
}

// Revocations lists those that hold, newest first.
func (s *Service) Revocations(ctx context.Context, app string, p ota.Page) ([]ota.SealedRevocation, string, error) {
	if _, err := s.Store.App(ctx, app); err != nil {
		return nil, "", err
	}
	return s.Store.SealedRevocations(ctx, app, p)
}

// Revoke ends the grants of a device, a subject or a range of serials at once.
func (s *Service) Revoke(ctx context.Context, by ota.Actor, app string, in ota.NewSealedRevocation) (ota.SealedRevocation, error) {
	r := ota.SealedRevocation{
		App: app, Device: in.Device, Subject: in.Subject, From: in.From, To: in.To, Reason: in.Reason, At: s.nowMS(), By: by,
	}
	if err := checkRevocation(&r); err != nil {
		return r, err
	}
	err := s.Store.Update(ctx, by, s.nowMS(), func(tx Tx) (ota.Change, error) {
		a, err := tx.App(ctx, app)
		if err != nil {
			return ota.Change{}, err
		}
		if r, err = tx.InsertSealedRevocation(ctx, r); err != nil {
			return ota.Change{}, err
		}
		return ota.Change{Action: "sealed_device.revoke", App: app, Org: a.Org, Object: subjectOf(&r), After: ota.JSON(r)}, nil
	})
	return r, err
}

// Lift ends a revocation.
func (s *Service) Lift(ctx context.Context, by ota.Actor, app string, id int64) error {
	return s.Store.Update(ctx, by, s.nowMS(), func(tx Tx) (ota.Change, error) {
		a, err := tx.App(ctx, app)
		if err != nil {
			return ota.Change{}, err
		}
		r, err := tx.SealedRevocation(ctx, app, id)
		if err != nil {
			return ota.Change{}, err
		}
		return ota.Change{Action: "sealed_device.lift", App: app, Org: a.Org, Object: subjectOf(&r), Before: ota.JSON(r)}, tx.DeleteSealedRevocation(ctx, app, id)
	})
}

func checkRevocation(r *ota.SealedRevocation) error {
	bad := func(field, format string, a ...any) error {
		return ota.Invalid(CodeRevocation, format, a...).WithField(field).WithHint("name a device, a subject or a range of serials, and why")
	}
	named := 0
	if r.Device != "" {
		named, r.Kind = named+1, ota.RevokeDevice
		id, ok := ota.ParseDeviceID(r.Device)
		if !ok {
			return bad("device", "%.60q is no device id", r.Device)
		}
		r.Device = id.String()
	}
	if r.Subject != "" {
		named, r.Kind = named+1, ota.RevokeSubject
		if len(r.Subject) > maxSubject || !plain(r.Subject) {
			return bad("subject", "a subject has at most %d bytes", maxSubject)
		}
	}
	if r.From != 0 || r.To != 0 {
		named, r.Kind = named+1, ota.RevokeSerials
		if r.From < 1 || r.To < r.From || r.To > sealed.MaxInt {
			return bad("from_serial", "a range of serials is from 1 or more to no less")
		}
	}
	switch {
	case named != 1:
		return bad("device", "a revocation is of one thing, not of %d", named)
	case r.Reason == "" || len(r.Reason) > 500 || !plain(r.Reason):
		return bad("reason", "a revocation has a reason of 1 to 500 bytes")
	}
	return nil
}

// subjectOf names what a revocation is about in the record of changes.
func subjectOf(r *ota.SealedRevocation) string {
	switch r.Kind {
	case ota.RevokeDevice:
		return r.Device
	case ota.RevokeSubject:
		return r.Subject
	}
	return "serials"
}
