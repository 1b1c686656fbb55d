package scan

import (
	"slices"
	"strings"

	"github.com/tdewolff/parse/v2/js"

	"github.com/waxwing-ota/waxwing/internal/core/scan/jsast"
)

// usesPlugin remembers that a script names a Capacitor plug-in.
func (f *file) usesPlugin(name string, at int) {
	if name == "" || len(name) > 64 || slices.Contains(f.e.set.Lists.Plugins["core"], name) {
		return
	}
	f.remember(keyPlugin+name, hit{rule: "ST-006", at: at, text: name}, "the native build does not have the plug-in %s", name)
	f.usesCapability(name, at)
}

// usesCapability remembers what a plug-in or a call of the browser gives access
// to.
func (f *file) usesCapability(name string, at int) {
	for capability, names := range f.e.set.Lists.Capabilities {
		if slices.Contains(names, name) {
			f.remember(keyCapability+capability, hit{rule: "ST-007", at: at, text: capability}, "new access to %s, through %s", capability, name)
		}
	}
}

func missingPlugins() detector {
	return detector{
		rule: "ST-006",
		bundle: func(b *bundle) {
			native := b.e.opts.Native
			if native == nil || native.Plugins == nil {
				return
			}
			for _, name := range b.keys(keyPlugin) {
				fd := b.seen[keyPlugin+name]
				if native.has(name) || fd.Rule == "" {
					continue
				}
				if native.Guessed {
					fd.Severity = Warn
				}
				b.report.Findings = append(b.report.Findings, fd)
			}
		},
	}
}

// pluginCall collects the names for both rules; it is no rule itself.
func (s *script) pluginCall(c *jsast.Call) {
	switch string(c.Name) {
	case "registerPlugin", "nativePromise", "nativeCallback", "isPluginAvailable":
		if name, ok := jsast.Text(c.Arg(0)); ok && isPluginName(name) && string(c.Name) != "isPluginAvailable" {
			s.f.usesPlugin(name, s.at(c.Offset))
		}
	default:
		// Minifiers rename registerPlugin but not what it is called with:
		// x("Camera", {web: () => import(…)}).
		if len(c.Args) != 2 {
			return
		}
		o, ok := c.Arg(1).(*js.ObjectExpr)
		if !ok || !isPlatforms(o) {
			return
		}
		if name, ok := jsast.Text(c.Arg(0)); ok && isPluginName(name) {
			s.f.usesPlugin(name, s.at(c.Offset))
		}
	}
}

// isPlatforms reports whether an object holds nothing but implementations by
// platform, as functions.
func isPlatforms(o *js.ObjectExpr) bool {
	for i := range o.List {
		if o.List[i].Name == nil {
			return false
		}
		switch strings.Trim(string(o.List[i].Name.Literal.Data), `"'`) {
		case "web", "android", "ios", "electron":
		default:
			return false
		}
		switch o.List[i].Value.(type) {
		case *js.ArrowFunc, *js.FuncDecl, *js.MethodDecl, *js.NewExpr, *js.Var:
		default:
			return false
		}
	}
	return len(o.List) > 0
}

func isPluginName(s string) bool {
	if s == "" || len(s) > 64 || s[0] < 'A' || s[0] > 'Z' {
		return false
	}
	return strings.IndexFunc(s, func(r rune) bool { return r > 'z' || !isWordByte(byte(r)) }) < 0
}

func isWordByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_'
}

// pluginMember: Capacitor.Plugins.Camera.
func (s *script) pluginMember(e js.IExpr, at int) {
	o := jsast.Object(e)
	if string(jsast.Name(o)) != "Plugins" {
		return
	}
	if name := string(jsast.Name(e)); isPluginName(name) {
		s.f.usesPlugin(name, s.at(at))
	}
}

func newCapabilities() detector {
	d := detector{
		rule: "ST-007",
		bundle: func(b *bundle) {
			base := b.e.opts.Baseline
			if base == nil {
				return
			}
			for _, name := range b.keys(keyCapability) {
				if fd := b.seen[keyCapability+name]; !slices.Contains(base.Facts.Capabilities, name) && fd.Rule != "" {
					b.report.Findings = append(b.report.Findings, fd)
				}
			}
		},
		members: map[string]func(*script, js.IExpr, int){},
		calls:   map[string]func(*script, *jsast.Call){},
	}
	for _, n := range []string{"geolocation", "contacts", "bluetooth", "usb", "serial", "hid"} {
		d.members[n] = func(s *script, e js.IExpr, at int) {
			if string(jsast.Name(jsast.Object(e))) == "navigator" {
				s.f.usesCapability("navigator."+n, s.at(at))
			}
		}
	}
	for _, n := range []string{"getUserMedia", "getDisplayMedia", "NDEFReader", "MediaRecorder"} {
		d.calls[n] = func(s *script, c *jsast.Call) { s.f.usesCapability(n, s.at(c.Offset)) }
	}
	return d
}
