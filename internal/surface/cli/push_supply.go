package cli

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/provenance"
	"github.com/waxwing-ota/waxwing/internal/core/sbom"
	"github.com/waxwing-ota/waxwing/internal/core/scan"
	"github.com/waxwing-ota/waxwing/internal/publish"
	"github.com/waxwing-ota/waxwing/internal/supply"
)

// noSBOM is what --sbom takes besides a file.
const noSBOM = "none"

// readSupply finds out what the build is made of and where it came from.
func (o *pushOptions) readSupply(ctx context.Context, g *Globals, dir string) error {
	at := time.Now()
	facts := provenance.Facts{Tool: readBuild().Version, At: at}
	packages, source, err := o.readSBOM(g, dir, at, &facts)
	if err != nil {
		return err
	}
	from := dir
	if project, ok := supply.Find(dir); ok {
		from = project
	}
	facts.Origin = supply.FindOrigin(ctx, from, os.Getenv)
	o.Provenance = &publish.Provenance{Facts: facts, Random: rand.Reader}
	if o.osv == "" {
		return nil
	}
	if len(packages) == 0 {
		return usagef("--osv needs to know what the build is made of, and no lock file was found").WithHint("push from within the project, or give --sbom FILE")
	}
	return o.checkKnown(g, packages, source)
}

// readSBOM makes the SBOM, or takes the one that is named.
func (o *pushOptions) readSBOM(g *Globals, dir string, at time.Time, facts *provenance.Facts) ([]sbom.Package, string, error) {
	switch o.sbom {
	case noSBOM:
		return nil, "", nil
	case "":
	default:
		raw, packages, err := supply.ReadSBOM(o.sbom)
		if err != nil {
			return nil, "", asField(err, "sbom")
		}
		o.SBOM = raw
		return packages, o.sbom, nil
	}
	project, ok := supply.Find(dir)
	if !ok {
		g.Note("no package.json was found from %s upwards: what the build is made of is not recorded", clean(dir))
		return nil, "", nil
	}
	p, err := supply.ReadProject(project)
	if err != nil {
		return nil, "", err
	}
	facts.Inputs = p.Inputs
	if p.Source == "" {
		g.Note("%s has no lock file and nothing installed: what the build is made of is not recorded", clean(project))
		return nil, "", nil
	}
	o.SBOM, err = sbom.Document(sbom.Subject{App: o.App, Version: o.Version, Source: p.Source, Tool: readBuild().Version, Time: at}, p.Packages)
	return p.Packages, p.Source, err
}

// checkKnown holds the packages against an export of known vulnerabilities.
func (o *pushOptions) checkKnown(g *Globals, packages []sbom.Package, source string) error {
	findings, err := knownHoles(o.osv, packages, source)
	if err != nil {
		return err
	}
	var worst []string
	for _, f := range findings {
		g.Warn("%s (%s %s)", clean(f.Message), f.Rule, f.Severity)
		if f.Severity == scan.Block {
			worst = append(worst, f.Message)
		}
	}
	if len(worst) == 0 || o.allowVulnerable {
		return nil
	}
	return ota.Conflict("known_vulnerability", "the build has %d critical known vulnerabilities, the first: %s", len(worst), worst[0]).
		WithHint("update the package; --allow-vulnerable publishes it all the same")
}

// knownHoles returns the findings of ST-017 about packages that are needed to
// run; what is needed only to build is not in the bundle as a package.
func knownHoles(path string, packages []sbom.Package, source string) ([]scan.Finding, error) {
	advisories, err := supply.LoadOSV(path, packageNames(packages))
	if err != nil {
		return nil, err
	}
	rep, err := scan.Run(context.Background(), nil, scan.Options{Advisory: advisories, Packages: libraries(packages, source)})
	if err != nil {
		return nil, err
	}
	var out []scan.Finding
	for _, f := range rep.Findings {
		if f.Rule == "ST-017" {
			out = append(out, f)
		}
	}
	return out, nil
}

// packageNames accepts the names of the packages.
func packageNames(packages []sbom.Package) func(string) bool {
	names := make(map[string]bool, len(packages))
	for i := range packages {
		names[packages[i].Name] = true
	}
	return func(name string) bool { return names[name] }
}

// libraries are the packages as the scan takes them.
func libraries(packages []sbom.Package, source string) []scan.Library {
	var out []scan.Library
	for i := range packages {
		if p := &packages[i]; !p.Dev {
			out = append(out, scan.Library{Name: p.Name, Version: p.Version, Path: source})
		}
	}
	return out
}

func asField(err error, field string) error {
	if e, ok := errors.AsType[*ota.Error](err); ok {
		e.Field = field
	}
	return err
}

// originText says where a bundle came from, for people.
func originText(p *publish.ProvenanceCheck) string {
	o := p.Origin
	text := "from unknown sources"
	if o.Commit != "" {
		text = "from commit " + o.Commit
	}
	if o.Repository != "" {
		text += " of " + o.Repository
	}
	if o.Dirty {
		text += ", with changes that were not committed"
	}
	if o.CI != "" {
		text += ", in " + strings.TrimSpace(o.CI+" "+o.Run)
	}
	if len(p.SignedBy) == 0 {
		return text + ", unsigned"
	}
	return fmt.Sprintf("%s, signed with key %s", text, strings.Join(p.SignedBy, " and "))
}

// readKnown fills in what --osv and --sbom of scan name.
func (o *scanOptions) readKnown(dir string, opts *scan.Options) error {
	if o.osv == "" {
		if o.sbom != "" {
			return usagef("--sbom goes with --osv")
		}
		return nil
	}
	var packages []sbom.Package
	source := o.sbom
	if o.sbom != "" {
		var err error
		if _, packages, err = supply.ReadSBOM(o.sbom); err != nil {
			return asField(err, "sbom")
		}
	} else if project, ok := supply.Find(dir); ok {
		p, err := supply.ReadProject(project)
		if err != nil {
			return err
		}
		packages, source = p.Packages, p.Source
	}
	// All advisories: the bundle names libraries by itself, too.
	var err error
	if opts.Advisory, err = supply.LoadOSV(o.osv, nil); err != nil {
		return err
	}
	opts.Packages = libraries(packages, source)
	return nil
}
