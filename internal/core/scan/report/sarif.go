package report

import (
	"encoding/json"
	"io"
	"net/url"
	"strconv"
	"strings"

	"github.com/waxwing-ota/waxwing/internal/core/scan"
	"github.com/waxwing-ota/waxwing/internal/core/scan/rules"
)

// rootID names the folder of the bundle in SARIF.
const rootID = "BUNDLEROOT"

type sarifLog struct {
	Schema  string     `json:"$schema"`
	Version string     `json:"version"`
	Runs    []sarifRun `json:"runs"`
}

type sarifRun struct {
	Tool        sarifTool                `json:"tool"`
	Invocations []sarifInvocation        `json:"invocations"`
	Bases       map[string]sarifLocation `json:"originalUriBaseIds"`
	Provenance  []sarifRevision          `json:"versionControlProvenance,omitempty"`
	Artifacts   []sarifArtifact          `json:"artifacts"`
	Results     []sarifResult            `json:"results"`
	ColumnKind  string                   `json:"columnKind"`
	Automation  sarifID                  `json:"automationDetails"`
}

type sarifID struct {
	ID string `json:"id"`
}

type sarifText struct {
	Text     string `json:"text"`
	Markdown string `json:"markdown,omitzero"`
}

type sarifTool struct {
	Driver sarifDriver `json:"driver"`
}

type sarifDriver struct {
	Name           string      `json:"name"`
	Version        string      `json:"version,omitzero"`
	InformationURI string      `json:"informationUri"`
	Rules          []sarifRule `json:"rules"`
}

type sarifRule struct {
	ID         string              `json:"id"`
	Name       string              `json:"name"`
	Short      sarifText           `json:"shortDescription"`
	Full       sarifText           `json:"fullDescription"`
	Help       sarifText           `json:"help"`
	HelpURI    string              `json:"helpUri"`
	Default    sarifConfiguration  `json:"defaultConfiguration"`
	Properties sarifRuleProperties `json:"properties"`
}

type sarifConfiguration struct {
	Level string `json:"level"`
}

type sarifRuleProperties struct {
	Tags      []string `json:"tags"`
	Precision string   `json:"precision"`
	Score     string   `json:"security-severity"`
	Reference string   `json:"reference"`
}

type sarifInvocation struct {
	Successful bool   `json:"executionSuccessful"`
	Start      string `json:"startTimeUtc,omitzero"`
}

type sarifRevision struct {
	Repo     string        `json:"repositoryUri"`
	Revision string        `json:"revisionId,omitzero"`
	MappedTo sarifLocation `json:"mappedTo"`
}

type sarifLocation struct {
	URI         string     `json:"uri,omitzero"`
	BaseID      string     `json:"uriBaseId,omitzero"`
	Index       *int       `json:"index,omitempty"`
	Description *sarifText `json:"description,omitempty"`
}

type sarifArtifact struct {
	Location sarifLocation     `json:"location"`
	Length   int64             `json:"length"`
	Hashes   map[string]string `json:"hashes,omitempty"`
	Roles    []string          `json:"roles"`
}

type sarifResult struct {
	RuleID       string             `json:"ruleId"`
	RuleIndex    int                `json:"ruleIndex"`
	Level        string             `json:"level"`
	Message      sarifText          `json:"message"`
	Locations    []sarifPlace       `json:"locations"`
	Prints       map[string]string  `json:"partialFingerprints"`
	State        string             `json:"baselineState,omitzero"`
	Suppressions []sarifSuppression `json:"suppressions,omitempty"`
	Properties   map[string]string  `json:"properties"`
}

type sarifPlace struct {
	Physical sarifPhysical `json:"physicalLocation"`
}

type sarifPhysical struct {
	Artifact sarifLocation `json:"artifactLocation"`
	Region   *sarifRegion  `json:"region,omitempty"`
}

type sarifRegion struct {
	StartLine   int        `json:"startLine"`
	StartColumn int        `json:"startColumn"`
	ByteOffset  int        `json:"byteOffset"`
	Snippet     *sarifText `json:"snippet,omitempty"`
}

type sarifSuppression struct {
	Kind          string            `json:"kind"`
	Status        string            `json:"status,omitzero"`
	Justification string            `json:"justification,omitzero"`
	Properties    map[string]string `json:"properties,omitempty"`
}

