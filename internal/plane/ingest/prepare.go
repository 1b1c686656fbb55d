package ingest

import (
	"encoding/binary"
	"math/rand/v2"

	"github.com/waxwing-ota/waxwing/internal/core/decide"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/outcome"
)

// Report is one event with what its device said of itself in the same breath.
// Device.VersionName is not used: the event's action tells whether its
// VersionName is what the device runs.
type Report struct {
	Device ota.Device
	Event  ota.Event

	// Network is a keyed hash of the network that the device called from: equal
	// for neighbours, and of no other meaning. 0 = not known.
	Network uint32

	// Signed is the digest of the report as its device signed it; zero = it did not.
	Signed ota.Digest
}

// prepare makes the rows of reports that came at now. view may be nil: then no
// version is known to be published or not.
// signedOnly may be nil: then all reports count.
func prepare(app string, view *decide.App, reports []Report, now int64, signedOnly func(app, version string) bool) ([]EventRow, []DeviceRow) {
	events := make([]EventRow, len(reports))
	var devices []DeviceRow
	for i := range reports {
		r, row := &reports[i], &events[i]
		does := classify(r.Event.Action)
		fill(row, app, r, now)
		row.Known = row.Known || does.known
		row.Version = bundleOf(row.VersionName)
		row.Sum = Sum{Version: row.Version, Published: owned(view, row.Version), Running: does.reach == Running, OS: r.Device.VersionOS}
		signed := !r.Signed.IsZero()
		if signed {
			// Nobody else can make a row that this one would be a second of.
			row.Mark, does.reach = int64(binary.BigEndian.Uint64(r.Signed[:])), Touch //nolint:gosec // any 64 bits will do
		}
		if signed || signedOnly == nil || !signedOnly(app, row.Version) {
			judge(row, view, &r.Device)
		} else {
			row.Version = "" // kept, and counted for nothing
		}
		row.Network = r.Network
		devices = fold(devices, deviceRow(row, &r.Device, does.reach))
	}
	return events, devices
}

// judge says what an event means for the version it names.
func judge(row *EventRow, view *decide.App, d *ota.Device) {
	state, _ := outcome.Of(row.Action)
	hurts := outcome.Hurts(row.Action)
	if state == outcome.None && !hurts {
		return
	}
	row.Window = healthWindow(view, row.Channel)
	if !published(view, row.Version) || onBuiltin(row, d) {
		// What is not of ours cannot be offered and has no outcome. A crash of it
		// still tells of a device that was held back from a release.
		row.Hurts = hurts && !d.IsEmulator
		row.Version = ""
		return
	}
	row.Fails = outcome.Fails(row.Action)
	if !d.IsEmulator {
		row.State, row.Hurts = state, hurts
	}
}

// onBuiltin reports whether an event that names what runs is about the native
// app's bundle, which the plugins call by the native version.
func onBuiltin(row *EventRow, d *ota.Device) bool {
	if row.Version != d.VersionBuild {
		return false
	}
	return row.Action == "app_launch_ready" || outcome.Hurts(row.Action) && !outcome.Fails(row.Action)
}

// fill completes an event from its surroundings.
func fill(row *EventRow, app string, r *Report, now int64) {
	row.Event = r.Event
	row.App = app
	if row.Device == (ota.DeviceID{}) {
		row.Device = r.Device.ID
	}
	if row.ReceivedAt == 0 {
		row.ReceivedAt = now
	}
	for _, f := range [...]struct {
		to   *string
		from string
	}{{&row.Platform, r.Device.Platform}, {&row.VersionBuild, r.Device.VersionBuild}, {&row.PluginVersion, r.Device.PluginVersion}} {
		if *f.to == "" {
			*f.to = f.from
		}
	}
	row.Mark = markOf(&row.Event)
	if row.Timestamp == 0 {
		// Nothing tells a second delivery from a second occurrence: keep both.
		row.Mark = rand.Int64()
	}
}

// published reports whether version names a bundle that was ever published.
// Others cannot be offered, so remembering that they failed would be of no use
// but to those who forge reports.
func published(view *decide.App, version string) bool {
	if ota.CheckVersionName(version) != nil {
		return false
	}
	if view == nil || view.Versions == nil {
		return true
	}
	return view.Versions.Has(version)
}

// owned reports whether version is known to have been published.
func owned(view *decide.App, version string) bool {
	return view != nil && view.Versions != nil && view.Versions.Has(version)
}

// deviceRow makes the report on the device that comes with an event.
func deviceRow(e *EventRow, d *ota.Device, reach Reach) DeviceRow {
	row := DeviceRow{Device: *d, Reach: reach, Print: printOf(d)}
	row.ID, row.App, row.VersionName, row.LastSeen = e.Device, e.App, e.VersionName, e.ReceivedAt
	if reach == Running && e.VersionName == "" {
		row.Reach = Info
	}
	if e.Timestamp > 0 {
		row.ReportedAt = min(e.Timestamp, e.ReceivedAt) // a clock that is ahead must not shut out later reports
	}
	return row
}

// fold adds a report to rows that hold at most one per device. Calls are from
// one device as a rule, so a walk beats an index.
func fold(rows []DeviceRow, d DeviceRow) []DeviceRow {
	for i := range rows {
		if rows[i].ID == d.ID {
			merge(&rows[i], &d)
			return rows
		}
	}
	return append(rows, d)
}

// merge lets the later report d replace as much of row as it reaches, unless
// the device's clock says that row is the newer one.
func merge(row, d *DeviceRow) {
	row.LastSeen = max(row.LastSeen, d.LastSeen)
	if d.Reach == Touch || d.ReportedAt != 0 && d.ReportedAt < row.ReportedAt && row.Reach >= d.Reach {
		return
	}
	was := *row
	*row = *d
	row.LastSeen = was.LastSeen
	row.ReportedAt = max(was.ReportedAt, d.ReportedAt)
	if was.Reach > d.Reach {
		row.Reach, row.VersionName = was.Reach, was.VersionName
	}
}
