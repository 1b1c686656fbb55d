package scan

import (
	"fmt"
	"path"
	"strings"
	"unicode/utf8"

	"github.com/waxwing-ota/waxwing/internal/core/pack"
	"github.com/waxwing-ota/waxwing/internal/core/semver"
)

func structure() detector {
	return detector{rule: "ST-021", name: structureName, file: structureBytes, bundle: structureBundle}
}

func structureName(f *file) {
	if err := pack.CheckPath(f.path); err != nil {
		f.report(hit{rule: "ST-021", at: -1, text: "path"}, "%s", err)
	}
	for part := range strings.SplitSeq(f.path, "/") {
		switch low := strings.ToLower(part); {
		case low == "__macosx", strings.HasPrefix(low, "._"), low == ".ds_store", low == "thumbs.db", low == "desktop.ini":
			f.report(hit{rule: "ST-021", at: -1, severity: Warn, text: "leftover"}, "a leftover of the operating system: %s", clip(part))
			return
		case low == "node_modules":
			f.report(hit{rule: "ST-021", at: -1, severity: Warn, text: "leftover"}, "a folder of packages that were not built")
			return
		case strings.HasSuffix(low, "~"), strings.HasSuffix(low, ".swp"), strings.HasSuffix(low, ".orig"), strings.HasSuffix(low, ".bak"):
			f.report(hit{rule: "ST-021", at: -1, severity: Warn, text: "leftover"}, "a leftover of an editor: %s", clip(part))
			return
		}
	}
}

// structureBytes compares the contents with the name.
func structureBytes(f *file) {
	named := kindOfName(f.path)
	switch named {
	case kindHTML, kindScript, kindStyle, kindJSON:
		if f.kind != named {
			if f.kind != kindNative { // which is a finding of its own
				f.report(hit{rule: "ST-021", at: -1, text: "contents"}, "the name says %s, the contents are %s", named, f.format)
			}
			return
		}
		if i := invalidUTF8(f.data); i >= 0 {
			f.report(hit{rule: "ST-021", at: i, text: "utf-8"}, "the text is not valid UTF-8")
		}
	}
	want := map[string]string{"png": "png", "jpg": "jpeg", "jpeg": "jpeg", "gif": "gif", "webp": "riff", "woff": "woff", "woff2": "woff2", "wasm": "WebAssembly"}[ext(f.path)]
	if want != "" && f.format != want && f.kind != kindNative && len(f.data) > 0 {
		severity := Warn
		if f.kind == kindHTML || f.kind == kindText || f.kind == kindArchive {
			severity = Block
		}
		f.report(hit{rule: "ST-021", at: -1, severity: severity, text: "contents"}, "the name says %s, the contents are %s", want, f.format)
	}
}

func invalidUTF8(b []byte) int {
	if utf8.Valid(b) {
		return -1
	}
	for i := 0; i < len(b); {
		r, n := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError && n <= 1 {
			return i
		}
		i += n
	}
	return -1
}

func structureBundle(b *bundle) {
	index := false
	folded, exact := map[string]string{}, map[string]bool{}
	for i := range b.entries {
		p := b.entries[i].Path
		index = index || p == "index.html"
		low := strings.ToLower(p)
		switch other, ok := folded[low]; {
		case exact[p]:
			b.add("ST-021", "", "twice "+low, fmt.Sprintf("the name %s is there twice", clip(p)))
		case ok:
			b.add("ST-021", "", "case "+low, fmt.Sprintf("the names %s and %s differ by case only", clip(other), clip(p)))
		}
		folded[low], exact[p] = p, true
	}
	for dir := range folded {
		for d := path.Dir(dir); d != "." && d != "/"; d = path.Dir(d) {
			if p, ok := folded[d]; ok {
				b.add("ST-021", "", "folder "+d, fmt.Sprintf("%s is a file and a folder", clip(p)))
				delete(folded, d)
			}
		}
	}
	if !index {
		b.add("ST-021", "", "index.html", "there is no index.html at the root")
	}
}

func metadata() detector {
	return detector{rule: "ST-019", bundle: func(b *bundle) {
		m := b.e.opts.Metadata
		if m == nil {
			return
		}
		missing := func(what string) { b.add("ST-019", "", "missing "+what, "the release has no "+what) }
		if m.Bundle == "" {
			missing("bundle id")
		}
		if m.Version == "" {
			missing("version")
		} else if _, ok := semver.Parse(m.Version); !ok {
			b.add("ST-019", "", "version", fmt.Sprintf("the version %s is not a semantic version", clip(m.Version)))
		}
		from, okFrom := semver.Parse(m.MinNative)
		to, okTo := semver.Parse(m.MaxNative)
		for _, v := range []struct {
			what, text string
			ok         bool
		}{{"least native version", m.MinNative, okFrom}, {"greatest native version", m.MaxNative, okTo}} {
			if v.text != "" && !v.ok {
				b.add("ST-019", "", v.what, fmt.Sprintf("the %s %s is not a semantic version", v.what, clip(v.text)))
			}
		}
		if m.MinNative == "" {
			b.add("ST-019", Warn, "missing least native version", "the release has no least native version")
		}
		if okFrom && okTo && semver.Compare(from, to) > 0 {
			b.add("ST-019", "", "range", "the least native version is above the greatest")
		}
		if strings.TrimSpace(m.Notes) == "" {
			b.add("ST-019", Warn, "missing notes", "the release has no note for reviewers")
		}
	}}
}
