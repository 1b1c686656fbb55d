package token

import (
	"net/netip"
	"sync"
	"time"
)

// The bounds of exchanges: anybody may ask for one, and each costs a signature
// check. A network (as [coarse] has it) may ask a hundred times at once, which a
// build with many jobs does, and then twice a second; all together ten times as much.
const (
	addrBurst  = 100
	addrPerSec = 2
	allBurst   = 1000
	allPerSec  = 20

	maxNetworks = 10_000 // that are remembered
)

// limiter is a token bucket for everybody, and one for each network.
type limiter struct {
	mu   sync.Mutex
	all  bucket
	each map[string]bucket
}

// bucket holds what is left of the allowance as of a time.
type bucket struct {
	left float64
	at   time.Time
}

func newLimiter() *limiter {
	return &limiter{all: bucket{left: allBurst}, each: map[string]bucket{}}
}

// allow takes one from both buckets, if both have one.
func (l *limiter) allow(from netip.Addr, now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	all := l.all.refill(now, allBurst, allPerSec)
	key := coarse(from)
	one, known := l.each[key]
	if !known {
		if len(l.each) >= maxNetworks {
			clear(l.each) // full ones come back full; the common bucket still holds
		}
		one = bucket{left: addrBurst, at: now}
	}
	one = one.refill(now, addrBurst, addrPerSec)
	ok := all.left >= 1 && one.left >= 1
	if ok {
		all.left--
		one.left--
	}
	l.all, l.each[key] = all, one
	return ok
}

func (b bucket) refill(now time.Time, burst, perSec float64) bucket {
	if passed := now.Sub(b.at).Seconds(); passed > 0 {
		b.left = min(burst, b.left+passed*perSec)
	}
	b.at = now
	return b
}
