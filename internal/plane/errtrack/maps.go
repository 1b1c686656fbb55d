package errtrack

import (
	"container/list"
	"context"
	"io"
	"path"
	"sync"

	"golang.org/x/sync/semaphore"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/sourcemap"
)

const (
	mapMemory  = 96 << 20 // bytes of maps that are kept parsed
	mapLists   = 512      // versions whose lists of maps are remembered
	brokenSize = 1 << 10  // what remembering that a map cannot be read counts as
)

// maps keeps lists of maps and parsed maps. One map is parsed at a time: while
// it is, it takes several times its size.
type maps struct {
	d    Deps
	turn *semaphore.Weighted

	mu     sync.Mutex
	lists  map[release]map[string]ota.Digest // by path of the script
	epoch  int64                             // grows when lists are forgotten
	parsed map[ota.Digest]*list.Element
	order  *list.List // of *kept, lately used first
	memory int64
}

// release is a version of an app.
type release struct{ app, version string }

type kept struct {
	blob ota.Digest
	m    *sourcemap.Map // nil = it cannot be read
	size int64
}

func newMaps(d Deps) *maps {
	return &maps{
		d: d, turn: semaphore.NewWeighted(1), lists: map[release]map[string]ota.Digest{},
		parsed: map[ota.Digest]*list.Element{}, order: list.New(),
	}
}

// of returns the maps of a version by the paths of their scripts.
func (m *maps) of(ctx context.Context, r release) (map[string]ota.Digest, error) {
	m.mu.Lock()
	found, ok := m.lists[r]
	epoch := m.epoch
	m.mu.Unlock()
	if ok {
		return found, nil
	}
	all, err := m.d.Store.SourceMaps(ctx, r.app, r.version)
	if err != nil {
		return nil, err
	}
	found = make(map[string]ota.Digest, len(all))
	for _, sm := range all {
		found[sm.Path] = sm.Blob
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if epoch == m.epoch { // else maps came while we asked
		if len(m.lists) >= mapLists {
			clear(m.lists)
		}
		m.lists[r] = found
	}
	return found, nil
}

// forget makes the next look at any version ask the database.
func (m *maps) forget() {
	m.mu.Lock()
	defer m.mu.Unlock()
	clear(m.lists)
	m.epoch++
}

// load returns a parsed map; nil without an error if it cannot be read.
func (m *maps) load(ctx context.Context, blob ota.Digest) (*sourcemap.Map, error) {
	if sm, ok := m.get(blob); ok {
		return sm, nil
	}
	if err := m.turn.Acquire(ctx, 1); err != nil {
		return nil, err
	}
	defer m.turn.Release(1)
	if sm, ok := m.get(blob); ok { // somebody read it while we waited
		return sm, nil
	}
	raw, err := m.read(ctx, blob)
	if err != nil {
		return nil, err
	}
	sm, err := sourcemap.Parse(raw)
	size := int64(brokenSize)
	if err != nil {
		m.d.Log.WarnContext(ctx, "a source map cannot be read", "blob", blob.String(), "err", err)
		sm = nil
	} else {
		size += sm.Size()
	}
	m.put(&kept{blob, sm, size})
	return sm, nil
}

func (m *maps) read(ctx context.Context, blob ota.Digest) ([]byte, error) {
	r, _, err := m.d.Blobs.Open(ctx, blob)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return io.ReadAll(io.LimitReader(r, sourcemap.MaxBytes+1))
}

func (m *maps) get(blob ota.Digest) (*sourcemap.Map, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	e, ok := m.parsed[blob]
	if !ok {
		return nil, false
	}
	m.order.MoveToFront(e)
	return e.Value.(*kept).m, true
}

func (m *maps) put(k *kept) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.parsed[k.blob] = m.order.PushFront(k)
	m.memory += k.size
	for m.memory > mapMemory && m.order.Len() > 1 {
		last := m.order.Back()
		old := m.order.Remove(last).(*kept)
		delete(m.parsed, old.blob)
		m.memory -= old.size
	}
}

// find returns the map of a script: the one of its path, or the only one of a
// script with its name.
func find(all map[string]ota.Digest, script string) (ota.Digest, bool) {
	if d, ok := all[script]; ok {
		return d, true
	}
	name := path.Base(script)
	var found ota.Digest
	n := 0
	for p, d := range all {
		if path.Base(p) == name {
			found = d
			n++
		}
	}
	return found, n == 1
}
