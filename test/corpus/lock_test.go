package corpus

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"testing"
)

// TestPackagesArePinned needs no npm: every package has one exact version and a
// hash in its lock file, and no lock file names where it was downloaded.
func TestPackagesArePinned(t *testing.T) {
	projects, err := filepath.Glob("*/package.json")
	if err != nil || len(projects) != len(plugins) {
		t.Fatalf("%d projects, %d in the test: %v", len(projects), len(plugins), err)
	}
	exact := regexp.MustCompile(`^\d+\.\d+\.\d+$`)
	for _, p := range projects {
		var project struct {
			Dependencies map[string]string
		}
		read(t, p, &project)
		for name, version := range project.Dependencies {
			if !exact.MatchString(version) {
				t.Errorf("%s: %s is %s, not an exact version", p, name, version)
			}
		}
		var lock struct {
			Packages map[string]struct {
				Version, Resolved, Integrity string
			}
		}
		read(t, filepath.Join(filepath.Dir(p), "package-lock.json"), &lock)
		if len(lock.Packages) < 20 {
			t.Errorf("%s: the lock file holds %d packages", p, len(lock.Packages))
		}
		for name, entry := range lock.Packages {
			if name == "" {
				continue
			}
			if entry.Resolved != "" || entry.Integrity == "" || entry.Version == "" {
				t.Errorf("%s: %s: address %q, hash %q", p, name, entry.Resolved, entry.Integrity)
			}
		}
	}
}

func read(t *testing.T, path string, into any) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, into); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}
