package notify

import (
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

const (
	// hold is how many attempts of an event hold back the events after it.
	hold = 3
	// giveUp is how long a subscription may fail before it is switched off.
	giveUp = 72 * time.Hour
	// spread is the part of a wait that is random, to either side.
	spread = 0.1
)

// waits returns how long to wait after each failed attempt: about three days.
func waits() []time.Duration {
	return []time.Duration{
		5 * time.Second, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 5 * time.Hour,
		10 * time.Hour, 14 * time.Hour, 20 * time.Hour, 24 * time.Hour,
	}
}

// after says what follows the nth attempt, which failed.
func (s *Service) after(kind string, n int, asked time.Duration) (ota.DeliveryState, int64) {
	all := waits()
	if kind == kindTest || n > len(all) {
		return ota.DeliveryFailed, 0
	}
	wait := float64(all[n-1]) * (1 + spread*(2*s.Jitter()-1))
	return ota.DeliveryPending, s.Now().Add(max(time.Duration(wait), asked)).UnixMilli()
}
