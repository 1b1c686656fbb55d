package publish

import (
	"context"
	"fmt"
	"strings"

	"github.com/waxwing-ota/waxwing/internal/core/native"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// checkNatives compares what the build was made against with the native
// versions that the channel's devices run, and with the latest one of each
// platform, which new devices get from the store.
func (p *push) checkNatives(ctx context.Context) error {
	ch := p.target.channel
	if ch == nil || len(p.o.NativePackages) == 0 || ch.Policy.NativePackages == ota.NativeOff {
		return nil
	}
	builds, err := p.server.NativeBuilds(ctx, p.o.App, ch.Name)
	if err != nil {
		return err
	}
	var faults []string
	seen := map[string]bool{}
	for _, n := range builds {
		latest := !seen[n.Platform]
		seen[n.Platform] = true
		if !latest && n.Devices == 0 || !serves(&ch.Policy, n.Platform) {
			continue
		}
		name := n.Platform + " " + n.Version
		if lacks := native.Lacks(p.o.NativePackages, n.Platform, n.Packages); len(lacks) > 0 {
			faults = append(faults, fmt.Sprintf("%s (%s): %s", name, devicesText(n.Devices), texts(lacks)))
		}
		if older := native.Older(p.o.NativePackages, n.Platform, n.Packages); len(older) > 0 {
			p.warn("native_packages_older", "%s has older minor versions, check that the build calls nothing newer: %s", name, texts(older))
		}
	}
	switch {
	case len(faults) == 0:
		return nil
	case ch.Policy.NativePackages == ota.NativeWarn || p.o.AllowNativeMismatch:
		for _, f := range faults {
			p.warn("native_packages_missing", "the build needs native packages that devices of channel %s lack: %s", ch.Name, f)
		}
		p.result.NativeMismatch = faults
		return nil
	}
	return ota.Conflict("native_packages_missing", "the build needs native packages that devices of channel %s lack: %s", ch.Name, strings.Join(faults, "; ")).
		WithField("native_packages").
		WithHint("ship a native release that has them and register it (waxwing native register), or build without them; " +
			"--allow-native-mismatch publishes it for the devices that have them, and is recorded")
}

func serves(p *ota.Policy, platform string) bool {
	return platform == native.IOS && p.IOS || platform == native.Android && p.Android
}

func devicesText(n int64) string {
	switch n {
	case 0:
		return "the latest"
	case 1:
		return "1 device"
	}
	return fmt.Sprintf("%d devices", n)
}

func texts(lacks []native.Lack) string {
	parts := make([]string, len(lacks))
	for i, l := range lacks {
		parts[i] = l.String()
	}
	return strings.Join(parts, ", ")
}
