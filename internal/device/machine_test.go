package device

import (
	"fmt"
	"path/filepath"
	"strconv"
	"testing"

	"pgregory.net/rapid"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// machine is what a device should do, in a few words: versions by name,
// "builtin" for none of them.
type machine struct {
	*rig
	n         int                   // versions published
	trees     map[string]ota.Digest // of good versions
	success   map[string]bool       // versions confirmed and on disk
	running   string
	lastGood  string
	next      string // "" = none
	offered   string // "" = a bad bundle
	spoilt    string // version whose files were changed on disk
	nativeNow int
}

func smallApp(version string) map[string][]byte {
	return map[string][]byte{"index.html": []byte("app " + version), "js/app.js": []byte("same"), "js/" + version + ".js": []byte(version)}
}

func (m *machine) offer(t *rapid.T) {
	if m.n == 0 || rapid.Bool().Draw(t, "fresh") {
		m.n++
	}
	v := fmt.Sprintf("2.0.%d", rapid.IntRange(1, m.n).Draw(t, "version"))
	m.offered, m.trees[v] = v, treeOf(smallApp(v))
	if rapid.Bool().Draw(t, "files") {
		m.srv.answer = m.srv.manifestAnswer(v, smallApp(v), nil)
	} else {
		m.srv.answer = m.srv.zipAnswer(v, zipOf(smallApp(v)), nil)
	}
}

// offerBad publishes a bundle that must not run, under a name of its own.
func (m *machine) offerBad(t *rapid.T) {
	m.n++
	m.offered = ""
	v := fmt.Sprintf("6.6.%d", m.n)
	if rapid.Bool().Draw(t, "files") {
		a := m.srv.manifestAnswer(v, smallApp(v), nil)
		b := fileBlob(m.srv, a, rapid.SampledFrom([]string{"index.html", "js/" + v + ".js"}).Draw(t, "file"))
		m.spoil(t, b)
		m.srv.answer = a
		return
	}
	a := m.srv.zipAnswer(v, zipOf(smallApp(v)), nil)
	m.spoil(t, stored(m.srv, a))
	m.srv.answer = a
}

func (m *machine) spoil(t *rapid.T, b *blob) {
	switch rapid.IntRange(0, 3).Draw(t, "how") {
	case 0:
		b.body = flip(b.body)
	case 1:
		b.status = rapid.SampledFrom([]int{404, 403, 500, 503}).Draw(t, "status")
	case 2:
		b.body = flip(b.body) // cut again and again, it would arrive whole in the end
		b.cut, b.cutTimes = 1+len(b.body)/3, -1
	case 3:
		b.body = b.body[:len(b.body)-1]
	}
}

func (m *machine) offerBuiltin(*rapid.T) {
	m.offered, m.srv.answer = ota.Builtin, map[string]any{"version": "builtin"}
}

func (m *machine) update(t *rapid.T) {
	if m.srv.answer == nil {
		return
	}
	_, err := m.rig.update()
	switch {
	case m.offered == "":
		if err == nil {
			t.Fatal("a bad bundle was installed")
		}
	case err != nil:
		t.Fatalf("update to %s: %v", m.offered, err)
	case m.offered != m.running || m.offered == ota.Builtin:
		m.next = m.offered
	}
}

func (m *machine) background(t *rapid.T) {
	applied, err := m.Background()
	if err != nil {
		t.Fatal(err)
	}
	want := m.next != "" && m.next != m.running && m.next != m.spoilt || m.next == ota.Builtin && m.running != ota.Builtin
	if m.next == m.spoilt && m.next != "" {
		delete(m.success, m.spoilt)
		m.spoilt = ""
	}
	if applied != want {
		t.Fatalf("applied %v, want %v (next %s, running %s)", applied, want, m.next, m.running)
	}
	if want {
		m.running = m.next
		if m.running == ota.Builtin {
			m.lastGood = ota.Builtin
		}
	}
	m.next = ""
}

func (m *machine) ready(t *rapid.T) {
	if err := m.Ready(); err != nil {
		t.Fatal(err)
	}
	if m.running == ota.Builtin {
		return
	}
	if m.lastGood != m.running && m.lastGood != m.next {
		delete(m.success, m.lastGood)
	}
	m.success[m.running], m.lastGood = true, m.running
}

func (m *machine) timeout(t *rapid.T) {
	back, err := m.Timeout()
	if err != nil {
		t.Fatal(err)
	}
	want := m.running != ota.Builtin && !m.success[m.running]
	if back != want {
		t.Fatalf("rolled back %v, want %v", back, want)
	}
	if !want {
		return
	}
	if m.next == m.running {
		m.next = ""
	}
	if m.lastGood == m.running || !m.success[m.lastGood] {
		m.lastGood = ota.Builtin
	}
	m.running = m.lastGood
}

// spoilNext changes a file of the queued bundle behind the device's back.
func (m *machine) spoilNext(t *rapid.T) {
	b := m.st.find(m.st.Next)
	if b == nil || b.ID == m.st.Current || b.ID == m.st.Fallback {
		return
	}
	if err := m.root.WriteFile(versionsDir+"/"+b.ID+"/index.html", []byte("evil"), 0o600); err != nil {
		t.Fatal(err)
	}
	m.spoilt = b.Version
}

func (m *machine) kill(*rapid.T) { m.restart() }

func (m *machine) native(*rapid.T) {
	m.nativeNow++
	m.cfg.VersionCode = strconv.Itoa(m.nativeNow)
	m.restart()
	m.running, m.lastGood, m.next, m.spoilt = ota.Builtin, ota.Builtin, "", ""
	m.success = map[string]bool{}
}

// check holds after every step.
func (m *machine) check(t *rapid.T) {
	b, s := m.Running(), m.State()
	name := b.Version
	if b.ID == builtinID {
		name = ota.Builtin
	}
	if name != m.running {
		t.Fatalf("runs %s, want %s", name, m.running)
	}
	if b.ID != builtinID {
		if !b.usable() {
			t.Fatalf("runs a bundle in state %s", b.Status)
		}
		files, err := m.files(versionsDir + "/" + b.ID)
		if err != nil || ota.TreeDigest(files) != m.trees[name] {
			t.Fatalf("what runs as %s is not what was published: %v", name, err)
		}
	}
	if next := m.next; (s.Next == nil) != (next == "") || s.Next != nil && s.Next.ID != builtinID && s.Next.Version != next {
		t.Fatalf("next %+v, want %q", s.Next, next)
	}
	if got := len(m.left(versionsDir)); got > m.n {
		t.Fatalf("%d folders of %d versions", got, m.n)
	}
	m.outside()
}

// Whatever the server offers and whenever the process dies, a device runs only
// what was published and verified, goes back to the last confirmed bundle, and
// writes nowhere else.
func TestDeviceMachine(t *testing.T) {
	base, home, runs := newRig(t, nil), t.TempDir(), 0
	rapid.Check(t, func(rt *rapid.T) {
		runs++
		r := &rig{t: t, srv: base.srv, now: base.now, home: filepath.Join(home, strconv.Itoa(runs)), cfg: base.cfg}
		r.cfg.Dir, r.cfg.StatsURL = filepath.Join(r.home, "device"), ""
		r.open()
		defer func() { _ = r.root.Close() }()
		r.srv.answer = nil
		m := &machine{rig: r, trees: map[string]ota.Digest{}, success: map[string]bool{}, running: ota.Builtin, lastGood: ota.Builtin, nativeNow: 1}
		rt.Repeat(map[string]func(*rapid.T){
			"offer": m.offer, "offerBad": m.offerBad, "offerBuiltin": m.offerBuiltin, "update": m.update, "update2": m.update,
			"background": m.background, "ready": m.ready, "timeout": m.timeout, "spoilNext": m.spoilNext, "kill": m.kill,
			"native": m.native, "": m.check,
		})
	})
}
