package scan

import (
	"bytes"
	"encoding/json"
	"path"
	"slices"
	"strings"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// ReadNative reads what a native build declares: capacitor.config.json,
// capacitor.plugins.json or package.json, by its name. The error is
// native_config_invalid.
func ReadNative(name string, text []byte) (*Native, error) {
	n := &Native{Path: name}
	fail := func(format string, a ...any) (*Native, error) {
		return nil, ota.Invalid("native_config_invalid", format, a...).WithField("native").
			WithHint("name capacitor.config.json or capacitor.plugins.json of the native project, or package.json")
	}
	text = bytes.TrimPrefix(text, []byte("\xef\xbb\xbf"))
	switch base := path.Base(name); {
	case strings.HasSuffix(base, ".ts"), strings.HasSuffix(base, ".js"):
		return fail("%s is a script; the native project holds the same as capacitor.config.json", clean(base))
	case base == "package.json":
		var p struct {
			Dependencies map[string]string `json:"dependencies"`
		}
		if err := json.Unmarshal(text, &p); err != nil {
			return fail("%s is not valid JSON: %s", clean(base), err)
		}
		n.Guessed, n.Plugins = true, pluginsOfPackages(p.Dependencies)
	case bytes.HasPrefix(bytes.TrimSpace(text), []byte("[")):
		var list []struct {
			Pkg       string `json:"pkg"`
			Classpath string `json:"classpath"`
		}
		if err := json.Unmarshal(text, &list); err != nil {
			return fail("%s is not valid JSON: %s", clean(base), err)
		}
		n.Plugins = []string{}
		for _, p := range list {
			n.Plugins = append(n.Plugins, pluginOfClass(p.Classpath))
		}
	default:
		var c struct {
			PackageClassList []string `json:"packageClassList"`
		}
		if err := json.Unmarshal(text, &c); err != nil {
			return fail("%s is not valid JSON: %s", clean(base), err)
		}
		n.Config = text
		for _, p := range c.PackageClassList {
			n.Plugins = append(n.Plugins, pluginOfClass(p))
		}
	}
	return n, nil
}

// Merge adds what another file declares. Exact names win over guessed ones.
func (n *Native) Merge(o *Native) {
	if len(n.Config) == 0 {
		n.Config, n.Path = o.Config, o.Path
	}
	switch {
	case o.Plugins == nil:
	case n.Plugins == nil, n.Guessed && !o.Guessed:
		n.Plugins, n.Guessed = o.Plugins, o.Guessed
	case n.Guessed == o.Guessed:
		n.Plugins = append(n.Plugins, o.Plugins...)
	}
}

// pluginOfClass returns the name of a plug-in by its native class:
// com.capacitorjs.plugins.camera.CameraPlugin and CAPCameraPlugin are Camera.
func pluginOfClass(class string) string {
	name := class[strings.LastIndexByte(class, '.')+1:]
	name = strings.TrimSuffix(name, "Plugin")
	if rest, ok := strings.CutPrefix(name, "CAP"); ok && rest != "" && rest[0] >= 'A' && rest[0] <= 'Z' {
		name = rest
	}
	return name
}

// pluginsOfPackages picks the plug-ins among an app's packages.
func pluginsOfPackages(deps map[string]string) []string {
	list := []string{}
	for name := range deps {
		if strings.Contains(name, "capacitor") || strings.HasPrefix(name, "@capgo/") || strings.HasPrefix(name, "@capawesome") || strings.Contains(name, "cordova") {
			list = append(list, path.Base(name))
		}
	}
	slices.Sort(list)
	return list
}

// has reports whether the native build has a plug-in.
func (n *Native) has(plugin string) bool {
	return slices.ContainsFunc(n.Plugins, func(have string) bool {
		return have == plugin || n.Guessed && loose(have) == loose(plugin)
	})
}

// loose reduces a name to what a package and its plug-in have in common:
// capacitor-sqlite and CapacitorSQLite are sqlite.
func loose(name string) string {
	name = strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, strings.ToLower(name))
	return strings.TrimPrefix(strings.TrimSuffix(name, "plugin"), "capacitor")
}
