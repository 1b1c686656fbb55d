package decide

import (
	"crypto/sha256"
	"encoding/binary"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// Bucket places a device in 0..9999 for one rollout. The rollout's random id is
// the key: another rollout shuffles anew, and devices cannot compute it.
func Bucket(rolloutID string, device ota.DeviceID) int {
	buf := make([]byte, 0, 64)
	buf = append(buf, rolloutID...)
	buf = append(buf, 0)
	buf = append(buf, device[:]...)
	sum := sha256.Sum256(buf)
	return int(binary.BigEndian.Uint64(sum[:8]) % 10000)
}

// Arm is a device's side in the comparison of a rollout's release with the one
// before it: which one is chance, and nothing else.
type Arm uint8

// The arms.
const (
	NoArm   Arm = iota // it does not take part, or has the target already
	Treated            // it is offered the rollout's bundle
	Control            // it could take that bundle, but is outside the bucket and stays on the old release
)

// String returns the word for the arm.
func (a Arm) String() string {
	switch a {
	case Treated:
		return "treated"
	case Control:
		return "control"
	}
	return ""
}

// outsideBucket is why most devices are not selected.
const outsideBucket = "outside_bucket"

// control returns the arm of a device that is only outside the bucket: a fair
// comparison has none that the rules would keep from the bundle anyway.
func (r *Rollout) control(app *App, ch *Channel, c *Check, t *Trace) Arm {
	if out := refuse(app, ch, r.Bundle, c, nil); out.Kind != Update {
		return NoArm
	}
	if t != nil {
		t.add("arm", "pass", "it could take %s: it is compared with those that do", r.Bundle.Version)
	}
	return Control
}

// selects says whether the device gets the rollout's bundle, and why. A device
// already on it stays while the rollout is merely paused, and when what it tells
// of itself does not match the target any more; at 0 percent nobody has it.
func (r *Rollout) selects(c *Check) (bool, string) {
	switch {
	case !r.Enabled:
		return false, "disabled"
	case r.BPS <= 0:
		return false, "percentage_zero"
	case c.VersionName == r.Bundle.Version:
		return true, "on_target"
	case r.Target != nil && !r.Target.Match(c):
		return false, "not_targeted"
	case r.Paused || r.Braked:
		return false, "paused"
	case r.BPS >= 10000:
		return true, "everyone"
	case Bucket(r.ID, c.Device) < r.BPS:
		return true, "in_bucket"
	}
	return false, outsideBucket
}

func targetResult(match bool) string {
	if match {
		return "pass"
	}
	return "skip"
}

// Selects says whether a rollout offers its bundle to a device, and why, without
// the rules that may still forbid it.
func (r *Rollout) Selects(c *Check) (in bool, why string) { return r.selects(c) }

// MandatoryNote says what the client of a platform makes of a mandatory update.
// Source: shared client notes, 5.5: "breaking" asks for another native app and
// stops the download, and there is no other word for it.
func MandatoryNote(platform string) string {
	if platform == Electron {
		return "the Electron client has no mandatory updates: after the deadline it is offered the version, and its app decides when to install it"
	}
	return "the plugin has no mandatory updates: after the deadline the device is offered the version with its next check, and installs it by its own mode"
}
