package snap_test

import (
	"strings"
	"testing"

	"github.com/waxwing-ota/waxwing/internal/core/decide"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/semver"
	"github.com/waxwing-ota/waxwing/internal/plane/snap"
)

func TestBuildNatives(t *testing.T) {
	camera := ota.NativePackage{Name: "@capacitor/camera", Version: "7.0.0"}
	bundle := func(id int64, needs ...ota.NativePackage) ota.Bundle {
		return ota.Bundle{ID: id, Version: "1.0.0", NativePackages: needs}
	}
	l := snap.Loaded{
		Bundles: map[int64]ota.Bundle{1: bundle(1), 2: bundle(2, camera), 3: bundle(3, camera)},
		Natives: []ota.NativeBuild{
			{Platform: "ios", Version: "2.0.0", Packages: []ota.NativePackage{camera}},
			{Platform: "android", Version: "2.0.0"},
			{Platform: "android", Version: "1.9.0"},
		},
	}
	at := func(app *decide.App, platform string, minor uint64) *decide.Native {
		return app.Natives[decide.NativeVersion{Platform: platform, Version: semver.Version{Major: 2 - min(minor, 1), Minor: minor}}]
	}
	app := snap.Build(l, nil)
	if n := at(app, "ios", 0); n == nil || len(n.Lacks) != 0 {
		t.Errorf("iOS has it all: %+v", n)
	}
	n := at(app, "android", 0)
	if n == nil || len(n.Lacks) != 2 || !strings.Contains(n.Lacks[2], "@capacitor/camera 7.0.0 is missing") || n.Lacks[3] == "" {
		t.Fatalf("Android lacks it for two bundles: %+v", n)
	}
	if at(app, "android", 9) != n {
		t.Error("versions that have the same do not share the result")
	}
	l.Natives = nil
	if snap.Build(l, app).Natives != nil {
		t.Error("what is no longer registered is still known")
	}
}
