package drill

import (
	"crypto/rand"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/seal"
	"github.com/waxwing-ota/waxwing/internal/device"
	"github.com/waxwing-ota/waxwing/internal/publish"
	"github.com/waxwing-ota/waxwing/internal/sample"
)

// setUp makes the app, its key and the fleet. The channel does not act by
// itself: people practise.
func (d *drill) setUp() (string, error) {
	c := d.o.Client
	if _, err := c.CreateApp(d.ctx, ota.NewApp{ID: d.o.App, Name: "Drill"}); err != nil {
		return "", err
	}
	strategy := ota.StrategyNone // from native 0.9 to bundle 2.0 is a long way
	if _, err := c.UpdateChannel(d.ctx, d.o.App, Channel, ota.PolicyPatch{
		Strategy: &strategy, AutoHalt: &ota.AutoHaltPatch{Enabled: new(bool)},
	}); err != nil {
		return "", err
	}
	var err error
	if d.key, err = seal.GenerateKey(rand.Reader); err != nil {
		return "", err
	}
	if _, err := c.RegisterKey(d.ctx, d.o.App, d.key.Public().PEM()); err != nil {
		return "", err
	}
	for version, build := range map[string]fs.FS{good: sample.V1(), bad: sample.V2()} {
		if err := os.CopyFS(d.file("build-"+version), build); err != nil {
			return "", err
		}
	}
	return fmt.Sprintf("%s, %d devices", d.o.App, d.o.Devices), d.hire()
}

func (d *drill) release(version string) (string, error) {
	d.rep.releasedAt = d.o.Now()
	res, err := publish.Push(d.ctx, d.o.Client, publish.Options{
		App: d.o.App, Version: version, Channel: Channel, Dir: os.DirFS(d.file("build-" + version)),
		Keys: []*seal.PrivateKey{d.key}, NativeVersion: Native,
	})
	if err != nil {
		return "", err
	}
	if !res.Released {
		return "", otherwise("version %s was not released: %s", version, res.Skipped)
	}
	return fmt.Sprintf("%d files, signed and encrypted", res.Files), nil
}

func (d *drill) installGood() (string, error) {
	return fmt.Sprintf("%d devices run %s", len(d.fleet), good), d.each(d.fleet, func(p *phone) error { return d.launch(p, true, good) })
}

// takeBad lets half of the fleet take the bad version. On every other of those
// it never becomes ready, and the device goes back by itself; the rest keep it.
func (d *drill) takeBad() (string, error) {
	err := d.each(d.victims(), func(p *phone) error {
		p.failed = p.n%2 == 0
		if p.failed {
			return d.launch(p, false, good)
		}
		return d.launch(p, true, bad)
	})
	for _, p := range d.victims() {
		d.rep.Affected++
		if p.failed {
			d.rep.Failed++
		}
	}
	return fmt.Sprintf("%d took it; on %d it never became ready and was taken back on the device, the others run it", d.rep.Affected, d.rep.Failed), err
}

// detect looks at what anybody would look at.
func (d *drill) detect() (string, error) {
	st, err := d.o.Client.Stats(d.ctx, d.o.App, 1)
	if err != nil {
		return "", err
	}
	for _, v := range st.Versions {
		if v.Version == bad && v.Failed == int64(d.rep.Failed) {
			d.rep.ToDetect = d.o.Now().Sub(d.rep.releasedAt).Milliseconds()
			return fmt.Sprintf("%s failed on %d of %d devices", bad, v.Failed, v.Took), nil
		}
	}
	return "", otherwise("the server does not count %d failures: %+v", d.rep.Failed, st.Versions)
}

func (d *drill) declare() (string, error) {
	i, err := d.o.Client.DeclareIncident(d.ctx, ota.NewIncident{
		App: d.o.App, Channel: Channel, Title: "Drill: " + bad + " does not start", Severity: ota.IncidentMajor,
	})
	if err != nil {
		return "", err
	}
	if i.Version != bad {
		return "", otherwise("the incident is about version %q", i.Version)
	}
	d.rep.Incident = i.ID
	return fmt.Sprintf("incident %d about %s on %s", i.ID, i.Version, i.Channel), nil
}

