package sbom

import (
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"path"
	"strings"
)

// ReadInstalled lists the packages under node_modules of a folder, by their
// manifests. A folder without one has none. Folders that are links, as pnpm and
// workspaces make them, are not followed.
func ReadInstalled(project fs.FS) ([]Package, error) {
	w := walker{fsys: project}
	if err := w.modules("node_modules", 0); err != nil {
		return nil, err
	}
	return w.list.sorted(), nil
}

type walker struct {
	fsys fs.FS
	list list
}

func (w *walker) modules(dir string, depth int) error {
	if depth >= maxFolders {
		return nil
	}
	entries, err := fs.ReadDir(w.fsys, dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return invalid("cannot list %s: %s", dir, err)
	}
	for _, e := range entries {
		if !e.IsDir() || e.Name()[0] == '.' {
			continue
		}
		sub := path.Join(dir, e.Name())
		if !strings.HasPrefix(e.Name(), "@") {
			if err := w.one(sub, depth); err != nil {
				return err
			}
			continue
		}
		scoped, err := fs.ReadDir(w.fsys, sub)
		if err != nil {
			return invalid("cannot list %s: %s", sub, err)
		}
		for _, s := range scoped {
			if s.IsDir() && s.Name()[0] != '.' {
				if err := w.one(path.Join(sub, s.Name()), depth); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// one reads the manifest of a package, and the packages installed below it. What
// has no manifest of a package is none.
func (w *walker) one(dir string, depth int) error {
	var m struct {
		Name    string          `json:"name"`
		Version string          `json:"version"`
		License json.RawMessage `json:"license"`
	}
	if src, err := w.read(path.Join(dir, "package.json")); err == nil && json.Unmarshal(src, &m) == nil && goodName(m.Name) && isVersion(m.Version) && printable(m.Version) && len(m.Version) <= maxVersion {
		if err := w.list.add(Package{Name: m.Name, Version: m.Version, License: licenseText(m.License)}); err != nil {
			return err
		}
	}
	return w.modules(path.Join(dir, "node_modules"), depth+1)
}

func (w *walker) read(name string) ([]byte, error) {
	f, err := w.fsys.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // only read
	return io.ReadAll(io.LimitReader(f, maxManifest))
}

// Merge adds to the packages of a lock file what the installed ones say: their
// licences.
func Merge(lock, installed []Package) []Package {
	licenses := make(map[string]string, len(installed))
	for i := range installed {
		licenses[installed[i].key()] = installed[i].License
	}
	out := append([]Package{}, lock...)
	for i := range out {
		if out[i].License == "" {
			out[i].License = licenses[out[i].key()]
		}
	}
	return out
}
