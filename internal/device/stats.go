package device

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// maxQueue is how many reports wait at most; the oldest are dropped first.
const maxQueue = 200

// event is what a report says beyond the device info.
type event struct {
	Version *string           // nil = the running version
	Absent  bool              // no version at all, as Android does when a download worker gave up
	Old     string            // what ran before, for set, set_next and reset
	Meta    map[string]string // sent only if there is something in it
}

// report queues an event as the object it will be sent as, since the device may
// change meanwhile. Electron knows only four actions.
func (d *Device) report(action string, e event) {
	if d.cfg.StatsURL == "" {
		return
	}
	var m map[string]any
	if d.cfg.Platform == Electron {
		if !electronReports(action) {
			return
		}
		m = d.electronCallInfo()
		delete(m, "key_id")
	} else {
		m = d.info()
		m["old_version_name"] = e.Old
	}
	m["action"] = action
	if e.Version != nil {
		m["version_name"] = *e.Version
	}
	if e.Absent {
		delete(m, "version_name")
	}
	if d.traits.batch {
		m["timestamp"] = d.nowMS()
		if len(e.Meta) > 0 {
			m["metadata"] = e.Meta
		}
	}
	body, err := json.Marshal(m)
	if err != nil {
		return // strings, booleans and numbers always marshal
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.queue = append(d.queue, body)
	d.queue = d.queue[max(0, len(d.queue)-maxQueue):]
}

// electronReports tells the only actions that the Electron client reports.
func electronReports(action string) bool {
	switch action {
	case "download_complete", "download_fail", "set", "set_fail":
		return true
	}
	return false
}

// about is an event of a version other than the running one.
func about(version string) event { return event{Version: &version} }

// single posts one event at once, on its own and without a timestamp, as the
// Android download worker does. It is sent once or not at all, and reports
// whether it was delivered. version nil leaves the name out.
func (d *Device) single(ctx context.Context, action string, version *string) bool {
	if d.cfg.StatsURL == "" {
		return false
	}
	m := d.info()
	delete(m, "key_id")
	delete(m, "version_name")
	m["action"], m["old_version_name"] = action, ""
	if version != nil {
		m["version_name"] = *version
	}
	r, err := d.call(ctx, http.MethodPost, d.cfg.StatsURL, m, maxReply)
	return err == nil && r.status/100 == 2
}

// Queued returns how many reports wait to be sent.
func (d *Device) Queued() int { return len(d.queue) }

// Flush sends the queued reports. They stay queued, and the error is
// KindUnavailable, if the server is unreachable, overloaded or asks to wait; on
// any other refusal they are gone, as the plugin does it. They are on disk
// before they are sent, so a killed device sends them again.
func (d *Device) Flush(ctx context.Context) error {
	if err := d.waiting(); err != nil {
		return err
	}
	if len(d.queue) == 0 {
		return nil
	}
	if !d.traits.batch {
		return d.flushSingly(ctx)
	}
	if err := d.saveQueue(); err != nil {
		return err
	}
	err := d.send(ctx, d.queue)
	if err != nil && ota.KindOf(err) == ota.KindUnavailable {
		return err
	}
	d.queue = nil
	if serr := d.saveQueue(); err == nil {
		err = serr
	}
	return err
}

// flushSingly sends one object per request and tries each once only: without
// timestamps a server could not tell a repetition from a second event.
func (d *Device) flushSingly(ctx context.Context) error {
	batch := d.queue
	d.queue = nil
	var first error
	for _, body := range batch {
		if err := d.send(ctx, body); first == nil {
			first = err
		}
	}
	return first
}

// send posts reports and says what became of them: nil, KindUnavailable (try
// again), or another error (refused for good).
func (d *Device) send(ctx context.Context, body any) error {
	r, err := d.call(ctx, http.MethodPost, d.cfg.StatsURL, body, maxReply)
	switch {
	case err != nil:
		return unreachable(err)
	case r.status/100 == 2 && d.cfg.Platform == IOS && len(r.body) == 0 && r.status != http.StatusNoContent && r.status != http.StatusResetContent:
		// iOS takes an empty body as a failure and sends again.
		return ota.Errorf(ota.KindUnavailable, CodeResponse, "the stats endpoint answered without a body")
	case r.status/100 == 2:
		return nil
	case r.status == http.StatusTooManyRequests:
		a := d.limited(ctx, r.header, r.body)
		return ota.Errorf(ota.KindUnavailable, a.Code, "%s", a.Message)
	case r.status == http.StatusRequestTimeout || r.status >= 500:
		return ota.Errorf(ota.KindUnavailable, CodeResponse, "the stats endpoint answered %d", r.status)
	}
	return ota.Invalid("stats_refused", "the stats endpoint refused the reports with status %d", r.status)
}

// saveQueue keeps the unsent reports over a restart.
func (d *Device) saveQueue() error {
	if err := writeJSON(d.root, statsFile, d.queue); err != nil {
		return diskError(err)
	}
	return nil
}

// loadQueue takes up the reports of the process before. A damaged file costs
// them, nothing else.
func (d *Device) loadQueue() {
	var q []json.RawMessage
	if readJSON(d.root, statsFile, &q) == nil {
		d.queue = q[max(0, len(q)-maxQueue):]
	}
}
