package osv_test

import (
	"archive/zip"
	"bytes"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/waxwing-ota/waxwing/internal/core/osv"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/scan"
)

// lodash is a published entry, shortened.
const lodash = `{"schema_version": "1.6.0", "id": "GHSA-35jh-r3h4-6jhm", "aliases": ["CVE-2021-23337"],
 "summary": "Command Injection in lodash", "modified": "2024-01-01T00:00:00Z",
 "severity": [{"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:H/UI:N/S:U/C:H/I:H/A:H"}],
 "affected": [
  {"package": {"ecosystem": "npm", "name": "lodash", "purl": "pkg:npm/lodash"}, "ranges": [{"type": "SEMVER", "events": [{"introduced": "0"}, {"fixed": "4.17.21"}]}]},
  {"package": {"ecosystem": "npm", "name": "lodash-es"}, "ranges": [{"type": "SEMVER", "events": [{"introduced": "1.0.0"}, {"last_affected": "4.17.20"}, {"introduced": "5.0.0"}]}]},
  {"package": {"ecosystem": "RubyGems", "name": "lodash-rails"}, "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}]}]}]}`

func read(t *testing.T, keep func(string) bool, entries ...string) []scan.Advisory {
	t.Helper()
	d := osv.New(keep)
	for _, e := range entries {
		if err := d.Add([]byte(e)); err != nil {
			t.Fatal(err)
		}
	}
	return d.Advisories()
}

func TestAdvisories(t *testing.T) {
	base := scan.Advisory{ID: "GHSA-35jh-r3h4-6jhm (CVE-2021-23337)", Summary: "Command Injection in lodash", Score: 7.2}
	with := func(name, introduced, fixed, last string) scan.Advisory {
		a := base
		a.Package, a.Introduced, a.Fixed, a.LastAffected = name, introduced, fixed, last
		return a
	}
	want := []scan.Advisory{with("lodash", "0", "4.17.21", ""), with("lodash-es", "1.0.0", "", "4.17.20"), with("lodash-es", "5.0.0", "", "")}
	if d := cmp.Diff(want, read(t, nil, lodash)); d != "" {
		t.Error(d)
	}
	if got := read(t, func(name string) bool { return name == "lodash" }, lodash); len(got) != 1 {
		t.Errorf("kept %v", got)
	}
	withdrawn := strings.Replace(lodash, `"modified"`, `"withdrawn": "2024-01-01T00:00:00Z", "modified"`, 1)
	if got := read(t, nil, withdrawn); len(got) != 0 {
		t.Errorf("a withdrawn entry counts: %v", got)
	}
}

func TestScores(t *testing.T) {
	for band, want := range map[string]float64{`"CRITICAL"`: 9.5, `"HIGH"`: 8, `"MODERATE"`: 5.5, `"low"`: 2, `"odd"`: 0, `7`: 0} {
		e := `{"id": "X", "database_specific": {"severity": ` + band + `}, "affected": [{"package": {"ecosystem": "npm", "name": "a"}, "versions": ["1.0.0"]}]}`
		if got := read(t, nil, e); len(got) != 1 || got[0].Score != want || got[0].Versions[0] != "1.0.0" {
			t.Errorf("%s: %+v", band, got)
		}
	}
	malware := `{"id": "MAL-2024-1", "details": "Steals\nall", "affected": [{"package": {"ecosystem": "npm", "name": "a"}, "versions": ["1.0.0"]}]}`
	if got := read(t, nil, malware); got[0].Score != 10 || got[0].Summary != "Steals" {
		t.Errorf("%+v", got)
	}
}

func TestSources(t *testing.T) {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for name, text := range map[string]string{"GHSA-1.json": lodash, "readme.txt": "no"} {
		f, err := w.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	z, err := zip.NewReader(bytes.NewReader(b.Bytes()), int64(b.Len()))
	if err != nil {
		t.Fatal(err)
	}
	folder := fstest.MapFS{"npm/a.json": {Data: []byte(lodash)}, "npm/b.txt": {Data: []byte("x")}}
	for name, load := range map[string]func(*osv.Database) error{
		"zip":    func(d *osv.Database) error { return d.ReadZip(z) },
		"folder": func(d *osv.Database) error { return d.ReadFS(folder) },
		"list":   func(d *osv.Database) error { return d.ReadJSON(strings.NewReader(" \n[" + lodash + "]")) },
		"one":    func(d *osv.Database) error { return d.ReadJSON(strings.NewReader(lodash)) },
	} {
		d := osv.New(nil)
		if err := load(d); err != nil || d.Entries() != 1 || len(d.Advisories()) != 3 {
			t.Errorf("%s: %d entries, %v", name, d.Entries(), err)
		}
	}
	for name, load := range map[string]func(*osv.Database) error{
		"empty folder": func(d *osv.Database) error { return d.ReadFS(fstest.MapFS{}) },
		"no entry":     func(d *osv.Database) error { return d.ReadJSON(strings.NewReader(`{"hello": 1}`)) },
		"empty":        func(d *osv.Database) error { return d.ReadJSON(strings.NewReader(" ")) },
		"cut":          func(d *osv.Database) error { return d.ReadJSON(strings.NewReader("[" + lodash)) },
		"half":         func(d *osv.Database) error { return d.ReadJSON(strings.NewReader("[" + lodash[:100])) },
		"bad file":     func(d *osv.Database) error { return d.ReadFS(fstest.MapFS{"a.json": {Data: []byte("{")}}) },
	} {
		if err := load(osv.New(nil)); ota.CodeOf(err) != "osv_invalid" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestFindings holds packages against the entry through the scan.
func TestFindings(t *testing.T) {
	for version, hit := range map[string]bool{"4.17.20": true, "4.17.21": false, "0.1.0": true, "4.17.21-rc.1": true, "5.0.0": false, "odd": false} {
		rep, err := scan.Run(t.Context(), nil, scan.Options{Advisory: read(t, nil, lodash), Packages: []scan.Library{{Name: "lodash", Version: version, Path: "package-lock.json"}}})
		if err != nil {
			t.Fatal(err)
		}
		found := false
		for _, f := range rep.Findings {
			if f.Rule == "ST-017" {
				found = true
				if f.Severity != scan.Warn || !strings.Contains(f.Message, "CVE-2021-23337") {
					t.Errorf("%+v", f)
				}
			}
		}
		if found != hit {
			t.Errorf("lodash %s: found %v", version, found)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(lodash))
	f.Add([]byte("[" + lodash + "]"))
	f.Fuzz(func(t *testing.T, data []byte) {
		d := osv.New(nil)
		_ = d.ReadJSON(bytes.NewReader(data))
		for _, a := range d.Advisories() {
			if a.ID == "" || a.Package == "" || a.Score < 0 || a.Score > 10 {
				t.Errorf("%+v", a)
			}
		}
	})
}
