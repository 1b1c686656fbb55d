package sim

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/device"
)

// Bounds of a fleet that asks a real server.
const (
	MaxDriven      = 100_000
	maxConcurrency = 1024
)

// DriveOptions say which server a fleet of the device library asks, and how.
type DriveOptions struct {
	URL         string        // of the server
	App         string        // its id
	Devices     int           // 1 to MaxDriven
	Duration    time.Duration // in which all openings of the app lie
	Opens       int           // of each device; 0 = 3
	Concurrency int           // sessions at the same time; 0 = 32
	Seed        uint64
	Own         bool // the server may be another machine than this
	Scenario    Scenario

	PublicKeyPEM string // that the app embeds; "" = none
	Channel      string // that it was built with; "" = none
	Native       string // its native version; "" = 1.0.0

	BadVersion string  // never becomes ready
	BadShare   float64 // on that share of the devices

	Sealed *SealedFleet // the devices take sealed updates; nil = plain ones

	Dir  string // for the devices; kept, so that a second run goes on
	HTTP http.RoundTripper
	Now  func() time.Time
}

// DriveReport is what was seen of a running server.
type DriveReport struct {
	Server   string  `json:"server"`
	App      string  `json:"app"`
	Devices  int     `json:"devices"`
	Seconds  float64 `json:"seconds"`
	Seed     uint64  `json:"seed"`
	Sessions int     `json:"sessions"`
	Late     int     `json:"sessions_not_run"` // the server was too slow, or the run was stopped

	Answers    []Named    `json:"answers"`  // of update checks, as the devices read them
	Downloads  []Named    `json:"failures"` // why updates failed, by code
	Attempts   Attempts   `json:"attempts"`
	RolledBack int        `json:"rolled_back"`
	Versions   []Named    `json:"versions"` // what devices run in the end
	Confirmed  int        `json:"confirmed"`
	Queued     int        `json:"events_waiting"`
	Bytes      int64      `json:"bytes"`
	Faults     Faults     `json:"faults"`
	Statuses   []Named    `json:"statuses"` // of the server's answers
	Latency    Percentile `json:"latency_ms"`

	Sealed *SealedSeen `json:"sealed,omitempty"` // nil = devices of plain updates
}

// Named counts something under a name.
type Named struct {
	Name string `json:"name"`
	N    int    `json:"n"`
}

// Percentile is how long the server took to begin its answers, in milliseconds.
type Percentile struct {
	Half       float64 `json:"p50"`
	Ninety     float64 `json:"p90"`
	NinetyNine float64 `json:"p99"`
}

// check fills in what was not said.
func (o *DriveOptions) check() error {
	u, err := url.Parse(o.URL)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return ota.Invalid("url_invalid", "%q is not the address of a server", o.URL).WithField("server")
	}
	if !o.Own && !loopback(u) {
		return notOurs(u)
	}
	o.URL = strings.TrimRight(o.URL, "/")
	o.Opens, o.Concurrency = cmp.Or(o.Opens, 3), cmp.Or(o.Concurrency, 32)
	switch {
	case o.Devices < 1 || o.Devices > MaxDriven:
		return bad("devices", "against a server a fleet has 1 to %d devices", MaxDriven)
	case o.Concurrency < 1 || o.Concurrency > maxConcurrency:
		return bad("concurrency", "1 to %d sessions run at the same time", maxConcurrency)
	case o.Opens < 1 || o.Opens > 1000:
		return bad("opens", "an app is opened 1 to 1000 times")
	case o.Duration < 0 || o.Duration > 24*time.Hour:
		return bad("duration", "a run lasts at most a day")
	case !(o.BadShare >= 0 && o.BadShare <= 1):
		return bad("bad", "%v is not a share: use 0 to 1", o.BadShare)
	}
	if err := ota.CheckAppID(o.App); err != nil {
		return err
	}
	if err := o.Sealed.check(o); err != nil {
		return err
	}
	return o.Scenario.Check()
}

// Drive sends a fleet of the device library against a running server.
func Drive(ctx context.Context, o DriveOptions) (DriveReport, error) {
	if err := o.check(); err != nil {
		return DriveReport{}, err
	}
	d := &driver{o: &o, started: o.Now(), seen: newSights(), busy: make([]sync.Mutex, o.Devices)}
	err := d.run(ctx)
	if err == nil {
		err = d.census()
	}
	return d.report(), err
}

// driver is a run against a server.
type driver struct {
	o       *DriveOptions
	started time.Time
	busy    []sync.Mutex // by device: an app is one process
	seen    *sights
}

// opening is one session to come.
type opening struct {
	at     time.Duration
	device int
}

func (d *driver) openings() []opening {
	dice := newDice(d.o.Seed)
	list := make([]opening, 0, d.o.Devices*d.o.Opens)
	for n := range d.o.Devices {
		for range d.o.Opens {
			list = append(list, opening{time.Duration(dice.Float64() * float64(d.o.Duration)), n})
		}
	}
	slices.SortFunc(list, func(a, b opening) int { return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.device, b.device)) })
	return list
}

