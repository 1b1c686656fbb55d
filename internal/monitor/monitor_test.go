package monitor_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/tilelog"
	"github.com/waxwing-ota/waxwing/internal/core/tlogproof"
	"github.com/waxwing-ota/waxwing/internal/monitor"
)

func TestFollow(t *testing.T) {
	s := newServer(t)
	address := s.serve(t)
	state := monitor.State{}
	seen := 0
	for _, n := range []int{0, 1, 5, 0, 249, 1, 1, 600} { // across the edges of tiles
		for range n {
			s.add(t, entry(tlogproof.KindManifest, len(s.entries), ""))
		}
		w := newWatch(t, address, s, state)
		if err := w.Step(t.Context()); err != nil || w.Alerts() != 0 {
			t.Fatalf("%d entries: %v %v", s.size, err, w.alerts())
		}
		for _, e := range w.events {
			if e.Entry != nil {
				if want := entry(tlogproof.KindManifest, seen, ""); e.Entry.Leaf != int64(seen) || !bytes.Equal(tlogproof.Entry(tlogproof.Kind(e.Entry.Kind), e.Entry.Digest), want) {
					t.Fatalf("entry %d is told as %+v", seen, e.Entry)
				}
				seen++
			}
		}
		state = again(t, w.State())
		for _, old := range []int64{0, 1, 2, 255, 256, 257, s.size} {
			if old <= s.size {
				if err := w.Compare(t.Context(), s.note(t, old)); err != nil {
					t.Errorf("compare %d with %d: %v", old, s.size, err)
				}
			}
		}
	}
	if seen != len(s.entries) {
		t.Errorf("%d entries were told of %d", seen, len(s.entries))
	}
}

// TestHostileLogs shows a monitor that knows ten entries what a log may not do.
func TestHostileLogs(t *testing.T) {
	flip := func(prefix string) func(string, []byte) []byte {
		return func(path string, b []byte) []byte {
			if strings.HasPrefix(path, prefix) {
				b = bytes.Clone(b)
				b[len(b)-2] ^= 1
			}
			return b
		}
	}
	for name, row := range map[string]struct {
		do   func(t *testing.T, s *server)
		want string
	}{
		"shortened":                       {func(_ *testing.T, s *server) { s.size = 9 }, "log_shrunk"},
		"emptied":                         {func(_ *testing.T, s *server) { s.size = 0 }, "log_shrunk"},
		"forked, same size":               {func(t *testing.T, s *server) { s.refill(t, 10, 9) }, "log_forked"},
		"forked, longer":                  {func(t *testing.T, s *server) { s.refill(t, 300, 9) }, "log_forked"},
		"forked at the beginning":         {func(t *testing.T, s *server) { s.refill(t, 12, 0) }, "log_forked"},
		"reordered":                       {func(t *testing.T, s *server) { s.swap(t, 3, 4) }, "log_forked"},
		"entries are not those signed":    {func(t *testing.T, s *server) { s.grow(t); s.broken = flip("tile/entries/") }, "log_altered"},
		"hashes are not those of entries": {func(t *testing.T, s *server) { s.grow(t); s.broken = flip("tile/0/") }, "log_altered"},
		"a bundle is cut": {func(t *testing.T, s *server) {
			s.grow(t)
			s.broken = func(path string, b []byte) []byte {
				if strings.HasPrefix(path, "tile/entries/") {
					return b[:len(b)-3]
				}
				return b
			}
		}, "log_altered"},
		"an entry is no entry": {func(t *testing.T, s *server) { s.add(t, []byte("hello")) }, "entry_invalid"},
		"signed by another": {func(t *testing.T, s *server) {
			s.grow(t)
			s.signer, _ = tilelog.NewSigner(s.signer.Name(), [32]byte{9})
		}, "checkpoint_unsigned"},
		"one line is missing": {func(t *testing.T, s *server) {
			s.grow(t)
			s.broken = func(path string, b []byte) []byte {
				if path == "checkpoint" {
					return b[:bytes.LastIndex(b[:len(b)-1], []byte("\n"))+1]
				}
				return b
			}
		}, "checkpoint_unsigned"},
		"of another name": {func(t *testing.T, s *server) { s.signer, _ = tilelog.NewSigner("other.example/log", [32]byte{1}) }, "checkpoint_unsigned"},
		"no note":         {func(_ *testing.T, s *server) { s.broken = func(string, []byte) []byte { return []byte("<html>") } }, "checkpoint_invalid"},
		"endless": {func(_ *testing.T, s *server) {
			s.broken = func(string, []byte) []byte { return bytes.Repeat([]byte("x"), 1<<20) }
		}, "log_answer_long"},
		"gone": {func(_ *testing.T, s *server) { s.broken = func(string, []byte) []byte { return nil } }, "log_unreachable"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t)
			for i := range 10 {
				s.add(t, entry(tlogproof.KindManifest, i, ""))
			}
			keys := s.keys(t)
			address := s.serve(t)
			w := newWatch(t, address, s, monitor.State{})
			if err := w.Step(t.Context()); err != nil {
				t.Fatal(err)
			}
			before := again(t, w.State())
			row.do(t, s)
			w = newWatch(t, address, s, before, func(o *monitor.Options) { o.Keys = keys })
			err := w.Step(t.Context())
			if ota.CodeOf(err) != row.want || err == nil {
				t.Errorf("got %v", err)
			}
			if after := w.State(); after.Checkpoint != before.Checkpoint {
				t.Error("it was kept")
			}
			told := slices.Contains(w.alerts(), row.want)
			if told != (row.want != "log_unreachable") {
				t.Errorf("told %v", w.alerts())
			}
			if strings.HasPrefix(row.want, "log_forked") || row.want == "log_shrunk" {
				if a := w.events[len(w.events)-1].Alert; len(a.Notes) != 2 {
					t.Errorf("the proof has %d checkpoints", len(a.Notes))
				}
			}
		})
	}
}

