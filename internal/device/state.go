package device

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"slices"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// Folders and files below the device's directory.
const (
	stateFile   = "state.json"
	statsFile   = "stats.json"
	versionsDir = "versions" // one folder per bundle, named by its id
	cacheDir    = "cache"    // single files for the next update, <hash>_<name>
	partialDir  = "partial"  // downloads to resume
	tmpDir      = "tmp"      // work of the running process; emptied at start
)

// maxStateFile bounds what is read back; a state is a few KiB.
const maxStateFile = 8 << 20

// state is what a device remembers over restarts.
type state struct {
	DeviceID    ota.DeviceID `json:"device_id"`
	NativeBuild string       `json:"native_build"`
	Channel     string       `json:"channel"` // chosen on the device; "" = the configured one
	Current     string       `json:"current"`
	Fallback    string       `json:"fallback"` // last confirmed
	Next        string       `json:"next"`     // "" = none
	Bundles     []Bundle     `json:"bundles"`
	LastFailed  string       `json:"last_failed"` // version of the last rollback
}

// loadState reads the state; a missing file is a fresh installation. A damaged
// file is an error, since guessing could run what was never verified.
func (d *Device) loadState() error {
	err := readJSON(d.root, stateFile, &d.st)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		d.st = state{}
	case err != nil:
		return ota.Invalid("device_state_damaged", "the state of the simulated device in %s cannot be read", d.cfg.Dir).WithCause(err).
			WithHint("remove the folder to start with a fresh device")
	}
	s := &d.st
	orElse(&s.Current, builtinID)
	orElse(&s.Fallback, builtinID)
	if d.cfg.DeviceID != (ota.DeviceID{}) {
		s.DeviceID = d.cfg.DeviceID
	}
	if s.DeviceID == (ota.DeviceID{}) {
		if s.DeviceID, err = newDeviceID(d.cfg.Rand); err != nil {
			return err
		}
	}
	return d.repair()
}

// repair makes state and folders agree after a crash: pointers to nothing are
// dropped, and so are folders without a record.
func (d *Device) repair() error {
	s := &d.st
	for _, p := range []*string{&s.Current, &s.Fallback, &s.Next} {
		if b := s.find(*p); *p != builtinID && *p != "" && (b == nil || !b.usable()) {
			*p = map[bool]string{true: "", false: builtinID}[p == &s.Next]
		}
	}
	dirs, err := fs.ReadDir(d.root.FS(), versionsDir)
	if err != nil {
		return err
	}
	for _, e := range dirs {
		if b := s.find(e.Name()); b == nil || b.Status == Deleted {
			if err := d.root.RemoveAll(versionsDir + "/" + e.Name()); err != nil {
				return err
			}
		}
	}
	return d.save()
}

// save writes the state atomically.
func (d *Device) save() error {
	d.st.prune()
	return writeJSON(d.root, stateFile, &d.st)
}

func readJSON(root *os.Root, name string, v any) error {
	fi, err := root.Stat(name)
	if err != nil {
		return err
	}
	if fi.Size() > maxStateFile {
		return errors.New(name + " is too large")
	}
	b, err := root.ReadFile(name)
	if err != nil {
		return err
	}
	return json.Unmarshal(b, v)
}

// writeJSON replaces a file so that a crash leaves the old or the new one.
func writeJSON(root *os.Root, name string, v any) error {
	b, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		return err
	}
	f, err := root.Create(name + ".new")
	if err != nil {
		return err
	}
	_, err = f.Write(append(b, '\n'))
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return root.Rename(name+".new", name)
}

// State is what a device shows of itself.
type State struct {
	DeviceID   ota.DeviceID `json:"device_id"`
	App        string       `json:"app_id"`
	Platform   string       `json:"platform"`
	Native     string       `json:"native"`
	Running    Bundle       `json:"running"`
	Next       *Bundle      `json:"next"` // applied when the app goes to the background
	Fallback   string       `json:"fallback"`
	Channel    string       `json:"channel"`
	KeyID      string       `json:"key_id"`
	LastFailed string       `json:"last_failed"`
	Queued     int          `json:"queued_events"`
	Bundles    []Bundle     `json:"bundles"`
}

// State returns a copy of the device's state.
func (d *Device) State() State {
	s := State{
		DeviceID: d.ID(), App: d.cfg.AppID, Platform: d.cfg.Platform, Native: d.cfg.VersionBuild,
		Running: d.Running(), Fallback: d.bundle(d.st.Fallback).Version, Channel: d.channel(),
		LastFailed: d.st.LastFailed, Bundles: slices.Clone(d.st.Bundles), Queued: d.Queued(),
	}
	if s.Bundles == nil {
		s.Bundles = []Bundle{}
	}
	if d.st.Next != "" {
		s.Next = new(d.bundle(d.st.Next))
	}
	if d.key != nil {
		s.KeyID = d.key.ID()
	}
	return s
}
