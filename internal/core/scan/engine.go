package scan

import (
	"regexp"
	"slices"

	"github.com/tdewolff/parse/v2/js"

	"github.com/waxwing-ota/waxwing/internal/core/scan/jsast"
	"github.com/waxwing-ota/waxwing/internal/core/scan/markup"
	"github.com/waxwing-ota/waxwing/internal/core/scan/match"
	"github.com/waxwing-ota/waxwing/internal/core/scan/rules"
	"github.com/waxwing-ota/waxwing/internal/core/scan/secrets"
)

// detector is the code of one rule: what it wants to be told. Nil fields are
// left out.
type detector struct {
	rule string
	// name is asked about every path, before anything is read.
	name func(f *file)
	// file is asked about every file that was read.
	file func(f *file)
	// page is asked about every HTML document, element about its elements.
	page    func(p *page)
	element func(p *page, e *markup.Element)
	// calls, assigns, properties and members are asked by the last name.
	calls      map[string]func(s *script, c *jsast.Call)
	assigns    map[string]func(s *script, a *assignment)
	properties map[string]func(s *script, value js.IExpr, at int)
	members    map[string]func(s *script, e js.IExpr, at int)
	compare    func(s *script, e *js.BinaryExpr, at int)
	debugger   func(s *script, at int)
	script     func(s *script) // at its end
	// address is asked about every address in scripts, pages and style sheets.
	address func(f *file, u *address)
	// words are groups of lists.toml, found in texts.
	words map[string]func(f *file, word string, at int)
	// bundle is asked at the end.
	bundle func(b *bundle)
}

// assignment is target = value.
type assignment struct {
	target, value js.IExpr
	at            int
}

type (
	onCall     func(*script, *jsast.Call)
	onAssign   func(*script, *assignment)
	onProperty func(*script, js.IExpr, int)
	onMember   func(*script, js.IExpr, int)
	onWord     func(f *file, word string, at int)
)

// engine is the detectors that are asked, by what they are asked about. It does
// not change once it is built.
type engine struct {
	set      *rules.Set
	on       map[string]*rules.Rule
	opts     Options
	limits   Limits
	secrets  *secrets.Engine
	memoBase string
	hosts    map[string]map[string]bool // lists of hosts as sets
	libs     []library
	loaders  []library // told by the beginning of a script
	// patterns are for scripts that do not parse.
	patterns []pattern

	dets       []detector
	calls      map[string][]onCall
	assigns    map[string][]onAssign
	properties map[string][]onProperty
	members    map[string][]onMember
	addresses  []func(*file, *address)
	elements   []func(*page, *markup.Element)

	words  *match.Matcher
	lexeme []lexeme // by the matcher's ids
}

// lexeme is a word of the lists and who asked for it.
type lexeme struct {
	word string
	tell []onWord
}

// library is a library's banner.
type library struct {
	name string
	re   *regexp.Regexp
}

func newEngine(opts Options) (*engine, error) {
	set, err := rules.Load()
	if err != nil {
		return nil, err
	}
	e := &engine{
		set: set, on: map[string]*rules.Rule{}, opts: opts, limits: opts.Limits.withDefaults(), hosts: map[string]map[string]bool{},
		patterns: patterns(), calls: map[string][]onCall{}, assigns: map[string][]onAssign{}, properties: map[string][]onProperty{}, members: map[string][]onMember{},
	}
	for i := range set.Rules {
		if r := &set.Rules[i]; !slices.Contains(opts.Off, r.ID) {
			e.on[r.ID] = r
		}
	}
	if opts.Memo != nil {
		e.memoBase = memoBase(&opts)
	}
	if e.secrets, err = secrets.New(set.Secrets); err != nil {
		return nil, err
	}
	for name, list := range set.Lists.Hosts {
		e.hosts[name] = map[string]bool{}
		for _, h := range list {
			e.hosts[name][h] = true
		}
	}
	if err := e.compileLibraries(); err != nil {
		return nil, err
	}
	words := map[string][]onWord{}
	for _, d := range detectors() {
		if _, on := e.on[d.rule]; on {
			e.register(&d, words)
		}
	}
	e.compileWords(words)
	return e, nil
}

// register files a detector under what it is asked about.
func (e *engine) register(d *detector, words map[string][]onWord) {
	e.dets = append(e.dets, *d)
	for n, fn := range d.calls {
		e.calls[n] = append(e.calls[n], fn)
	}
	for n, fn := range d.assigns {
		e.assigns[n] = append(e.assigns[n], fn)
	}
	for n, fn := range d.properties {
		e.properties[n] = append(e.properties[n], fn)
	}
	for n, fn := range d.members {
		e.members[n] = append(e.members[n], fn)
	}
	if d.address != nil {
		e.addresses = append(e.addresses, d.address)
	}
	if d.element != nil {
		e.elements = append(e.elements, d.element)
	}
	for group, fn := range d.words {
		words[group] = append(words[group], fn)
	}
}

// compileWords builds the one matcher of all lists of words.
func (e *engine) compileWords(tell map[string][]onWord) {
	var list []match.Word
	add := func(group, word string) {
		if fns := tell[group]; len(fns) > 0 {
			list = append(list, match.Word{Text: word, Exact: exactGroup(group)})
			e.lexeme = append(e.lexeme, lexeme{word, fns})
		}
	}
	for group, words := range e.set.Lists.Words {
		for _, w := range words {
			add(group, w)
		}
	}
	for _, words := range e.set.Lists.Updaters {
		for _, w := range words {
			add("updaters", w)
		}
	}
	e.words = match.New(list)
}

// exactGroup says in which groups letter case counts: names in code, not prose.
func exactGroup(group string) bool {
	switch group {
	case "gambling", "placeholder":
		return false
	}
	return true
}
