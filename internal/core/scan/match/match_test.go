package match

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestFind(t *testing.T) {
	m := New([]Word{{"ab", false}, {"ABC", true}, {"x", false}, {"://", false}})
	var got []string
	m.Find([]byte("aBc ABC ://"), func(id, at int) bool {
		got = append(got, fmt.Sprint(id, "@", at))
		return true
	})
	if d := cmp.Diff([]string{"0@0", "0@4", "1@4", "3@8"}, got); d != "" {
		t.Error(d)
	}
}

func TestFindsWhatTheStandardLibraryFinds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		words := rapid.SliceOfN(rapid.StringMatching(`[abAB]{2,4}`), 1, 5).Draw(t, "words")
		text := rapid.StringMatching(`[abAB ]{0,40}`).Draw(t, "text")
		var list []Word
		for _, w := range words {
			list = append(list, Word{Text: w})
		}
		got := map[string]bool{}
		New(list).Find([]byte(text), func(id, at int) bool {
			got[fmt.Sprint(id, "@", at)] = true
			return true
		})
		want := map[string]bool{}
		for id, w := range words {
			for at := range text {
				if strings.HasPrefix(strings.ToLower(text[at:]), strings.ToLower(w)) {
					want[fmt.Sprint(id, "@", at)] = true
				}
			}
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Fatal(d)
		}
	})
}
