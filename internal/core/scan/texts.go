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
	rule, re, message string
}

// patterns are weaker than the checks of the tree: they see no flow and no
// names, so they warn.
func patterns() []pattern {
	return []pattern{
		{"ST-003", `\beval\s*\(`, "eval is called in a script that does not parse"},
		{"ST-003", `\bnew\s+Function\s*\(`, "a function is made from text in a script that does not parse"},
		{"ST-003", `\bimportScripts\s*\(`, "importScripts is called in a script that does not parse"},
		{"ST-003", `\bimport\s*\(\s*["'\x60]https?:`, "code is imported from a host in a script that does not parse"},
		{"ST-002", `\bWebAssembly\s*\.`, "WebAssembly is used"},
		{"WB-010", `\.(?:innerHTML|outerHTML)\s*=[^=]`, "markup is set in a script that does not parse"},
		{"WB-010", `\bdocument\.write(?:ln)?\s*\(`, "markup is written in a script that does not parse"},
		{"WB-011", `\bserviceWorker\s*\.\s*register\s*\(`, "a service worker is registered"},
		{"ST-018", `(?:^|[;{}\n])\s*debugger\s*;`, "a debugger statement"},
	}
}

// searchScript is what is left for a script that does not parse.
func (f *file) searchScript(data []byte, in place) {
	for _, p := range patterns() {
		for _, m := range regexp.MustCompile(p.re).FindAllIndex(data, f.e.limits.PerRule) {
			f.report(hit{rule: p.rule, at: in(m[0]), severity: Warn}, "%s", p.message)
		}
	}
	for _, m := range regexp.MustCompile(`(?:https?|wss?)://[^\s"'\x60<>)\\]{3,200}`).FindAllIndex(data, 10_000) {
		f.tick()
		f.address(string(data[m[0]:m[1]]), in(m[0]), useText)
	}
	for _, m := range regexp.MustCompile(`\b(?:registerPlugin\s*\(\s*["'\x60]|Capacitor\.Plugins\.)([A-Za-z][A-Za-z0-9]{0,63})`).FindAllSubmatchIndex(data, 1000) {
		f.usesPlugin(string(data[m[2]:m[3]]), in(m[2]))
	}
}
