package scan

import (
	"path"
	"strconv"
	"strings"

	"github.com/tdewolff/parse/v2/js"

	"github.com/waxwing-ota/waxwing/internal/core/scan/jsast"
	"github.com/waxwing-ota/waxwing/internal/core/scan/markup"
)

func catalogue() detector {
	return detector{
		rule: "ST-009",
		name: func(f *file) {
			switch path.Base(f.path) {
			case "manifest.webmanifest", "capacitor.config.json", "miniapp.json", "bundle.manifest.json":
				f.remember(keyManifest+f.path, hit{rule: "ST-009", at: -1, text: "manifest"}, "one of several app manifests in the bundle")
			}
		},
		calls: map[string]func(*script, *jsast.Call){
			"installMiniApp": installCall, "loadMiniApp": installCall, "openMiniApp": installCall, "installBundle": installCall, "installApp": installCall,
		},
		properties: map[string]func(*script, js.IExpr, int){"bundleUrl": bundleAddress, "bundleURL": bundleAddress, "miniAppUrl": bundleAddress, "packageUrl": bundleAddress},
		script: func(s *script) {
			if n := s.marks[markBundles]; n >= 3 {
				s.f.report(hit{rule: "ST-009", at: s.first[markBundles], text: "list"}, "a list of %d addresses of bundles", n)
			}
		},
		bundle: func(b *bundle) {
			kinds := map[string]int{}
			for _, p := range b.keys(keyManifest) {
				kinds[path.Base(p)]++
			}
			for _, p := range b.keys(keyManifest) {
				if fd := b.seen[keyManifest+p]; kinds[path.Base(p)] > 1 && strings.Contains(p, "/") && fd.Rule != "" && !b.e.opts.Allowed.Catalog {
					b.report.Findings = append(b.report.Findings, fd)
				}
			}
		},
	}
}

// What scripts count until their end.
const (
	markBundles  = "bundles"
	markHexNames = "hex names"
	markDecode   = "decode"
)

func installCall(s *script, c *jsast.Call) {
	if len(c.Args) > 0 && !s.f.e.opts.Allowed.Catalog {
		s.f.report(hit{rule: "ST-009", at: s.at(c.Offset), text: string(c.Name)}, "another app or bundle is installed or opened: %s", c.Name)
	}
}

func bundleAddress(s *script, value js.IExpr, at int) {
	if text, _ := jsast.Text(value); parseAddress(text) != nil && !s.f.e.opts.Allowed.Catalog {
		s.mark(markBundles, at)
	}
}

func payments() detector {
	off := func(f *file) bool { return f.e.opts.Allowed.Payments }
	return detector{
		rule: "ST-010",
		address: func(f *file, a *address) {
			if a.use != useLink && !off(f) && f.e.listed("payments", a.host) {
				f.report(hit{rule: "ST-010", at: a.at, text: a.host}, "a payment service: %s", a.host)
			}
		},
		words: map[string]func(*file, string, int){"payments": func(f *file, w string, at int) {
			if !off(f) {
				f.report(hit{rule: "ST-010", at: at, text: w}, "software of a payment service: %s", w)
			}
		}},
		calls: map[string]func(*script, *jsast.Call){"PaymentRequest": func(s *script, c *jsast.Call) {
			if c.New && isGlobal(c.Callee, "PaymentRequest") && !off(s.f) {
				s.f.report(hit{rule: "ST-010", at: s.at(c.Offset), text: "PaymentRequest"}, "a payment request of the browser")
			}
		}},
		element: func(p *page, e *markup.Element) {
			if e.Name == "input" && strings.HasPrefix(strings.ToLower(e.Get("autocomplete")), "cc-") && !off(p.f) {
				p.f.report(hit{rule: "ST-010", at: p.at(e), text: "card"}, "a form field for a payment card")
			}
		},
	}
}

func gambling() detector {
	return detector{
		rule: "ST-011",
		address: func(f *file, a *address) {
			if a.use != useLink && f.e.listed("gambling", a.host) {
				f.report(hit{rule: "ST-011", at: a.at, severity: Warn, text: a.host}, "a gambling service: %s", a.host)
			}
		},
		words: map[string]func(*file, string, int){
			"wallets": func(f *file, w string, at int) {
				f.report(hit{rule: "ST-011", at: at, severity: Warn, text: w}, "software of a crypto wallet: %s", w)
			},
			"gambling": func(f *file, w string, at int) {
				if alone(f.data, at, len(w)) {
					f.report(hit{rule: "ST-011", at: at, text: w}, "a word of gambling: %s", w)
				}
			},
		},
	}
}

// alone reports whether the word of n bytes at an offset is not part of a
// longer one.
func alone(b []byte, at, n int) bool {
	return (at == 0 || !isWordByte(b[at-1])) && (at+n >= len(b) || !isWordByte(b[at+n]))
}

