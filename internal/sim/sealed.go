package sim

import (
	"cmp"
	"context"
	"net/http"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/sealed"
	"github.com/waxwing-ota/waxwing/internal/core/sealed/admit"
	"github.com/waxwing-ota/waxwing/internal/core/sealed/lifecycle"
	"github.com/waxwing-ota/waxwing/internal/sealeddevice"
)

// SealedFleet says that the devices of a run against a server take sealed updates.
// They are the reference device; where they keep what they know, a second run goes on.
type SealedFleet struct {
	Root  []byte    // signed root that the native app was made with
	Made  time.Time // when that was
	Class string    // lowest class that is taken; "" = production
	Enrol bool      // all enrol, and not only those that meet an encrypted bundle
}

func (f *SealedFleet) check(o *DriveOptions) error {
	switch {
	case f == nil:
		return nil
	case o.PublicKeyPEM != "":
		return bad("public_key", "devices of sealed updates believe their root and have no other public key")
	case len(f.Root) == 0 || f.Made.IsZero():
		return bad("root", "devices of sealed updates need the root that they were made with, and the time")
	case f.Class != "" && f.Class != sealed.ClassProduction && f.Class != sealed.ClassStaging:
		return bad("class", "a class is %s or %s", sealed.ClassProduction, sealed.ClassStaging)
	}
	return nil
}

// SealedSeen is what only devices of sealed updates have.
type SealedSeen struct {
	Enrolled int     `json:"enrolled"` // devices, in the end
	Refused  []Named `json:"refused"`  // what devices refused though it came through, by code
	Reverted int     `json:"reverted"` // sent back to the built-in bundle by a director
	Kept     int     `json:"files_kept"`
	Patched  int     `json:"files_patched"`
	Fetched  int     `json:"files_fetched"`
	Bytes    int64   `json:"file_bytes"` // of fetched files and patches
}

// openSealed makes the device with the number, with a network of its own.
func (d *driver) openSealed(n int, net http.RoundTripper) (*sealeddevice.Device, error) {
	o := d.o
	return sealeddevice.New(sealeddevice.Config{
		Build: admit.Build{
			App: o.App, Platform: d.platform(n), Version: cmp.Or(o.Native, "1.0.0"), MinClass: o.Sealed.Class,
			Root: o.Sealed.Root, Made: o.Sealed.Made,
		},
		Dir: d.folder(n), Server: o.URL, Device: deviceID(o.Seed, uint32(n)).String(),
		OS: "15", Plugin: "1.0.0", Channel: o.Channel, HTTP: &http.Client{Transport: net}, Now: o.Now,
	})
}

// sealed is a session of a device of sealed updates: a new process, a check, the
// background, the page that works or does not, and the reports.
func (d *driver) sealed(ctx context.Context, n int, net *faultNet) error {
	dev, err := d.openSealed(n, net)
	if err != nil {
		return err
	}
	err = d.useSealed(ctx, dev, n, net)
	if cerr := dev.Close(); err == nil {
		err = cerr
	}
	return err
}

func (d *driver) useSealed(ctx context.Context, dev *sealeddevice.Device, n int, net *faultNet) error {
	if _, err := dev.Start(); err != nil {
		return err
	}
	if err := d.bootSealed(dev, n, net); err != nil { // what an earlier session made ready and did not show
		return err
	}
	got, err := d.checkSealed(ctx, dev)
	if ctx.Err() != nil {
		return nil
	}
	d.seen.checked(&got, err)
	if _, err := dev.Switch(); err != nil {
		return err
	}
	if err := d.bootSealed(dev, n, net); err != nil {
		return err
	}
	if err := dev.Flush(ctx); ota.CodeOf(err) == sealeddevice.CodeDisk {
		return err
	}
	return nil // what could not be sent waits
}

// checkSealed asks the server. A device that meets an encrypted bundle enrols and
// asks again; enrolment that does not come through is tried with the next session.
func (d *driver) checkSealed(ctx context.Context, dev *sealeddevice.Device) (sealeddevice.Checked, error) {
	if d.o.Sealed.Enrol && !dev.Status().Enrolled {
		if err := dev.Enrol(ctx, "", "", sealed.Attestation{}); err != nil {
			d.seen.refuse(err) // bundles that are not encrypted are taken all the same
		}
	}
	got, err := dev.Check(ctx)
	if ota.CodeOf(err) != sealeddevice.CodeGrant || dev.Status().Enrolled {
		return got, err
	}
	if err := dev.Enrol(ctx, "", "", sealed.Attestation{}); err != nil {
		return got, err
	}
	return dev.Check(ctx)
}

// bootSealed is the page of a bundle that was not confirmed yet, if it is one.
func (d *driver) bootSealed(dev *sealeddevice.Device, n int, net *faultNet) error {
	if dev.Status().Healthy {
		return nil
	}
	m, err := dev.Manifest()
	if err != nil {
		return err
	}
	works := d.works(n, versionOf(m), net)
	d.seen.booted(works)
	if works {
		return dev.Ready()
	}
	_, err = dev.Timeout()
	return err
}

func versionOf(m *sealed.Manifest) string {
	if m == nil {
		return ota.Builtin
	}
	return m.Version
}

// sealedStands counts a device at the end of the run.
func (d *driver) sealedStands(n int) error {
	dev, err := d.openSealed(n, d.o.HTTP)
	if err != nil {
		return err
	}
	m, err := dev.Manifest()
	if err == nil {
		d.seen.sealedStands(versionOf(m), dev.Status())
	}
	if cerr := dev.Close(); err == nil {
		err = cerr
	}
	return err
}

func (s *sights) sealedStands(version string, st sealeddevice.Status) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.versions[version]++
	s.rep.Queued += st.Waiting
	if st.Healthy {
		s.rep.Confirmed++
	}
	if st.Enrolled {
		s.sealed.Enrolled++
	}
}

// checked counts what a check came to.
func (s *sights) checked(c *sealeddevice.Checked, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	code := ota.CodeOf(err)
	name := c.Action
	if name == "" {
		name = "failed " + code
	}
	s.answers[name]++
	s.sealed.Kept += c.Files.Kept
	s.sealed.Patched += c.Files.Patched
	s.sealed.Fetched += c.Files.Fetched
	s.sealed.Bytes += c.Files.Bytes
	if c.Loaded != nil {
		s.sealed.Reverted++
	}
	if err != nil {
		s.refuses(err)
	}
	if c.Seq == 0 && (err == nil || c.Action != sealed.ActionInstall || code == lifecycle.CodeFailed) {
		return // nothing was begun
	}
	s.rep.Attempts.Started++
	if err != nil {
		s.failures[code]++
		if away(code) {
			s.rep.Attempts.Cut++
		}
	}
}

// away reports whether the code says that nothing came, or too slowly.
func away(code string) bool { return code == sealeddevice.CodeServer || code == sealeddevice.CodeSlow }

func (s *sights) refuse(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refuses(err)
}

// refuses counts an error that is a refusal and no fault of network or disk; the
// mutex is held.
func (s *sights) refuses(err error) {
	if code := ota.CodeOf(err); !away(code) && code != sealeddevice.CodeDisk {
		s.refused[code]++
	}
}
