package provenance

import (
	"bytes"
	"encoding/json"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// The types of what is written.
const (
	StatementType = "https://in-toto.io/Statement/v1"
	PredicateType = "https://slsa.dev/provenance/v1"
	BuildType     = "https://github.com/waxwing-ota/waxwing/blob/main/docs/provenance.md#push-v1"
	BuilderID     = "https://github.com/waxwing-ota/waxwing"

	// treeDigest is the digest algorithm of a bundle's content: SHA-256 over the
	// sorted paths and SHA-256 sums of its files (ota.TreeDigest).
	treeDigest = "waxwingTree"
)

// Statement is an in-toto statement with SLSA provenance.
type Statement struct {
	Type          string     `json:"_type"`
	Subject       []Resource `json:"subject"`
	PredicateType string     `json:"predicateType"`
	Predicate     Predicate  `json:"predicate"`
}

// Resource is in-toto's ResourceDescriptor.
type Resource struct {
	Name   string            `json:"name,omitempty"`
	URI    string            `json:"uri,omitempty"`
	Digest map[string]string `json:"digest,omitempty"`
}

// Predicate is SLSA's provenance.
type Predicate struct {
	BuildDefinition BuildDefinition `json:"buildDefinition"`
	RunDetails      RunDetails      `json:"runDetails"`
}

// BuildDefinition says what was asked for and from what it was made.
type BuildDefinition struct {
	BuildType            string     `json:"buildType"`
	ExternalParameters   External   `json:"externalParameters"`
	InternalParameters   Internal   `json:"internalParameters"`
	ResolvedDependencies []Resource `json:"resolvedDependencies,omitempty"`
}

// External is what the publisher asked for.
type External struct {
	App     string `json:"app"`
	Version string `json:"version"`
	Channel string `json:"channel,omitempty"`
}

// Internal is what was found.
type Internal struct {
	Dirty bool   `json:"dirty"` // the sources had changes that were not committed
	CI    string `json:"ci,omitempty"`
	Ref   string `json:"ref,omitempty"` // branch or tag
}

// RunDetails says who made it and when.
type RunDetails struct {
	Builder    Builder    `json:"builder"`
	Metadata   Metadata   `json:"metadata"`
	Byproducts []Resource `json:"byproducts,omitempty"`
}

// Builder is the program that made the bundle.
type Builder struct {
	ID      string            `json:"id"`
	Version map[string]string `json:"version,omitempty"`
}

// Metadata of a run.
type Metadata struct {
	InvocationID string `json:"invocationId,omitempty"` // address of the CI run
	StartedOn    string `json:"startedOn,omitempty"`
	FinishedOn   string `json:"finishedOn,omitempty"`
}

// Origin is where a build came from. Empty fields are unknown.
type Origin struct {
	Repository string `json:"repository,omitempty"` // address without credentials
	Commit     string `json:"commit,omitempty"`
	Ref        string `json:"ref,omitempty"`
	Dirty      bool   `json:"dirty,omitempty"`
	CI         string `json:"ci,omitempty"`  // such as github-actions
	Run        string `json:"run,omitempty"` // address of the run
}

// Input is a file that the bundle was made from, such as its lock file.
type Input struct {
	Name string
	Sum  ota.Digest
}

// Facts is what a statement says.
type Facts struct {
	App, Version, Channel string
	Tree                  ota.Digest
	Variants              []ota.Variant
	SBOM                  ota.Digest // zero = none
	Inputs                []Input
	Origin                Origin
	Tool                  string    // version of this program
	At                    time.Time // zero = not told
}

// New makes the statement about a bundle.
func New(f Facts) Statement {
	s := Statement{Type: StatementType, PredicateType: PredicateType, Subject: subjects(f.App, f.Version, f.Tree, f.Variants)}
	def := BuildDefinition{
		BuildType:          BuildType,
		ExternalParameters: External{f.App, f.Version, f.Channel},
		InternalParameters: Internal{Dirty: f.Origin.Dirty, CI: f.Origin.CI, Ref: f.Origin.Ref},
	}
	if f.Origin.Commit != "" {
		source := Resource{Digest: map[string]string{"gitCommit": f.Origin.Commit}, Name: "source"}
		if f.Origin.Repository != "" {
			source.URI = "git+" + f.Origin.Repository + "@" + f.Origin.Commit
		}
		def.ResolvedDependencies = append(def.ResolvedDependencies, source)
	}
	for _, in := range f.Inputs {
		def.ResolvedDependencies = append(def.ResolvedDependencies, Resource{Name: in.Name, Digest: sha256Of(in.Sum)})
	}
	run := RunDetails{Builder: Builder{ID: BuilderID}, Metadata: Metadata{InvocationID: f.Origin.Run}}
	if f.Tool != "" {
		run.Builder.Version = map[string]string{"waxwing": f.Tool}
	}
	if !f.At.IsZero() {
		run.Metadata.FinishedOn = f.At.UTC().Format(time.RFC3339)
	}
	if !f.SBOM.IsZero() {
		run.Byproducts = append(run.Byproducts, Resource{Name: sbomName, Digest: sha256Of(f.SBOM)})
	}
	s.Predicate = Predicate{def, run}
	return s
}

const sbomName = "bom.cdx.json"

func sha256Of(d ota.Digest) map[string]string { return map[string]string{"sha256": d.String()} }

// subjects names a bundle's content, and the stored zip of each variant.
func subjects(app, version string, tree ota.Digest, variants []ota.Variant) []Resource {
	list := []Resource{{Name: app + "@" + version, Digest: map[string]string{treeDigest: tree.String()}}}
	for i := range variants {
		if v := &variants[i]; !v.Zip.IsZero() {
			list = append(list, Resource{Name: zipName(version, v.KeyID), Digest: sha256Of(v.Zip)})
		}
	}
	return list
}

func zipName(version, keyID string) string {
	if keyID == "" {
		return version + ".zip"
	}
	return version + ".zip for key " + keyID
}

// Origin returns where the statement says the build came from.
func (s *Statement) Origin() Origin {
	def := &s.Predicate.BuildDefinition
	o := Origin{
		Dirty: def.InternalParameters.Dirty, CI: def.InternalParameters.CI, Ref: def.InternalParameters.Ref,
		Run: s.Predicate.RunDetails.Metadata.InvocationID,
	}
	for _, d := range def.ResolvedDependencies {
		if commit := d.Digest["gitCommit"]; commit != "" {
			o.Commit = commit
			o.Repository = strings.TrimSuffix(strings.TrimPrefix(d.URI, "git+"), "@"+commit)
			break
		}
	}
	return o
}

// About reports whether the statement is about this very bundle: its content,
// the zip of each variant, and its SBOM. Neither may have more than the other.
func (s *Statement) About(b *ota.Bundle) error {
	ext := s.Predicate.BuildDefinition.ExternalParameters
	if ext.App != b.App || ext.Version != b.Version {
		return invalid("the statement is about version %.80q of %.80q, not %s of %s", ext.Version, ext.App, b.Version, b.App)
	}
	want := subjects(b.App, b.Version, b.Tree, b.Variants)
	for _, w := range want {
		if !slices.ContainsFunc(s.Subject, func(r Resource) bool { return same(r, w) }) {
			return invalid("the statement does not name %s as it is served", w.Name)
		}
	}
	for _, r := range s.Subject {
		if !slices.ContainsFunc(want, func(w Resource) bool { return same(r, w) }) {
			return invalid("the statement names %.80q, which is not served like that", r.Name)
		}
	}
	sbom := ota.Digest{}.String()
	for _, r := range s.Predicate.RunDetails.Byproducts {
		if r.Name == sbomName {
			sbom = r.Digest["sha256"]
		}
	}
	if sbom != b.SBOM.String() {
		return invalid("the statement names another SBOM than is stored with the bundle")
	}
	return nil
}

func same(a, b Resource) bool {
	if a.Name != b.Name || len(a.Digest) != len(b.Digest) {
		return false
	}
	for k, v := range a.Digest {
		if b.Digest[k] != v {
			return false
		}
	}
	return true
}

// parseStatement reads a payload. Predicates may say more than is read here.
func parseStatement(payload []byte) (Statement, error) {
	var s Statement
	dec := json.NewDecoder(bytes.NewReader(payload))
	if err := dec.Decode(&s); err != nil {
		return s, invalid("the statement is not valid JSON: %s", err)
	}
	if _, err := dec.Token(); err != io.EOF {
		return s, invalid("there is something behind the statement")
	}
	switch {
	case s.Type != StatementType:
		return s, invalid("the payload is a %.80q, not a %s", s.Type, StatementType)
	case s.PredicateType != PredicateType:
		return s, invalid("the statement says %.80q, not %s", s.PredicateType, PredicateType)
	case s.Predicate.BuildDefinition.BuildType != BuildType:
		return s, invalid("the build is a %.80q, not one of push", s.Predicate.BuildDefinition.BuildType)
	case len(s.Subject) == 0 || len(s.Subject) > 1000:
		return s, invalid("the statement is about %d things", len(s.Subject))
	}
	return s, nil
}
