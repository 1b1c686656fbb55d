package device

import (
	"context"
	"strconv"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// Launched is what became of one start of the app.
type Launched struct {
	Running    Bundle `json:"running"`
	Applied    bool   `json:"applied"`     // the next bundle was put in place
	RolledBack bool   `json:"rolled_back"` // and did not become ready
	Failed     string `json:"failed,omitempty"`
}

// Launch is one whole session: the app starts, goes to the background once, by
// which the next bundle is applied, and its page either confirms itself (ready)
// or never does, which after the ready timeout means a rollback. Waiting is
// left out. Reports are sent at the end; if the server cannot take them they wait.
func (d *Device) Launch(ctx context.Context, ready bool) (Launched, error) {
	var l Launched
	err := d.Start()
	if err == nil {
		l.Applied, err = d.Background()
	}
	switch {
	case err != nil:
	case ready:
		err = d.Ready()
	default:
		failed := d.Running().Version
		if l.RolledBack, err = d.Timeout(); l.RolledBack {
			l.Failed = failed
		}
	}
	l.Running = d.Running()
	if err != nil {
		return l, err
	}
	if err := d.Flush(ctx); ota.KindOf(err) == ota.KindInternal && err != nil {
		return l, err
	}
	return l, ctx.Err()
}

// Start is a new process of the app. A running bundle whose files are no
// longer what was verified is given up.
func (d *Device) Start() error {
	d.launched, d.ready, d.quiet = d.nowMS(), false, false
	if b := d.st.find(d.st.Current); b != nil && !d.intact(b) {
		d.fallBack(b.ID)
		if err := d.remove(b.ID); err != nil {
			return err
		}
	}
	d.report("app_launch_start", event{Meta: d.launchMeta("plugin_load", false)})
	d.report("app_moved_to_foreground", event{})
	return nil
}

// Background is the moment at which the next bundle is applied; it reports
// whether one was.
func (d *Device) Background() (bool, error) {
	d.report("app_moved_to_background", event{})
	id, old := d.st.Next, d.runningName()
	if id == "" {
		return false, nil
	}
	d.st.Next = ""
	b := d.st.find(id)
	switch {
	case id == d.st.Current:
		return false, d.save()
	case id == builtinID:
		d.st.Current, d.st.Fallback = builtinID, builtinID
		d.report("reset", event{Old: old})
	case b == nil || !b.usable():
		return false, d.save()
	case !d.intact(b):
		// The storage of this device did that, not the version: it may come again.
		return false, d.remove(id)
	default:
		d.st.Current, d.ready = id, false
		if d.cfg.Platform != Electron { // that client reports it when the page is ready
			d.report("set", event{Old: old})
		}
	}
	return true, d.save()
}

// Ready is the page's word that the running bundle works.
func (d *Device) Ready() error {
	if !d.ready {
		d.ready = true
		d.report("app_launch_ready", event{Meta: d.launchMeta("notify_app_ready", true)})
	}
	b := d.st.find(d.st.Current)
	if b == nil {
		return nil
	}
	if d.cfg.Platform == Electron {
		d.report("set", event{})
	}
	last := d.st.Fallback
	if b.Status == Success && last == b.ID {
		return nil
	}
	b.Status, d.st.Fallback = Success, b.ID
	if last != builtinID && last != b.ID && last != d.st.Next && !d.cfg.KeepPrevious {
		return d.remove(last)
	}
	return d.save()
}

// Timeout is the end of the ready timeout. If the running bundle was never
// confirmed it is taken back: to the last confirmed one, else to the built-in.
func (d *Device) Timeout() (bool, error) {
	b := d.st.find(d.st.Current)
	if b == nil || b.Status == Success {
		return false, nil
	}
	failed := about(b.Version)
	failed.Meta = merged(d.launchMeta("app_ready_timeout", true), map[string]string{
		"timeout_ms": strconv.FormatInt(d.cfg.ReadyTimeout.Milliseconds(), 10),
	})
	d.report("app_launch_timeout", failed)
	d.report("update_fail", about(b.Version))
	if d.cfg.Platform == Electron {
		d.report("set_fail", about(b.Version))
	}
	b.Status, d.st.LastFailed = Broken, b.Version
	id := b.ID
	d.fallBack(id)
	if d.st.Current != builtinID && d.cfg.Platform != Electron {
		d.report("set", event{Old: b.Version})
	}
	if err := d.save(); err != nil || d.cfg.KeepFailed {
		return true, err
	}
	return true, d.remove(id)
}

// fallBack leaves the running bundle for the last confirmed one, or the built-in.
func (d *Device) fallBack(from string) {
	fb := d.st.find(d.st.Fallback)
	if fb == nil || fb.ID == from || !d.intact(fb) {
		d.st.Current, d.st.Fallback = builtinID, builtinID
		return
	}
	d.st.Current = fb.ID
}

// Install queues a downloaded bundle, or the built-in one, to be applied on the
// next Background. Errors: KindNotFound, or KindConflict for one that failed.
func (d *Device) Install(id string) error {
	if b := d.st.find(id); id != builtinID {
		if b == nil {
			return ota.NotFound("bundle_not_found", "the device has no bundle %q", clean(id, 40))
		}
		if !b.usable() {
			return ota.Conflict("bundle_failed", "version %s failed on this device", b.Version)
		}
	}
	if id == d.st.Next && id != builtinID {
		return nil
	}
	d.st.Next = id
	e := about(d.versionName(d.bundle(id)))
	e.Old = d.runningName()
	d.report("set_next", e)
	return d.save()
}

// remove gives a bundle up: first its record, then its files, so that a crash
// in between leaves nothing that could be run.
func (d *Device) remove(id string) error {
	b := d.st.find(id)
	if b == nil || id == d.st.Current {
		return d.save()
	}
	if d.st.Next == id {
		d.st.Next = ""
	}
	version := b.Version
	b.Status = Deleted
	if err := d.save(); err != nil {
		return err
	}
	if err := d.root.RemoveAll(versionsDir + "/" + id); err != nil {
		return diskError(err)
	}
	d.report("delete", about(version))
	return nil
}

// launchMeta is the metadata of the app_launch events.
func (d *Device) launchMeta(source string, duration bool) map[string]string {
	m := map[string]string{"source": source, "launch_started_at": strconv.FormatInt(d.launched, 10)}
	if duration {
		m["duration_ms"] = strconv.FormatInt(d.nowMS()-d.launched, 10)
	}
	return m
}
