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
	return d.take(d.rules().Start(d.st.slots(), d))
}

// Background is the moment at which the next bundle is applied; it reports
// whether one was.
func (d *Device) Background() (bool, error) {
	s := d.rules().Background(d.st.slots(), d)
	if s.Applied && s.Slots.Current != builtinID {
		d.ready = false
	}
	return s.Applied, d.take(s)
}

// Ready is the page's word that the running bundle works.
func (d *Device) Ready() error {
	first := !d.ready
	d.ready = true
	return d.take(d.rules().Ready(d.st.slots(), d, first))
}

// Timeout is the end of the ready timeout. If the running bundle was never
// confirmed it is taken back: to the last confirmed one, else to the built-in.
func (d *Device) Timeout() (bool, error) {
	s := d.rules().Timeout(d.st.slots(), d)
	if s.RolledBack {
		d.st.LastFailed = d.bundle(s.Mark).Version
	}
	return s.RolledBack, d.take(s)
}

// Install queues a downloaded bundle, or the built-in one, to be applied on the
// next Background. Errors: KindNotFound, or KindConflict for one that failed.
func (d *Device) Install(id string) error {
	s := d.rules().Queue(d.st.slots(), d, id)
	if s.Refused {
		b := d.st.find(id)
		if b == nil {
			return ota.NotFound("bundle_not_found", "the device has no bundle %q", clean(id, 40))
		}
		return ota.Conflict("bundle_failed", "version %s failed on this device", b.Version)
	}
	return d.take(s)
}

// remove gives a bundle up.
func (d *Device) remove(id string) error { return d.take(d.rules().Drop(d.st.slots(), d, id)) }

// launchMeta is the metadata of the app_launch events.
func (d *Device) launchMeta(source string, duration bool) map[string]string {
	m := map[string]string{"source": source, "launch_started_at": strconv.FormatInt(d.launched, 10)}
	if duration {
		m["duration_ms"] = strconv.FormatInt(d.nowMS()-d.launched, 10)
	}
	return m
}
