package sealeddevice

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/sealed"
	"github.com/waxwing-ota/waxwing/internal/core/sealed/admit"
	"github.com/waxwing-ota/waxwing/internal/core/sealed/lifecycle"
)

// Device is one installation. It is not for concurrent use.
type Device struct {
	cfg   Config
	disk  *disk
	id    identity
	state lifecycle.State
}

// maxStored bounds what is read of a state, as core/sealed/lifecycle does.
const maxStored = 34 << 20

// New opens the folder of a device. A state that is lost or damaged is begun anew
// under the floor that was kept apart: the app goes back to its built-in bundle and
// takes nothing older than what it ever ran.
func New(cfg Config) (*Device, error) {
	if err := cfg.complete(); err != nil {
		return nil, err
	}
	d := &Device{cfg: cfg}
	var err error
	if d.disk, err = openDisk(cfg.Dir, cfg.Step); err != nil {
		return nil, err
	}
	if err := errors.Join(d.load(), d.identify()); err != nil {
		return nil, errors.Join(err, d.Close())
	}
	return d, nil
}

// Close gives the folder back.
func (d *Device) Close() error { return d.disk.root.Close() }

func (d *Device) load() error {
	raw, err := d.disk.read(stateFile, maxStored)
	if err != nil {
		return err
	}
	d.state = lifecycle.Fresh(d.cfg.Build)
	if raw != nil {
		if s, err := lifecycle.DecodeState(raw); err == nil && s.Admission.App == d.cfg.Build.App {
			d.state = s
		}
	}
	var a admit.Anchor
	kept, err := d.disk.read(anchorFile, 4<<10)
	if err != nil {
		return err
	}
	if kept != nil {
		if err := json.Unmarshal(kept, &a); err != nil {
			return ota.Invalid(CodeDisk, "what the device keeps apart is damaged").WithCause(err).
				WithHint("install the app anew: without it nobody knows what was run before")
		}
	}
	d.state = d.state.Anchored(a)
	return nil
}

// take makes the state of a step durable; nothing of the step may happen before.
func (d *Device) take(st lifecycle.Step) error {
	if st.Changed {
		b, err := st.State.Encode()
		if err != nil {
			return err
		}
		if err := d.disk.replace(stateFile, b); err != nil {
			return err
		}
		if a := st.State.Admission.Anchor(); a != d.state.Admission.Anchor() {
			b, err := json.Marshal(a)
			if err != nil {
				return fmt.Errorf("write the anchor: %w", err)
			}
			if err := d.disk.replace(anchorFile, b); err != nil {
				return err
			}
		}
	}
	d.state = st.State
	return d.remember(st.Reports)
}

// Loaded is what the app shows.
type Loaded struct {
	Seq      int64  `json:"seq"`      // 0 = the bundle inside the native app
	Manifest string `json:"manifest"` // SHA-256; "" = as above
	Dir      string `json:"dir"`      // of its files, below the device's folder; "" = as above
}

func loaded(s lifecycle.Slot) Loaded {
	if s.Builtin() {
		return Loaded{}
	}
	return Loaded{Seq: s.Seq, Manifest: s.Manifest, Dir: path.Join(bundlesDir, s.Manifest, wwwDir)}
}

// Start is a new process of the app: what it loads, after every file of it was
// compared with what was admitted.
func (d *Device) Start() (Loaded, error) {
	if err := d.take(d.state.Start(d.cfg.Build, d.intact)); err != nil {
		return Loaded{}, err
	}
	d.tidy()
	return loaded(d.state.Current), nil
}

// Manifest returns what the app shows now; nil = the bundle inside the native app.
func (d *Device) Manifest() (*sealed.Manifest, error) {
	if d.state.Current.Builtin() {
		return nil, nil //nolint:nilnil // it has no manifest
	}
	raw, err := d.disk.read(path.Join(bundlesDir, d.state.Current.Manifest, manifestFile), sealed.MaxManifest+1)
	if err != nil {
		return nil, err
	}
	if sealed.HashOf(raw) != d.state.Current.Manifest {
		return nil, ota.Invalid(CodeDisk, "the manifest of what runs was changed on the device")
	}
	return sealed.Parse[sealed.Manifest](raw)
}

// Switch activates what is ready, as when the app comes back from the background.
func (d *Device) Switch() (Loaded, error) {
	err := d.take(d.state.Switch(d.intact))
	return loaded(d.state.Current), err
}

// Ready is the page's word that it works.
func (d *Device) Ready() error {
	err := d.take(d.state.Ready())
	d.tidy()
	return err
}

// Timeout says that the page gave no word in time.
func (d *Device) Timeout() (Loaded, error) {
	err := d.take(d.state.Timeout(d.intact))
	return loaded(d.state.Current), err
}

// intact compares the files of a bundle with its manifest.
func (d *Device) intact(s lifecycle.Slot) bool {
	dir := path.Join(bundlesDir, s.Manifest)
	raw, err := d.disk.read(path.Join(dir, manifestFile), sealed.MaxManifest+1)
	if err != nil {
		return false
	}
	present, err := d.disk.list(path.Join(dir, wwwDir))
	if err != nil {
		return false
	}
	return admit.Recheck(s.Manifest, raw, present, func(p string) (io.ReadCloser, error) {
		return d.disk.root.Open(path.Join(dir, wwwDir, p))
	}) == nil
}

// tidy deletes bundles that nothing needs; what cannot be deleted waits.
func (d *Device) tidy() {
	keep := d.state.Keep()
	entries, err := fs.ReadDir(d.disk.root.FS(), bundlesDir)
	if err != nil {
		return
	}
	for _, e := range entries {
		if !slices.Contains(keep, e.Name()) {
			_ = d.disk.root.RemoveAll(path.Join(bundlesDir, e.Name()))
		}
	}
}

// Status is what a device says of itself.
type Status struct {
	Device   string   `json:"device"`
	App      string   `json:"app"`
	Running  Loaded   `json:"running"`
	Healthy  bool     `json:"healthy"`
	Next     int64    `json:"next"` // seq of what is ready; 0 = nothing
	Floor    int64    `json:"floor"`
	Highest  int64    `json:"highest"`
	Failed   []string `json:"failed"` // manifests
	Enrolled bool     `json:"enrolled"`
	Waiting  int      `json:"waiting"` // reports
}

// Status returns it.
func (d *Device) Status() Status {
	s := d.state
	return Status{
		Device: d.id.Device, App: d.cfg.Build.App, Running: loaded(s.Current), Healthy: s.Healthy, Next: s.Next.Seq,
		Floor: s.Admission.Floor, Highest: s.Admission.Highest, Failed: append([]string{}, s.Failed...),
		Enrolled: len(d.id.Certificate) > 0, Waiting: len(d.id.Waiting),
	}
}
