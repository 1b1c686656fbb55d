package sealed

import "github.com/waxwing-ota/waxwing/internal/core/canon"

// What a device reports about a bundle, in the order in which it happens.
const (
	EventOffered    = "offered"
	EventDownloaded = "downloaded"
	EventVerified   = "verified"
	EventInstalled  = "installed"
	EventHealthy    = "healthy"
	EventFailed     = "failed"
	EventRolledBack = "rolled_back"
)

// Report is a device's word on what became of a bundle. It travels in an
// envelope signed by the device's key.
type Report struct {
	Type       string     `json:"_type"`
	App        string     `json:"app"`
	Device     string     `json:"device"`
	Thumbprint string     `json:"thumbprint"`
	N          int64      `json:"n"` // rises by one with each report
	At         canon.Time `json:"at"`
	Manifest   string     `json:"manifest"` // SHA-256
	Seq        int64      `json:"seq"`
	Event      string     `json:"event"`
	Reason     string     `json:"reason"` // code of a failure; "" = none
}

// Kind is the document's _type.
func (*Report) Kind() string { return "report" }

// Cap is MaxReport.
func (*Report) Cap() int { return MaxReport }

func (p *Report) typ() *string { return &p.Type }

// Check says whether it is a report and every field has a meaning.
func (p *Report) Check() error {
	r := rulesOf(p)
	r.app("app", p.App)
	r.uuid("device", p.Device)
	r.hash("thumbprint", p.Thumbprint)
	r.uint("n", p.N, 1, MaxInt)
	r.time("at", p.At)
	r.hash("manifest", p.Manifest)
	r.uint("seq", p.Seq, 1, MaxInt)
	r.oneOf("event", p.Event, EventOffered, EventDownloaded, EventVerified, EventInstalled, EventHealthy, EventFailed, EventRolledBack)
	r.text("reason", p.Reason, 64)
	return r.err
}