// run opens the apps when it is their time. What the server is too slow for
// within half of the duration more is left out.
func (d *driver) run(ctx context.Context) error {
	limit := d.o.Duration + d.o.Duration/2 + 10*time.Second
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(d.o.Concurrency)
	list := d.openings()
	for i, op := range list {
		if !d.until(ctx, op.at) {
			d.seen.late(len(list) - i)
			break
		}
		g.Go(func() error { return d.session(ctx, op.device, uint64(i)) })
	}
	return g.Wait()
}

// until waits for a time of the run; false = it is over.
func (d *driver) until(ctx context.Context, at time.Duration) bool {
	wait := at - d.o.Now().Sub(d.started)
	if wait <= 0 {
		return ctx.Err() == nil
	}
	t := time.NewTimer(wait)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

func (d *driver) platform(n int) string {
	if share01(d.o.Seed, 100, uint64(n)) < d.o.Scenario.Fleet.IOS {
		return ios
	}
	return android
}

func (d *driver) folder(n int) string { return filepath.Join(d.o.Dir, fmt.Sprintf("%06d", n)) }

// open makes the device with the number, with a network of its own.
func (d *driver) open(n int, net http.RoundTripper) (*device.Device, error) {
	o := d.o
	return device.New(device.Config{
		UpdateURL: o.URL + "/updates", StatsURL: o.URL + "/stats", ChannelURL: o.URL + "/channel_self",
		AppID: o.App, DeviceID: deviceID(o.Seed, uint32(n)), Platform: d.platform(n), VersionBuild: o.Native, DefaultChannel: o.Channel,
		PublicKeyPEM: o.PublicKeyPEM, Dir: d.folder(n), Concurrency: 4,
		HTTP: &http.Client{Transport: net}, Now: o.Now,
	})
}

// session is one opening of the app: a new process, a check, the background,
// and the page that works or does not.
func (d *driver) session(ctx context.Context, n int, number uint64) error {
	d.busy[n].Lock()
	defer d.busy[n].Unlock()
	if ctx.Err() != nil {
		d.seen.late(1)
		return nil
	}
	net := &faultNet{
		base: d.o.HTTP, net: &d.o.Scenario.Network, local: !d.o.Own, seen: d.seen.answer, now: d.o.Now,
		dice: newDice(mix(d.o.Seed ^ mix(number))), count: &Faults{},
	}
	net.connect()
	play := d.plain
	if d.o.Sealed != nil {
		play = d.sealed
	}
	err := play(ctx, n, net)
	d.seen.session(net)
	if ctx.Err() != nil {
		return nil // the run is over: what did not end is not the device's fault
	}
	return err
}

// plain is a session of a device of plain updates.
func (d *driver) plain(ctx context.Context, n int, net *faultNet) error {
	dev, err := d.open(n, net)
	if err != nil {
		return err
	}
	err = d.use(ctx, dev, n, net)
	if cerr := dev.Close(); err == nil {
		err = cerr
	}
	return err
}

func (d *driver) use(ctx context.Context, dev *device.Device, n int, net *faultNet) error {
	if err := dev.Start(); err != nil {
		return err
	}
	if dev.Running().Status == device.Success {
		if err := dev.Ready(); err != nil {
			return err
		}
	}
	u, err := dev.Update(ctx, "")
	if ctx.Err() != nil {
		return nil
	}
	d.seen.update(&u, err)
	if _, err := dev.Background(); err != nil {
		return err
	}
	if running := dev.Running(); running.Status != device.Success {
		if err := d.boot(dev, n, running.Version, net); err != nil {
			return err
		}
	}
	if err := dev.Flush(ctx); ota.KindOf(err) == ota.KindInternal && err != nil && ctx.Err() == nil {
		return err
	}
	return nil
}

// boot is the page of a bundle that was not confirmed yet.
func (d *driver) boot(dev *device.Device, n int, version string, net *faultNet) error {
	if !d.works(n, version, net) {
		_, err := dev.Timeout()
		d.seen.booted(false)
		return err
	}
	d.seen.booted(true)
	return dev.Ready()
}

// works says whether the page of a version gives its word on a device.
func (d *driver) works(n int, version string, net *faultNet) bool {
	doomed := version == d.o.BadVersion && share01(d.o.Seed, 200, uint64(n)) < d.o.BadShare
	net.mu.Lock()
	defer net.mu.Unlock()
	return !doomed && !net.dice.chance(d.o.Scenario.Device.NotReady)
}

// census looks at every device once more; nothing is asked of the server.
func (d *driver) census() error {
	for n := range d.o.Devices {
		if d.o.Sealed != nil {
			if err := d.sealedStands(n); err != nil {
				return err
			}
			continue
		}
		dev, err := d.open(n, d.o.HTTP)
		if err != nil {
			return err
		}
		s := dev.State()
		d.seen.stands(&s)
		if err := dev.Close(); err != nil {
			return err
		}
	}
	return nil
}
