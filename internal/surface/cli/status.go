package cli

import (
	"fmt"
	"io"
	"sync"
	"time"

	"golang.org/x/term"
)

// Status is the line that says how far a long command is. On a terminal it is
// redrawn in place, elsewhere each phase is one plain line; under --json and
// --quiet it is silent. Its methods may be called from several goroutines.
type Status struct {
	mu     sync.Mutex
	w      io.Writer
	silent bool
	live   bool // redraw in place
	cols   func() int
	now    func() time.Time

	phase string
	drawn time.Time
	dirty bool // a line without its line break is on the terminal
}

// redraw is the shortest time between two drawings of the live line.
const redraw = 100 * time.Millisecond

// Status returns a status line on standard error. Call Done at the end.
func (g *Globals) Status() *Status {
	s := &Status{w: g.Err, silent: g.JSON || g.Quiet, now: time.Now, cols: func() int { return 80 }}
	if f, ok := g.Err.(interface{ Fd() uintptr }); ok && IsTerminal(g.Err) && g.Env("TERM") != "dumb" {
		s.live = true
		s.cols = func() int {
			if w, _, err := term.GetSize(int(f.Fd())); err == nil && w > 0 {
				return w
			}
			return 80
		}
	}
	return s
}

// Phase starts the next part of the work.
func (s *Status) Phase(format string, a ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.phase = fmt.Sprintf(format, a...)
	if s.silent {
		return
	}
	if !s.live {
		fmt.Fprintln(s.w, s.phase)
		return
	}
	s.draw(s.phase)
}

// Update shows progress within the phase, such as "12/460 files". It is cheap
// to call often: most calls draw nothing.
func (s *Status) Update(format string, a ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.silent || !s.live || s.now().Sub(s.drawn) < redraw {
		return
	}
	s.draw(s.phase + "  " + fmt.Sprintf(format, a...))
}

// Line writes a line that stays, above the status line.
func (s *Status) Line(format string, a ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.silent {
		return
	}
	s.clear()
	fmt.Fprintf(s.w, format+"\n", a...)
}

// Done takes the status line away.
func (s *Status) Done() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clear()
}

func (s *Status) draw(text string) {
	// One column short of the width: a full line would wrap, and only its last
	// row would be cleared.
	if r := []rune(text); len(r) > s.cols()-1 {
		text = string(r[:s.cols()-1])
	}
	fmt.Fprintf(s.w, "\r\x1b[K%s", text)
	s.drawn, s.dirty = s.now(), true
}

func (s *Status) clear() {
	if s.dirty {
		fmt.Fprint(s.w, "\r\x1b[K")
		s.dirty = false
	}
}
