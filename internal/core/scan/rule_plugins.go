package scan

import (
	"slices"
	"strings"

	"github.com/tdewolff/parse/v2/js"

	"github.com/waxwing-ota/waxwing/internal/core/scan/jsast"
)

// usesPlugin remembers that a script names a Capacitor plug-in.
func (f *file) usesPlugin(name string, at int) { f.usesPluginIf("", name, at) }

// usesPluginIf remembers it under a condition, which stands before the keys.
func (f *file) usesPluginIf(condition, name string, at int) {
	if name == "" || len(name) > 64 || slices.Contains(f.e.set.Lists.Plugins["core"], name) {
		return
	}
	f.remember(condition+keyPlugin+name, hit{rule: "ST-006", at: at, text: name}, "the native build does not have the plug-in %s", name)
	f.usesCapabilityIf(condition, name, at)
}

// usesCapability remembers what a plug-in or a call of the browser gives access
// to.
func (f *file) usesCapability(name string, at int) { f.usesCapabilityIf("", name, at) }

func (f *file) usesCapabilityIf(condition, name string, at int) {
	for capability, names := range f.e.set.Lists.Capabilities {
		if slices.Contains(names, name) {
			f.remember(condition+keyCapability+capability, hit{rule: "ST-007", at: at, text: capability}, "new access to %s, through %s", capability, name)
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

// pluginCall collects the names for both rules, and knows other updaters.
func (s *script) pluginCall(c *jsast.Call) {
	name := s.registered(c.Callee, c.Args)
	if n := string(c.Name); n == "nativePromise" || n == "nativeCallback" {
		name, _ = jsast.Text(c.Arg(0))
	}
	if !isPluginName(name) {
		s.importedCall(c)
		return
	}
	s.f.usesPlugin(name, s.at(c.Offset))
	if s.f.e.isUpdater(name) {
		s.f.report(hit{rule: "ST-005", at: s.at(c.Offset), text: name}, "a plug-in that replaces the app's code: %s", clip(name))
	}
}

// registered returns the name of the plug-in that a call makes, "" if it makes
// none. Minifiers rename registerPlugin: what it was given to is followed, and
// what it is called with gives it away: x("Camera", {web: () => import(…)}).
func (s *script) registered(callee js.IExpr, args []js.Arg) string {
	if len(args) == 0 {
		return ""
	}
	known := string(jsast.Name(callee)) == "registerPlugin"
	if v, ok := callee.(*js.Var); ok && !known {
		known = s.registers[jsast.Root(v)]
	}
	if !known {
		if len(args) != 2 {
			return ""
		}
		if o, ok := args[1].Value.(*js.ObjectExpr); !ok || !isPlatforms(o) {
			return ""
		}
	}
	name, whole := jsast.Text(args[0].Value)
	if !whole {
		return ""
	}
	return name
}

// followPlugin remembers variables that hold registerPlugin or a plug-in.
func (s *script) followPlugin(target any, value js.IExpr) {
	if o, ok := target.(*js.BindingObject); ok {
		for i := range o.List {
			v, ok := o.List[i].Value.Binding.(*js.Var)
			if ok && o.List[i].Key != nil && string(o.List[i].Key.Literal.Data) == "registerPlugin" {
				s.registers[jsast.Root(v)] = true
			}
		}
		return
	}
	v, ok := target.(*js.Var)
	if !ok {
		return
	}
	switch value := value.(type) {
	case *js.DotExpr:
		if string(jsast.Name(value)) == "registerPlugin" {
			s.registers[jsast.Root(v)] = true
		}
	case *js.CallExpr:
		if name := s.registered(value.X, value.Args.List); isPluginName(name) {
			s.plugins[jsast.Root(v)] = name
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
