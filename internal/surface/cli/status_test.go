package cli

import (
	"bytes"
	"testing"
	"time"
)

func TestStatus(t *testing.T) {
	at := time.UnixMilli(0)
	story := func(s *Status, tick time.Duration) string {
		var b bytes.Buffer
		s.w, s.now, s.cols = &b, func() time.Time { return at }, func() int { return 20 }
		s.Phase("packing")
		s.Update("1/3")
		at = at.Add(tick)
		s.Update("2/3")
		s.Line("a line")
		s.Phase("uploading a long name")
		s.Done()
		s.Done()
		return b.String()
	}
	for _, tt := range []struct {
		name string
		s    *Status
		want string
	}{
		{"silent", &Status{silent: true, live: true}, ""},
		{"plain lines", &Status{}, "packing\na line\nuploading a long name\n"},
		{
			"terminal", &Status{live: true},
			"\r\x1b[Kpacking\r\x1b[Kpacking  2/3\r\x1b[Ka line\n\r\x1b[Kuploading a long na\r\x1b[K",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := story(tt.s, redraw); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestStatusIsSilentUnderJSONAndQuiet(t *testing.T) {
	for _, g := range []*Globals{{JSON: true}, {Quiet: true}} {
		g.Env = func(string) string { return "" }
		var b bytes.Buffer
		g.Err = &b
		s := g.Status()
		s.Phase("x")
		s.Line("y")
		s.Done()
		if b.Len() != 0 {
			t.Errorf("said %q", b.String())
		}
	}
}
