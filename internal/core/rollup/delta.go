package rollup

import (
	"strconv"
	"strings"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/outcome"
)

// Event is a stored event as far as it is summed up.
type Event struct {
	App       string
	Device    ota.DeviceID
	Action    string
	Version   string // the bundle that it is about
	Published bool   // Version was published by the app's owner
	Running   bool   // the device runs Version
	Platform  string
	OS        string
	Plugin    string
	At        int64 // device's clock; 0 = not sent
	Got       int64 // when it came to us
	Metadata  map[string]string
}

// Move is a device that came from one state to another with a version.
type Move struct {
	App, Version string
	Published    bool
	From, To     outcome.State
	Reason       string // of a failure
	At           int64
}

// Cell is where counts go. At is the start of a minute.
type Cell struct {
	App       string
	At        int64
	Version   string
	Published bool
}

// ReasonCell is where the reasons of failures go.
type ReasonCell struct {
	Cell
	Reason string
}

// Active is a device that was heard of.
type Active struct {
	App          string
	Device       ota.DeviceID
	Got          int64 // start of a minute
	Version      string
	Published    bool
	Running      bool // else Version is not what it runs
	Platform, OS string
	Plugin       string
}

// Owner names a device.
type Owner struct {
	App    string
	Device ota.DeviceID
}

// Delta is what a batch adds. The zero value is empty.
type Delta struct {
	Counts   map[Cell]*Counts
	Launches map[Cell]*Hist // At is the start of an hour
	Reasons  map[ReasonCell]int64
	Actives  []Active
	Marks    map[Owner][]Mark

	lastCell   Cell // where the last count went
	lastCounts *Counts
}

// Empty reports whether there is nothing to add.
func (d *Delta) Empty() bool {
	return len(d.Counts) == 0 && len(d.Actives) == 0 && len(d.Marks) == 0
}

// Reset forgets everything, for another batch.
func (d *Delta) Reset() {
	clear(d.Counts)
	clear(d.Launches)
	clear(d.Reasons)
	clear(d.Actives)
	clear(d.Marks)
	d.Actives, d.lastCounts = d.Actives[:0], nil
}

func (d *Delta) counts(c Cell) *Counts {
	if d.lastCounts != nil && c == d.lastCell {
		return d.lastCounts
	}
	if d.Counts == nil {
		d.Counts = map[Cell]*Counts{}
	}
	n := d.Counts[c]
	if n == nil {
		n = new(Counts)
		d.Counts[c] = n
	}
	d.lastCell, d.lastCounts = c, n
	return n
}

// Event adds an event that was stored.
func (d *Delta) Event(e *Event) {
	d.active(&Active{
		App: e.App, Device: e.Device, Got: Minute.Floor(e.Got), Version: e.Version, Published: e.Published, Running: e.Running,
		Platform: e.Platform, OS: osName(e.Platform, e.OS), Plugin: e.Plugin,
	})
	if f, ok := countOf(e.Action); ok {
		cell := Cell{e.App, Minute.Floor(e.Got), e.Version, e.Published}
		n := d.counts(cell)
		n[f]++
		if f == Launches {
			d.launch(cell, n, e.Metadata["duration_ms"])
		}
	}
	front := e.Action == "app_moved_to_foreground"
	if e.At <= 0 || !front && e.Action != "app_moved_to_background" {
		return
	}
	if d.Marks == nil {
		d.Marks = map[Owner][]Mark{}
	}
	who := Owner{e.App, e.Device}
	d.Marks[who] = append(d.Marks[who], Mark{At: e.At, Got: e.Got, Front: front, Version: e.Version, Published: e.Published})
}

// Seen adds a device that was heard of without an event, running version.
func (d *Delta) Seen(app string, dev *ota.Device, published, running bool) {
	d.active(&Active{
		App: app, Device: dev.ID, Got: Minute.Floor(dev.LastSeen), Version: dev.VersionName, Published: published, Running: running,
		Platform: dev.Platform, OS: osName(dev.Platform, dev.VersionOS), Plugin: dev.PluginVersion,
	})
}

func (d *Delta) active(a *Active) {
	if !a.Running {
		a.Version, a.Published = "", false
	}
	if n := len(d.Actives); n == 0 || d.Actives[n-1] != *a {
		d.Actives = append(d.Actives, *a)
	}
}

func (d *Delta) launch(c Cell, n *Counts, duration string) {
	ms, err := strconv.ParseInt(duration, 10, 64)
	if err != nil {
		return
	}
	c.At = Hour.Floor(c.At)
	h := d.Launches[c]
	if h == nil {
		h = new(Hist)
	}
	if !h.Add(ms) {
		return
	}
	if d.Launches == nil {
		d.Launches = map[Cell]*Hist{}
	}
	d.Launches[c] = h
	n[LaunchMS] += ms
}

// stages are the states on the way of a version that lasts, with their fields.
var stages = [...]struct {
	state outcome.State
	field Field
}{
	{outcome.Offered, Offered},
	{outcome.Downloading, Downloading},
	{outcome.Downloaded, Downloaded},
	{outcome.Installed, Installed},
	{outcome.Healthy, Healthy},
}

// Move adds a device's progress. Every device passes every stage once, even one
// whose report was lost.
func (d *Delta) Move(m *Move) {
	if m.From >= m.To {
		return
	}
	cell := Cell{m.App, Minute.Floor(m.At), m.Version, m.Published}
	n := d.counts(cell)
	reached := m.To
	switch m.To {
	case outcome.Failed:
		reached = outcome.Installed
		n[Failed]++
		if m.From == outcome.Healthy {
			n[Regressed]++
		}
		if d.Reasons == nil {
			d.Reasons = map[ReasonCell]int64{}
		}
		d.Reasons[ReasonCell{cell, m.Reason}]++
	case outcome.RolledBack:
		reached = m.From
		n[RolledBack]++
	}
	for _, s := range stages {
		if m.From < s.state && s.state <= reached {
			n[s.field]++
		}
	}
}

// Download adds bytes that were sent.
func (d *Delta) Download(app string, at, downloads, bytes int64) {
	n := d.counts(Cell{App: app, At: Minute.Floor(at)})
	n[Downloads] += downloads
	n[Bytes] += bytes
}

// Use adds what a turn of a device changed.
func (d *Delta) Use(app string, u *Use) {
	d.counts(Cell{app, Minute.Floor(u.Got), u.Version, u.Published})[u.Field] += u.N
}

// osName is the system and its major version: there are too many others.
func osName(platform, version string) string {
	major, _, _ := strings.Cut(version, ".")
	if len(major) == 0 || len(major) > 4 {
		return platform
	}
	return platform + " " + major
}
