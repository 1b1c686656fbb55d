package ota

import (
	"regexp"
	"testing"
)

// appIDs is the expression that the plugin world validates app ids with.
var appIDs = regexp.MustCompile(`(?i)^[a-z0-9]+(\.[\w-]+)+$`)

func FuzzCheckAppID(f *testing.F) {
	for _, id := range []string{"com.example.app", "ee.forgr.demo_app", "a.b", "a", "", ".a", "a.", "a..b", "-a.b", "a_b.c", "A.b-c", "ä.b", "a.b\n", "\u017f.b"} {
		f.Add(id)
	}
	f.Fuzz(func(t *testing.T, id string) {
		for i := range len(id) {
			if id[i] >= 0x80 { // the expression folds two letters beyond ASCII; those are refused here
				if CheckAppID(id) == nil {
					t.Fatalf("%q is not ASCII and was taken", id)
				}
				return
			}
		}
		want := len(id) <= 255 && appIDs.MatchString(id)
		if got := CheckAppID(id) == nil; got != want {
			t.Fatalf("%q: got %v, want %v", id, got, want)
		}
	})
}
