package scan

import (
	"slices"
	"strings"

	"github.com/waxwing-ota/waxwing/internal/core/scan/markup"
)

// policy is a content security policy in a page.
type policy struct {
	e    *markup.Element
	at   int
	only bool // it only reports
	dirs map[string][]string
	last bool // it stands behind the first script
}

// policies reads the policies of a page's meta elements.
func (p *page) policies() []policy {
	var list []policy
	script := false
	for i := range p.doc.Elements {
		e := &p.doc.Elements[i]
		if e.Name == "script" && isScriptType(e.Get("type")) {
			script = true
		}
		if e.Name != "meta" {
			continue
		}
		kind := strings.ToLower(strings.TrimSpace(e.Get("http-equiv")))
		if kind != "content-security-policy" && kind != "content-security-policy-report-only" {
			continue
		}
		c := policy{e: e, at: p.at(e), only: strings.HasSuffix(kind, "only"), last: script, dirs: map[string][]string{}}
		for part := range strings.SplitSeq(e.Get("content"), ";") {
			words := strings.Fields(part)
			if len(words) == 0 {
				continue
			}
			name := strings.ToLower(words[0])
			if _, twice := c.dirs[name]; !twice { // browsers ignore the second
				c.dirs[name] = words[1:]
			}
		}
		list = append(list, c)
	}
	return list
}

// sources returns the sources of the first of the directives that is there.
func (c *policy) sources(names ...string) (list []string, name string, ok bool) {
	for _, n := range names {
		if s, ok := c.dirs[n]; ok {
			return s, n, true
		}
	}
	return nil, "", false
}

func has(sources []string, want string) bool {
	return slices.ContainsFunc(sources, func(s string) bool { return strings.EqualFold(s, want) })
}

func policyMissing() detector {
	return detector{rule: "WB-001", page: func(p *page) {
		if p.f.kind != kindHTML || p.nested > 0 {
			return
		}
		first := -1
		for i := range p.doc.Elements {
			if e := &p.doc.Elements[i]; e.Name == "script" && isScriptType(e.Get("type")) {
				first = p.at(e)
				break
			}
		}
		if first < 0 {
			return
		}
		for _, c := range p.policies() {
			if c.only {
				continue
			}
			if c.last {
				p.f.report(hit{rule: "WB-001", at: c.at, text: "late"}, "the content security policy stands behind the first script, which it does not cover")
			}
			return
		}
		p.f.report(hit{rule: "WB-001", at: first, text: "missing"}, "the page has scripts and no content security policy")
	}}
}

func policyScripts() detector {
	return detector{rule: "WB-002", page: func(p *page) {
		for _, c := range p.policies() {
			if c.only {
				continue
			}
			p.checkScripts(&c)
		}
	}}
}

func (p *page) checkScripts(c *policy) {
	say := func(severity Severity, what, format string, a ...any) {
		p.f.report(hit{rule: "WB-002", at: c.at, severity: severity, text: what}, format, a...)
	}
	sources, name, ok := c.sources("script-src-elem", "script-src", "default-src")
	if !ok {
		say(Warn, "none", "the policy has neither script-src nor default-src: it allows every script")
		return
	}
	safe := slices.ContainsFunc(sources, func(s string) bool {
		return strings.HasPrefix(s, "'nonce-") || strings.HasPrefix(s, "'sha256-") || strings.HasPrefix(s, "'sha384-") || strings.HasPrefix(s, "'sha512-")
	})
	for _, s := range sources {
		switch low := strings.ToLower(s); {
		case low == "*", low == "http:", low == "https:", low == "http://*", low == "https://*":
			if low == "https:" || low == "https://*" {
				say(Warn, low, "%s allows scripts from every host over HTTPS", name)
			} else {
				say(Block, low, "%s allows %s", name, low)
			}
		case strings.HasPrefix(low, "http://"):
			if a := parseAddress(low); a == nil || !a.loopback() {
				say(Block, low, "%s allows scripts without encryption: %s", name, clip(s))
			}
		case low == "data:", low == "blob:", low == "filesystem:":
			say(Warn, low, "%s allows %s", name, low)
		case low == "'unsafe-inline'" && !safe:
			say(Warn, low, "%s allows inline scripts without a nonce or hash", name)
		}
	}
	if eval, _, ok := c.sources("script-src", "default-src"); ok && has(eval, "'unsafe-eval'") {
		say(Warn, "'unsafe-eval'", "the policy allows eval")
	}
}

func policyGaps() detector {
	return detector{rule: "WB-003", page: func(p *page) {
		for _, c := range p.policies() {
			if !c.only {
				p.checkGaps(&c)
			}
		}
	}}
}

func (p *page) checkGaps(c *policy) {
	say := func(what, format string, a ...any) {
		p.f.report(hit{rule: "WB-003", at: c.at, text: what}, format, a...)
	}
	if s, _, ok := c.sources("object-src", "default-src"); !ok || !has(s, "'none'") {
		say("object-src", "object-src is not 'none'")
	}
	if s, _, ok := c.sources("base-uri"); !ok || !has(s, "'none'") && !has(s, "'self'") {
		say("base-uri", "base-uri is not 'none' or 'self': a base element could make relative addresses remote")
	}
	if _, _, ok := c.sources("form-action"); !ok {
		say("form-action", "form-action is not set; default-src does not stand in for it")
	}
	for _, names := range [][]string{{"connect-src", "default-src"}, {"frame-src", "child-src", "default-src"}} {
		s, name, ok := c.sources(names...)
		if !ok {
			say(names[0], "%s is not limited", names[0])
			continue
		}
		for _, open := range []string{"*", "http:", "https:", "ws:", "wss:", "https://*", "wss://*"} {
			if has(s, open) {
				say(names[0], "%s allows every host (%s)", name, open)
				break
			}
		}
	}
}

func policyDead() detector {
	return detector{rule: "WB-004", page: func(p *page) {
		for _, c := range p.policies() {
			if c.only {
				p.f.report(hit{rule: "WB-004", at: c.at, text: "report-only"}, "browsers ignore a policy that only reports in a meta element")
			}
			for _, d := range []string{"frame-ancestors", "report-uri", "report-to", "sandbox"} {
				if _, ok := c.dirs[d]; ok {
					p.f.report(hit{rule: "WB-004", at: c.at, text: d}, "browsers ignore %s in a meta element", d)
				}
			}
		}
	}}
}
