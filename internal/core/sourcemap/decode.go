package sourcemap

import (
	"cmp"
	"slices"
)

// segment maps a column of a line of the script to a position in a source.
type segment struct {
	col    int32 // of the script
	source int32 // -1 = to nothing
	line   int32
	at     int32 // column in the source
	name   int32 // -1 = none
}

const segmentBytes = 20

// place is where a map's numbers start from.
type place struct {
	line, col, source, name int
	sources, names          int // how many the map has
}

// reader reads the segments of one map. Its numbers are relative to the segment
// before; col begins anew with every line.
type reader struct {
	m                        *Map
	base                     place
	col, src, line, at, name int64
	shift                    int64 // of the first line
	unsorted                 bool
}

// decode reads the segments of a map: lines are parted by ";", segments by ",";
// a segment is one, four or five numbers.
func (m *Map) decode(s string, base place) error {
	for len(m.lines) <= base.line {
		m.lines = append(m.lines, int32(len(m.segments)))
	}
	r := reader{m: m, base: base, shift: int64(base.col)}
	for i := 0; i < len(s); {
		switch s[i] {
		case ';':
			if len(m.lines) > maxLines {
				return tooLarge("the source map has too many lines")
			}
			m.lines = append(m.lines, int32(len(m.segments)))
			r.col, r.shift = 0, 0
			i++
		case ',':
			i++
		default:
			var num [5]int64
			n, next, ok := fields(s, i, &num)
			if !ok || n != 1 && n != 4 && n != 5 {
				return invalid("the mappings of the source map are damaged at byte %d", i)
			}
			if err := r.add(n, &num, i); err != nil {
				return err
			}
			i = next
		}
	}
	if r.unsorted { // some bundlers write a line's segments in another order
		m.sort(base.line)
	}
	return nil
}

// add adds the segment of n numbers that was read at a byte.
func (r *reader) add(n int, num *[5]int64, byteAt int) error {
	r.col, r.src, r.line, r.at, r.name = r.col+num[0], r.src+num[1], r.line+num[2], r.at+num[3], r.name+num[4]
	if r.col < 0 || r.col+r.shift > maxNumber {
		return invalid("the mappings of the source map leave the script at byte %d", byteAt)
	}
	g := segment{col: int32(r.col + r.shift), source: -1, name: -1}
	if n >= 4 {
		if r.src < 0 || r.src >= int64(r.base.sources) || r.line < 0 || r.line >= maxNumber || r.at < 0 || r.at >= maxNumber {
			return invalid("the mappings of the source map leave its sources at byte %d", byteAt)
		}
		g.source, g.line, g.at = int32(r.src)+int32(r.base.source), int32(r.line), int32(r.at)
	}
	if n == 5 {
		if r.name < 0 || r.name >= int64(r.base.names) {
			return invalid("the mappings of the source map leave its names at byte %d", byteAt)
		}
		g.name = int32(r.name) + int32(r.base.name)
	}
	m := r.m
	if len(m.segments) >= maxSegments {
		return tooLarge("the source map has more than %d segments", maxSegments)
	}
	from := int(m.lines[len(m.lines)-1])
	r.unsorted = r.unsorted || len(m.segments) > from && m.segments[len(m.segments)-1].col > g.col
	m.segments = append(m.segments, g)
	return nil
}

// sort puts the segments of each line from a line on in order of their columns.
func (m *Map) sort(line int) {
	for ; line < len(m.lines); line++ {
		from, to := int(m.lines[line]), len(m.segments)
		if line+1 < len(m.lines) {
			to = int(m.lines[line+1])
		}
		slices.SortStableFunc(m.segments[from:to], func(a, b segment) int { return cmp.Compare(a.col, b.col) })
	}
}

// fields reads the numbers of the segment at s[i] and returns how many there
// are and where it ends.
func fields(s string, i int, num *[5]int64) (n, next int, ok bool) {
	for i < len(s) && s[i] != ',' && s[i] != ';' {
		if n == len(num) {
			return n, i, false
		}
		v, j, ok := vlq(s, i)
		if !ok {
			return n, i, false
		}
		num[n], i = v, j
		n++
	}
	return n, i, true
}

// vlq reads one number: base64 digits of six bits, least significant first, the
// highest bit says that more follow, the lowest of all is the sign.
func vlq(s string, i int) (v int64, next int, ok bool) {
	for shift := 0; i < len(s) && shift <= 30; shift += 5 {
		d := digit(s[i])
		if d < 0 {
			return 0, i, false
		}
		i++
		v |= int64(d&31) << shift
		if d&32 == 0 {
			if v&1 != 0 {
				return -(v >> 1), i, true
			}
			return v >> 1, i, true
		}
	}
	return 0, i, false
}

func digit(c byte) int {
	switch {
	case c >= 'A' && c <= 'Z':
		return int(c - 'A')
	case c >= 'a' && c <= 'z':
		return int(c-'a') + 26
	case c >= '0' && c <= '9':
		return int(c-'0') + 52
	case c == '+':
		return 62
	case c == '/':
		return 63
	}
	return -1
}
