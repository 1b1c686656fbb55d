package edge

import (
	"bytes"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/decide"
)

func same(a, b []byte) bool { return len(a) > 0 && len(a) == len(b) && &a[0] == &b[0] }

func TestCache(t *testing.T) {
	s, clock := newService()
	app := appWith(variant())
	c := ask(func(*decide.Check) {})
	out := decide.Decide(app, c, nil)
	answer := func(base string) []byte { return s.Answer(nil, base, app, c, &out) }
	first := answer(base)
	if !same(first, answer(base)) {
		t.Error("the same answer was rendered twice")
	}
	if other := answer("http://10.0.0.1"); bytes.Contains(other, []byte(base)) || same(first, other) {
		t.Errorf("an answer for another host: %s", other)
	}
	clock.at = start.Add(Window - time.Second)
	if !same(first, answer(base)) {
		t.Error("the answer was dropped before its time")
	}
	clock.at = start.Add(Window)
	later := answer(base)
	if bytes.Equal(first, later) {
		t.Error("the links are those of the window before")
	}
	old := ask(func(c *decide.Check) { c.Plugin = version("7.29.0") })
	outOld := decide.Decide(app, old, nil)
	if bytes.Equal(later, s.Answer(nil, base, app, old, &outOld)) {
		t.Error("two shapes share an answer")
	}
	again := appWith(variant()) // what a change of the app makes of it
	outAgain := decide.Decide(again, c, nil)
	if same(later, s.Answer(nil, base, again, c, &outAgain)) {
		t.Error("the answer of a variant that is gone was given")
	}
}

// TestCacheHosts holds that whoever asks through many hosts does not keep
// others from being remembered.
func TestCacheHosts(t *testing.T) {
	s, _ := newService()
	app := appWith(variant())
	c := ask(func(*decide.Check) {})
	out := decide.Decide(app, c, nil)
	for i := range 100 {
		s.Answer(nil, fmt.Sprintf("http://host%d", i), app, c, &out)
	}
	if !same(s.Answer(nil, base, app, c, &out), s.Answer(nil, base, app, c, &out)) {
		t.Error("a host is not remembered")
	}
	known := s.cache.Load().rendersOf(out.Variant).shapes[shapeOf(c, &out)].Load()
	if n := 1 + len(known.others); n != maxBases {
		t.Errorf("%d hosts are remembered", n)
	}
}

func TestCacheBound(t *testing.T) {
	s, _ := newService()
	s.limit = 20_000
	size := 0
	first := variant()
	for i := range 100 {
		va := variant()
		if i == 0 {
			va = first
		}
		app := appWith(va)
		size += len(answerTo(s, app, ask(func(*decide.Check) {})))
		if n := s.cache.Load().bytes.Load(); n > s.limit {
			t.Fatalf("%d bytes are remembered", n)
		}
	}
	if int64(size) < 2*s.limit {
		t.Fatal("the test does not fill the cache")
	}
	if r := first.Answers.Load().(*renders); r != nil {
		t.Error("a variant keeps its answers when their cache is dropped")
	}
	app := appWith(variant())
	if !same(answerTo(s, app, ask(func(*decide.Check) {})), answerTo(s, app, ask(func(*decide.Check) {}))) {
		t.Error("a full cache remembers nothing more")
	}
}

// TestConcurrent asks for everything at once while windows turn; the race
// detector and the comparison are the test.
func TestConcurrent(t *testing.T) {
	s, _ := newService()
	var mu sync.Mutex
	at := start
	s.now = func() time.Time {
		mu.Lock()
		defer mu.Unlock()
		at = at.Add(time.Minute)
		return at
	}
	apps := []*decide.App{appWith(variant()), appWith(variant())}
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for n := range 200 {
				b := answerTo(s, apps[(i+n)%2], ask(func(*decide.Check) {}))
				if !bytes.HasPrefix(b, []byte(`{"version":"1.2.3"`)) || b[len(b)-1] != '}' {
					t.Errorf("got %s", b)
				}
			}
		})
	}
	wg.Wait()
}

func BenchmarkAnswer(b *testing.B) {
	s := New([32]byte{1}, time.Now)
	app := appWith(variant())
	c := ask(func(*decide.Check) {})
	out := decide.Decide(app, c, nil)
	b.Run("cached", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			s.Answer(nil, base, app, c, &out)
		}
	})
	refused := decide.Outcome{Kind: decide.UpToDate, Code: decide.CodeNoNewVersion, Message: "The device runs the offered version", Version: "1.2.3"}
	scratch := make([]byte, 0, 1024)
	b.Run("refusal", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			s.Answer(scratch, base, app, c, &refused)
		}
	})
}
