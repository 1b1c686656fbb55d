// Package sbom says what a web bundle was made of: it reads the lock files of
// npm, Yarn and pnpm and the manifests of installed packages, and writes and
// reads CycloneDX 1.7 documents. It is pure, and the same packages give the same
// document but for the time that the caller passes in.
//
// Every parser is bounded and takes only what it understands: a lock file of
// another shape is an error, never half an inventory.
//
// It must never run a package manager, follow a link out of the folder it is
// given, or keep credentials of a registry's address.
package sbom

import (
	"cmp"
	"slices"
	"strings"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// The bounds of what is read.
const (
	MaxLock      = 64 << 20 // bytes of a lock file
	MaxDocument  = 32 << 20 // bytes of a CycloneDX document
	MaxPackages  = 50_000
	maxName      = 214 // npm's own limit
	maxVersion   = 256
	maxManifest  = 1 << 20
	maxFolders   = 8 // node_modules in node_modules
	maxLicense   = 200
	maxIntegrity = 1024
)

// Package is one version of an npm package.
type Package struct {
	Name      string `json:"name"`
	Version   string `json:"version"`
	License   string `json:"license,omitempty"`   // as its manifest says; "" = unknown
	Integrity string `json:"integrity,omitempty"` // as in lock files: sha512-BASE64, the strongest first
	Resolved  string `json:"resolved,omitempty"`  // where it came from, http(s) without credentials
	Dev       bool   `json:"dev,omitempty"`       // needed only to build
	Optional  bool   `json:"optional,omitempty"`
}

func (p *Package) key() string { return p.Name + "@" + p.Version }

func invalid(format string, a ...any) *ota.Error {
	return ota.Invalid("lock_file_invalid", format, a...).
		WithHint("make it again with the package manager, name a CycloneDX document with --sbom FILE, or leave it out with --sbom none")
}

// list collects packages, each version once.
type list struct {
	at  map[string]int
	all []Package
}

// add keeps a package. One that was seen before is needed to run if it is
// anywhere, and takes over what was not known.
func (l *list) add(p Package) error {
	if !goodName(p.Name) || p.Version == "" || len(p.Version) > maxVersion || !printable(p.Version) {
		return invalid("%.80q at %.80q is no package", p.Name, p.Version)
	}
	if len(p.License) > maxLicense || !printable(p.License) {
		p.License = ""
	}
	if len(p.Integrity) > maxIntegrity || !printable(p.Integrity) {
		p.Integrity = ""
	}
	p.Resolved = cleanURL(p.Resolved)
	if l.at == nil {
		l.at = map[string]int{}
	}
	i, seen := l.at[p.key()]
	if !seen {
		if len(l.all) >= MaxPackages {
			return ota.Errorf(ota.KindTooLarge, "too_many_packages", "there are over %d packages", MaxPackages).WithHint("name a CycloneDX document with --sbom FILE, or leave it out with --sbom none")
		}
		l.at[p.key()] = len(l.all)
		l.all = append(l.all, p)
		return nil
	}
	have := &l.all[i]
	have.Dev, have.Optional = have.Dev && p.Dev, have.Optional && p.Optional
	have.License = cmp.Or(have.License, p.License)
	have.Integrity = cmp.Or(have.Integrity, p.Integrity)
	have.Resolved = cmp.Or(have.Resolved, p.Resolved)
	return nil
}

// sorted returns what was collected, by name and version.
func (l *list) sorted() []Package {
	out := append([]Package{}, l.all...)
	sortPackages(out)
	return out
}

func sortPackages(list []Package) {
	slices.SortFunc(list, func(a, b Package) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.Version, b.Version))
	})
}

// goodName accepts npm names, with or without a scope.
func goodName(name string) bool {
	if name == "" || len(name) > maxName || !printable(name) || strings.ContainsAny(name, `\ "'<>`) {
		return false
	}
	scope, rest, scoped := strings.Cut(name, "/")
	if !scoped {
		return name[0] != '@' && name[0] != '.'
	}
	return len(scope) > 1 && scope[0] == '@' && rest != "" && rest[0] != '.' && !strings.Contains(rest, "/")
}

func printable(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}
