package scan

import (
	"bytes"
	"encoding/json"
	"regexp"
)

// findSecrets looks for secrets first: snippets of all findings mask them.
func (f *file) findSecrets() {
	if isTextKind(f.kind) {
		f.hidden = f.e.secrets.Find(f.path, f.data, f.e.opts.Now)
	}
}

// maxWordHits bounds what one file may tell.
const maxWordHits = 20_000

// scanWords looks for the words of the lists.
func (f *file) scanWords() {
	n := 0
	f.e.words.Find(f.data, func(id, at int) bool {
		f.tick()
		l := &f.e.lexeme[id]
		for _, tell := range l.tell {
			tell(f, l.word, at)
		}
		n++
		return n < maxWordHits
	})
}

// scanJSON takes addresses and message keys out of a JSON file.
func (f *file) scanJSON() {
	data := f.data
	for i := 0; i < len(data); {
		n := bytes.IndexByte(data[i:], '"')
		if n < 0 {
			break
		}
		start := i + n + 1
		end := start
		for end < len(data) && data[end] != '"' {
			if data[end] == '\\' {
				end++
			}
			end++
		}
		end = min(end, len(data))
		f.tick()
		text := data[start:end]
		if len(text) >= 7 && bytes.Contains(text[:min(len(text), 8)], []byte("://")) {
			f.address(string(text), start, useText)
		}
		if len(text) >= 6 && len(text) <= 200 {
			f.remark(text)
		}
		i = end + 1
	}
	if !json.Valid(bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))) && len(bytes.TrimSpace(data)) > 0 && ext(f.path) == "json" {
		f.report(hit{rule: "ST-900", at: -1, text: "json"}, "the file is not valid JSON; it was searched as text")
	}
}

// pattern is what a script that does not parse is searched for.
type pattern struct {
	rule, has, re, message string
	compiled               *regexp.Regexp
}

// patterns are weaker than the checks of the tree: they see no flow and no
// names, so they warn. The regex is tried where the text has the word.
func patterns() []pattern {
	list := []pattern{
		{rule: "ST-003", has: "eval", re: `\beval\s*\(`, message: "eval is called in a script that does not parse"},
		{rule: "ST-003", has: "Function", re: `\bnew\s+Function\s*\(`, message: "a function is made from text in a script that does not parse"},
		{rule: "ST-003", has: "importScripts", re: `\bimportScripts\s*\(`, message: "importScripts is called in a script that does not parse"},
		{rule: "ST-003", has: "import", re: `\bimport\s*\(\s*["'\x60]https?:`, message: "code is imported from a host in a script that does not parse"},
		{rule: "ST-002", has: "WebAssembly", re: `\bWebAssembly\s*\.`, message: "WebAssembly is used"},
		{rule: "WB-010", has: "erHTML", re: `\.(?:innerHTML|outerHTML)\s*=[^=]`, message: "markup is set in a script that does not parse"},
		{rule: "WB-010", has: "document.write", re: `\bdocument\.write(?:ln)?\s*\(`, message: "markup is written in a script that does not parse"},
		{rule: "WB-011", has: "serviceWorker", re: `\bserviceWorker\s*\.\s*register\s*\(`, message: "a service worker is registered"},
		{rule: "ST-018", has: "debugger", re: `(?:^|[;{}\n])\s*debugger\s*;`, message: "a debugger statement"},
		{rule: ruleAddress, has: "://", re: `(?:https?|wss?)://[^\s"'\x60<>)\\]{3,200}`},
		{rule: rulePlugin, has: "lugin", re: `\b(?:registerPlugin\s*\(\s*["'\x60]|Capacitor\.Plugins\.)([A-Za-z][A-Za-z0-9]{0,63})`},
	}
	for i := range list {
		list[i].compiled = regexp.MustCompile(list[i].re)
	}
	return list
}

// Patterns that are no finding by themselves.
const (
	ruleAddress = "address"
	rulePlugin  = "plugin"
)

// maxPlaces bounds the places of one pattern in one script.
const maxPlaces = 5_000

// searchScript is what is left for a script that does not parse.
func (f *file) searchScript(data []byte, in place) {
	for i := range f.e.patterns {
		p := &f.e.patterns[i]
		if f.ctx.Err() != nil {
			panic(tired{})
		}
		if !bytes.Contains(data, []byte(p.has)) {
			continue
		}
		for _, m := range p.compiled.FindAllSubmatchIndex(data, maxPlaces) {
			f.tick()
			switch p.rule {
			case ruleAddress:
				f.address(string(data[m[0]:m[1]]), in(m[0]), useText)
			case rulePlugin:
				f.usesPlugin(string(data[m[2]:m[3]]), in(m[2]))
			default:
				f.report(hit{rule: p.rule, at: in(m[0]), severity: Warn}, "%s", p.message)
			}
		}
	}
}
