package tuf

import "time"

// Cache remembers documents that were read and whose signatures were checked, for
// a process that resumes clients over the same few documents again and again,
// such as the simulation of a fleet. A document is what its bytes are, and the
// keys that signed it do not change, so nothing is decided otherwise than without
// it. It forgets everything when it is full. It is not for concurrent use.
type Cache struct {
	max  int
	docs map[cacheKey]any
}

type cacheKey struct{ role, bytes string }

// NewCache makes a cache of at most max documents.
func NewCache(max int) *Cache { return &Cache{max: max, docs: map[cacheKey]any{}} }

// Resume is [Resume].
func (c *Cache) Resume(s State, now time.Time) (*Client, error) { return resume(cached{c}, s, now) }

// cached is the strict reading with a memory.
type cached struct{ *Cache }

func (c cached) bounds() bounds { return strict{}.bounds() }

func (c cached) root(b []byte) (*rootDoc, error) {
	return remember(c.Cache, RoleRoot, b, strict{}.root)
}

func (c cached) timestamp(b []byte) (*timestampDoc, error) {
	return remember(c.Cache, RoleTimestamp, b, strict{}.timestamp)
}

func (c cached) snapshot(b []byte) (*snapshotDoc, error) {
	return remember(c.Cache, RoleSnapshot, b, strict{}.snapshot)
}

func (c cached) targets(role string, b []byte) (*targetsDoc, error) {
	return remember(c.Cache, "targets "+role, b, func(b []byte) (*targetsDoc, error) { return strict{}.targets(role, b) })
}

func remember[T any](c *Cache, role string, b []byte, read func([]byte) (*T, error)) (*T, error) {
	key := cacheKey{role, string(b)}
	if doc, ok := c.docs[key].(*T); ok {
		return doc, nil
	}
	doc, err := read([]byte(key.bytes)) // bytes that nobody else can change
	if err != nil {
		return nil, err
	}
	if len(c.docs) >= c.max {
		clear(c.docs)
	}
	c.docs[key] = doc
	return doc, nil
}
