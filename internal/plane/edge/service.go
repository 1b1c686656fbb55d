package edge

import (
	"sync"
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
}

// New returns a service that signs links with secret.
func New(secret [32]byte, now func() time.Time) *Service {
	s := &Service{Signer: NewSigner(secret), now: now, limit: maxCached}
	s.cache.Store(&cache{window: windowOf(now())})
	return s
}

// cache holds the answers of one window. It is dropped whole when the window
// ends, or when it is full: what is still asked for is soon there again.
type cache struct {
	window int64
	bytes  atomic.Int64
	byKey  sync.Map // *decide.Variant → *renders
}

// The bounds of a cache.
const (
	maxCached = 64 << 20 // bytes
	maxBases  = 8        // hosts one variant is asked through; the oldest makes room
)

// renders are the answers for one variant.
type renders [shapes]atomic.Pointer[[]rendered]

type rendered struct {
	base  string
	bytes []byte
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
	known, ok := c.byKey.Load(va)
	if !ok {
		known, _ = c.byKey.LoadOrStore(va, new(renders))
	}
	slot := &known.(*renders)[sh]
	have := slot.Load()
	if have != nil {
		for i := range *have {
			if r := &(*have)[i]; r.base == base {
				return r.bytes
			}
		}
	}
	b := s.render(app, va, sh, base, expiry(c.window))
	more := []rendered{{base, b}}
	if have != nil {
		more = append(more, (*have)[:min(len(*have), maxBases-1)]...)
	}
	if slot.CompareAndSwap(have, &more) && c.bytes.Add(int64(len(b))) > s.limit {
		s.cache.CompareAndSwap(c, &cache{window: c.window})
	}
	return b
}

// current returns the cache of this window.
func (s *Service) current() *cache {
	c := s.cache.Load()
	w := windowOf(s.now())
	if c.window == w {
		return c
	}
	s.cache.CompareAndSwap(c, &cache{window: w})
	return s.cache.Load()
}
