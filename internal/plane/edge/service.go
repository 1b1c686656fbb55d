package edge

import (
	"sync/atomic"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/decide"
)

// Service answers checks. Its methods may be called by any number of goroutines.
type Service struct {
	*Signer
	now   func() time.Time
	limit int64 // bytes of a cache
	cache atomic.Pointer[cache]
	base  atomic.Pointer[string] // the last that something was rendered for
}

// New returns a service that signs links with secret.
func New(secret [32]byte, now func() time.Time) *Service {
	s := &Service{Signer: NewSigner(secret), now: now, limit: maxCached}
	s.cache.Store(&cache{window: windowOf(now())})
	return s
}

// Answer returns the wire bytes for an outcome. The caller must not change
// them; scratch may be used for them. base is scheme and host of this server.
func (s *Service) Answer(scratch []byte, base string, app *decide.App, c *decide.Check, out *decide.Outcome) []byte {
	switch out.Kind {
	case decide.Update:
		return s.update(base, app.ID, out.Variant, shapeOf(c, out))
	case decide.Revert:
		return revert
	default:
		return refusal(scratch[:0], out)
	}
}

func (s *Service) update(base, app string, va *decide.Variant, sh shape) []byte {
	c := s.current()
	slot := &c.rendersOf(va).shapes[sh]
	have := slot.Load()
	if b := have.find(base); b != nil {
		return b
	}
	b := s.render(app, va, sh, base, expiry(c.window))
	if slot.CompareAndSwap(have, have.with(answer{s.shared(base), b})) && c.bytes.Add(int64(len(b))) > s.limit {
		s.replace(c, c.window)
	}
	return b
}

// shared returns base, as a rule the very string that was asked through before:
// one that all answers share stays near, and takes no room in each.
func (s *Service) shared(base string) string {
	if last := s.base.Load(); last != nil && *last == base {
		return *last
	}
	s.base.Store(&base)
	return base
}

// current returns the cache of this window.
func (s *Service) current() *cache {
	c := s.cache.Load()
	w := windowOf(s.now())
	if c.window == w {
		return c
	}
	s.replace(c, w)
	return s.cache.Load()
}

// replace begins another cache and drops what is in c.
func (s *Service) replace(c *cache, window int64) {
	if s.cache.CompareAndSwap(c, &cache{window: window}) {
		c.drop()
	}
}
