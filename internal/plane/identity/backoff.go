package identity

import (
	"container/list"
	"net/netip"
	"sync"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// The rule of lock-out: so many attempts are free, then each waits twice as
// long as the one before, up to maxBackoff. What was quiet for forgetAfter
// starts over.
const (
	freeOfAccount = 5
	freeOfAddress = 20
	maxBackoff    = 15 * time.Minute
	forgetAfter   = 24 * time.Hour
	maxTracked    = 100_000 // accounts and addresses; the longest quiet go first
)

// backoff is how long to wait after the n-th attempt in a row that failed.
func backoff(n, free int) time.Duration {
	if n < free {
		return 0
	}
	return min(time.Second<<min(n-free, 20), maxBackoff)
}

// limiter counts attempts that did not succeed, in memory: a restart forgives.
type limiter struct {
	mu    sync.Mutex
	byKey map[string]*list.Element
	order *list.List // of *attempts, quiet longest first
}

type attempts struct {
	key   string
	n     int
	last  time.Time
	until time.Time
}

func newLimiter() *limiter {
	return &limiter{byKey: map[string]*list.Element{}, order: list.New()}
}

// try counts an attempt against every key before it is made, so that attempts
// side by side count too. It returns how long to wait if it must not be made.
func (l *limiter) try(now time.Time, keys ...limitKey) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	wait := time.Duration(0)
	for _, k := range keys {
		if e := l.byKey[k.key]; e != nil {
			wait = max(wait, e.Value.(*attempts).until.Sub(now))
		}
	}
	if wait > 0 {
		return wait
	}
	for _, k := range keys {
		a := l.touch(k.key, now)
		a.n++
		a.until = now.Add(backoff(a.n, k.free))
	}
	return 0
}

func (l *limiter) touch(key string, now time.Time) *attempts {
	e := l.byKey[key]
	if e == nil {
		if l.order.Len() >= maxTracked {
			oldest := l.order.Front()
			delete(l.byKey, oldest.Value.(*attempts).key)
			l.order.Remove(oldest)
		}
		e = l.order.PushBack(&attempts{key: key})
		l.byKey[key] = e
	}
	l.order.MoveToBack(e)
	a := e.Value.(*attempts)
	if now.Sub(a.last) > forgetAfter {
		a.n = 0
	}
	a.last = now
	return a
}

// succeeded forgets what counted against the account, and gives the address
// back the attempt that was good.
func (l *limiter) succeeded(account, address string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if e := l.byKey[account]; e != nil {
		l.order.Remove(e)
		delete(l.byKey, account)
	}
	if e := l.byKey[address]; e != nil {
		a := e.Value.(*attempts)
		a.n, a.until = max(0, a.n-1), time.Time{}
	}
}

// limitKey is what attempts are counted against.
type limitKey struct {
	key  string
	free int
}

func accountKey(email string) limitKey { return limitKey{"account " + email, freeOfAccount} }

// addressKey counts IPv6 by /64, which is what one household has.
func addressKey(a netip.Addr) limitKey {
	if a.Is6() && !a.Is4In6() {
		if p, err := a.Prefix(64); err == nil {
			return limitKey{"address " + p.String(), freeOfAddress}
		}
	}
	return limitKey{"address " + a.Unmap().String(), freeOfAddress}
}

// TooMany is the error for attempts that must wait.
type TooMany struct {
	Err   *ota.Error
	After time.Duration
}

// Error says how long to wait.
func (t *TooMany) Error() string { return t.Err.Error() }

// Unwrap returns the error that crosses layers.
func (t *TooMany) Unwrap() error { return t.Err }

// attempt counts an attempt, or refuses it. Strangers and users are counted alike.
func (s *Service) attempt(c Client, email string) error {
	keys := []limitKey{addressKey(c.Addr)}
	if email != "" {
		keys = append(keys, accountKey(email))
	}
	wait := s.limits.try(s.now(), keys...)
	if wait <= 0 {
		return nil
	}
	wait = wait.Round(time.Second) + time.Second
	return &TooMany{ota.Errorf(ota.KindUnavailable, CodeTooMany, "too many attempts; wait %s", wait).
		WithHint("a passkey works even while passwords have to wait"), wait}
}
