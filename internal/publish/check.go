package publish

import (
	"fmt"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/semver"
)

// largeZip is what a phone may fail to fetch in the 25 s that iOS gives it.
// Source: shared protocol notes, client section 6.2.
const largeZip = 20 << 20

func warning(code, format string, a ...any) Warning {
	return Warning{Code: code, Message: fmt.Sprintf(format, a...)}
}

// checkBuild judges what was scanned: the first thing that would be dead on
// every device is an error, the rest are warnings.
func (p *push) checkBuild() error {
	for _, w := range p.scan.Warnings {
		p.warn(w.Code, "%s", w.Message)
	}
	if !p.scan.NotifyAppReady && !p.o.AllowNoReady {
		return ota.Invalid("notify_app_ready_missing", "no file calls notifyAppReady(), so every device would take this version back after 10 seconds").
			WithHint("call CapacitorUpdater.notifyAppReady() when your app has started, or say that it does with --allow-no-ready")
	}
	p.checkNative()
	if p.target.plain {
		p.checkPlain()
	}
	return nil
}

// checkPlain says what an unencrypted bundle means.
func (p *push) checkPlain() {
	if len(p.target.keys) == 0 {
		p.warn("unsigned", "app %s has no signing key: devices take this bundle on the server's word alone; create one with: waxwing keys create --app %s --out FILE", p.o.App, p.o.App)
	}
}

// checkNative compares the version with that of the native app.
func (p *push) checkNative() {
	v, _ := semver.Parse(p.o.Version)
	native, ok := semver.Native(p.o.NativeVersion)
	if p.o.NativeVersion == "" || !ok {
		return
	}
	ch := p.target.channel
	switch c := semver.Compare(v, native); {
	case p.o.Version == p.o.NativeVersion || c == 0:
		p.warn("version_is_native", "the native app also has version %s: devices on its built-in bundle will not take this one", p.o.NativeVersion)
	case c < 0 && ch != nil && ch.Policy.UnderNative:
		p.warn("version_under_native", "channel %s refuses bundles older than the native app, which has version %s here", ch.Name, p.o.NativeVersion)
	}
}

// checkChannel says when devices would get nothing from the channel.
func (p *push) checkChannel() {
	ch := p.target.channel
	if ch.Policy.Strategy == ota.StrategyVersionNumber && p.o.MinNative == "" {
		p.warn("min_native_missing", "channel %s asks bundles for their minimum native version: set it with: waxwing bundle set %s --app %s --min-native VERSION",
			ch.Name, p.o.Version, p.o.App)
	}
	if r := ch.Rollout; r != nil && r.Version != p.o.Version && p.o.RolloutBPS == nil {
		p.warn("rollout_runs", "channel %s also has a rollout of version %s", ch.Name, r.Version)
	}
}

// checkZip says when the zip is too large for slow phones.
func (p *push) checkZip(size int64) {
	if size > largeZip {
		p.warn("zip_large", "the zip has %s; iOS gives a download 25 s unless responseTimeout is raised, so slow phones will depend on the file list", Bytes(size))
	}
}

// Bytes writes a size for people.
func Bytes(n int64) string {
	switch {
	case n >= 1<<20:
		return fmt.Sprintf("%.1f MB", float64(n)/(1<<20))
	case n >= 1<<10:
		return fmt.Sprintf("%.1f kB", float64(n)/(1<<10))
	}
	return fmt.Sprintf("%d bytes", n)
}
