package scan

import (
	"slices"
	"strings"

	"github.com/tdewolff/parse/v2/js"

	"github.com/waxwing-ota/waxwing/internal/core/scan/jsast"
)

// otherUpdaters leaves the app's own updater alone: its plug-in, and its calls
// that take what the server signed. The plug-in's own code names every method.
func otherUpdaters() detector {
	return detector{
		rule: "ST-005",
		words: map[string]func(*file, string, int){"updaters": func(f *file, word string, at int) {
			f.report(hit{rule: "ST-005", at: at, text: word}, "software of another live-update service: %s", f.e.updaterOf(word))
		}},
		calls: map[string]func(*script, *jsast.Call){
			"download": updaterDownload, "setUpdateUrl": updaterAddress, "setStatsUrl": updaterAddress, "setChannelUrl": updaterAddress,
			"setPublicKey": updaterAddress, "setAppId": updaterAddress, "set": updaterSet,
		},
		members: map[string]func(*script, js.IExpr, int){
			"LiveUpdate": updaterMember, "LiveUpdates": updaterMember, "CodePush": updaterMember, "IonicDeploy": updaterMember, "HotCodePush": updaterMember,
		},
		properties: map[string]func(*script, js.IExpr, int){"CapacitorUpdater": updaterOptions},
	}
}

func (e *engine) updaterOf(word string) string {
	for name, words := range e.set.Lists.Updaters {
		if slices.Contains(words, word) {
			return name
		}
	}
	return word
}

// isUpdater reports whether a plug-in's name is that of a known other updater.
func (e *engine) isUpdater(name string) bool {
	return slices.Contains(e.set.Lists.Plugins["updaters"], name)
}

// ofUpdater reports whether a call is on the updater plug-in: by the name of its
// object, as a member of Capacitor.Plugins, or by what its variable holds.
func (s *script) ofUpdater(callee js.IExpr) bool {
	o := jsast.Object(callee)
	if v, ok := o.(*js.Var); ok && s.plugins[jsast.Root(v)] == "CapacitorUpdater" {
		return true
	}
	return strings.HasSuffix(string(jsast.Name(o)), "Updater")
}

// updaterDownload: a bundle by an address in the script goes around the server.
func updaterDownload(s *script, c *jsast.Call) {
	o, ok := c.Arg(0).(*js.ObjectExpr)
	if !ok || !s.ofUpdater(c.Callee) {
		return
	}
	u := property(o, "url")
	if u == nil {
		return
	}
	text, _ := jsast.Text(u)
	if parseAddress(text) != nil {
		s.f.report(hit{rule: "ST-005", at: s.at(c.Offset), text: "download"}, "the updater downloads a bundle from an address in the script: %s", clip(text))
	}
}

func updaterAddress(s *script, c *jsast.Call) {
	if (s.ofUpdater(c.Callee) || onlyUpdaters(c)) && len(c.Args) > 0 {
		s.f.report(hit{rule: "ST-005", at: s.at(c.Offset), text: string(c.Name)}, "a script changes the updater's address or key: %s", c.Name)
	}
}

// onlyUpdaters knows the methods that nothing else has, for objects that another
// file of the build made and a minifier named.
func onlyUpdaters(c *jsast.Call) bool {
	switch string(c.Name) {
	case "setUpdateUrl", "setStatsUrl", "setChannelUrl":
		_, ok := jsast.Object(c.Callee).(*js.Var)
		return ok
	}
	return false
}

// updaterSet: Capacitor.Plugins.SomeUpdater.set(…) of another updater than ours.
func updaterSet(s *script, c *jsast.Call) {
	o := jsast.Object(c.Callee)
	name := string(jsast.Name(o))
	if string(jsast.Name(jsast.Object(o))) != "Plugins" || !strings.HasSuffix(name, "Updater") && !s.f.e.isUpdater(name) ||
		slices.Contains(s.f.e.set.Lists.Plugins["own"], name) {
		return
	}
	s.f.report(hit{rule: "ST-005", at: s.at(c.Offset), text: "set " + name}, "another updater is told which bundle to run: %s", clip(name))
}

func updaterMember(s *script, e js.IExpr, at int) {
	if string(jsast.Name(jsast.Object(e))) == "Plugins" {
		s.f.report(hit{rule: "ST-005", at: s.at(at), text: string(jsast.Name(e))}, "a plug-in that replaces the app's code: %s", jsast.Name(e))
	}
}

// updaterOptions: an object with the updater's settings in a script.
func updaterOptions(s *script, value js.IExpr, at int) {
	o, ok := value.(*js.ObjectExpr)
	if !ok {
		return
	}
	for _, n := range []string{"updateUrl", "channelUrl", "statsUrl", "publicKey"} {
		if property(o, n) != nil {
			s.f.report(hit{rule: "ST-005", at: s.at(at), text: "option " + n}, "a script carries a setting of the updater: %s", n)
		}
	}
}

func serviceWorkers() detector {
	return detector{
		rule: "WB-011",
		calls: map[string]func(*script, *jsast.Call){"register": func(s *script, c *jsast.Call) {
			if string(jsast.Name(jsast.Object(c.Callee))) == "serviceWorker" {
				text, _ := jsast.Text(c.Arg(0))
				s.f.report(hit{rule: "WB-011", at: s.at(c.Offset), text: "register"}, "a service worker is registered: %s", clip(text))
			}
		}},
	}
}