func (d *drill) blast() (string, error) {
	x, err := d.o.Client.Incident(d.ctx, d.rep.Incident)
	if err != nil {
		return "", err
	}
	b := x.Blast
	if want := int64(d.rep.Affected - d.rep.Failed); b.OnNow != want || b.Installed != int64(d.rep.Affected) {
		return "", otherwise("%d run it and %d installed it, not %d and %d", b.OnNow, b.Installed, want, d.rep.Affected)
	}
	devices, _, err := d.o.Client.IncidentDevices(d.ctx, d.rep.Incident, "", ota.Page{Limit: 500})
	if err != nil {
		return "", err
	}
	if len(devices) < d.rep.Affected {
		return "", otherwise("%d devices are listed, not %d", len(devices), d.rep.Affected)
	}
	return fmt.Sprintf("%d run it, %d installed it, %d failed or went back", b.OnNow, b.Installed, b.Failed+b.RolledBack), nil
}

func (d *drill) contain() (string, error) {
	i, err := d.o.Client.ContainIncident(d.ctx, d.rep.Incident, ota.Containment{Freeze: []string{Channel}, Block: []string{bad}})
	if err != nil {
		return "", err
	}
	d.rep.ToContain = max(0, i.ContainedAt-i.OpenedAt)
	return fmt.Sprintf("state %s after %s", i.State, time.Duration(d.rep.ToContain)*time.Millisecond), nil
}

// contained checks that no device is offered the bad version, and that nothing
// can be put on the channel.
func (d *drill) contained() (string, error) {
	err := d.each(d.fleet, func(p *phone) error {
		a, err := p.dev.Check(d.ctx, "")
		if err == nil && a.Kind == device.Update && a.Version == bad {
			err = otherwise("it is still offered %s", bad)
		}
		return err
	})
	if err != nil {
		return "", err
	}
	_, _, err = d.o.Client.Release(d.ctx, d.o.App, Channel, ota.ReleaseRequest{Version: bad})
	if code := ota.CodeOf(err); code != "channel_frozen" {
		return "", otherwise("a release on the frozen channel ended with %q", code)
	}
	return fmt.Sprintf("%d devices asked; a release is refused", len(d.fleet)), nil
}

func (d *drill) recover() (string, error) {
	impact, err := d.o.Client.IncidentImpact(d.ctx, d.rep.Incident, "")
	if err != nil {
		return "", err
	}
	if len(impact) != 1 || impact[0].To != good {
		return "", otherwise("the expected effect is %+v", impact)
	}
	i, err := d.o.Client.RecoverIncident(d.ctx, d.rep.Incident, ota.Recovery{})
	if err != nil {
		return "", err
	}
	if i.RecoveredTo != good {
		return "", otherwise("devices are to run %q", i.RecoveredTo)
	}
	return fmt.Sprintf("%d of %d devices run what is taken back; they are to run %s", impact[0].OnVersion, impact[0].Devices, i.RecoveredTo), nil
}

func (d *drill) comeBack() (string, error) {
	return fmt.Sprintf("%d devices run %s", len(d.fleet), good), d.each(d.fleet, func(p *phone) error { return d.launch(p, true, good) })
}

// resolved waits until the server saw by itself that devices left.
func (d *drill) resolved() (string, error) {
	tick, late := time.NewTicker(200*time.Millisecond), time.NewTimer(d.o.Patience)
	defer tick.Stop()
	defer late.Stop()
	for {
		x, err := d.o.Client.Incident(d.ctx, d.rep.Incident)
		if err != nil {
			return "", err
		}
		if x.State == ota.IncidentResolved {
			d.rep.ToRecover = x.Figures.ToRecover
			return fmt.Sprintf("%d of %d affected devices left; resolved after %s", x.Left, x.Affected, time.Duration(d.rep.ToRecover)*time.Millisecond), nil
		}
		select {
		case <-d.ctx.Done():
			return "", d.ctx.Err()
		case <-late.C:
			return "", otherwise("the incident is still %s after %s: %d of %d left", x.State, d.o.Patience, x.Left, x.Affected)
		case <-tick.C:
		}
	}
}

func (d *drill) writeDown() (string, error) {
	if _, err := d.o.Client.CloseIncident(d.ctx, d.rep.Incident, "end of the drill"); err != nil {
		return "", err
	}
	r, err := d.o.Client.IncidentReport(d.ctx, d.rep.Incident)
	if err != nil {
		return "", err
	}
	file := d.file("post-mortem.md")
	if err := os.WriteFile(file, []byte(r.Markdown), 0o600); err != nil {
		return "", err
	}
	d.rep.PostMortem = file
	return fmt.Sprintf("%d bytes of Markdown", len(r.Markdown)), nil
}
