package interop

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestElectronInstalls(t *testing.T) {
	for _, keyed := range []bool{false, true} {
		s := start(t)
		key := s.app("com.test.desktop", keyed)
		dir, sums := s.webApp("1.1.0")
		s.push("com.test.desktop", "1.1.0", dir, []string{key})
		d := s.device("electron-client.mjs", "com.test.desktop", key)

		up := d.run("update")
		if !up.OK || up.Installed == nil {
			t.Fatalf("keyed=%v: not installed: %s", keyed, up.raw)
		}
		if diff := cmp.Diff(sums, up.Installed.Files); diff != "" {
			t.Fatalf("keyed=%v: installed files (-pushed +installed):\n%s", keyed, diff)
		}
		d.run("ready")
		if again := d.run("check"); !contains(again.raw, "no_new_version_available") {
			t.Errorf("keyed=%v: a device that runs it should hear no_new_version_available: %s", keyed, again.raw)
		}
		s.wantEvents("com.test.desktop", "set")
	}
}

// The Electron client never leaves a broken bundle by itself; the server must take it off.
func TestElectronLeavesABrokenBundle(t *testing.T) {
	s := start(t)
	s.app("com.test.desk2", false)
	good, _ := s.webApp("1.1.0")
	s.push("com.test.desk2", "1.1.0", good, nil)
	d := s.device("electron-client.mjs", "com.test.desk2", "")
	d.run("update")
	d.run("ready")
	bad, _ := s.webApp("1.2.0")
	s.push("com.test.desk2", "1.2.0", bad, nil)
	d.run("update")
	d.run("timeout")
	if up := d.run("check"); !contains(string(up.Result), `"version":"1.1.0"`) || !contains(string(up.Result), `"url"`) {
		t.Errorf("the device should be taken off the failed version: %s", up.raw)
	}
}
