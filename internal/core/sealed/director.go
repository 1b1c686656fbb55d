package sealed

import (
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/canon"
)

// What a director may tell a device.
const (
	ActionInstall = "install" // run this target
	ActionStay    = "stay"    // nothing to do
	ActionBuiltin = "builtin" // go back to the bundle inside the native app
)

// The arms of a rollout's experiment.
const (
	ArmNone    = "none"
	ArmTreated = "treated"
	ArmControl = "control"
)

// Director is the answer to one request of one device, signed online: which of
// the approved targets it is to run. It can approve nothing by itself.
type Director struct {
	Type      string     `json:"_type"`
	App       string     `json:"app"`
	Request   string     `json:"request"` // SHA-256 of the request's body, and so of its nonce
	Device    string     `json:"device"`  // see CheckRequest.Subject
	Issued    canon.Time `json:"issued"`
	Expires   canon.Time `json:"expires"` // at most 10 minutes later
	Action    string     `json:"action"`
	Target    Target     `json:"target"`
	Floor     int64      `json:"floor"`      // for this answer only: a lower target.seq is refused
	Rollout   string     `json:"rollout"`    // "" = none
	Arm       string     `json:"arm"`        // none | treated | control
	PollAfter int64      `json:"poll_after"` // seconds, at most a week
	Root      int64      `json:"root"`       // versions of metadata that the server has
	Timestamp int64      `json:"timestamp"`
}

// Target names a manifest among the targets of the repository. All of it is
// empty unless the action is install.
type Target struct {
	Path   string `json:"path"`
	SHA256 string `json:"sha256"`
	Seq    int64  `json:"seq"`
}

// Kind is the document's _type.
func (*Director) Kind() string { return "director" }

// Cap is MaxDirector.
func (*Director) Cap() int { return MaxDirector }

func (d *Director) typ() *string { return &d.Type }

// Check says whether it is a director's answer and every field has a meaning.
func (d *Director) Check() error {
	r := rulesOf(d)
	r.app("app", d.App)
	r.hash("request", d.Request)
	r.hash("device", d.Device)
	r.span("expires", d.Issued, d.Expires, MaxDirectorAge*time.Second)
	r.oneOf("action", d.Action, ActionInstall, ActionStay, ActionBuiltin)
	if d.Action == ActionInstall {
		r.hash("target.sha256", d.Target.SHA256)
		r.uint("target.seq", d.Target.Seq, 1, MaxInt)
		r.that(d.Target.Path == TargetPath(ClassProduction, d.App, d.Target.Seq) || d.Target.Path == TargetPath(ClassStaging, d.App, d.Target.Seq),
			"target.path", "is not that of a manifest of this app and seq")
	} else {
		r.that(d.Target == Target{}, "target", "is there without the action install")
	}
	r.uint("floor", d.Floor, 0, MaxInt)
	r.text("rollout", d.Rollout, 64)
	r.oneOf("arm", d.Arm, ArmNone, ArmTreated, ArmControl)
	r.uint("poll_after", d.PollAfter, 0, MaxPollAfter)
	r.uint("root", d.Root, 1, maxVersion)
	r.uint("timestamp", d.Timestamp, 1, maxVersion)
	return r.err
}
