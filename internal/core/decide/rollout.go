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
	case r.Paused:
		return false, "paused"
	case r.BPS >= 10000:
		return true, "everyone"
	case Bucket(r.ID, c.Device) < r.BPS:
		return true, "in_bucket"
	}
	return false, "outside_bucket"
}

func targetResult(match bool) string {
	if match {
		return "pass"
	}
	return "skip"
}
