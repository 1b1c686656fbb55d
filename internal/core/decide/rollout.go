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
// already on it stays while the rollout is merely paused; at 0 percent nobody has it.
func (r *Rollout) selects(device ota.DeviceID, running string) (bool, string) {
	switch {
	case !r.Enabled:
		return false, "disabled"
	case r.BPS <= 0:
		return false, "percentage_zero"
	case running == r.Bundle.Version:
		return true, "on_target"
	case r.Paused:
		return false, "paused"
	case r.BPS >= 10000:
		return true, "everyone"
	case Bucket(r.ID, device) < r.BPS:
		return true, "in_bucket"
	}
	return false, "outside_bucket"
}
