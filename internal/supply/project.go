// Package supply reads, on the publisher's machine, what a web build is made of
// and where it came from: the project's lock file and installed packages, git,
// the variables of a CI run, and files of known vulnerabilities.
//
// It must never run anything but git, with commands that only read; never go to
// the network; and never keep credentials that an address carries.
package supply

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/provenance"
	"github.com/waxwing-ota/waxwing/internal/core/sbom"
)

// maxUp is how many folders above the build the project, and above the project
// the lock file of a workspace, are looked for.
const maxUp = 8

// Project is what the project of a web build says.
type Project struct {
	Dir      string             // that has the package.json
	Source   string             // name of the file that lists the packages, or node_modules; "" = nothing does
	Packages []sbom.Package     //
	Inputs   []provenance.Input // the files that were read, by name and SHA-256
}

// Find returns the folder of the project that a build is in: the nearest with a
// package.json, from the build upwards to the root of the repository.
func Find(build string) (dir string, ok bool) {
	return upwards(build, func(dir string) bool { return regular(filepath.Join(dir, "package.json")) })
}

// upwards returns the first folder that fits, up to the root of the repository.
func upwards(from string, fits func(dir string) bool) (string, bool) {
	dir, err := filepath.Abs(from)
	if err != nil {
		return "", false
	}
	for range maxUp {
		if fits(dir) {
			return dir, true
		}
		up := filepath.Dir(dir)
		if _, err := os.Stat(filepath.Join(dir, ".git")); err == nil || up == dir {
			break
		}
		dir = up
	}
	return "", false
}

func regular(path string) bool {
	st, err := os.Stat(path)
	return err == nil && st.Mode().IsRegular()
}

// ReadProject reads the project in a folder: its lock file, or that of the
// workspace it is part of; without one, what is installed.
func ReadProject(dir string) (Project, error) {
	p := Project{Dir: dir}
	installed, err := sbom.ReadInstalled(os.DirFS(dir))
	if err != nil {
		return p, err
	}
	var lock string
	at, found := upwards(dir, func(dir string) bool {
		for _, name := range sbom.LockFiles() {
			if regular(filepath.Join(dir, name)) {
				lock = name
				return true
			}
		}
		return false
	})
	if !found {
		if p.Packages = installed; len(installed) > 0 {
			p.Source = "node_modules"
		}
		return p, p.input("package.json", filepath.Join(dir, "package.json"), nil)
	}
	raw, err := readFile(filepath.Join(at, lock), sbom.MaxLock)
	if err != nil {
		return p, err
	}
	packages, err := sbom.ReadLock(lock, raw)
	if err != nil {
		return p, err
	}
	p.Source, p.Packages = lock, sbom.Merge(packages, installed)
	return p, errors.Join(p.input("package.json", filepath.Join(dir, "package.json"), nil), p.input(lock, "", raw))
}

// input notes a file by its digest.
func (p *Project) input(name, path string, raw []byte) error {
	if raw == nil {
		var err error
		if raw, err = readFile(path, 4<<20); err != nil {
			return err
		}
	}
	p.Inputs = append(p.Inputs, provenance.Input{Name: name, Sum: ota.Sum(raw)})
	return nil
}

// readFile reads a bounded file.
func readFile(path string, limit int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil, ota.NotFound("file_missing", "there is no file %s", path).WithHint("check its name")
		}
		return nil, ota.Invalid("file_unreadable", "cannot read %s: %s", path, err).WithHint("check that you may read it")
	}
	defer f.Close()
	raw, err := io.ReadAll(io.LimitReader(f, limit+1))
	switch {
	case err != nil:
		return nil, ota.Invalid("file_unreadable", "cannot read %s: %s", path, err).WithHint("check that you may read it")
	case int64(len(raw)) > limit:
		return nil, ota.Errorf(ota.KindTooLarge, "file_too_large", "%s has over %d bytes", path, limit).WithHint("is this the right file?")
	}
	return raw, nil
}

// ReadSBOM reads a CycloneDX document of any tool from a file.
func ReadSBOM(path string) (raw []byte, packages []sbom.Package, err error) {
	if raw, err = readFile(path, sbom.MaxDocument); err != nil {
		return nil, nil, err
	}
	packages, err = sbom.Parse(raw)
	return raw, packages, err
}
