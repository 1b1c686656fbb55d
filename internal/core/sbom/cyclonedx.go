package sbom

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"time"

	cdx "github.com/CycloneDX/cyclonedx-go"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// Subject is what a document is about and how it came to be.
type Subject struct {
	App, Version string    // of the bundle
	Source       string    // the file that the packages were read from
	Tool         string    // version of this program
	Time         time.Time // zero = the document names none
}

// Document writes a CycloneDX 1.7 document. Its serial number is made from all
// that is in it but the time.
func Document(s Subject, packages []Package) ([]byte, error) {
	sorted := append([]Package{}, packages...)
	sortPackages(sorted)
	components := make([]cdx.Component, 0, len(sorted))
	refs := make([]string, 0, len(sorted))
	for i := range sorted {
		components = append(components, component(&sorted[i]))
		refs = append(refs, components[i].BOMRef)
	}
	bom := cdx.NewBOM()
	root := s.App + "@" + s.Version
	bom.Metadata = &cdx.Metadata{
		Lifecycles: &[]cdx.Lifecycle{{Phase: cdx.LifecyclePhaseBuild}},
		Tools:      &cdx.ToolsChoice{Components: &[]cdx.Component{{Type: cdx.ComponentTypeApplication, Name: "waxwing", Version: s.Tool}}},
		Component:  &cdx.Component{BOMRef: root, Type: cdx.ComponentTypeApplication, Name: s.App, Version: s.Version},
	}
	if s.Source != "" {
		bom.Metadata.Properties = &[]cdx.Property{{Name: "waxwing:source", Value: s.Source}}
	}
	bom.Components = &components
	bom.Dependencies = &[]cdx.Dependency{{Ref: root, Dependencies: &refs}}
	plain, err := encode(bom)
	if err != nil {
		return nil, err
	}
	bom.SerialNumber = serial(plain)
	if !s.Time.IsZero() {
		bom.Metadata.Timestamp = s.Time.UTC().Format(time.RFC3339)
	}
	return encode(bom)
}

func encode(bom *cdx.BOM) ([]byte, error) {
	var b bytes.Buffer
	enc := cdx.NewBOMEncoder(&b, cdx.BOMFileFormatJSON)
	enc.SetPretty(true)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(bom); err != nil {
		return nil, ota.Errorf(ota.KindInternal, "sbom_not_written", "the SBOM could not be written").WithCause(err)
	}
	return b.Bytes(), nil
}

