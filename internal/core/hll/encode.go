package hll

import "errors"

// A set is stored as one byte that says how, then either its hashes in order
// with 5 bytes each, or its registers with 6 bits each.
const (
	formatFew   = 1
	formatDense = 2

	hashBytes  = HashBits / 8
	denseBytes = registers / 4 * 3
)

var errDamaged = errors.New("the set of an active-device count is damaged")

// Append appends the stored form to b.
func (s *Set) Append(b []byte) []byte {
	if s.dense == nil {
		b = append(b, formatFew)
		for _, h := range s.few {
			b = append(b, byte(h>>32), byte(h>>24), byte(h>>16), byte(h>>8), byte(h))
		}
		return b
	}
	b = append(b, formatDense)
	for i := 0; i < registers; i += 4 {
		r := s.dense[i : i+4 : i+4]
		w := uint32(r[0])<<18 | uint32(r[1])<<12 | uint32(r[2])<<6 | uint32(r[3])
		b = append(b, byte(w>>16), byte(w>>8), byte(w))
	}
	return b
}

// Decode reads a stored form; no bytes are the empty set.
func Decode(b []byte) (Set, error) {
	var s Set
	if len(b) == 0 {
		return s, nil
	}
	format, b := b[0], b[1:]
	switch {
	case format == formatFew && len(b)%hashBytes == 0 && len(b)/hashBytes <= MaxExact:
		s.few = make([]uint64, 0, len(b)/hashBytes+1)
		for ; len(b) > 0; b = b[hashBytes:] {
			h := uint64(b[0])<<32 | uint64(b[1])<<24 | uint64(b[2])<<16 | uint64(b[3])<<8 | uint64(b[4])
			if n := len(s.few); n > 0 && s.few[n-1] >= h {
				return Set{}, errDamaged
			}
			s.few = append(s.few, h)
		}
		return s, nil
	case format == formatDense && len(b) == denseBytes:
		s.dense = new([registers]uint8)
		for i := 0; i < registers; i += 4 {
			w := uint32(b[0])<<16 | uint32(b[1])<<8 | uint32(b[2])
			b = b[3:]
			for j := range 4 {
				rank := uint8(w >> (18 - 6*j) & 0x3f)
				if rank > maxRank {
					return Set{}, errDamaged
				}
				s.dense[i+j] = rank
			}
		}
		return s, nil
	}
	return Set{}, errDamaged
}
