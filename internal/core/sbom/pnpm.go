package sbom

import "strings"

// readPNPM reads the packages section of a pnpm-lock.yaml of version 5, 6 or 9,
// as pnpm itself writes it: two spaces a level, one entry a package.
func readPNPM(data []byte) ([]Package, error) {
	text := strings.ReplaceAll(string(data), "\r\n", "\n")
	if !strings.HasPrefix(text, "lockfileVersion:") && !strings.Contains(text[:min(len(text), 1024)], "\nlockfileVersion:") {
		return nil, invalid("pnpm-lock.yaml does not name its version")
	}
	section, ok := pnpmSection(text, "packages:")
	if !ok {
		return []Package{}, nil
	}
	all, err := blocks(section, 2, yamlField)
	if err != nil {
		return nil, err
	}
	var l list
	for _, b := range all {
		head, ok := strings.CutSuffix(b.head, ":")
		if !ok {
			return nil, invalid("line %d of the packages does not begin an entry", b.line)
		}
		name, version, ok := pnpmKey(unquote(head))
		if !ok {
			continue // from a folder, an archive or git: of no version of the registry
		}
		p := Package{
			Name: name, Version: version, Integrity: flowValue(b.fields["resolution"], "integrity"),
			Dev: b.fields["dev"] == "true", Optional: b.fields["optional"] == "true",
		}
		if err := l.add(p); err != nil {
			return nil, err
		}
	}
	return l.sorted(), nil
}

// pnpmSection returns the lines below a key of the highest level.
func pnpmSection(text, key string) (string, bool) {
	_, rest, ok := strings.Cut("\n"+text, "\n"+key+"\n")
	if !ok {
		return "", false
	}
	for at := 0; at < len(rest); {
		end := strings.IndexByte(rest[at:], '\n')
		if end < 0 {
			break
		}
		if c := rest[at]; c != ' ' && c != '\n' && c != '#' {
			return rest[:at], true
		}
		at += end + 1
	}
	return rest, true
}

// pnpmKey reads the key of a package: /name/1.0.0_peers (5), /name@1.0.0(peers)
// (6), name@1.0.0 (9).
func pnpmKey(key string) (name, version string, ok bool) {
	rest, old := strings.CutPrefix(key, "/")
	rest, _, _ = strings.Cut(rest, "(")
	scope := 0
	if strings.HasPrefix(rest, "@") {
		scope = strings.IndexByte(rest, '/') + 1
	}
	// Up to the first of these behind the scope it is the name.
	i := strings.IndexAny(rest[scope:], "/@") + scope
	if i <= scope {
		return "", "", false
	}
	name, version = rest[:i], rest[i+1:]
	if rest[i] == '/' {
		if !old {
			return "", "", false
		}
		version, _, _ = strings.Cut(version, "_")
	}
	return name, version, isVersion(version) && !strings.ContainsAny(version, "/:@")
}

func isVersion(s string) bool { return s != "" && s[0] >= '0' && s[0] <= '9' }

// flowValue returns a value of {a: b, c: d}.
func flowValue(s, key string) string {
	inner, ok := strings.CutPrefix(s, "{")
	if !ok {
		return ""
	}
	for part := range strings.SplitSeq(strings.TrimSuffix(inner, "}"), ",") {
		if k, v := yamlField(strings.TrimSpace(part)); k == key {
			return v
		}
	}
	return ""
}
