package publish

import (
	"strings"
	"testing"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// TestNativeGate has a build that needs the camera, and what is registered.
func TestNativeGate(t *testing.T) {
	needs := []ota.NativePackage{{Name: "@capacitor/camera", Version: "7.0.0"}}
	build := func(platform, version string, devices int64, packages ...ota.NativePackage) ota.NativeBuild {
		return ota.NativeBuild{Platform: platform, Version: version, Devices: devices, Packages: packages}
	}
	bad := build("android", "2.3.0", 12)
	for _, c := range []struct {
		name    string
		natives []ota.NativeBuild
		change  func(*fake, *Options)
		refused bool
		warns   bool
	}{
		{"nothing registered", nil, nil, false, false},
		{"has it", []ota.NativeBuild{build("android", "2.3.0", 12, needs...)}, nil, false, false},
		{"lacks it", []ota.NativeBuild{bad}, nil, true, false},
		{"the latest lacks it, no device yet", []ota.NativeBuild{build("ios", "2.3.0", 0)}, nil, true, false},
		{"an old one lacks it, no device left", []ota.NativeBuild{build("android", "2.4.0", 1, needs...), build("android", "2.3.0", 0)}, nil, false, false},
		{"an old one lacks it", []ota.NativeBuild{build("android", "2.4.0", 1, needs...), bad}, nil, true, false},
		{"platform is closed", []ota.NativeBuild{bad}, func(f *fake, _ *Options) { f.channel.Policy.Android = false }, false, false},
		{"channel is off", []ota.NativeBuild{bad}, func(f *fake, _ *Options) { f.channel.Policy.NativePackages = ota.NativeOff }, false, false},
		{"channel warns", []ota.NativeBuild{bad}, func(f *fake, _ *Options) { f.channel.Policy.NativePackages = ota.NativeWarn }, false, true},
		{"accepted", []ota.NativeBuild{bad}, func(_ *fake, o *Options) { o.AllowNativeMismatch = true }, false, true},
		{"no release", []ota.NativeBuild{bad}, func(_ *fake, o *Options) { o.Channel, o.NoRelease = "", true }, false, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFake()
			f.natives = c.natives
			o := Options{App: testApp, Version: "1.0.1", Channel: "production", Dir: webApp(""), NativePackages: needs, TempDir: t.TempDir()}
			if c.change != nil {
				c.change(f, &o)
			}
			res, err := Push(t.Context(), f, o)
			if refused := ota.CodeOf(err) == "native_packages_missing"; refused != c.refused || !c.refused && err != nil {
				t.Fatalf("error %v, refused should be %v", err, c.refused)
			}
			if c.refused {
				if !strings.Contains(err.Error(), "@capacitor/camera 7.0.0 is missing") || f.writes > 0 {
					t.Errorf("%v, after %d writes", err, f.writes)
				}
				return
			}
			if got := len(res.NativeMismatch) > 0; got != c.warns {
				t.Errorf("mismatch %v", res.NativeMismatch)
			}
			if got := len(f.bundles["1.0.1"].NativeMismatch) > 0; got != c.warns {
				t.Error("the server was not told what was accepted")
			}
		})
	}
}
