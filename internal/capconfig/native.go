package capconfig

import (
	"bytes"
	"encoding/json"
	"maps"
	"path/filepath"
	"regexp"
	"slices"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// NativeApp is what the native project of a platform is built with.
type NativeApp struct {
	Packages []ota.NativePackage
	Config   map[string]string // settings that web code depends on
	// Source is the file of the native project that lists the plug-ins; "" = it
	// was not found, and Packages are all that are installed for the platform.
	Source string
}

// NativeApp reads what the platform's native project is built with. The list of
// plug-ins is the one that "cap sync" wrote there; their versions are those
// installed under node_modules.
func (p *Project) NativeApp(platform string) (*NativeApp, error) {
	n := &NativeApp{Config: map[string]string{}}
	p.nativeConfig(platform, n.Config)
	names, source, err := p.synced(platform)
	if err != nil {
		return nil, err
	}
	if source == "" {
		for _, pkg := range p.Native {
			if on(pkg, platform) {
				n.Packages = append(n.Packages, pkg)
			}
		}
		return n, nil
	}
	n.Source = source
	names["@capacitor/"+platform] = true
	for _, name := range slices.Sorted(maps.Keys(names)) {
		m, found := p.installed(name)
		if !found {
			return nil, ota.Conflict("plugin_not_installed", "%s is in %s and not installed under node_modules", name, source).
				WithHint("install the dependencies and sync the native project (npx cap sync), then build and register")
		}
		n.Packages = append(n.Packages, ota.NativePackage{Name: name, Version: m.Version, Platforms: m.platforms(name)})
	}
	return n, nil
}

func on(pkg ota.NativePackage, platform string) bool {
	return len(pkg.Platforms) == 0 || slices.Contains(pkg.Platforms, platform)
}

// nativeConfig notes what decides where web code runs: another origin loses
// what the app stored.
func (p *Project) nativeConfig(platform string, out map[string]string) {
	if p.Config == nil {
		return
	}
	put := func(key string, v Value) {
		switch {
		case v.Computed:
			out[key] = "(computed)"
		case v.IsSet():
			out[key] = v.Text
		}
	}
	put("appId", p.Config.AppID)
	put("server.hostname", p.Config.Hostname)
	if platform == "ios" {
		put("server.iosScheme", p.Config.IOSScheme)
	} else {
		put("server.androidScheme", p.Config.AndroidScheme)
	}
}

// inModules finds the packages that a Podfile or Package.swift takes from
// node_modules.
var inModules = regexp.MustCompile(`node_modules/((?:@[A-Za-z0-9._~-]+/)?[A-Za-z0-9._~-]+)['"]`)

// synced returns the packages that the native project is built with, and the
// file that says so; "" if none does.
func (p *Project) synced(platform string) (map[string]bool, string, error) {
	if platform == "android" {
		return p.syncedAndroid()
	}
	for _, name := range []string{"ios/App/CapApp-SPM/Package.swift", "ios/App/Podfile"} {
		src, err := readFile(filepath.Join(p.Dir, filepath.FromSlash(name)))
		if ota.KindOf(err) == ota.KindNotFound {
			continue
		}
		if err != nil {
			return nil, "", err
		}
		names := map[string]bool{}
		for _, m := range inModules.FindAllSubmatch(src, -1) {
			if packageName(string(m[1])) {
				names[string(m[1])] = true
			}
		}
		if len(names) > 0 {
			return names, name, nil
		}
	}
	return nil, "", nil
}

func (p *Project) syncedAndroid() (map[string]bool, string, error) {
	const name = "android/app/src/main/assets/capacitor.plugins.json"
	src, err := readFile(filepath.Join(p.Dir, filepath.FromSlash(name)))
	if ota.KindOf(err) == ota.KindNotFound {
		return nil, "", nil
	}
	if err != nil {
		return nil, "", err
	}
	var list []struct {
		Pkg string `json:"pkg"`
	}
	if err := json.NewDecoder(bytes.NewReader(src)).Decode(&list); err != nil {
		return nil, "", ota.Invalid("capacitor_plugins_invalid", "%s is not valid: %s", name, err).WithHint("make it again with: npx cap sync android")
	}
	names := map[string]bool{}
	for _, e := range list {
		if packageName(e.Pkg) {
			names[e.Pkg] = true
		}
	}
	return names, name, nil
}

// platforms lists what a package has native code for; nil = not known.
func (m manifest) platforms(name string) []string {
	switch name {
	case "@capacitor/android":
		return []string{"android"}
	case "@capacitor/ios":
		return []string{"ios"}
	case ElectronPackage:
		return []string{"electron"}
	}
	var out []string
	for _, platform := range []string{"android", "ios"} {
		_, capacitor := m.Capacitor[platform]
		if capacitor || slices.Contains(m.Cordova.Platforms, platform) {
			out = append(out, platform)
		}
	}
	return out
}
