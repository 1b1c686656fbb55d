package drill

import (
	"context"
	"net/http"
	"path/filepath"
	"time"

	"github.com/waxwing-ota/waxwing/internal/client"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/seal"
)

// What the drill is about.
const (
	Channel = "production"
	Native  = "0.9.0" // version of the native app

	good = "1.0.0"
	bad  = "2.0.0"

	atOnce = 4 // devices that update at the same time
)

// Fleets may be so large.
const (
	MinDevices = 4
	MaxDevices = 500
)

// Options says where to practise.
type Options struct {
	Client  *client.Client
	URL     string // of the server, as devices reach it
	Dir     string // for the key, the web builds, the devices and the post-mortem; must exist
	App     string // that does not exist yet
	Devices int    // of the fleet
	Say     func(Step)
	Now     func() time.Time

	Patience time.Duration // how long the server may take to see that devices left; 0 = 60 s
}

// Step is one thing that was done and checked.
type Step struct {
	Name   string `json:"name"`
	Seen   string `json:"seen"` // what happened, or what went wrong
	OK     bool   `json:"ok"`
	Millis int64  `json:"ms"`
}

// Report is what was seen.
type Report struct {
	Held       bool   `json:"held"` // every step did
	App        string `json:"app"`
	Incident   int64  `json:"incident"`
	Devices    int    `json:"devices"`
	Affected   int    `json:"affected"`      // devices that took the bad version
	Failed     int    `json:"failed"`        // of those, it failed on
	ToDetect   int64  `json:"ms_to_detect"`  // from the release of the bad version; -1 = not reached, as the next
	ToContain  int64  `json:"ms_to_contain"` // from the declaration
	ToRecover  int64  `json:"ms_to_recover"` // from the declaration
	PostMortem string `json:"post_mortem"`   // file; "" = it was not written
	Steps      []Step `json:"steps" nullable:"false"`

	releasedAt time.Time
}

// drill is one practice.
type drill struct {
	o     Options
	ctx   context.Context
	http  *http.Client
	key   *seal.PrivateKey
	fleet []*phone
	rep   Report
}

// Run practises. What goes wrong is in the report; the error is that of ctx only.
func Run(ctx context.Context, o Options) (Report, error) {
	if o.Patience <= 0 {
		o.Patience = time.Minute
	}
	d := &drill{
		o: o, ctx: ctx, http: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}},
		rep: Report{App: o.App, Devices: o.Devices, ToDetect: -1, ToContain: -1, ToRecover: -1, Steps: []Step{}},
	}
	defer d.http.CloseIdleConnections()
	d.rep.Held = d.practise()
	for _, p := range d.fleet {
		_ = p.dev.Close() // their work is done
	}
	return d.rep, ctx.Err()
}

// practise runs the steps until one does not hold.
func (d *drill) practise() bool {
	for _, st := range []struct {
		name string
		do   func() (string, error)
	}{
		{"prepare an app, its key and a fleet", d.setUp},
		{"release " + good + ", which is good", func() (string, error) { return d.release(good) }},
		{"the fleet installs it", d.installGood},
		{"release " + bad + ", which is bad", func() (string, error) { return d.release(bad) }},
		{"half of the fleet takes it", d.takeBad},
		{"detect: the server counts failures", d.detect},
		{"declare an incident", d.declare},
		{"see whom it reached", d.blast},
		{"contain: freeze and block in one act", d.contain},
		{"nobody gets it any more", d.contained},
		{"recover: roll back to " + good, d.recover},
		{"the fleet comes back", d.comeBack},
		{"the server sees the recovery's end", d.resolved},
		{"write the post-mortem and close", d.writeDown},
	} {
		if !d.step(st.name, st.do) {
			return false
		}
	}
	return true
}

func (d *drill) step(name string, do func() (string, error)) bool {
	start := d.o.Now()
	seen, err := do()
	if err == nil {
		err = d.ctx.Err()
	}
	st := Step{Name: name, Seen: seen, OK: err == nil, Millis: d.o.Now().Sub(start).Milliseconds()}
	if err != nil {
		st.Seen = err.Error()
	}
	d.rep.Steps = append(d.rep.Steps, st)
	if d.o.Say != nil {
		d.o.Say(st)
	}
	return st.OK
}

// otherwise is the error of a step that saw something else than it should.
func otherwise(format string, a ...any) error {
	return ota.Errorf(ota.KindInternal, "drill_failed", format, a...)
}

func (d *drill) file(name string) string { return filepath.Join(d.o.Dir, name) }