func hiddenBehaviour() detector {
	return detector{
		rule:    "ST-012",
		compare: timeBomb,
		words: map[string]func(*file, string, int){"reviewers": func(f *file, w string, at int) {
			if alone(f.data, at, len(w)) {
				f.report(hit{rule: "ST-012", at: at, text: w}, "a sign that reviewers are recognised: %s", w)
			}
		}},
	}
}

// minMillis is the year 2024: a fixed time before that is history, not a plan.
const minMillis = 1_704_067_200_000

func timeBomb(s *script, e *js.BinaryExpr, at int) {
	x, y := e.X, e.Y
	if isNow(y) {
		x, y = y, x
	}
	if isNow(x) {
		if _, ok := fixedTime(s, y); ok {
			s.f.report(hit{rule: "ST-012", at: s.at(at), text: "time"}, "the time is compared with a fixed date: behaviour that begins or ends by itself")
		}
		return
	}
	text, whole := jsast.Text(y)
	if l, ok := y.(*js.LiteralExpr); !ok || l.TokenType != js.StringToken || !whole {
		return
	}
	name := strings.ToLower(string(jsast.Name(x)))
	switch {
	case strings.EqualFold(text, "cupertino"), strings.HasPrefix(text, "17.") && isIPv4(text):
		s.f.report(hit{rule: "ST-012", at: s.at(at), text: "place"}, "a comparison with the place of a reviewer: %s", clip(text))
	case (name == "countrycode" || name == "country_code" || name == "geocountry") && len(text) == 2:
		s.f.report(hit{rule: "ST-012", at: s.at(at), severity: Info, text: "country"}, "behaviour by country: %s", clip(text))
	}
}

// isNow reports whether e is the present time: Date.now(), new Date(), or a
// method of that.
func isNow(e js.IExpr) bool {
	for range 6 {
		switch x := e.(type) {
		case *js.GroupExpr:
			e = x.X
		case *js.UnaryExpr:
			e = x.X
		case *js.NewExpr:
			return jsast.IsFree(x.X, "Date") && (x.Args == nil || len(x.Args.List) == 0)
		case *js.CallExpr:
			o := jsast.Object(x.X)
			switch string(jsast.Name(x.X)) {
			case "now":
				return jsast.IsFree(o, "Date")
			case "getTime", "valueOf":
				e = o
			default:
				return false
			}
		default:
			return false
		}
	}
	return false
}

// fixedTime reports whether e is a date that is written down: a number of
// milliseconds, new Date("2027-01-01"), Date.UTC(2027, …).
func fixedTime(s *script, e js.IExpr) (millis float64, ok bool) {
	switch x := e.(type) {
	case *js.GroupExpr:
		return fixedTime(s, x.X)
	case *js.UnaryExpr:
		return fixedTime(s, x.X)
	case *js.LiteralExpr:
		v, err := strconv.ParseFloat(strings.ReplaceAll(string(x.Data), "_", ""), 64)
		return v, err == nil && v >= minMillis && v < 4*minMillis
	case *js.NewExpr:
		return 0, jsast.IsFree(x.X, "Date") && x.Args != nil && datesOf(x.Args.List)
	case *js.CallExpr:
		switch string(jsast.Name(x.X)) {
		case "UTC", "parse":
			return 0, jsast.IsFree(jsast.Object(x.X), "Date") && datesOf(x.Args.List)
		case "getTime", "valueOf":
			return fixedTime(s, jsast.Object(x.X))
		}
	}
	return 0, false
}

// datesOf reports whether arguments are a date from 2024 on.
func datesOf(args []js.Arg) bool {
	if len(args) == 0 {
		return false
	}
	text, whole := jsast.Text(args[0].Value)
	if !whole || len(text) < 4 {
		return false
	}
	if v, err := strconv.ParseFloat(text, 64); err == nil && v > 1e11 {
		return v >= minMillis
	}
	for _, y := range strings.FieldsFunc(text, func(r rune) bool { return r < '0' || r > '9' }) {
		if n, err := strconv.Atoi(y); err == nil && len(y) == 4 && n >= 2024 && n < 2100 {
			return true
		}
	}
	return false
}

func aiServices() detector {
	return detector{rule: "ST-022", address: func(f *file, a *address) {
		if a.use == useLink || f.e.opts.Allowed.AI || !f.e.listed("ai", a.host) {
			return
		}
		severity := Info
		for _, h := range f.hidden {
			if h.Rule.ID == "openai-key" || h.Rule.ID == "anthropic-key" || h.Rule.ID == "huggingface-token" {
				severity = Warn
			}
		}
		f.report(hit{rule: "ST-022", at: a.at, severity: severity, text: a.host}, "a language-model service: %s", a.host)
	}}
}
