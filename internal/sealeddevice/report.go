package sealeddevice

import (
	"context"

	"github.com/waxwing-ota/waxwing/internal/core/canon"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/sealed"
	"github.com/waxwing-ota/waxwing/internal/core/sealed/admit"
	"github.com/waxwing-ota/waxwing/internal/core/sealed/lifecycle"
)

// remember keeps reports until they are sent. They are numbered and signed when
// they are sent first, and sent again in the same words.
func (d *Device) remember(reports []lifecycle.Report) error {
	if len(reports) == 0 {
		return nil
	}
	for _, r := range reports {
		if !r.Slot.Builtin() {
			d.id.Pending = append(d.id.Pending, pendingReport{r.Event, r.Slot.Manifest, r.Slot.Seq, r.Reason})
		}
	}
	if n := len(d.id.Pending) - maxWaiting; n > 0 {
		d.id.Pending = d.id.Pending[n:]
	}
	return d.saveIdentity()
}

// offered reports a bundle that is about to be fetched, once while it waits to be sent.
func (d *Device) offered(plan *admit.Plan, m *sealed.Manifest) {
	r := lifecycle.Report{Event: sealed.EventOffered, Slot: lifecycle.Slot{Manifest: plan.SHA256(), Seq: m.Seq}}
	for _, p := range d.id.Pending {
		if p.Event == r.Event && p.Manifest == r.Slot.Manifest {
			return // it waits already
		}
	}
	_ = d.remember([]lifecycle.Report{r}) // a report that is lost costs a line in a statistic
}

// failedDownload reports a bundle that could not be fetched, unless the device was
// only cut off.
func (d *Device) failedDownload(ctx context.Context, plan *admit.Plan, m *sealed.Manifest, err error) {
	if code := ota.CodeOf(err); ctx.Err() == nil && code != CodeServer && code != CodeSlow && code != CodeDisk {
		_ = d.remember([]lifecycle.Report{{Event: sealed.EventFailed, Slot: lifecycle.Slot{Manifest: plan.SHA256(), Seq: m.Seq}, Reason: code}})
	}
}

// Flush sends the reports that wait, oldest first, each signed by the device's key.
// A device that is not enrolled keeps them.
func (d *Device) Flush(ctx context.Context) error {
	if len(d.id.Certificate) == 0 {
		return nil
	}
	if err := d.number(ctx); err != nil {
		return err
	}
	for len(d.id.Waiting) > 0 {
		_, err := d.post(ctx, "report", d.id.Waiting[0], 4<<10)
		if err != nil && ota.CodeOf(err) != CodeRefused {
			return err // it is sent again; one that was refused never will be taken
		}
		d.id.Waiting = d.id.Waiting[1:]
		if err := d.saveIdentity(); err != nil {
			return err
		}
	}
	return nil
}

// number signs what is pending; numbers are used once even if the process ends here.
func (d *Device) number(ctx context.Context) error {
	if len(d.id.Pending) == 0 {
		return nil
	}
	signer, err := d.signer()
	if err != nil {
		return err
	}
	for _, p := range d.id.Pending {
		d.id.Reported++
		body, err := sealed.Make(ctx, &sealed.Report{
			Type: "report", App: d.cfg.Build.App, Device: d.id.Device, Thumbprint: signer.Public().ID(), N: d.id.Reported,
			At: canon.At(d.cfg.Now()), Manifest: p.Manifest, Seq: p.Seq, Event: p.Event, Reason: p.Reason,
		}, signer)
		if err != nil {
			return err
		}
		d.id.Waiting = append(d.id.Waiting, body)
	}
	d.id.Pending = nil
	return d.saveIdentity()
}
