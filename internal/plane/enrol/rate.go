package enrol

import (
	"net/netip"
	"sync"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// ask is what a device asks for, as far as rates are concerned.
type ask string

const (
	askNonce  ask = "nonce"
	askEnrol  ask = "enrol"
	askGrant  ask = "grant"
	askReport ask = "report"
)

// rate is what one network and one app may ask: at once, and per second.
type rate struct{ network, networkSec, app, appSec float64 }

// rateOf says how much of what is taken. An enrolment costs a row, a signature
// and a leaf of the log that stays; a whole office behind one address enrols in
// a minute, a script does not fill the database.
func rateOf(what ask) rate {
	switch what {
	case askEnrol:
		return rate{30, 0.5, 600, 20}
	case askNonce:
		return rate{60, 1, 1200, 50}
	case askGrant:
		return rate{100, 5, 2000, 200}
	}
	return rate{300, 20, 5000, 500}
}

const maxBuckets = 20_000 // that are remembered

// rates are token buckets per network and per app.
type rates struct {
	mu      *sync.Mutex
	buckets map[rateKey]bucket
}

type rateKey struct {
	what ask
	of   string // app, or app and network
}

type bucket struct {
	left float64
	at   time.Time
}

func newRates() rates { return rates{&sync.Mutex{}, map[rateKey]bucket{}} }

// allow takes one from the bucket of the app and that of the network, if both
// have one.
func (r *rates) allow(what ask, app string, from netip.Addr, now time.Time) error {
	limit := rateOf(what)
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.buckets) >= maxBuckets {
		for k := range r.buckets { // those of apps hold, so forgetting networks lets nobody past them
			if len(k.of) != len(app) || k.of != app {
				delete(r.buckets, k)
			}
		}
	}
	all, one := rateKey{what, app}, rateKey{what, app + "\x00" + coarse(from)}
	a := r.fill(all, limit.app, limit.appSec, now)
	b := r.fill(one, limit.network, limit.networkSec, now)
	ok := a.left >= 1 && b.left >= 1
	if ok {
		a.left--
		b.left--
	}
	r.buckets[all], r.buckets[one] = a, b
	if ok {
		return nil
	}
	return ota.Errorf(ota.KindUnavailable, CodeBusy, "too many devices ask at once").WithHint("try again in a minute")
}

func (r *rates) fill(k rateKey, burst, perSec float64, now time.Time) bucket {
	b, known := r.buckets[k]
	if !known {
		return bucket{burst, now}
	}
	if passed := now.Sub(b.at).Seconds(); passed > 0 {
		b.left = min(burst, b.left+passed*perSec)
	}
	b.at = now
	return b
}

// coarse is the network of an address: whoever has one address of it has many.
func coarse(a netip.Addr) string {
	a = a.Unmap()
	bits := 48
	if a.Is4() {
		bits = 24
	}
	p, err := a.Prefix(bits)
	if err != nil {
		return "unknown"
	}
	return p.String()
}
