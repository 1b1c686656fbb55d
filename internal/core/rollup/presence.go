package rollup

import (
	"cmp"
	"encoding/binary"
	"errors"
	"slices"
)

const (
	// SessionGap is the pause after which use counts as a new session, in ms.
	SessionGap = 30 * MinuteMS
	// MaxForeground is the longest stay in the foreground that is believed: above
	// it, reports of leaving and coming back were lost.
	MaxForeground = 4 * HourMS
	// MaxLate is how old a report may be to count for sessions and time, in ms.
	MaxLate = 7 * DayMS
	// MaxMarks is how many turns of a device are remembered; a report from before
	// them comes too late to count for sessions and time.
	MaxMarks = 12
)

// Mark is a turn to the foreground or to the background.
type Mark struct {
	At        int64 // device's clock, not past Got
	Got       int64 // when it came to us
	Front     bool
	Version   string
	Published bool // Version was published by the app's owner
}

// Presence is what is remembered of a device: its latest turns in order of time.
// Sessions and time in the foreground are sums over neighbours, so a turn that
// comes late takes back what its neighbours made and adds what they make with it:
// the sums are those of the whole history in order, whatever the order of arrival.
type Presence struct {
	marks  []Mark
	forgot bool // turns before the first were forgotten
}

// Use is what changes: sums of one step and version, maybe negative.
type Use struct {
	Got       int64 // in the step that holds it
	Version   string
	Published bool
	Field     Field // Sessions or ForegroundMS
	N         int64
}

func compareMarks(a, b Mark) int {
	return cmp.Or(cmp.Compare(a.At, b.At), compareBool(a.Front, b.Front), cmp.Compare(a.Version, b.Version), cmp.Compare(a.Got, b.Got))
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

// Add takes a turn in and appends what it changes to uses. late = it came too
// late to count.
func (p *Presence) Add(m Mark, uses []Use) (_ []Use, late bool) {
	m.At = min(m.At, m.Got)
	i, _ := slices.BinarySearchFunc(p.marks, m, compareMarks)
	if m.At < m.Got-MaxLate || i == 0 && p.forgot {
		return uses, true
	}
	var before, after *Mark
	if i > 0 {
		before = &p.marks[i-1]
	}
	if i < len(p.marks) {
		after = &p.marks[i]
		uses = between(before, after, -1, uses)
		uses = between(&m, after, 1, uses)
	}
	uses = between(before, &m, 1, uses)
	p.marks = slices.Insert(p.marks, i, m)
	if len(p.marks) > MaxMarks {
		p.marks, p.forgot = slices.Delete(p.marks, 0, 1), true
	}
	return uses, false
}

// between appends what two neighbours make, times n; a is nil before the first. A
// pause between two turns to the same side, or before the first, is followed by a
// session even if the turn that began it was lost.
func between(a, b *Mark, n int64, uses []Use) []Use {
	if a == nil || b.At-a.At > SessionGap && (!a.Front || b.Front) {
		uses = append(uses, Use{b.Got, b.Version, b.Published, Sessions, n})
	}
	if a != nil && a.Front && !b.Front && b.At > a.At && b.At-a.At <= MaxForeground {
		uses = append(uses, Use{b.Got, a.Version, a.Published, ForegroundMS, n * (b.At - a.At)})
	}
	return uses
}

const (
	flagFront     = 1
	flagPublished = 2
	flagSame      = 4 // version and published as of the mark before
	flagForgot    = 1
)

// Append appends the stored form.
func (p *Presence) Append(b []byte) []byte {
	head := byte(0)
	if p.forgot {
		head |= flagForgot
	}
	b = append(b, head)
	var last Mark
	for _, m := range p.marks {
		flags := byte(0)
		if m.Front {
			flags |= flagFront
		}
		if m.Published {
			flags |= flagPublished
		}
		if m.Version == last.Version && m.Published == last.Published {
			flags |= flagSame
		}
		b = append(b, flags)
		b = binary.AppendVarint(b, m.At-last.At)
		b = binary.AppendVarint(b, m.Got-m.At)
		if flags&flagSame == 0 {
			b = binary.AppendUvarint(b, uint64(len(m.Version)))
			b = append(b, m.Version...)
		}
		last = m
	}
	return b
}

var errPresence = errors.New("what is remembered of a device's use is damaged")

// DecodePresence reads a stored form.
func DecodePresence(b []byte) (p Presence, err error) {
	if len(b) == 0 {
		return p, nil
	}
	p.forgot = b[0]&flagForgot != 0
	b = b[1:]
	var last Mark
	for len(b) > 0 {
		flags := b[0]
		at, k := binary.Varint(b[1:])
		if k <= 0 {
			return Presence{}, errPresence
		}
		late, l := binary.Varint(b[1+k:])
		if l <= 0 || len(p.marks) == MaxMarks {
			return Presence{}, errPresence
		}
		b = b[1+k+l:]
		m := Mark{At: last.At + at, Front: flags&flagFront != 0, Published: flags&flagPublished != 0, Version: last.Version}
		m.Got = m.At + late
		if flags&flagSame == 0 {
			n, k := binary.Uvarint(b)
			if k <= 0 || n > uint64(len(b)-k) {
				return Presence{}, errPresence
			}
			m.Version, b = string(b[k:k+int(n)]), b[k+int(n):]
		}
		if len(p.marks) > 0 && compareMarks(last, m) > 0 {
			return Presence{}, errPresence
		}
		p.marks = append(p.marks, m)
		last = m
	}
	return p, nil
}
