package monitor

import (
	"bytes"
	"context"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/tilelog"
	"github.com/waxwing-ota/waxwing/internal/core/tlogproof"
)

// Event is what a monitor tells: exactly one of its parts is there.
type Event struct {
	At         int64  `json:"at"` // Unix ms
	Log        string `json:"log"`
	Checkpoint *Seen  `json:"checkpoint,omitempty"`
	Entry      *Entry `json:"entry,omitempty"`
	Alert      *Alert `json:"alert,omitempty"`
}

// Seen is a checkpoint whose log was read whole and continues what was kept.
type Seen struct {
	Size      int64      `json:"size"`
	Root      ota.Digest `json:"root"`
	New       int64      `json:"new"`       // entries since the last
	Witnesses int        `json:"witnesses"` // how many of the known ones cosigned
}

// Entry is a new entry of the log.
type Entry struct {
	Leaf     int64      `json:"leaf"`
	Kind     string     `json:"kind"`
	Digest   ota.Digest `json:"digest"`
	Label    string     `json:"label,omitempty"` // what the list of the expected says of it
	Expected bool       `json:"expected"`
}

// Alert is a reason to look closer.
type Alert struct {
	Code    string   `json:"code"`
	Message string   `json:"message"`
	Notes   []string `json:"notes,omitempty"` // the signed checkpoints that prove it
}

// Options say what is watched and how.
type Options struct {
	Source    *Source
	Keys      []string // verifier keys of the log; all must have signed
	Witnesses []string // verifier keys of witnesses
	Quorum    int      // how many of them must have cosigned
	Expect    *Expect  // nil = anything
	Stall     time.Duration
	Now       func() time.Time
	Tell      func(Event)
}

// Monitor follows one log. Its methods are for one goroutine.
type Monitor struct {
	o         Options
	keys      []*tilelog.Verifier
	witnesses []*tilelog.Verifier
	state     State
	kept      tilelog.Checkpoint
	log       tilelog.Range
	alerts    int
	stalled   bool // that is told already
}

// maxNew bounds how many entries are read at once.
const maxNew = 1 << 22

// New returns a monitor that goes on from a state.
func New(o Options, s State) (*Monitor, error) {
	m := &Monitor{o: o, state: s}
	if len(o.Keys) == 0 {
		o.Keys = s.Keys
	}
	var err error
	if m.keys, err = parseKeys(o.Keys); err != nil {
		return nil, err
	}
	m.state.Keys = o.Keys
	for _, w := range o.Witnesses {
		v, err := tilelog.ParseVerifier(w)
		if err != nil {
			return nil, err
		}
		if v.Type() != tilelog.TypeCosignature {
			return nil, ota.Invalid("key_invalid", "%s is not the key of a witness", v.Name()).WithField("witness")
		}
		m.witnesses = append(m.witnesses, v)
	}
	if o.Quorum < 0 || o.Quorum > len(m.witnesses) {
		return nil, ota.Invalid("quorum_invalid", "%d of %d witnesses cannot be asked for", o.Quorum, len(m.witnesses)).WithField("quorum")
	}
	if m.kept, m.log, err = s.open(); err != nil {
		return nil, err
	}
	if m.kept.Origin != "" && m.kept.Origin != m.keys[0].Name() {
		return nil, ota.Conflict("log_other", "the state is of the log %q, the key of %q", m.kept.Origin, m.keys[0].Name()).WithField("state")
	}
	return m, nil
}

// State is what to keep.
func (m *Monitor) State() State { return m.state }

// Alerts is how many alerts there were.
func (m *Monitor) Alerts() int { return m.alerts }

func (m *Monitor) tell(e Event) {
	e.At, e.Log = m.o.Now().UnixMilli(), m.keys[0].Name()
	m.o.Tell(e)
}

// Raise tells of an alert.
func (m *Monitor) Raise(code, message string, notes ...string) {
	m.alerts++
	m.tell(Event{Alert: &Alert{code, message, notes}})
}

// Step looks at the log once: it reads and tells what is new. What the log does
// wrong is told as an alert and returned as an error after which nothing was
// kept, but for entries that are not expected and for a log that stalls: they are
// only told. It fails with log_unreachable if the log cannot be read now.
func (m *Monitor) Step(ctx context.Context) error {
	err := m.step(ctx)
	if err != nil && ota.CodeOf(err) != "log_unreachable" && ctx.Err() == nil && ota.CodeOf(err) != "log_forked" && ota.CodeOf(err) != "log_shrunk" {
		m.Raise(ota.CodeOf(err), err.Error())
	}
	if m.o.Stall > 0 && m.state.GrewAt > 0 && ctx.Err() == nil {
		idle := m.o.Now().Sub(time.UnixMilli(m.state.GrewAt))
		if was := m.stalled; idle <= m.o.Stall {
			m.stalled = false
		} else if m.stalled = true; !was { // once
			m.Raise("log_stalled", "nothing was added to the log, or it could not be read, for "+idle.Round(time.Second).String())
		}
	}
	return err
}

