package device

import (
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"os"
	"sync"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/seal"
	"github.com/waxwing-ota/waxwing/internal/core/semver"
)

// Device is one installation. Its methods are not for concurrent use: an app
// is one process.
type Device struct {
	cfg    Config
	traits traits
	plugin semver.Version
	key    *seal.PublicKey // nil = bundles come unsigned
	http   *http.Client
	root   *os.Root

	st       state
	launched int64 // when the running process started, Unix ms; 0 = not yet
	ready    bool  // this process has confirmed its bundle
	quiet    bool  // Android reports progress only until the first download of a process is done

	mu    sync.Mutex // guards win and queue while a download reports from several goroutines
	win   window
	queue []json.RawMessage // reports to send, oldest first
}

// New opens the device kept in cfg.Dir, or makes one there. A changed native
// build number brings it back to the built-in bundle, as a store update does.
// Errors: KindInvalid for a configuration or a state that makes no sense.
func New(cfg Config) (*Device, error) {
	if err := cfg.fill(); err != nil {
		return nil, err
	}
	d := &Device{cfg: cfg, traits: traitsOf(cfg.Platform, cfg.PluginVersion)}
	d.plugin, _ = semver.Parse(cfg.PluginVersion)
	if cfg.PublicKeyPEM != "" {
		key, err := seal.ParsePublicKey([]byte(cfg.PublicKeyPEM))
		if err != nil {
			return nil, err
		}
		d.key = key
	}
	hc := *cfg.HTTP
	hc.CheckRedirect, hc.Jar = checkRedirect, nil
	d.http = &hc
	if err := d.open(); err != nil {
		if d.root != nil {
			_ = d.root.Close()
		}
		return nil, err
	}
	return d, nil
}

func (d *Device) open() error {
	if err := os.MkdirAll(d.cfg.Dir, 0o700); err != nil {
		return diskError(err)
	}
	root, err := os.OpenRoot(d.cfg.Dir)
	if err != nil {
		return diskError(err)
	}
	d.root = root
	if err := root.RemoveAll(tmpDir); err != nil {
		return diskError(err)
	}
	for _, dir := range []string{versionsDir, cacheDir, partialDir, tmpDir} {
		if err := root.MkdirAll(dir, 0o700); err != nil {
			return diskError(err)
		}
	}
	if err := d.loadState(); err != nil {
		return err
	}
	d.loadQueue()
	d.dropOldPartials()
	return d.nativeUpdate()
}

// nativeUpdate notices a new native app.
func (d *Device) nativeUpdate() error {
	was := d.st.NativeBuild
	if was == d.cfg.VersionCode {
		return nil
	}
	d.st.NativeBuild = d.cfg.VersionCode
	if was == "" {
		return d.save()
	}
	d.report("native_app_version_changed", event{Meta: map[string]string{
		"previous_version_code": was, "current_version_code": d.cfg.VersionCode,
	}})
	if d.cfg.KeepOnNative {
		return d.save()
	}
	d.st.Current, d.st.Fallback, d.st.Next = builtinID, builtinID, ""
	if err := d.root.RemoveAll(cacheDir); err != nil {
		return diskError(err)
	}
	if err := d.root.MkdirAll(cacheDir, 0o700); err != nil {
		return diskError(err)
	}
	for _, b := range d.st.Bundles {
		if b.Status != Deleted {
			if err := d.remove(b.ID); err != nil {
				return err
			}
		}
	}
	return d.save()
}

// Close keeps unsent reports for the next start and lets go of the directory.
func (d *Device) Close() error {
	err := d.saveQueue()
	if cerr := d.root.Close(); err == nil {
		err = cerr
	}
	return err
}

// ID returns the device's UUID.
func (d *Device) ID() ota.DeviceID { return d.st.DeviceID }

// Running returns the bundle that runs, or would on the next start.
func (d *Device) Running() Bundle { return d.bundle(d.st.Current) }

// bundle returns the record with the id, the built-in one if there is none.
func (d *Device) bundle(id string) Bundle {
	if b := d.st.find(id); b != nil {
		return *b
	}
	return d.builtin()
}

// runningName is the version_name of requests; old plugins do not know the
// native version's name for the built-in bundle.
func (d *Device) runningName() string {
	return d.versionName(d.Running())
}

func (d *Device) versionName(b Bundle) string {
	if b.ID == builtinID && !d.traits.nativeName {
		return ota.Builtin
	}
	return b.Version
}

// channel is the channel the device asks for: chosen at run time, else configured.
func (d *Device) channel() string {
	if d.st.Channel != "" {
		return d.st.Channel
	}
	return d.cfg.DefaultChannel
}

func (d *Device) nowMS() int64 { return d.cfg.Now().UnixMilli() }

func diskError(err error) error {
	return ota.Errorf(ota.KindInternal, "device_disk", "the device cannot use its directory").WithCause(err)
}

// newDeviceID draws a version 4 UUID.
func newDeviceID(rand io.Reader) (ota.DeviceID, error) {
	var id ota.DeviceID
	if _, err := io.ReadFull(rand, id[:]); err != nil {
		return id, ota.Errorf(ota.KindInternal, "internal", "no random bytes").WithCause(err)
	}
	id[6], id[8] = id[6]&0x0f|0x40, id[8]&0x3f|0x80
	return id, nil
}

// merged is a plus b.
func merged(a, b map[string]string) map[string]string {
	if len(a) == 0 {
		return b
	}
	m := maps.Clone(a)
	maps.Copy(m, b)
	return m
}
