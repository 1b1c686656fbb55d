package auditlog

import (
	"bytes"
	"testing"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

func FuzzRecord(f *testing.F) {
	f.Add(Record(ota.Change{ID: 1, Action: "a.b", Detail: "{}", Object: "\x00\u2028"}))
	f.Add(Record(ota.Change{ID: 1, Action: "a.b", Before: "\xff"}))
	f.Fuzz(func(t *testing.T, b []byte) {
		c, long, err := ParseRecord(b)
		if err == nil && len(long) == 0 && !bytes.Equal(Record(c), b) {
			t.Fatalf("%q was read as %q", b, Record(c))
		}
	})
}

func FuzzExport(f *testing.F) {
	s, m := testSigner(f), &memory{}
	for range 3 {
		m.add(f, ota.Change{Action: "a.b"})
	}
	want := m.root(f, 3)
	f.Add(m.written(f, s, 0, 3))
	f.Add(m.written(f, s, 1, 2))
	f.Add([]byte("{}\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := Verify(bytes.NewReader(b), s.Verifier(), nil, nil)
		// Only one root of three entries was ever signed.
		if err == nil && r.Checkpoint.Size == 3 && r.Checkpoint.Root != want {
			t.Fatalf("verified the root %x", r.Checkpoint.Root)
		}
		if err == nil && r.From == 0 && r.To == 3 && r.Range.Root() != want {
			t.Fatalf("verified other entries: %x", r.Range.Root())
		}
	})
}
