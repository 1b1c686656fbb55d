package sbom

import (
	"bytes"
	"encoding/json"
	"net/url"
	"strings"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// LockFiles are the names of the lock files that ReadLock knows, in the order
// in which they are looked for.
func LockFiles() []string {
	return []string{"package-lock.json", "npm-shrinkwrap.json", "yarn.lock", "pnpm-lock.yaml"}
}

// ReadLock reads a lock file by its name.
func ReadLock(name string, data []byte) ([]Package, error) {
	if len(data) > MaxLock {
		return nil, ota.Errorf(ota.KindTooLarge, "file_too_large", "the lock file has over %d bytes", MaxLock).WithHint("is this the right file?")
	}
	switch name {
	case "package-lock.json", "npm-shrinkwrap.json":
		return readNPM(data)
	case "yarn.lock":
		if bytes.Contains(data[:min(len(data), 4096)], []byte("\n__metadata:")) || bytes.HasPrefix(data, []byte("__metadata:")) {
			return readBerry(data)
		}
		return readYarn(data)
	case "pnpm-lock.yaml":
		return readPNPM(data)
	}
	return nil, invalid("%.80q is not the name of a lock file", name)
}

// npmLock is the part of a package-lock.json that matters; versions 2 and 3.
type npmLock struct {
	LockfileVersion int                 `json:"lockfileVersion"`
	Packages        map[string]npmEntry `json:"packages"`
}

type npmEntry struct {
	Name        string          `json:"name"`
	Version     string          `json:"version"`
	Resolved    string          `json:"resolved"`
	Integrity   string          `json:"integrity"`
	License     json.RawMessage `json:"license"`
	Dev         bool            `json:"dev"`
	Optional    bool            `json:"optional"`
	DevOptional bool            `json:"devOptional"`
	Link        bool            `json:"link"`
}

func readNPM(data []byte) ([]Package, error) {
	var lock npmLock
	if err := json.Unmarshal(data, &lock); err != nil {
		return nil, invalid("package-lock.json is not valid: %s", err)
	}
	if lock.LockfileVersion != 2 && lock.LockfileVersion != 3 {
		return nil, invalid("package-lock.json is of version %d, only 2 and 3 are read", lock.LockfileVersion).
			WithHint("npm 7 or newer writes them: run npm install with it")
	}
	var l list
	for path, e := range lock.Packages {
		_, name, in := cutLast(path, "node_modules/")
		if !in || e.Link {
			continue // the project itself, or a part of the workspace
		}
		if e.Name != "" {
			name = e.Name // an alias
		}
		p := Package{
			Name: name, Version: e.Version, Resolved: e.Resolved, Integrity: e.Integrity, License: licenseText(e.License),
			Dev: e.Dev, Optional: e.Optional || e.DevOptional,
		}
		if p.Version == "" {
			continue // an optional package that is not for this platform
		}
		if err := l.add(p); err != nil {
			return nil, err
		}
	}
	return l.sorted(), nil
}

// licenseText reads a manifest's licence: a text, or the old form of an object.
func licenseText(raw json.RawMessage) string {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return text
	}
	var old struct {
		Type string `json:"type"`
	}
	if json.Unmarshal(raw, &old) == nil {
		return old.Type
	}
	return ""
}

func cutLast(s, sep string) (before, after string, found bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}

// cleanURL returns an http(s) address without credentials, query and fragment,
// "" for anything else.
func cleanURL(s string) string {
	if s == "" || len(s) > 2048 {
		return ""
	}
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" {
		return ""
	}
	u.User, u.RawQuery, u.Fragment, u.RawFragment, u.ForceQuery = nil, "", "", "", false
	return u.String()
}
