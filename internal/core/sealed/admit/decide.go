package admit

import (
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/canon"
	"github.com/waxwing-ota/waxwing/internal/core/sealed"
	"github.com/waxwing-ota/waxwing/internal/core/tuf"
)

// Skew is how far a device's clock may be off: a director's answer may seem to
// come from the future by so much, and the clock may seem to go back by so much.
const Skew = 5 * time.Minute

// Input is one check: what was asked, what came back, and when.
type Input struct {
	Build   Build
	Now     time.Time
	Request []byte // the exact body that was sent
	// Thumbprint is that of the device's certificate; "" = not enrolled.
	Thumbprint string
	// Answer is what the server said. Documents that were fetched apart, because
	// they were missing, are put into it; nobody can tell the difference.
	Answer *sealed.Answer
}

// Decision is what to do about an answer that was admitted.
type Decision struct {
	Action    string        // sealed.ActionInstall, ActionStay or ActionBuiltin
	Plan      *Plan         // of ActionInstall; nil = the device said that it runs this bundle
	Builtin   Builtin       // of ActionBuiltin
	Rollout   string        // "" = none
	Arm       string        // sealed.ArmNone, …
	PollAfter time.Duration // when to ask again
}

// Builtin is a director's word that the device is to go back to the bundle
// inside its native app. Only Decide makes one; the zero value is none.
type Builtin struct{ issued time.Time }

// Valid reports whether a director said so.
func (b Builtin) Valid() bool { return !b.issued.IsZero() }

// Decide admits the documents of an answer. The state that it returns is never
// weaker than the one given and is to be kept even if an error comes with it:
// whatever was verified before the error holds. An error says that nothing is to
// be installed now; it never stops what is installed from running.
func Decide(state State, in Input) (Decision, State, error) { return decide(verifying(), state, in) }

func decide(r reader, state State, in Input) (Decision, State, error) {
	d := decider{reader: r, in: in}
	var err error
	if err = in.Build.check(); err != nil {
		return Decision{}, state, err
	}
	if d.state, err = state.of(in.Build); err != nil {
		return Decision{}, state, err
	}
	out, err := d.run()
	return out, d.state, err
}

// decider is one run of the algorithm. Each step leaves in state what it made
// sure of.
type decider struct {
	reader

	in     Input
	state  State
	asked  *sealed.CheckRequest
	client *tuf.Client
	rules  *sealed.Trust
	order  sealed.Director // the director's
}

func (d *decider) run() (Decision, error) {
	for _, step := range []func() error{d.checkClock, d.readRequest, d.walk, d.readTrust, d.readDirector, d.caughtUp} {
		if err := step(); err != nil {
			return Decision{}, err
		}
	}
	out := Decision{
		Action: d.order.Action, Rollout: d.order.Rollout, Arm: d.order.Arm,
		PollAfter: time.Duration(d.order.PollAfter) * time.Second,
	}
	var err error
	switch out.Action {
	case sealed.ActionBuiltin:
		if err = d.advanceLog(); err == nil {
			out.Builtin = Builtin{d.order.Issued.Time}
		}
	case sealed.ActionInstall:
		out.Plan, err = d.plan()
	default:
		err = d.advanceLog()
	}
	if err != nil {
		return Decision{}, err
	}
	return out, nil
}

// checkClock: a clock that is behind what is known to have been would let expired
// metadata pass.
func (d *decider) checkClock() error {
	now := d.in.Now
	if now.Before(d.in.Build.Made) || now.Before(d.state.Issued.Add(-Skew)) {
		return fail(CodeClock, "the device's clock says %s, which is in the past", now.UTC().Format(time.RFC3339)).
			WithHint("set the clock; what is installed keeps running")
	}
	return nil
}

// readRequest reads the device's own request, which names itself.
func (d *decider) readRequest() error {
	req, err := d.request(d.in.Request)
	if err != nil {
		return err
	}
	if req.App != d.in.Build.App {
		return fail(CodeApp, "the request is for the app %.80q", req.App)
	}
	if d.in.Answer == nil {
		return fail(CodeRequest, "there is no answer")
	}
	d.asked = req
	return d.in.Answer.Check()
}

func (d *decider) readDirector() error {
	o, err := d.director(d.in.Answer.Director, d.rules.Director)
	if err != nil {
		return err
	}
	device := d.in.Thumbprint
	if device == "" {
		device = sealed.DeviceHash(d.asked.App, d.asked.Device)
	}
	now := d.in.Now
	switch {
	case o.App != d.in.Build.App:
		return fail(CodeApp, "the director answers for the app %.80q", o.App)
	case o.Request != sealed.HashOf(d.in.Request):
		return fail(CodeRequest, "the director answers another request").
			WithHint("it may be an old answer that was recorded; ask again with a new nonce")
	case o.Device != device:
		return fail(CodeDevice, "the director answers another device")
	case o.Issued.After(now.Add(Skew)), !now.Before(o.Expires.Time):
		return fail(CodeExpired, "the director's answer is of %s, and the clock says %s", o.Issued.UTC().Format(time.RFC3339), now.UTC().Format(time.RFC3339)).
			WithHint("ask again, and set the clock if it is wrong")
	}
	if o.Issued.After(d.state.Issued.Time) {
		d.state.Issued = canon.At(o.Issued.Time)
	}
	d.order = o
	return nil
}

// caughtUp refuses to go by metadata that is older than what the director says
// the server has: somebody on the way left something out.
func (d *decider) caughtUp() error {
	v := d.client.Versions()
	if int64(v.Root) < d.order.Root {
		n := d.client.NextRoot()
		return lacks(Need{File: n.File, Max: n.Max})
	}
	if int64(v.Timestamp) < d.order.Timestamp {
		return lacks(Need{File: tuf.FileName(tuf.RoleTimestamp, 0), Max: tuf.MaxTimestamp})
	}
	return nil
}