// SARIF writes the report in the Static Analysis Results Interchange Format
// 2.1.0, one run.
func SARIF(w io.Writer, r *scan.Report, m Meta) error {
	run := sarifRun{
		Tool: sarifTool{sarifDriver{
			Name: "waxwing", Version: m.Version, InformationURI: "https://github.com/waxwing-ota/waxwing", Rules: []sarifRule{},
		}},
		Invocations: []sarifInvocation{{Successful: true, Start: m.Time}},
		Bases:       map[string]sarifLocation{rootID: {Description: &sarifText{Text: "The folder of the web bundle."}}},
		Artifacts:   []sarifArtifact{}, Results: []sarifResult{},
		ColumnKind: "unicodeCodePoints",
		Automation: sarifID{"waxwing-scan/"},
	}
	if m.Repo != "" {
		run.Provenance = []sarifRevision{{m.Repo, m.Revision, sarifLocation{BaseID: rootID}}}
	}
	ruleAt := map[string]int{}
	for i := range r.Rules {
		ruleAt[r.Rules[i].ID] = i
		run.Tool.Driver.Rules = append(run.Tool.Driver.Rules, sarifRuleOf(&r.Rules[i]))
	}
	fileAt := map[string]int{}
	for i, f := range r.Files {
		fileAt[f.Path] = i
		a := sarifArtifact{Location: sarifLocation{URI: uri(f.Path), BaseID: rootID}, Length: f.Size, Roles: []string{"analysisTarget"}}
		if f.SHA256 != "" {
			a.Hashes = map[string]string{"sha-256": f.SHA256}
		}
		run.Artifacts = append(run.Artifacts, a)
	}
	for i := range r.Findings {
		run.Results = append(run.Results, sarifResultOf(&r.Findings[i], ruleAt, fileAt))
	}
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(sarifLog{"https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json", "2.1.0", []sarifRun{run}})
}

func sarifRuleOf(r *rules.Rule) sarifRule {
	precision := "high"
	if r.Certainty == string(scan.Heuristic) {
		precision = "medium"
	}
	return sarifRule{
		ID: r.ID, Name: pascal(r.Title), Short: sarifText{Text: r.Title}, Full: sarifText{Text: r.What + " " + r.Why},
		Help: sarifText{
			Text:     r.Why + " " + r.Fix + " Reference: " + r.Reference + ".",
			Markdown: "**Why.** " + r.Why + "\n\n**Fix.** " + r.Fix + "\n\n**Reference.** [" + r.Reference + "](" + r.Help + ")",
		},
		HelpURI: r.Help, Default: sarifConfiguration{level(scan.Severity(r.Severity))},
		Properties: sarifRuleProperties{append([]string{"security"}, r.Tags...), precision, strconv.FormatFloat(r.Score, 'f', 1, 64), r.Reference},
	}
}

func sarifResultOf(f *scan.Finding, ruleAt, fileAt map[string]int) sarifResult {
	res := sarifResult{
		RuleID: f.Rule, RuleIndex: -1, Level: level(f.Severity), Message: sarifText{Text: f.Message}, State: f.State,
		Prints:     map[string]string{"waxwing/v1": f.Fingerprint},
		Properties: map[string]string{"severity": string(f.Severity), "certainty": string(f.Certainty)},
	}
	if i, ok := ruleAt[f.Rule]; ok {
		res.RuleIndex = i
	}
	path := f.Path
	if path == "" {
		path = "index.html" // code hosts show nothing without a file
	}
	p := sarifPhysical{Artifact: sarifLocation{URI: uri(path), BaseID: rootID}}
	if i, ok := fileAt[path]; ok {
		p.Artifact.Index = &i
	}
	if f.Line > 0 {
		p.Region = &sarifRegion{StartLine: f.Line, StartColumn: f.Column, ByteOffset: f.Offset}
		if f.Snippet != "" {
			p.Region.Snippet = &sarifText{Text: f.Snippet}
		}
	}
	res.Locations = []sarifPlace{{p}}
	if s := f.Suppression; s != nil {
		res.Suppressions = []sarifSuppression{{Kind: "external", Status: s.Status, Justification: s.Justification, Properties: map[string]string{"approver": s.By}}}
	}
	return res
}

// level is SARIF's word for a severity.
func level(s scan.Severity) string {
	switch s {
	case scan.Block:
		return "error"
	case scan.Warn:
		return "warning"
	case scan.Info:
	}
	return "note"
}

// uri writes a path as a relative reference. Names may hold anything.
func uri(path string) string {
	path = strings.ToValidUTF8(path, "\uFFFD")
	u := (&url.URL{Path: path}).EscapedPath()
	first, _, _ := strings.Cut(u, "/")
	if strings.HasPrefix(u, "/") || strings.Contains(first, ":") {
		u = "./" + u
	}
	return u
}

// pascal writes a title as a name: "Plain HTTP" is PlainHTTP.
func pascal(title string) string {
	var b strings.Builder
	for _, w := range strings.FieldsFunc(title, func(r rune) bool { return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') }) {
		b.WriteString(strings.ToUpper(w[:1]) + w[1:])
	}
	return b.String()
}
