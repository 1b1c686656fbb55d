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

// decode reads the segments of a map: lines are parted by ";", segments by ",";
// a segment is one, four or five numbers relative to the ones before.
func (m *Map) decode(s string, base place) error {
	for len(m.lines) <= base.line {
		m.lines = append(m.lines, int32(len(m.segments)))
	}
	var col, src, line, at, name int64
	first, sorted := true, true
	for i := 0; i < len(s); {
		switch s[i] {
		case ';':
			if len(m.lines) > maxLines {
				return tooLarge("the source map has too many lines")
			}
			m.lines = append(m.lines, int32(len(m.segments)))
			col, first = 0, false
			i++
			continue
		case ',':
			i++
			continue
		}
		var num [5]int64
		n, next, ok := fields(s, i, &num)
		if !ok || n != 1 && n != 4 && n != 5 {
			return invalid("the mappings of the source map are damaged at byte %d", i)
		}
		i = next
		col, src, line, at, name = col+num[0], src+num[1], line+num[2], at+num[3], name+num[4]
		g := segment{source: -1, name: -1}
		shift := int64(0)
		if first {
			shift = int64(base.col)
		}
		if col < 0 || col+shift > maxNumber {
			return invalid("the mappings of the source map leave the script at byte %d", i)
		}
		g.col = int32(col + shift)
		if n >= 4 {
			if src < 0 || src >= int64(base.sources) || line < 0 || line > maxNumber-1 || at < 0 || at > maxNumber-1 {
				return invalid("the mappings of the source map leave its sources at byte %d", i)
			}
			g.source, g.line, g.at = int32(src)+int32(base.source), int32(line), int32(at)
		}
		if n == 5 {
			if name < 0 || name >= int64(base.names) {
				return invalid("the mappings of the source map leave its names at byte %d", i)
			}
			g.name = int32(name) + int32(base.name)
		}
		if len(m.segments) >= maxSegments {
			return tooLarge("the source map has more than %d segments", maxSegments)
		}
		if from := int(m.lines[len(m.lines)-1]); len(m.segments) > from && m.segments[len(m.segments)-1].col > g.col {
			sorted = false
		}
		m.segments = append(m.segments, g)
	}
	if !sorted { // some bundlers write a line's segments in another order
		m.sort(base.line)
	}
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