func TestCompare(t *testing.T) {
	here, there := newServer(t), newServer(t)
	for i := range 20 {
		here.add(t, entry(tlogproof.KindManifest, i, ""))
		fork := ""
		if i >= 15 {
			fork = "there"
		}
		there.add(t, entry(tlogproof.KindManifest, i, fork))
	}
	address := here.serve(t)
	w := newWatch(t, address, here, monitor.State{})
	if err := w.Step(t.Context()); err != nil {
		t.Fatal(err)
	}
	for size, want := range map[int64]string{15: "", 16: "log_forked", 20: "log_forked"} {
		err := w.Compare(t.Context(), there.note(t, size))
		if (err == nil) != (want == "") || err != nil && ota.CodeOf(err) != want {
			t.Errorf("%d entries: %v", size, err)
		}
	}
	here.grow(t)
	longer := here.note(t, 21)
	here.size = 20 // it hides the last from us
	if err := w.Compare(t.Context(), longer); ota.CodeOf(err) != "log_hidden" {
		t.Errorf("hidden: %v", err)
	}
	here.size = 21
	if err := w.Compare(t.Context(), longer); err != nil {
		t.Errorf("it was only late: %v", err)
	}
	if err := w.Compare(t.Context(), "x"); ota.CodeOf(err) != "checkpoint_invalid" {
		t.Errorf("nonsense: %v", err)
	}
}

