package scan

import (
	"crypto/sha256"
	"encoding/gob"
	"encoding/hex"
	"encoding/json"
	"io"
	"slices"
	"sync"
)

// Memo remembers what was found in single files, so that the next scan of
// almost the same bundle looks at what changed only. It must be used with one
// build of this program: another one may find other things in the same file.
type Memo struct {
	mu   sync.Mutex
	old  map[string]memoResult // from before
	used map[string]memoResult // of the scans since
}

// memoResult is a result without what is needed only during a scan.
type memoResult struct {
	Artifact Artifact
	Files    []memoFile
}

type memoFile struct {
	Path      string
	Findings  []Finding
	Omitted   map[string]int
	Seen      map[string]Finding
	Hashes    []uint64
	Libraries []Library
}

// maxMemo bounds what is read of a kept memo, in bytes.
const maxMemo = 64 << 20

// ReadMemo reads what Save wrote. Whatever cannot be read is as if it was never
// kept; the error says so.
func ReadMemo(r io.Reader) (*Memo, error) {
	m := &Memo{}
	err := gob.NewDecoder(io.LimitReader(r, maxMemo)).Decode(&m.old)
	if err != nil {
		m.old = nil
	}
	return m, err
}

// Save writes what the scans with the memo found or used.
func (m *Memo) Save(w io.Writer) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return gob.NewEncoder(w).Encode(m.used)
}

func (m *Memo) get(key string) (*result, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	kept, ok := m.used[key]
	if !ok {
		if kept, ok = m.old[key]; !ok {
			return nil, false
		}
		m.keep(key, kept)
	}
	res := &result{artifact: kept.Artifact, files: make([]*file, len(kept.Files))}
	for i := range kept.Files {
		k := &kept.Files[i]
		res.files[i] = &file{path: k.Path, findings: slices.Clone(k.Findings), omitted: k.Omitted, seen: k.Seen, facts: factSet{k.Hashes, k.Libraries}}
	}
	return res, true
}

func (m *Memo) put(key string, res *result) {
	kept := memoResult{Artifact: res.artifact, Files: make([]memoFile, len(res.files))}
	for i, f := range res.files {
		if slices.ContainsFunc(f.findings, func(fd Finding) bool { return fd.Rule == "ST-900" }) {
			return // time may have run out, and there may be more of it next time
		}
		kept.Files[i] = memoFile{f.path, slices.Clone(f.findings), f.omitted, f.seen, f.facts.hashes, f.facts.libraries}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.keep(key, kept)
}

func (m *Memo) keep(key string, kept memoResult) {
	if m.used == nil {
		m.used = map[string]memoResult{}
	}
	m.used[key] = kept
}

// memoKey names what a file's result depends on: the file, and what the checks
// of single files ask of the options. Times count by the day.
func (e *engine) memoKey(path string, sum [sha256.Size]byte) string {
	h := sha256.New()
	h.Write([]byte(e.memoBase))
	h.Write(sum[:])
	h.Write([]byte(path))
	return hex.EncodeToString(h.Sum(nil))
}

func memoBase(o *Options) string {
	o.Off = slices.Clone(o.Off)
	slices.Sort(o.Off)
	b, err := json.Marshal([]any{o.Off, o.Allowed, o.Advisory, o.Limits, o.Now / (24 * 60 * 60)})
	if err != nil {
		return "" // plain values only: cannot happen
	}
	sum := sha256.Sum256(b)
	return string(sum[:])
}