// serial makes a UUID (version 8: made from the content) of a document.
func serial(doc []byte) string {
	sum := sha256.Sum256(doc)
	sum[6], sum[8] = sum[6]&0x0f|0x80, sum[8]&0x3f|0x80
	h := hex.EncodeToString(sum[:16])
	return "urn:uuid:" + h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

func component(p *Package) cdx.Component {
	c := cdx.Component{Type: cdx.ComponentTypeLibrary, Name: p.Name, Version: p.Version, PackageURL: PURL(p.Name, p.Version)}
	c.BOMRef = c.PackageURL
	if scope, name, ok := strings.Cut(p.Name, "/"); ok {
		c.Group, c.Name = scope, name
	}
	switch {
	case p.Dev:
		c.Scope = cdx.ScopeExcluded
		c.Properties = &[]cdx.Property{{Name: "cdx:npm:package:development", Value: "true"}}
	case p.Optional:
		c.Scope = cdx.ScopeOptional
	default:
		c.Scope = cdx.ScopeRequired
	}
	if p.License != "" {
		c.Licenses = &cdx.Licenses{{License: &cdx.License{Name: p.License}}}
	}
	if h := hashes(p.Integrity); len(h) > 0 {
		c.Hashes = &h
	}
	if p.Resolved != "" {
		c.ExternalReferences = &[]cdx.ExternalReference{{Type: cdx.ERTypeDistribution, URL: p.Resolved}}
	}
	return c
}

// hashes reads an integrity text as lock files have it.
func hashes(integrity string) []cdx.Hash {
	var out []cdx.Hash
	for part := range strings.FieldsSeq(integrity) {
		alg, text, _ := strings.Cut(part, "-")
		text, _, _ = strings.Cut(text, "?")
		sum, err := base64.StdEncoding.DecodeString(text)
		name, size := map[string]cdx.HashAlgorithm{"sha512": cdx.HashAlgoSHA512, "sha384": cdx.HashAlgoSHA384, "sha256": cdx.HashAlgoSHA256, "sha1": cdx.HashAlgoSHA1}[alg],
			map[string]int{"sha512": 64, "sha384": 48, "sha256": 32, "sha1": 20}[alg]
		if err == nil && name != "" && len(sum) == size {
			out = append(out, cdx.Hash{Algorithm: name, Value: hex.EncodeToString(sum)})
		}
	}
	return out
}

// PURL is the package URL of an npm package.
func PURL(name, version string) string {
	scope, rest, scoped := strings.Cut(name, "/")
	if scoped {
		return "pkg:npm/" + purlPart(scope) + "/" + purlPart(rest) + "@" + purlPart(version)
	}
	return "pkg:npm/" + purlPart(name) + "@" + purlPart(version)
}

// purlPart percent-encodes what package URLs do not let through.
func purlPart(s string) string {
	var b strings.Builder
	for i := range len(s) {
		switch c := s[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '-', c == '.', c == '_', c == '~':
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

// document is the part of a CycloneDX document that is read.
type document struct {
	BOMFormat   string `json:"bomFormat"`
	SpecVersion string `json:"specVersion"`
	Components  []struct {
		Group   string `json:"group"`
		Name    string `json:"name"`
		Version string `json:"version"`
		PURL    string `json:"purl"`
		Scope   string `json:"scope"`
	} `json:"components"`
}

// Parse reads the npm packages of a CycloneDX document of any tool. Components
// of other kinds are passed over; a document that is none is sbom_invalid.
func Parse(data []byte) ([]Package, error) {
	bad := func(format string, a ...any) *ota.Error {
		return ota.Invalid("sbom_invalid", format, a...).WithHint("give a CycloneDX document in JSON, version 1.2 to 1.7")
	}
	if len(data) > MaxDocument {
		return nil, ota.Errorf(ota.KindTooLarge, "sbom_too_large", "an SBOM has at most %d bytes, this one has %d", MaxDocument, len(data)).WithHint("leave out what is not in the bundle")
	}
	var d document
	if err := json.Unmarshal(data, &d); err != nil {
		return nil, bad("the SBOM is not valid JSON: %s", err)
	}
	if d.BOMFormat != "CycloneDX" || len(d.SpecVersion) != 3 || d.SpecVersion < "1.2" || d.SpecVersion > "1.7" {
		return nil, bad("the SBOM is no CycloneDX document of a version that is read, but %.20q %.20q", d.BOMFormat, d.SpecVersion)
	}
	var l list
	for _, c := range d.Components {
		p := Package{Name: c.Name, Version: c.Version, Dev: c.Scope == "excluded", Optional: c.Scope == "optional"}
		if strings.HasPrefix(c.Group, "@") {
			p.Name = c.Group + "/" + c.Name
		}
		if c.PURL != "" {
			rest, ok := strings.CutPrefix(c.PURL, "pkg:npm/")
			if !ok {
				continue
			}
			if name, version, ok := fromPURL(rest); ok {
				p.Name, p.Version = name, version
			}
		}
		if !goodName(p.Name) || p.Version == "" {
			continue
		}
		if err := l.add(p); err != nil {
			return nil, bad("%s", err)
		}
	}
	return l.sorted(), nil
}

func fromPURL(rest string) (name, version string, ok bool) {
	rest, _, _ = strings.Cut(rest, "#")
	rest, _, _ = strings.Cut(rest, "?")
	name, version, ok = cutLast(rest, "@")
	if !ok || name == "" {
		return "", "", false
	}
	n, err1 := url.PathUnescape(name)
	v, err2 := url.PathUnescape(version)
	return n, v, err1 == nil && err2 == nil && v != ""
}
