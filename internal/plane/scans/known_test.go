package scans

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/sbom"
	"github.com/waxwing-ota/waxwing/internal/core/scan"
	"github.com/waxwing-ota/waxwing/internal/driver/blob/mem"
)

// TestKnown scans with a list of known vulnerabilities and an SBOM that names
// one of the packages to run and one to build with.
func TestKnown(t *testing.T) {
	blobs := mem.New(time.Now)
	doc, err := sbom.Document(sbom.Subject{App: "com.example.shop", Version: "1.0.0"}, []sbom.Package{
		{Name: "lodash", Version: "4.17.20"}, {Name: "webpack", Version: "5.0.0", Dev: true},
	})
	if err != nil {
		t.Fatal(err)
	}
	digest := ota.Sum(doc)
	if _, _, err := blobs.Append(t.Context(), digest, 0, bytes.NewReader(doc), 1<<20); err != nil {
		t.Fatal(err)
	}
	list := []scan.Advisory{{ID: "A", Package: "lodash", Fixed: "4.17.21", Score: 9.8}, {ID: "B", Package: "webpack", Score: 9.8}}
	s := &Service{d: Deps{Blobs: blobs, Advisories: func() ([]scan.Advisory, error) { return list, nil }}}
	var opts scan.Options
	if err := s.known(t.Context(), &ota.Bundle{SBOM: digest}, &opts); err != nil {
		t.Fatal(err)
	}
	rep, err := scan.Run(t.Context(), nil, opts)
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, f := range rep.Findings {
		if f.Rule == "ST-017" {
			found = append(found, string(f.Severity)+" "+f.Message)
		}
	}
	if len(found) != 1 || !strings.HasPrefix(found[0], "block lodash 4.17.20 (SBOM) has the known hole A") {
		t.Errorf("%q", found)
	}
	for name, c := range map[string]struct {
		bundle ota.Bundle
		with   bool
		fails  bool
	}{
		"no list":          {ota.Bundle{SBOM: digest}, false, false},
		"no SBOM":          {ota.Bundle{}, true, false},
		"the SBOM is gone": {ota.Bundle{SBOM: ota.Sum(nil)}, true, true},
	} {
		s := &Service{d: Deps{Blobs: blobs}}
		if c.with {
			s.d.Advisories = func() ([]scan.Advisory, error) { return list, nil }
		}
		var opts scan.Options
		if err := s.known(t.Context(), &c.bundle, &opts); (err != nil) != c.fails || len(opts.Packages) != 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
}
