// Package match finds many fixed words in a text in one pass.
//
// It must never backtrack: the time is that of reading the text, plus that of
// the hits.
package match

// Matcher finds words. It may be used by many goroutines.
type Matcher struct {
	table []uint16  // first two letters → bucket + 1
	lists [][]entry // buckets
}

type entry struct {
	word  string // folded unless exact
	exact bool   // letter case counts
	id    int
}

// Word is what is looked for.
type Word struct {
	Text  string // at least two bytes
	Exact bool   // letter case counts
}

// New returns a matcher of the words; shorter ones than two bytes are left out.
func New(words []Word) *Matcher {
	m := &Matcher{table: make([]uint16, 1<<16)}
	for id, w := range words {
		if len(w.Text) < 2 {
			continue
		}
		k := int(lower(w.Text[0]))<<8 | int(lower(w.Text[1]))
		if m.table[k] == 0 {
			m.lists = append(m.lists, nil)
			m.table[k] = uint16(len(m.lists))
		}
		text := w.Text
		if !w.Exact {
			b := []byte(text)
			for i := range b {
				b[i] = lower(b[i])
			}
			text = string(b)
		}
		i := m.table[k] - 1
		m.lists[i] = append(m.lists[i], entry{text, w.Exact, id})
	}
	return m
}

// Find calls hit for every place of a word, in the order of the text, until it
// returns false. id is the index of the word.
func (m *Matcher) Find(text []byte, hit func(id, at int) bool) {
	if len(text) < 2 {
		return
	}
	prev := int(lower(text[0]))
	for i := 1; i < len(text); i++ {
		c := int(lower(text[i]))
		k := prev<<8 | c
		prev = c
		b := m.table[k]
		if b == 0 {
			continue
		}
		for _, e := range m.lists[b-1] {
			if e.at(text[i-1:]) && !hit(e.id, i-1) {
				return
			}
		}
	}
}

func (e *entry) at(text []byte) bool {
	if len(text) < len(e.word) {
		return false
	}
	if e.exact {
		return string(text[:len(e.word)]) == e.word
	}
	for i := 2; i < len(e.word); i++ {
		if lower(text[i]) != e.word[i] {
			return false
		}
	}
	return true
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}