func TestExpect(t *testing.T) {
	s := newServer(t)
	address := s.serve(t)
	body := []byte(`{"_type":"manifest","app":"com.example.a","version":"1.2.3"}`)
	one, two := ota.Sum([]byte("one")), ota.Sum([]byte("two"))
	s.add(t, tlogproof.Entry(tlogproof.KindManifest, one))
	s.add(t, tlogproof.Entry(tlogproof.KindManifest, ota.Sum(body)))
	s.add(t, tlogproof.Entry(tlogproof.KindRule, two))
	for name, row := range map[string]struct {
		list string
		want int // alerts
	}{
		"all":                      {one.String() + " 1.0.0\n# a comment\n\nversion com.example.a 1.2.3\n", 0},
		"by kind":                  {"manifest " + one.String() + "\nmanifest " + ota.Sum(body).String(), 0},
		"nothing":                  {"", 2},
		"another version":          {one.String() + "\nversion com.example.a 1.2.4\n", 1},
		"rules are listed as well": {one.String() + "\n" + ota.Sum(body).String() + "\nrule " + one.String(), 1},
	} {
		e, err := monitor.ParseExpect(row.list)
		if err != nil {
			t.Fatal(err)
		}
		e.Know(body)
		w := newWatch(t, address, s, monitor.State{}, func(o *monitor.Options) { o.Expect = e })
		if err := w.Step(t.Context()); err != nil || w.Alerts() != row.want {
			t.Errorf("%s: %v, %v", name, w.alerts(), err)
		}
	}
	for _, bad := range []string{"x", "version a", "rule", "manifest x", strings.ToUpper(one.String())} {
		if _, err := monitor.ParseExpect(bad); ota.CodeOf(err) != "expect_invalid" {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func TestStall(t *testing.T) {
	s := newServer(t)
	s.grow(t)
	address := s.serve(t)
	w := newWatch(t, address, s, monitor.State{}, func(o *monitor.Options) { o.Stall = time.Hour })
	step := func(after time.Duration, want int) {
		t.Helper()
		w.now = w.now.Add(after)
		if _ = w.Step(t.Context()); w.Alerts() != want {
			t.Errorf("%d alerts: %v", w.Alerts(), w.alerts())
		}
	}
	step(0, 0)
	step(time.Hour, 0)
	step(time.Second, 1)
	step(time.Second, 1) // it is told once
	s.grow(t)
	step(time.Hour, 1)
	s.broken = func(string, []byte) []byte { return nil }
	step(2*time.Hour, 2) // one that cannot be read stalls as well
}

// TestMonitorsNeverMerge is the model of a monitor that two logs with the same keys
// are shown to, in turns and at any size.
func TestMonitorsNeverMerge(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		logs := [2]*server{newServer(t), newServer(t)}
		shared := rapid.Int64Range(0, 8).Draw(t, "shared")
		for i, s := range logs {
			for n := range shared + rapid.Int64Range(1, 10).Draw(t, "own") {
				fork := ""
				if n >= shared {
					fork = fmt.Sprint(i)
				}
				s.add(t, entry(tlogproof.KindManifest, int(n), fork))
			}
		}
		which := 0
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { logs[which].handler(t).ServeHTTP(w, r) }))
		defer srv.Close()
		var state monitor.State
		var kept int64
		side := -1
		for range rapid.IntRange(1, 12).Draw(t, "steps") {
			which = rapid.IntRange(0, 1).Draw(t, "log")
			s := logs[which]
			s.size = rapid.Int64Range(0, int64(len(s.entries))).Draw(t, "shown")
			w := newWatch(t, srv.URL+"/sealed/log/", s, state)
			if err := w.Step(context.Background()); err != nil {
				if w.Alerts() == 0 {
					t.Fatalf("nothing was told: %v", err)
				}
				continue
			}
			if s.size < kept || side >= 0 && side != which && s.size > shared {
				t.Fatalf("on side %d with %d, side %d with %d was taken (shared %d)", side, kept, which, s.size, shared)
			}
			if kept = s.size; kept > shared {
				side = which
			}
			state = again(t, w.State())
		}
	})
}

func TestWebhook(t *testing.T) {
	var got []byte
	srv := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		b := make([]byte, r.ContentLength)
		_, _ = r.Body.Read(b)
		got = b
	}))
	defer srv.Close()
	h, err := monitor.NewWebhook(srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	if err := h.Post(t.Context(), monitor.Event{Log: "x", Alert: &monitor.Alert{Code: "log_forked"}}); err != nil || !bytes.Contains(got, []byte(`"code":"log_forked"`)) {
		t.Errorf("%s, %v", got, err)
	}
	if _, err := monitor.NewWebhook("file:///etc/passwd"); ota.CodeOf(err) != "webhook_invalid" {
		t.Error(err)
	}
}

func FuzzState(f *testing.F) {
	s := newServer(f)
	for range 5 {
		s.grow(f)
	}
	w := newWatch(f, s.serve(f), s, monitor.State{})
	if err := w.Step(f.Context()); err != nil {
		f.Fatal(err)
	}
	b, _ := json.Marshal(w.State())
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		st, err := monitor.ParseState(b)
		if err != nil || st.Checkpoint == "" {
			return
		}
		src, _ := monitor.NewSource("http://127.0.0.1:1/")
		if _, err := monitor.New(monitor.Options{Source: src, Now: time.Now, Tell: func(monitor.Event) {}}, st); err != nil {
			t.Fatalf("%s was read, but cannot be used: %v", b, err)
		}
	})
}

func FuzzExpect(f *testing.F) {
	f.Add("version a b\nmanifest 00\n")
	f.Fuzz(func(t *testing.T, s string) {
		if e, err := monitor.ParseExpect(s); (e == nil) == (err == nil) {
			t.Fatal("neither a list nor an error")
		}
	})
}