func (m *Monitor) step(ctx context.Context) error {
	note, err := m.o.Source.get(ctx, "checkpoint", maxCheckpoint)
	if err != nil {
		return err
	}
	signed := string(note)
	o, err := openAll(signed, m.keys, m.witnesses...)
	if err != nil {
		return err
	}
	count := 0
	for _, w := range m.witnesses {
		if o.SignedBy(w) {
			count++
		}
	}
	if count < m.o.Quorum {
		return ota.Conflict("witnesses_missing", "%d of the witnesses cosigned the checkpoint of %d entries, %d must", count, o.Size, m.o.Quorum)
	}
	if m.kept.Origin != "" && (o.Size < m.kept.Size || o.Size == m.kept.Size && o.Root != m.kept.Root) {
		return m.forked(o.Checkpoint, signed)
	}
	grown, entries, err := m.read(ctx, o.Checkpoint)
	if err != nil {
		return err
	}
	if grown.Root() != o.Root {
		return m.contradicts(ctx, o.Checkpoint, signed)
	}
	for _, e := range entries {
		m.tell(Event{Entry: &e})
		if !e.Expected {
			m.Raise("entry_unexpected", "entry "+num(e.Leaf)+" is a "+e.Kind+" that nobody expects: "+e.Digest.String())
		}
	}
	if grew := o.Size - m.kept.Size; grew > 0 || m.kept.Origin == "" {
		m.state.GrewAt = m.o.Now().UnixMilli()
		m.tell(Event{Checkpoint: &Seen{o.Size, ota.Digest(o.Root), grew, count}})
	}
	m.kept, m.log = o.Checkpoint, grown
	m.state.Checkpoint, m.state.Roots = signed, tilelog.Digests(grown.Roots())
	return nil
}

// forked is the error of a checkpoint that the log's keys signed and that does not
// continue the kept one: both together prove it to anybody.
func (m *Monitor) forked(now tilelog.Checkpoint, signed string) error {
	err := tilelog.Forked(m.kept, now)
	m.Raise(ota.CodeOf(err), err.Error(), m.state.Checkpoint, signed)
	return err
}

// contradicts finds out whether the log forked, or its server just does not serve
// what was signed.
func (m *Monitor) contradicts(ctx context.Context, now tilelog.Checkpoint, signed string) error {
	served := tlog.TileHashReader(tlog.Tree{N: now.Size, Hash: now.Root}, tiles{ctx, m.o.Source})
	if m.kept.Size > 0 {
		proof, err := tilelog.Consistency(m.kept.Size, now.Size, served)
		if err == nil && tilelog.CheckConsistency(m.kept, now, tilelog.Digests(proof)) != nil {
			return m.forked(now, signed)
		}
	}
	return ota.Conflict("log_altered", "the entries that are served are not those that the checkpoint of %d entries signs", now.Size).
		WithHint("the server shows others than it signed, or was changed while it was read")
}

// read reads the entries from the kept ones to those of a checkpoint.
func (m *Monitor) read(ctx context.Context, to tilelog.Checkpoint) (tilelog.Range, []Entry, error) {
	grown := m.log.Clone()
	if to.Size-grown.Size() > maxNew {
		return grown, nil, ota.Conflict("log_long", "the log grew by %d entries, which is more than a log of updates does", to.Size-grown.Size())
	}
	var out []Entry
	for at := grown.Size(); at < to.Size; at = grown.Size() {
		t := tlog.Tile{H: tilelog.TileHeight, L: -1, N: at >> tilelog.TileHeight}
		first := t.N << tilelog.TileHeight
		t.W = int(min(to.Size-first, 1<<tilelog.TileHeight))
		raw, err := m.o.Source.get(ctx, tilelog.TilePath(t), maxBundle)
		if err != nil {
			return grown, nil, err
		}
		bundle, err := tilelog.ParseBundle(raw)
		if err != nil || len(bundle) != t.W {
			return grown, nil, ota.Conflict("log_altered", "%s is not a bundle of %d entries", tilelog.TilePath(t), t.W).WithCause(err)
		}
		if err := m.sameHashes(ctx, t, bundle); err != nil {
			return grown, nil, err
		}
		for i, text := range bundle[at-first:] {
			e, err := m.entry(at+int64(i), text)
			if err != nil {
				return grown, nil, err
			}
			out = append(out, e)
			grown.Append(tlog.RecordHash(text))
		}
	}
	return grown, out, nil
}

// sameHashes checks that others who read hashes only see the same log.
func (m *Monitor) sameHashes(ctx context.Context, bundle tlog.Tile, entries [][]byte) error {
	bundle.L = 0
	raw, err := m.o.Source.get(ctx, tilelog.TilePath(bundle), maxTile)
	if err != nil {
		return err
	}
	var want []byte
	for _, e := range entries {
		h := tlog.RecordHash(e)
		want = append(want, h[:]...)
	}
	if !bytes.Equal(raw, want) {
		return ota.Conflict("log_altered", "%s does not have the hashes of the entries that are served", tilelog.TilePath(bundle))
	}
	return nil
}

func (m *Monitor) entry(leaf int64, text []byte) (Entry, error) {
	kind, digest, err := tlogproof.ParseEntry(text)
	if err != nil {
		return Entry{}, ota.Conflict("entry_invalid", "entry %d is none of a log of sealed updates", leaf).WithCause(err)
	}
	label, expected := m.o.Expect.look(kind, digest)
	return Entry{leaf, string(kind), digest, label, expected}, nil
}
