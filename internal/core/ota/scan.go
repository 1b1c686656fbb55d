package ota

import "fmt"

// ScanSource says who scanned a bundle.
type ScanSource string

// The sources.
const (
	ScanCLI    ScanSource = "cli"    // the publisher's machine, which sent the report
	ScanServer ScanSource = "server" // the server, of what it stores
)

// ScanCounts are how many findings a scan has, by severity.
type ScanCounts struct {
	Block int `json:"block"`
	Warn  int `json:"warn"`
	Info  int `json:"info"`
}

// ScanReport describes a stored report of a bundle; the findings are fetched by
// themselves. Counts are of what was found, before any policy or suppression.
type ScanReport struct {
	ID        int64      `json:"id"`
	App       string     `json:"app"`
	Version   string     `json:"version"`
	BundleID  int64      `json:"bundle_id"`
	Source    ScanSource `json:"source"`
	Digest    Digest     `json:"digest"` // SHA-256 of the report's JSON
	Tool      string     `json:"tool"`   // the program that scanned, with its version
	Rules     string     `json:"rules"`  // names the set of rules
	Counts    ScanCounts `json:"counts"`
	KeyID     string     `json:"key_id"` // whose signature of it was checked; "" = it is not signed
	Signature string     `json:"signature"`
	CreatedAt int64      `json:"created_at"`
	CreatedBy Actor      `json:"created_by"`
}

// ScanJobState says where the server's scan of a bundle stands.
type ScanJobState string

// The states; a job that was carried out is gone.
const (
	ScanWaiting ScanJobState = "waiting"
	ScanFailed  ScanJobState = "failed" // it is not tried again until somebody asks
)

// ScanJob is a scan that the server has to do.
type ScanJob struct {
	BundleID int64        `json:"bundle_id"`
	App      string       `json:"app"`
	Version  string       `json:"version"`
	State    ScanJobState `json:"state"`
	AskedAt  int64        `json:"asked_at"`
	AskedBy  Actor        `json:"asked_by"`
	Attempts int          `json:"attempts"`
	NextAt   int64        `json:"next_at"` // not tried before
	Error    string       `json:"error"`   // of the last attempt
}

// ScanUpload is a report that a publisher's machine made. Report is its JSON,
// compressed with gzip; Digest is that of the JSON. With a Signature, which is
// the sealed [ScanStatement] under the kind [ScanStatementKind], KeyID names the
// app's key that made it.
type ScanUpload struct {
	Report    []byte `json:"report" doc:"the report's JSON, compressed with gzip"`
	Digest    Digest `json:"digest" doc:"SHA-256 of the JSON"`
	KeyID     string `json:"key_id,omitempty"`
	Signature string `json:"signature,omitempty"`
}

// ScanStatementKind is what a publisher's key says it signs for a report.
const ScanStatementKind = "waxwing-scan/1"

// ScanStatement is what a publisher signs of a report: that it is the report of
// just this content under just this name.
func ScanStatement(app, version string, tree, report Digest) Digest {
	return Sum(fmt.Appendf(nil, "%s\n%q\n%q\n%s\n%s\n", ScanStatementKind, app, version, tree, report))
}

// ScanFinding is one place where a rule's signal was seen.
type ScanFinding struct {
	Rule      string `json:"rule"`
	Severity  string `json:"severity"` // block, warn, info
	Certainty string `json:"certainty"`
	Path      string `json:"path"`
	Line      int    `json:"line,omitempty"`
	Column    int    `json:"column,omitempty"`
	Offset    int    `json:"offset"`
	Snippet   string `json:"snippet,omitempty"`
	Message   string `json:"message"`
	// Fingerprint stays the same in the next build.
	Fingerprint string           `json:"fingerprint"`
	State       string           `json:"state,omitempty"` // new or unchanged, against what the channel serves
	Suppression *ScanSuppression `json:"suppression,omitempty"`
	Action      ScanAction       `json:"action,omitempty"` // what the policy makes of it
}

// ScanSuppression says why a finding does not count, or may soon not.
type ScanSuppression struct {
	ID            int64  `json:"id,omitempty"`
	Status        string `json:"status"` // accepted, underReview, rejected
	Justification string `json:"justification"`
	By            string `json:"by"`
}

// ScanAction is what a policy does about findings.
type ScanAction string

// The actions.
const (
	ScanBlock   ScanAction = "block"   // what has one goes on no channel
	ScanApprove ScanAction = "approve" // somebody else must approve it first
	ScanWarn    ScanAction = "warn"    // it is said
	ScanIgnore  ScanAction = "ignore"
)

// ScanDemand is which report a policy wants to see.
type ScanDemand string

// The demands.
const (
	DemandNone   ScanDemand = "none"
	DemandCLI    ScanDemand = "cli"    // any report
	DemandServer ScanDemand = "server" // one that the server made
	DemandSigned ScanDemand = "signed" // one that a key of the app signed
)

// ScanPolicy says what a channel takes. The zero value is not valid: see
// [DefaultScanPolicy].
type ScanPolicy struct {
	OnBlock ScanAction `json:"on_block" doc:"for findings of severity block: block, approve, warn or ignore"`
	OnWarn  ScanAction `json:"on_warn"`
	OnInfo  ScanAction `json:"on_info"`
	Demand  ScanDemand `json:"demand" doc:"none, cli, server or signed"`
	// NewOnly lets pass what the channel's current release has too.
	NewOnly bool `json:"new_only"`
	// Rules gives rules another severity, or turns them off.
	Rules map[string]string `json:"rules" doc:"rule to block, warn, info or off"`
}

// DefaultScanPolicy is the policy of apps that set none.
func DefaultScanPolicy() ScanPolicy {
	return ScanPolicy{OnBlock: ScanBlock, OnWarn: ScanWarn, OnInfo: ScanWarn, Demand: DemandNone, Rules: map[string]string{}}
}

// Where a policy comes from.
const (
	PolicyDefault = "default"
	PolicyApp     = "app"
	PolicyChannel = "channel"
)

// ScanPolicyInfo is a policy that holds, and where it was set.
type ScanPolicyInfo struct {
	ScanPolicy
	From      string `json:"from"` // default, app or channel
	UpdatedAt int64  `json:"updated_at"`
	UpdatedBy Actor  `json:"updated_by"`
}

// ScanDecision is what a policy says about a bundle.
type ScanDecision string

// The decisions.
const (
	ScanPasses  ScanDecision = "pass"
	ScanAsks    ScanDecision = "approve"
	ScanPends   ScanDecision = "pending" // the server's scan is demanded and not done yet
	ScanLacks   ScanDecision = "missing" // the demanded report is not there
	ScanRefuses ScanDecision = "block"
)

// ScanVerdict is a bundle as a channel's policy sees it.
type ScanVerdict struct {
	Decision ScanDecision   `json:"decision"`
	Reason   string         `json:"reason"` // "" if it passes
	Policy   ScanPolicyInfo `json:"policy"`
	Reports  []ScanReport   `json:"reports" nullable:"false"`
	Job      *ScanJob       `json:"job"`    // nil = the server has nothing to do
	Counts   ScanCounts     `json:"counts"` // of what counts
	// Findings are those that are not turned off, the gravest first.
	Findings []ScanFinding `json:"findings" nullable:"false"`
}

// ScanTrend is how a bundle's findings were, for a chart.
type ScanTrend struct {
	Version   string     `json:"version"`
	BundleID  int64      `json:"bundle_id"`
	Source    ScanSource `json:"source"`
	Counts    ScanCounts `json:"counts"`
	CreatedAt int64      `json:"created_at"` // of the bundle
}
