// Package semver reads and orders version numbers as the update plugins and
// their reference server do: strict Semantic Versioning 2.0.0, plus the padding
// of short native versions. It allocates nothing, since every device check uses it.
//
// It must never accept ranges, leading "v", or guess at what a text may mean.
package semver

import (
	"cmp"
	"strconv"
	"strings"
)

// Version is a parsed version. Build metadata is dropped: it never orders.
type Version struct {
	Major, Minor, Patch uint64
	Pre                 string // without the dash; "" = a release
}

// Parse reads a strict x.y.z[-pre][+build].
func Parse(s string) (v Version, ok bool) {
	if len(s) > 256 {
		return v, false
	}
	core, build, hasBuild := strings.Cut(s, "+")
	if hasBuild && !idents(build, false) {
		return v, false
	}
	core, pre, hasPre := strings.Cut(core, "-")
	if hasPre && !idents(pre, true) {
		return v, false
	}
	a, rest, ok1 := strings.Cut(core, ".")
	b, c, ok2 := strings.Cut(rest, ".")
	if !ok1 || !ok2 {
		return v, false
	}
	var oa, ob, oc bool
	v.Major, oa = number(a)
	v.Minor, ob = number(b)
	v.Patch, oc = number(c)
	v.Pre = pre
	return v, oa && ob && oc
}

// Native reads a native version: strict, or one or two plain numbers padded
// with zeros; "builtin" and "unknown" are 0.0.0.
// Source: reference server's request parser, shared server notes A.1 step 7.
func Native(s string) (Version, bool) {
	if s == "builtin" || s == "unknown" {
		return Version{}, true
	}
	if v, ok := Parse(s); ok {
		return v, true
	}
	a, b, two := strings.Cut(s, ".")
	major, ok := number(a)
	if !ok {
		return Version{}, false
	}
	v := Version{Major: major}
	if two {
		v.Minor, ok = number(b)
	}
	return v, ok
}

// Compare orders a and b by Semantic Versioning 2.0.0 section 11.
func Compare(a, b Version) int {
	return cmp.Or(
		cmp.Compare(a.Major, b.Major),
		cmp.Compare(a.Minor, b.Minor),
		cmp.Compare(a.Patch, b.Patch),
		comparePre(a.Pre, b.Pre),
	)
}

// Less reports whether v sorts before the release major.minor.patch.
func (v Version) Less(major, minor, patch uint64) bool {
	return Compare(v, Version{Major: major, Minor: minor, Patch: patch}) < 0
}

// String writes x.y.z[-pre].
func (v Version) String() string {
	b := make([]byte, 0, 24)
	b = strconv.AppendUint(b, v.Major, 10)
	b = append(b, '.')
	b = strconv.AppendUint(b, v.Minor, 10)
	b = append(b, '.')
	b = strconv.AppendUint(b, v.Patch, 10)
	if v.Pre != "" {
		b = append(append(b, '-'), v.Pre...)
	}
	return string(b)
}

func comparePre(a, b string) int {
	if a == b {
		return 0
	}
	if a == "" {
		return 1
	}
	if b == "" {
		return -1
	}
	for {
		x, ra, moreA := strings.Cut(a, ".")
		y, rb, moreB := strings.Cut(b, ".")
		if c := compareIdent(x, y); c != 0 {
			return c
		}
		switch {
		case !moreA && !moreB:
			return 0
		case !moreA:
			return -1
		case !moreB:
			return 1
		}
		a, b = ra, rb
	}
}

func compareIdent(x, y string) int {
	nx, ny := digits(x), digits(y)
	switch {
	case nx && ny:
		return cmp.Or(cmp.Compare(len(x), len(y)), strings.Compare(x, y))
	case nx:
		return -1
	case ny:
		return 1
	}
	return strings.Compare(x, y)
}

// idents checks dot-separated identifiers; strict refuses numbers with a leading zero.
func idents(s string, strict bool) bool {
	for {
		id, rest, more := strings.Cut(s, ".")
		if id == "" || strict && len(id) > 1 && id[0] == '0' && digits(id) {
			return false
		}
		for i := range len(id) {
			c := id[i]
			if (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && c != '-' {
				return false
			}
		}
		if !more {
			return true
		}
		s = rest
	}
}

func digits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

func number(s string) (uint64, bool) {
	if !digits(s) || len(s) > 1 && s[0] == '0' || len(s) > 19 {
		return 0, false
	}
	n, err := strconv.ParseUint(s, 10, 63)
	return n, err == nil
}
