package edge

import (
	"sync"
	"sync/atomic"

	"github.com/waxwing-ota/waxwing/internal/core/decide"
)

// The bounds of a cache.
const (
	maxCached = 64 << 20 // bytes
	maxBases  = 8        // hosts one variant is asked through; the oldest makes room
)

// cache holds the answers of one window. It is dropped whole when the window
// ends, or when it is full: what is still asked for is soon there again. The
// answers themselves are kept in their variants, where no table must be asked.
type cache struct {
	window int64
	bytes  atomic.Int64

	mu       sync.Mutex
	dropped  bool
	variants []*decide.Variant // that hold answers of this cache
}

// renders are a cache's answers for one variant.
type renders struct {
	cache  *cache
	shapes [shapes]atomic.Pointer[answers]
}

// rendersOf returns the room for a variant's answers.
func (c *cache) rendersOf(va *decide.Variant) *renders {
	for {
		have := va.Answers.Load()
		if r, _ := have.(*renders); r != nil && r.cache == c {
			return r
		}
		r := &renders{cache: c}
		if va.Answers.CompareAndSwap(have, r) {
			c.add(va)
			return r
		}
	}
}

func (c *cache) add(va *decide.Variant) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.dropped { // by someone else meanwhile
		c.clear(va)
		return
	}
	c.variants = append(c.variants, va)
}

func (c *cache) drop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.dropped = true
	for _, va := range c.variants {
		c.clear(va)
	}
	c.variants = nil
}

// clear takes the cache's answers from a variant, if it still holds them.
func (c *cache) clear(va *decide.Variant) {
	if r, _ := va.Answers.Load().(*renders); r != nil && r.cache == c {
		va.Answers.CompareAndSwap(r, (*renders)(nil))
	}
}

// answers are those for one shape: the last that was rendered, and those for
// other hosts before it. They never change.
type answers struct {
	last   answer
	others []answer
}

type answer struct {
	base  string
	bytes []byte
}

// find returns the answer for a host, nil if there is none.
func (a *answers) find(base string) []byte {
	if a == nil {
		return nil
	}
	if a.last.base == base {
		return a.last.bytes
	}
	for i := range a.others {
		if a.others[i].base == base {
			return a.others[i].bytes
		}
	}
	return nil
}

// with returns a with another answer, and at most maxBases in all.
func (a *answers) with(last answer) *answers {
	out := &answers{last: last}
	if a != nil {
		out.others = append([]answer{a.last}, a.others[:min(len(a.others), maxBases-2)]...)
	}
	return out
}
