package interop

import (
	"encoding/json"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A device must end with exactly the bytes that were in the folder, whatever
// shape they travelled in.
func TestAndroidInstalls(t *testing.T) {
	for _, tc := range []struct {
		name  string
		keyed bool
		push  []string
	}{
		{"plain manifest", false, nil},
		{"encrypted manifest", true, nil},
		{"plain zip", false, []string{"--no-manifest"}},
		{"encrypted zip", true, []string{"--no-manifest"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := start(t)
			key := s.app("com.test.interop", tc.keyed)
			dir, sums := s.webApp("1.1.0")
			s.push("com.test.interop", "1.1.0", dir, []string{key}, tc.push...)
			d := s.android("com.test.interop", key)

			up := d.run("update")
			if !up.OK || up.Installed == nil {
				t.Fatalf("not installed: %s", up.raw)
			}
			if diff := cmp.Diff(sums, up.Installed.Files); diff != "" {
				t.Fatalf("installed files (-pushed +installed):\n%s", diff)
			}
			ready := d.run("ready")
			if ready.Current == nil || ready.Current.Version != "1.1.0" || ready.Current.Status != "success" {
				t.Fatalf("not running it: %s", ready.raw)
			}
			if again := d.run("update"); again.NoNeedUpdate == nil || again.NoNeedUpdate == false {
				t.Fatalf("offered again to a device that runs it: %s", again.raw)
			}
			s.wantEvents("com.test.interop", "set", "app_launch_ready")
		})
	}
}

func (s *server) wantEvents(app string, actions ...string) {
	s.t.Helper()
	doc := s.cli("events", "list", "--app", app, "--limit", "500")
	seen := map[string]bool{}
	items, _ := doc["items"].([]any)
	for _, it := range items {
		if m, ok := it.(map[string]any); ok {
			if a, ok := m["action"].(string); ok {
				seen[a] = true
			}
		}
	}
	for _, a := range actions {
		if !seen[a] {
			s.t.Errorf("no event %q arrived; have %v", a, seen)
		}
	}
}

// The second release must cost only what changed, also when encrypted.
func TestAndroidDeltaReusesFiles(t *testing.T) {
	s := start(t)
	key := s.app("com.test.delta", true)
	one, _ := s.webApp("1.1.0")
	s.push("com.test.delta", "1.1.0", one, []string{key})
	d := s.android("com.test.delta", key)
	d.run("update")
	d.run("ready")

	two, sums := s.webApp("1.2.0")
	s.push("com.test.delta", "1.2.0", two, []string{key})
	p := newProxy(t, s)
	p.route(d)
	up := d.run("update")
	if !up.OK || up.Installed == nil {
		t.Fatalf("not installed: %s", up.raw)
	}
	if diff := cmp.Diff(sums, up.Installed.Files); diff != "" {
		t.Fatalf("installed files (-pushed +installed):\n%s", diff)
	}
	if got := p.downloads(); got != 2 { // index.html and app.js name the version
		t.Errorf("fetched %d files, want the 2 that changed", got)
	}
}

func TestAndroidResumesAfterCut(t *testing.T) {
	for _, shape := range [][]string{nil, {"--no-manifest"}} {
		s := start(t)
		key := s.app("com.test.cut", true)
		dir, _ := s.webApp("1.1.0")
		big := make([]byte, 3<<20) // random, so that nothing packs it smaller
		_, _ = rand.NewChaCha8([32]byte{1}).Read(big)
		if err := os.WriteFile(dir+"/big.bin", big, 0o644); err != nil {
			t.Fatal(err)
		}
		sums := treeSums(t, dir)
		s.push("com.test.cut", "1.1.0", dir, []string{key}, shape...)
		d := s.android("com.test.cut", key)
		p := newProxy(t, s)
		p.cutOnce(1 << 20)
		p.route(d)

		up := d.run("update")
		if !up.OK { // a cut manifest file fails at once; the next check resumes it
			up = d.run("update")
		}
		if up.Installed == nil {
			t.Fatalf("not installed after a cut: %s", up.raw)
		}
		if diff := cmp.Diff(sums, up.Installed.Files); diff != "" {
			t.Fatalf("installed files (-pushed +installed):\n%s", diff)
		}
		if p.partials() == 0 {
			t.Errorf("shape %v: no 206 was served, so nothing was resumed", shape)
		}
	}
}

// The plugin itself would take a failed version again for ever; the server must not offer it.
func TestAndroidNeverTwiceIntoTheSameHole(t *testing.T) {
	s := start(t)
	key := s.app("com.test.hole", true)
	good, _ := s.webApp("1.1.0")
	s.push("com.test.hole", "1.1.0", good, []string{key})
	d := s.android("com.test.hole", key)
	d.run("update")
	d.run("ready")
	bad, _ := s.webApp("1.2.0")
	s.push("com.test.hole", "1.2.0", bad, []string{key})

	if up := d.run("update"); up.Installed == nil || up.Installed.Version != "1.2.0" {
		t.Fatalf("1.2.0 was not taken: %s", up.raw)
	}
	back := d.run("timeout")
	if !back.RolledBack || back.Current.Version != "1.1.0" {
		t.Fatalf("did not roll back: %s", back.raw)
	}
	for range 2 {
		if up := d.run("update"); up.Next != nil || up.Current.Version != "1.1.0" {
			t.Fatalf("the failed version was offered again: %s", up.raw)
		}
	}
	s.wantEvents("com.test.hole", "update_fail")

	s.cli("devices", "clear-failures", back.DeviceID, "--app", "com.test.hole")
	if up := d.run("update"); up.Installed == nil || up.Installed.Version != "1.2.0" {
		t.Fatalf("after the operator cleared it, 1.2.0 should be offered: %s", up.raw)
	}
}

func TestAndroidRollbackByHand(t *testing.T) {
	s := start(t)
	key := s.app("com.test.back", true)
	one, sums := s.webApp("1.1.0")
	s.push("com.test.back", "1.1.0", one, []string{key})
	two, _ := s.webApp("1.2.0")
	s.push("com.test.back", "1.2.0", two, []string{key})
	d := s.android("com.test.back", key)
	d.run("update")
	d.run("ready")

	s.cli("rollback", "--app", "com.test.back", "--channel", "production")
	up := d.run("update")
	if up.Installed == nil || up.Installed.Version != "1.1.0" {
		t.Fatalf("not taken back to 1.1.0: %s", up.raw)
	}
	if diff := cmp.Diff(sums, up.Installed.Files); diff != "" {
		t.Fatalf("installed files (-pushed +installed):\n%s", diff)
	}
	d.run("ready")

	s.cli("rollback", "--app", "com.test.back", "--channel", "production", "--to", "builtin")
	up = d.run("update")
	if up.Next == nil || up.Next.ID != "builtin" {
		t.Fatalf("not told to go back to the built-in bundle: %s", up.raw)
	}
	if ready := d.run("ready"); ready.Current.ID != "builtin" {
		t.Fatalf("not on the built-in bundle: %s", ready.raw)
	}
	if again := d.run("update"); again.NoNeedUpdate == nil || again.NoNeedUpdate == false {
		t.Fatalf("a device on the built-in bundle should be left alone: %s", again.raw)
	}
}

func TestAndroidKeys(t *testing.T) {
	s := start(t)
	id := "com.test.keys"
	first := s.app(id, true)
	dir, sums := s.webApp("1.1.0")
	second := s.key(id, "second.pem") // rotation with overlap
	stranger := s.app("com.test.other", true)

	if doc, err := s.tryCLI("push", dir, "--app", id, "--version", "1.1.0", "--channel", "production", "--key", stranger); err == nil {
		t.Fatalf("a push with another app's key went through: %v", doc)
	}
	s.push(id, "1.1.0", dir, []string{first, second})
	for _, key := range []string{first, second} {
		up := s.android(id, key).run("update")
		if up.Installed == nil {
			t.Fatalf("the device with %s got nothing: %s", key, up.raw)
		}
		if diff := cmp.Diff(sums, up.Installed.Files); diff != "" {
			t.Fatalf("installed files (-pushed +installed):\n%s", diff)
		}
	}
	for name, key := range map[string]string{"another key": stranger, "no key": ""} {
		up := s.android(id, key).run("update")
		if up.Installed != nil {
			t.Fatalf("a device with %s was given a bundle: %s", name, up.raw)
		}
		if check := s.android(id, key).run("check"); !contains(check.raw, "key_id_mismatch") {
			t.Errorf("a device with %s should hear key_id_mismatch: %s", name, check.raw)
		}
	}
}

func TestAndroidChannels(t *testing.T) {
	s := start(t)
	id := "com.test.chan"
	s.app(id, false)
	s.cli("channels", "create", "beta", "--app", id)
	s.cli("channels", "set", "beta", "--app", id, "--allow-self-set=true")
	s.cli("channels", "create", "inner", "--app", id)
	dir, _ := s.webApp("1.1.0")
	s.push(id, "1.1.0", dir, nil)
	beta, _ := s.webApp("1.2.0-beta.1")
	s.cli("push", beta, "--app", id, "--version", "1.2.0-beta.1", "--channel", "beta")
	d := s.android(id, "")

	if r := d.run("channel", "list"); !r.OK || !contains(r.raw, `"beta"`) || contains(r.raw, `"inner"`) {
		t.Errorf("list: %s", r.raw)
	}
	if r := d.run("channel", "set", "beta"); !r.OK {
		t.Errorf("set beta: %s", r.raw)
	}
	if r := d.run("channel", "set", "inner"); r.OK {
		t.Errorf("a channel that is not open was set: %s", r.raw)
	}
	if r := d.run("channel", "get"); !r.OK || !contains(string(r.Result), "beta") {
		t.Errorf("get: %s", r.raw)
	}
	if up := d.run("update"); up.Installed == nil || up.Installed.Version != "1.2.0-beta.1" {
		t.Errorf("on beta: %s", up.raw)
	}
	if r := d.run("channel", "unset"); !r.OK {
		t.Errorf("unset: %s", r.raw)
	}
	if up := d.run("update"); up.Installed == nil || up.Installed.Version != "1.1.0" {
		t.Errorf("back on production: %s", up.raw)
	}
}

func contains(doc, word string) bool {
	// Through JSON, so that escapes do not hide a match.
	var v any
	if json.Unmarshal([]byte(doc), &v) == nil {
		if b, err := json.Marshal(v); err == nil {
			doc = string(b)
		}
	}
	return strings.Contains(doc, word)
}
