package scan

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/waxwing-ota/waxwing/internal/core/semver"
)

// bannerText is how much of a file's beginning, and how much around a hint, is
// searched for a banner.
const bannerText = 4096

// compileLibraries reads the banners of lists.toml.
func (e *engine) compileLibraries() (err error) {
	if e.libs, err = compileBanners(e.set.Lists.Libraries); err != nil {
		return err
	}
	e.loaders, err = compileBanners(e.set.Lists.Loaders)
	return err
}

func compileBanners(lists map[string][]string) ([]library, error) {
	var out []library
	for name, list := range lists {
		for _, p := range list {
			re, err := regexp.Compile(p)
			if err != nil {
				return nil, fmt.Errorf("library %s: %w", name, err)
			}
			out = append(out, library{name: name, re: re})
		}
	}
	slices.SortFunc(out, func(a, b library) int { return strings.Compare(a.name+a.re.String(), b.name+b.re.String()) })
	return out, nil
}

// loader names the library that the script says it is, if that is one which
// loads code by design; "" otherwise.
func (f *file) loader() string {
	head := f.data[:min(len(f.data), bannerText)]
	for i := range f.e.loaders {
		if f.e.loaders[i].re.Match(head) {
			return f.e.loaders[i].name
		}
	}
	return ""
}

// vulnerableLibraries finds the libraries that name themselves, and those of
// them that an advisory names.
func vulnerableLibraries() detector {
	return detector{rule: "ST-017", bundle: vulnerablePackages, file: func(f *file) {
		if f.kind != kindScript {
			return
		}
		seen := map[string]bool{}
		for _, span := range f.comments() {
			for i := range f.e.libs {
				f.banner(&f.e.libs[i], span, seen)
			}
		}
	}}
}

// maxVulnerable bounds the findings about packages.
const maxVulnerable = 500

// vulnerablePackages finds the packages the bundle was made of that an advisory
// names. A package may be in several versions and a hole in several ranges.
func vulnerablePackages(b *bundle) {
	byName := map[string][]*Advisory{}
	for i := range b.e.opts.Advisory {
		a := &b.e.opts.Advisory[i]
		name := strings.ToLower(a.Package)
		byName[name] = append(byName[name], a)
	}
	seen := map[string]bool{}
	for i := range b.e.opts.Packages {
		p := &b.e.opts.Packages[i]
		for _, a := range byName[strings.ToLower(p.Name)] {
			key := p.Name + "@" + p.Version + " " + a.ID
			if seen[key] || !a.affects(p.Name, p.Version) {
				continue
			}
			if seen[key] = true; len(seen) > maxVulnerable {
				return
			}
			b.add("ST-017", a.severity(), key, fmt.Sprintf("%s %s (%s) has the known hole %s: %s", clip(p.Name), clip(p.Version), clip(p.Path), clip(a.ID), a.advice()))
		}
	}
}

// span is a part of a file.
type span struct{ from, to int }

// maxBanners bounds how many comments of a file are read.
const maxBanners = 200

// comments returns the beginning of the file, and the comments that minifiers
// keep: /*! … */, those with a licence, and //! ….
func (f *file) comments() []span {
	list := []span{{0, min(len(f.data), bannerText)}}
	text := f.data
	for i := bannerText; i < len(text)-3 && len(list) < maxBanners; i++ {
		n := bytes.Index(text[i:len(text)-1], []byte("/*"))
		if n < 0 {
			break
		}
		i += n
		if c := text[i+2]; c == '!' || c == '*' {
			list = append(list, span{i, min(i+1024, len(text))})
		}
	}
	return list
}

func (f *file) banner(l *library, s span, seen map[string]bool) {
	m := l.re.FindSubmatchIndex(f.data[s.from:s.to])
	if m == nil || m[2] < 0 {
		return
	}
	version := string(f.data[s.from+m[2] : s.from+m[3]])
	if l.name == "three" && !strings.Contains(version, ".") {
		version = "0." + version + ".0"
	}
	key := l.name + "@" + version
	if seen[key] {
		return
	}
	seen[key] = true
	f.facts.libraries = append(f.facts.libraries, Library{l.name, version, f.path})
	for i := range f.e.opts.Advisory {
		if a := &f.e.opts.Advisory[i]; a.affects(l.name, version) {
			f.report(hit{rule: "ST-017", at: s.from + m[0], severity: a.severity(), text: key + " " + a.ID}, "%s %s has the known hole %s: %s", l.name, version, clip(a.ID), a.advice())
		}
	}
}

func (a *Advisory) advice() string {
	text := clip(a.Summary)
	if a.Fixed != "" {
		text += "; fixed in " + clip(a.Fixed)
	}
	return text
}

// severity follows the bands of CVSS.
func (a *Advisory) severity() Severity {
	switch {
	case a.Score >= 9:
		return Block
	case a.Score >= 4 || a.Score == 0:
		return Warn
	}
	return Info
}

// affects reports whether a version of a package has the hole.
func (a *Advisory) affects(name, version string) bool {
	if !strings.EqualFold(a.Package, name) {
		return false
	}
	if slices.Contains(a.Versions, version) {
		return true
	}
	if a.Introduced == "" && a.Fixed == "" {
		return len(a.Versions) == 0
	}
	v, ok := semver.Parse(version)
	if !ok {
		return false
	}
	if from, ok := semver.Parse(a.Introduced); ok && semver.Compare(v, from) < 0 {
		return false
	}
	if last, ok := semver.Parse(a.LastAffected); ok && semver.Compare(v, last) > 0 {
		return false
	}
	if a.Fixed == "" {
		return true
	}
	fixed, ok := semver.Parse(a.Fixed)
	return ok && semver.Compare(v, fixed) < 0
}
