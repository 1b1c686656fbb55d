package control

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/native"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/semver"
)

// seenLately is how long a device counts after its last check.
const seenLately = 90 * 24 * time.Hour

// NativeCount is how many devices of a platform run a native version, as they
// spell it.
type NativeCount struct {
	Platform, Version string
	Devices           int64
}

// NativeBuilds lists the registered native versions, latest first. With a
// channel it says how many devices on it run each.
func (s *Service) NativeBuilds(ctx context.Context, app, channel string) ([]ota.NativeBuild, error) {
	if _, err := s.store.App(ctx, app); err != nil {
		return nil, err
	}
	list, err := s.store.NativeBuilds(ctx, app)
	if err != nil || channel == "" {
		return list, err
	}
	ch, err := findChannel(ctx, s.store, app, channel)
	if err != nil {
		return nil, err
	}
	if err := s.flush(ctx); err != nil {
		return nil, err
	}
	counts, err := s.store.NativeDevices(ctx, app, channel, ch.Policy.Public, s.now().Add(-seenLately).UnixMilli())
	if err != nil {
		return nil, err
	}
	for _, c := range counts {
		v, ok := semver.Native(c.Version)
		if !ok {
			continue
		}
		at := slices.IndexFunc(list, func(n ota.NativeBuild) bool { return n.Platform == c.Platform && n.Version == v.String() })
		if at >= 0 {
			list[at].Devices += c.Devices
		}
	}
	return list, nil
}

// RegisterNative records what a version of the native app has. Registering the
// same again changes nothing (created is false); other content under a version
// that is registered is a conflict: what devices have does not change.
func (s *Service) RegisterNative(ctx context.Context, actor ota.Actor, app string, in ota.NewNativeBuild) (n ota.NativeBuild, created bool, err error) {
	n = ota.NativeBuild{App: app, Platform: in.Platform, CreatedAt: s.nowMS(), CreatedBy: string(actor), Config: in.Config}
	if n.Config == nil {
		n.Config = map[string]string{}
	}
	if n.Platform != native.IOS && n.Platform != native.Android {
		return n, false, ota.Invalid(CodePlatformInvalid, "there is no platform %q to register", in.Platform).WithField("platform").WithHint("use ios or android")
	}
	if in.Version == "" {
		return n, false, ota.Invalid(CodeNativeInvalid, "a native version is required").WithField("version").WithHint("the version users see in the store, such as 2.3.0")
	}
	if err := checkNative(in.Version); err != nil {
		return n, false, ota.Invalid(CodeNativeInvalid, "%.50q is not a native version such as 2.3.0", in.Version).WithField("version")
	}
	v, _ := semver.Native(in.Version)
	n.Version = v.String()
	if n.Packages, err = checkPackages("packages", in.Packages); err != nil {
		return n, false, err
	}
	if err := checkConfig(n.Config); err != nil {
		return n, false, err
	}
	n.Print = ota.NativePrint(n.Platform, n.Packages, n.Config)
	err = s.update(ctx, actor, app, func(tx Tx) (ota.Change, error) {
		if _, err := tx.App(ctx, app); err != nil {
			return ota.Change{}, err
		}
		all, err := tx.NativeBuilds(ctx, app)
		if err != nil {
			return ota.Change{}, err
		}
		if have := findNative(all, n.Platform, n.Version); have != nil {
			if have.Print != n.Print {
				return ota.Change{}, ota.Conflict(CodeNativeExists, "%s %s is registered already, with other packages or settings", n.Platform, n.Version).
					WithField("version").WithHint("register the version that went to the store; if that was wrong, delete it first")
			}
			n = *have
			return ota.Change{}, nil
		}
		if len(all) >= ota.MaxNativeBuilds {
			return ota.Change{}, ota.Conflict(CodeTooManyNatives, "app %q has %d native versions", app, len(all)).WithHint("delete those that no device runs any more")
		}
		created = true
		c := change("native.create", app, n.Platform+" "+n.Version, fields{"packages": len(n.Packages), "fingerprint": n.Print.String()})
		return changed(c, nil, n), tx.InsertNative(ctx, n)
	})
	return n, created, err
}

// DeleteNative forgets a native version: its devices are no longer held to it.
func (s *Service) DeleteNative(ctx context.Context, actor ota.Actor, app, platform, version string) error {
	return s.update(ctx, actor, app, func(tx Tx) (ota.Change, error) {
		if _, err := tx.App(ctx, app); err != nil {
			return ota.Change{}, err
		}
		all, err := tx.NativeBuilds(ctx, app)
		if err != nil {
			return ota.Change{}, err
		}
		have := findNative(all, platform, version)
		if have == nil {
			return ota.Change{}, ota.NotFound(CodeNativeNotFound, "app %q has no native version %s %s", app, platform, version).WithHint("list those there are")
		}
		c := change("native.delete", app, platform+" "+have.Version, fields{"fingerprint": have.Print.String()})
		return changed(c, have, nil), tx.DeleteNative(ctx, app, platform, have.Version)
	})
}

func findNative(all []ota.NativeBuild, platform, version string) *ota.NativeBuild {
	v, ok := semver.Native(version)
	if !ok {
		return nil
	}
	for i := range all {
		if all[i].Platform == platform && all[i].Version == v.String() {
			return &all[i]
		}
	}
	return nil
}

// checkPackages returns the packages sorted by name, each once.
func checkPackages(field string, in []ota.NativePackage) ([]ota.NativePackage, error) {
	if len(in) > ota.MaxNativePackages {
		return nil, ota.Invalid(CodeTextTooLong, "at most %d native packages are taken", ota.MaxNativePackages).WithField(field)
	}
	out := append([]ota.NativePackage{}, in...)
	slices.SortFunc(out, func(a, b ota.NativePackage) int { return strings.Compare(a.Name, b.Name) })
	for i, p := range out {
		if p.Name == "" || len(p.Name) > 214 || len(p.Version) > 256 || len(p.Platforms) > 8 ||
			slices.ContainsFunc(p.Platforms, func(s string) bool { return s == "" || len(s) > 32 }) {
			return nil, ota.Invalid(CodeNameInvalid, "%.50q at %.50q is not a native package", p.Name, p.Version).WithField(field)
		}
		if i > 0 && p.Name == out[i-1].Name {
			return nil, ota.Invalid(CodeNameInvalid, "the native package %.50q is named twice", p.Name).WithField(field)
		}
	}
	return out, nil
}

func checkConfig(config map[string]string) error {
	if len(config) > ota.MaxNativeConfig {
		return ota.Invalid(CodeTextTooLong, "a native version has at most %d settings", ota.MaxNativeConfig).WithField("config")
	}
	for k, v := range config {
		if k == "" || len(k) > 100 || len(v) > 1000 {
			return ota.Invalid(CodeTextTooLong, "the setting %.50q is too long, or has no name", k).WithField("config")
		}
	}
	return nil
}

// checkMismatch bounds what a publisher says of native versions that lack
// something: it is kept in the record of the change.
func checkMismatch(list []string) error {
	size := 0
	for _, s := range list {
		size += len(s)
	}
	if len(list) > ota.MaxNativeBuilds || size > 64<<10 {
		return ota.Invalid(CodeTextTooLong, "native_mismatch is too long").WithField("native_mismatch")
	}
	return nil
}
