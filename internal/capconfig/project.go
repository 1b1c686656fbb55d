package capconfig

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// UpdaterPackage is the update plug-in's npm name.
const UpdaterPackage = "@capgo/capacitor-updater"

// ElectronPackage is the npm name of its Electron counterpart.
const ElectronPackage = "@capgo/electron-updater"

// Project is an app's folder.
type Project struct {
	Dir            string
	Config         *Config // nil = no configuration found
	PackageVersion string  // of package.json; "" = none
	// Native lists the plug-ins with native code that are installed, by name.
	Native []ota.NativePackage
	// Missing lists dependencies that are declared but not installed: their
	// native code, if any, is unknown.
	Missing []string
}

// ReadProject reads the app at dir. A missing configuration or package.json is
// no error: the fields stay empty. One that does not parse is.
func ReadProject(dir string) (*Project, error) {
	p := &Project{Dir: dir}
	path, err := Find(dir)
	if err == nil {
		if p.Config, err = ReadConfig(path); err != nil {
			return nil, err
		}
	}
	return p, p.readPackages()
}

// Installed returns the installed version of a native plug-in, "" if none.
func (p *Project) Installed(name string) string {
	for _, n := range p.Native {
		if n.Name == name {
			return n.Version
		}
	}
	return ""
}

// NativeVersion guesses the version of the native app: the plug-in's version
// setting, else that of package.json; "" if neither says.
func (p *Project) NativeVersion() string {
	if p.Config != nil && p.Config.Updater.Version.IsSet() {
		return p.Config.Updater.Version.Text
	}
	return p.PackageVersion
}

// manifest is the part of a package.json that matters here.
type manifest struct {
	Version              string                     `json:"version"`
	Dependencies         map[string]string          `json:"dependencies"`
	DevDependencies      map[string]string          `json:"devDependencies"`
	OptionalDependencies map[string]string          `json:"optionalDependencies"`
	Capacitor            map[string]json.RawMessage `json:"capacitor"`
	Cordova              struct {
		Platforms []string `json:"platforms"`
	} `json:"cordova"`
}

func (p *Project) readPackages() error {
	path := filepath.Join(p.Dir, "package.json")
	src, err := readFile(path)
	if ota.KindOf(err) == ota.KindNotFound {
		return nil
	}
	if err != nil {
		return err
	}
	var m manifest
	if err := json.Unmarshal(src, &m); err != nil {
		return ota.Invalid("package_json_invalid", "%s is not valid: %s", path, err).WithHint("npm cannot read it either: repair it first")
	}
	p.PackageVersion = m.Version
	deps := maps.Clone(m.DevDependencies)
	if deps == nil {
		deps = map[string]string{}
	}
	maps.Copy(deps, m.OptionalDependencies)
	maps.Copy(deps, m.Dependencies)
	for _, name := range slices.Sorted(maps.Keys(deps)) {
		if !packageName(name) {
			continue
		}
		dep, found := p.installed(name)
		switch {
		case found && dep.native(name):
			p.Native = append(p.Native, ota.NativePackage{Name: name, Version: dep.Version, Platforms: dep.platforms(name)})
		case !found && m.Dependencies[name] != "":
			p.Missing = append(p.Missing, name)
		}
	}
	return nil
}

// packageName accepts npm names and refuses what would leave node_modules.
func packageName(name string) bool {
	scope, rest, scoped := strings.Cut(name, "/")
	if !scoped {
		scope, rest = "@-", name
	}
	ok := func(s string) bool { return s != "" && s[0] != '.' && !strings.ContainsAny(s, `/\`) }
	return strings.HasPrefix(scope, "@") && ok(scope[1:]) && ok(rest)
}

// maxUp is how many folders above the app node_modules is looked for, since
// package managers of workspaces keep it in the root.
const maxUp = 6

// installed reads the manifest of a dependency that is installed.
func (p *Project) installed(name string) (manifest, bool) {
	dir, err := filepath.Abs(p.Dir)
	if err != nil {
		return manifest{}, false
	}
	for range maxUp {
		path := filepath.Join(dir, "node_modules", filepath.FromSlash(name), "package.json")
		if src, err := readFile(path); err == nil {
			var m manifest
			return m, json.Unmarshal(src, &m) == nil
		}
		up := filepath.Dir(dir)
		if up == dir || isRoot(dir) {
			break
		}
		dir = up
	}
	return manifest{}, false
}

// isRoot reports whether a repository ends here: what lies above is not ours.
func isRoot(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, ".git"))
	return err == nil
}

// native reports whether a package brings native code: Capacitor plug-ins say
// so by their "capacitor" entry, Cordova's by "cordova", and the platforms
// themselves by name.
func (m manifest) native(name string) bool {
	switch name {
	case "@capacitor/android", "@capacitor/ios", ElectronPackage:
		return true
	}
	for platform := range m.Capacitor {
		if platform == "ios" || platform == "android" {
			return true
		}
	}
	return len(m.Cordova.Platforms) > 0
}
