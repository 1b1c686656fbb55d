package device

import (
	"strconv"

	"github.com/waxwing-ota/waxwing/internal/core/lifecycle"
)

// rules says what kind of installation this is to the state machine.
func (d *Device) rules() *lifecycle.Rules[string] {
	return &lifecycle.Rules[string]{
		Builtin: builtinID, Electron: d.cfg.Platform == Electron,
		KeepFailed: d.cfg.KeepFailed, KeepPrevious: d.cfg.KeepPrevious,
	}
}

func (s *state) slots() lifecycle.Slots[string] {
	return lifecycle.Slots[string]{Current: s.Current, Fallback: s.Fallback, Next: s.Next}
}

// Status implements [lifecycle.Shelf].
func (d *Device) Status(id string) lifecycle.Status {
	b := d.st.find(id)
	if b == nil {
		return lifecycle.Absent
	}
	return b.Status.stage()
}

// Intact implements [lifecycle.Shelf].
func (d *Device) Intact(id string) bool {
	b := d.st.find(id)
	return b != nil && d.intact(b)
}

// stage is what a state means to the state machine.
func (s Status) stage() lifecycle.Status {
	switch s {
	case Pending:
		return lifecycle.Pending
	case Success:
		return lifecycle.Confirmed
	case Broken:
		return lifecycle.Broken
	default:
		return lifecycle.Absent
	}
}

// take carries a step out: first the record, then the files, so that a crash in
// between leaves nothing that could be run.
func (d *Device) take(s lifecycle.Step[string]) error {
	d.st.Current, d.st.Fallback, d.st.Next = s.Slots.Current, s.Slots.Fallback, s.Slots.Next
	if b := d.st.find(s.Mark); b != nil {
		b.Status = map[lifecycle.Status]Status{lifecycle.Confirmed: Success, lifecycle.Broken: Broken}[s.Status]
	}
	for _, r := range s.Reports() {
		d.reportStep(r)
	}
	if s.Drop != "" {
		return d.giveUp(s.Drop)
	}
	if !s.Changed {
		return nil
	}
	return d.save()
}

func (d *Device) giveUp(id string) error {
	b := d.st.find(id)
	version := b.Version
	b.Status = Deleted
	if err := d.save(); err != nil {
		return err
	}
	if err := d.root.RemoveAll(versionsDir + "/" + id); err != nil {
		return diskError(err)
	}
	d.report(lifecycle.ActionDelete, about(version))
	return nil
}

// reportStep queues a report of the state machine with what belongs to it here.
func (d *Device) reportStep(r lifecycle.Report[string]) {
	e := about(d.versionName(d.bundle(r.About)))
	if r.Old != "" {
		e.Old = d.versionName(d.bundle(r.Old))
	}
	switch r.Action {
	case lifecycle.ActionLaunchStart:
		e.Meta = d.launchMeta("plugin_load", false)
	case lifecycle.ActionLaunchReady:
		e.Meta = d.launchMeta("notify_app_ready", true)
	case lifecycle.ActionTimeout:
		e.Meta = merged(d.launchMeta("app_ready_timeout", true), map[string]string{
			"timeout_ms": strconv.FormatInt(d.cfg.ReadyTimeout.Milliseconds(), 10),
		})
	}
	d.report(r.Action, e)
}
