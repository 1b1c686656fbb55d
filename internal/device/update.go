package device

import (
	"context"

	"github.com/waxwing-ota/waxwing/internal/core/lifecycle"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// Updated is the outcome of one automatic update.
type Updated struct {
	Answer   Answer   `json:"answer"`
	Bundle   *Bundle  `json:"bundle"` // what is queued now; nil = nothing
	Known    bool     `json:"known"`  // it was on the device already
	Transfer Transfer `json:"transfer"`
}

// Update is what the plugin does by itself when the app comes to the
// foreground: check, download if told to, queue the result for the next
// Background. It fails with KindUnavailable if the answer was no answer, else
// as Download does; the failure is reported as the plugin would.
func (d *Device) Update(ctx context.Context, channel string) (Updated, error) {
	var u Updated
	var err error
	if u.Answer, err = d.Check(ctx, channel); err != nil {
		return u, err
	}
	a := &u.Answer
	switch a.Kind {
	case UpToDate, Blocked:
		return u, nil
	case Revert:
		if err = d.Install(builtinID); err == nil {
			u.Bundle = new(d.builtin())
		}
		return u, err
	case Failed:
		d.checkFailed(a)
		return u, ota.Errorf(ota.KindUnavailable, a.Code, "the update check failed: %s", a.Message)
	}
	if u.Bundle, err = d.known(a); u.Bundle != nil || err != nil {
		u.Known = err == nil
		return u, err
	}
	b, t, err := d.Download(ctx, *a)
	u.Transfer = t
	if err != nil {
		return u, err
	}
	u.Bundle = &b
	return u, d.Install(b.ID)
}

// checkFailed reports a failed check under the running version. Plugins that do
// not know kinds keep silent if the server at least answered.
func (d *Device) checkFailed(a *Answer) {
	if d.traits.kinds || d.cfg.Platform == Electron || a.Status/100 != 2 {
		d.report("download_fail", event{})
	}
}

// known queues a bundle of the offered version that is on the device already.
// One that failed, if it was kept, is refused: that is the whole memory the
// plugin has. One whose content is not what is offered now is given up.
func (d *Device) known(a *Answer) (*Bundle, error) {
	b := d.st.byVersion(a.Version)
	if b == nil {
		return nil, nil
	}
	if lifecycle.OnOffer(b.Status.stage()) == lifecycle.Refuse {
		d.report("download_fail", event{})
		return nil, ota.Conflict("bundle_failed", "version %s failed on this device", b.Version)
	}
	o, err := d.unseal(a)
	if err == nil && !o.files && b.Checksum != "" && b.Checksum != o.sum.String() {
		err = refuse(CodeChecksum, "version %s is on the device with other content", b.Version)
	}
	if err != nil {
		d.failed(a, err)
		if ota.CodeOf(err) == CodeChecksum {
			if rerr := d.remove(b.ID); rerr != nil {
				return nil, rerr
			}
		}
		return nil, err
	}
	if err := d.Install(b.ID); err != nil {
		return nil, err
	}
	return new(*d.st.find(b.ID)), nil
}
