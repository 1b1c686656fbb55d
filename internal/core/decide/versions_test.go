package decide

import (
	"fmt"
	"testing"
)

func TestVersions(t *testing.T) {
	names := []string{"1.10.0", "1.1.0", "1.1", "1.1.0-rc.1", "2.0.0", "1.1.0", "10.0.0"}
	set := NewVersions(names)
	if set.Len() != 6 {
		t.Errorf("%d names, want 6: one came twice", set.Len())
	}
	for _, n := range names {
		if !set.Has(n) {
			t.Errorf("%s is missing", n)
		}
	}
	// Pieces of names, and what stands where two of them meet in the text.
	for _, n := range []string{"", "1", "1.1.", "1.0", "0", "1.1.0-rc", "1.11.1.0", "1.11", "2.0.00", "3"} {
		if set.Has(n) {
			t.Errorf("%q is there", n)
		}
	}
	if none := NewVersions(nil); none.Has("") || none.Has("1.0.0") || none.Len() != 0 {
		t.Error("something is in the empty set")
	}
}

// TestVersionsAgainstMap compares with the plain way at every size up to a few words.
func TestVersionsAgainstMap(t *testing.T) {
	for size := range 70 {
		names, model := []string{}, map[string]bool{}
		for i := range size {
			n := fmt.Sprintf("1.%d.%d", i*7%size, i%3)
			names, model[n] = append(names, n), true
		}
		set := NewVersions(names)
		for i := -1; i <= size; i++ {
			for j := range 4 {
				if n := fmt.Sprintf("1.%d.%d", i, j); set.Has(n) != model[n] {
					t.Fatalf("of %d: Has(%s) = %v", size, n, set.Has(n))
				}
			}
		}
	}
}
