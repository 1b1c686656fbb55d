package sbom

import (
	"strconv"
	"strings"
)

// entry is a block of a lock file made of lines: its head, and its fields one
// level below.
type entry struct {
	line   int
	head   string
	fields map[string]string
}

// maxLine bounds a line of such a file.
const maxLine = 1 << 20

// blocks cuts a file into the blocks whose head is indented by indent spaces.
// Deeper levels than the fields are passed over; split cuts a field's line.
func blocks(text string, indent int, split func(string) (key, value string)) ([]entry, error) {
	var out []entry
	for n, line := range strings.Split(text, "\n") {
		line = strings.TrimSuffix(line, "\r")
		trimmed := strings.TrimLeft(line, " ")
		if trimmed == "" || trimmed[0] == '#' {
			continue
		}
		if len(line) > maxLine || strings.ContainsRune(line, '\t') || strings.ContainsRune(line, 0) {
			return nil, invalid("line %d is not one of a lock file", n+1)
		}
		switch depth := len(line) - len(trimmed); {
		case depth == indent:
			out = append(out, entry{line: n + 1, head: trimmed, fields: map[string]string{}})
		case depth == indent+2 && len(out) > 0:
			key, value := split(trimmed)
			last := &out[len(out)-1]
			if _, twice := last.fields[key]; !twice {
				last.fields[key] = value
			}
		case depth < indent+2 || len(out) == 0:
			return nil, invalid("line %d is indented by %d spaces", n+1, depth)
		}
	}
	return out, nil
}

// readYarn reads a yarn.lock of Yarn 1.
func readYarn(data []byte) ([]Package, error) {
	if !strings.Contains(string(data[:min(len(data), 256)]), "yarn lockfile v1") {
		return nil, invalid("yarn.lock does not say that it is one of Yarn 1 or later")
	}
	all, err := blocks(string(data), 0, func(s string) (string, string) {
		key, value, _ := strings.Cut(s, " ")
		return strings.Trim(key, `":`), unquote(value)
	})
	if err != nil {
		return nil, err
	}
	var l list
	for _, b := range all {
		head, ok := strings.CutSuffix(b.head, ":")
		if !ok {
			return nil, invalid("line %d does not begin an entry", b.line)
		}
		first, _, _ := strings.Cut(head, ", ")
		name := specName(unquote(first))
		if strings.HasPrefix(b.fields["resolved"], "file:") || b.fields["version"] == "" && b.fields["resolved"] == "" {
			continue
		}
		if err := l.add(Package{Name: name, Version: b.fields["version"], Resolved: b.fields["resolved"], Integrity: b.fields["integrity"]}); err != nil {
			return nil, err
		}
	}
	return l.sorted(), nil
}

// readBerry reads a yarn.lock of Yarn 2 and later, which is simple YAML.
func readBerry(data []byte) ([]Package, error) {
	all, err := blocks(string(data), 0, yamlField)
	if err != nil {
		return nil, err
	}
	var l list
	for _, b := range all {
		resolution := b.fields["resolution"]
		if strings.HasPrefix(b.head, "__metadata:") || b.fields["linkType"] == "soft" {
			continue
		}
		name, how, ok := cutSpec(resolution)
		if !ok {
			return nil, invalid("the entry in line %d names no package", b.line)
		}
		if strings.HasPrefix(how, "workspace:") || strings.HasPrefix(how, "link:") || strings.HasPrefix(how, "portal:") {
			continue
		}
		if err := l.add(Package{Name: name, Version: b.fields["version"]}); err != nil {
			return nil, err
		}
	}
	return l.sorted(), nil
}

// yamlField cuts "key: value".
func yamlField(s string) (string, string) {
	key, value, _ := strings.Cut(s, ":")
	return unquote(key), unquote(strings.TrimSpace(value))
}

// specName returns the package of a request such as lodash@^4.17.0; of an alias
// the package behind it.
func specName(spec string) string {
	name, want, ok := cutSpec(spec)
	if !ok {
		return spec
	}
	if real, ok := strings.CutPrefix(want, "npm:"); ok {
		if name, _, ok := cutSpec(real); ok {
			return name
		}
	}
	return name
}

// cutSpec cuts name@what; the name may begin with @.
func cutSpec(spec string) (name, what string, ok bool) {
	i := strings.IndexByte(strings.TrimPrefix(spec, "@"), '@')
	if i < 0 {
		return spec, "", false
	}
	i += len(spec) - len(strings.TrimPrefix(spec, "@"))
	return spec[:i], spec[i+1:], i > 0
}

// unquote takes a text out of its quotes.
func unquote(s string) string {
	if len(s) >= 2 && s[0] == '\'' && s[len(s)-1] == '\'' {
		return strings.ReplaceAll(s[1:len(s)-1], "''", "'")
	}
	if len(s) >= 2 && s[0] == '"' {
		if t, err := strconv.Unquote(s); err == nil {
			return t
		}
	}
	return s
}
