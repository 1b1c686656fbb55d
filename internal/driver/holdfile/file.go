// Package holdfile keeps one short text beside the database, for the moments in
// which the database takes nothing: what was stopped and could not be recorded.
//
// It must never need more room than it took when it was made (it is for full
// disks), leave a half written text as the whole one, or hold more than its size.
package holdfile

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"sync"
)

const (
	// Size is how long a text can be, in bytes.
	Size = slotSize - headSize

	slotSize = 128 << 10
	headSize = len(magic) + 8 + 8 + sha256.Size
	magic    = "waxwing held 1\n\x00"
)

// ErrTooLong is the error of a text longer than Size.
var ErrTooLong = errors.New("more than the file of what is held takes")

// File is two slots of a fixed size, which are written in turn: a text that is
// written when the machine stops leaves the one before. Its methods may be
// called by several goroutines.
type File struct {
	mu   sync.Mutex
	f    *os.File
	turn uint64 // of the newest text; its slot is turn%2
}

// Open opens the file, or makes it with all the room that it will ever need.
func Open(path string) (*File, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	h := &File{f: f}
	st, err := f.Stat()
	if err == nil && st.Size() < 2*slotSize {
		// Zeros are written, not left out, so that the room is really taken.
		if _, err = f.WriteAt(make([]byte, 2*slotSize-st.Size()), st.Size()); err == nil {
			err = f.Sync()
		}
	}
	if err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("make %s: %w", path, err)
	}
	return h, nil
}

// Close closes the file.
func (h *File) Close() error { return h.f.Close() }

// Read returns the newest text that is whole; nil = there is none.
func (h *File) Read() ([]byte, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	var newest []byte
	buf := make([]byte, 2*slotSize)
	if _, err := h.f.ReadAt(buf, 0); err != nil {
		return nil, fmt.Errorf("read what is held: %w", err)
	}
	for i := range 2 {
		turn, text, ok := parse(buf[i*slotSize : (i+1)*slotSize])
		if ok && int(turn%2) == i && turn >= h.turn {
			h.turn, newest = turn, text
		}
	}
	return newest, nil
}

// Write replaces the text, and returns once it lasts.
func (h *File) Write(text []byte) error {
	if len(text) > Size {
		return ErrTooLong
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	turn := h.turn + 1
	if _, err := h.f.WriteAt(slot(turn, text), int64(turn%2)*slotSize); err != nil {
		return fmt.Errorf("keep what is held: %w", err)
	}
	if err := h.f.Sync(); err != nil {
		return fmt.Errorf("keep what is held: %w", err)
	}
	h.turn = turn
	return nil
}

func slot(turn uint64, text []byte) []byte {
	b := append([]byte(magic), make([]byte, 16+sha256.Size)...)
	binary.BigEndian.PutUint64(b[len(magic):], turn)
	binary.BigEndian.PutUint64(b[len(magic)+8:], uint64(len(text)))
	b = append(b, text...)
	sum := digest(b)
	copy(b[len(magic)+16:], sum[:])
	return b
}

// parse returns what a slot holds; ok is false if it holds nothing whole.
func parse(b []byte) (turn uint64, text []byte, ok bool) {
	if len(b) < headSize || !bytes.HasPrefix(b, []byte(magic)) {
		return 0, nil, false
	}
	turn = binary.BigEndian.Uint64(b[len(magic):])
	n := binary.BigEndian.Uint64(b[len(magic)+8:])
	if n > uint64(len(b)-headSize) {
		return 0, nil, false
	}
	b = b[:headSize+int(n)]
	if sum := digest(b); !bytes.Equal(sum[:], b[len(magic)+16:headSize]) {
		return 0, nil, false
	}
	return turn, b[headSize:], true
}

// digest covers all of a slot but the place of the digest.
func digest(b []byte) [sha256.Size]byte {
	h := sha256.New()
	h.Write(b[:len(magic)+16])
	h.Write(b[headSize:])
	return [sha256.Size]byte(h.Sum(nil))
}
