package approve_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/waxwing-ota/waxwing/internal/core/approve"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

func circle(person int64, above ...int64) approve.Circle {
	return approve.Circle{Person: person, Above: above}
}

func may(c approve.Circle) approve.Voter { return approve.Voter{Circle: c, May: true} }

func TestJudge(t *testing.T) {
	unknown := may(circle(9))
	unknown.Unknown = true
	tests := []struct {
		name    string
		authors []approve.Circle
		counted []approve.Voter
		voter   approve.Voter
		want    approve.Refusal
	}{
		{"a second person", []approve.Circle{circle(1)}, nil, may(circle(2)), ""},
		{"nobody", []approve.Circle{circle(1)}, nil, may(circle(0)), approve.RefusedNobody},
		{"a machine's link", []approve.Circle{circle(1)}, nil, may(circle(-1)), approve.RefusedNobody},
		{"the author", []approve.Circle{circle(1)}, nil, may(circle(1)), approve.RefusedAuthor},
		{"one of two authors", []approve.Circle{circle(3), circle(1)}, nil, may(circle(1)), approve.RefusedAuthor},
		{"the author invited them", []approve.Circle{circle(1)}, nil, may(circle(2, 1)), approve.RefusedRelated},
		{"they invited the author", []approve.Circle{circle(2, 1)}, nil, may(circle(1)), approve.RefusedRelated},
		{"somebody invited both", []approve.Circle{circle(2, 1)}, nil, may(circle(3, 1)), approve.RefusedRelated},
		{"two steps up", []approve.Circle{circle(1)}, nil, may(circle(3, 2, 1)), approve.RefusedRelated},
		{"may not", []approve.Circle{circle(1)}, nil, approve.Voter{Circle: circle(2)}, approve.RefusedNotAllowed},
		{"unknown origin", []approve.Circle{circle(1)}, nil, unknown, approve.RefusedUnknown},
		{"once more", []approve.Circle{circle(1)}, []approve.Voter{may(circle(2))}, may(circle(2)), approve.RefusedTwice},
		{"invited by one who counts", []approve.Circle{circle(1)}, []approve.Voter{may(circle(2))}, may(circle(3, 2)), approve.RefusedTwice},
		{"nobody knows who asked", nil, nil, may(circle(2)), ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := approve.Judge(tt.authors, tt.counted, tt.voter); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestNeed(t *testing.T) {
	if got := approve.Need(2, []approve.Circle{circle(1)}, false); got != 2 {
		t.Errorf("with an author: %d", got)
	}
	if got := approve.Need(2, nil, true); got != 3 {
		t.Errorf("an unknown author may be one of the approvers: %d", got)
	}
	if got := approve.Need(2, []approve.Circle{circle(1), {Person: 2, Unknown: true}}, false); got != 3 {
		t.Errorf("so may who reset an author: %d", got)
	}
}

func TestRelation(t *testing.T) {
	wide := func(person int64, wide ...int64) approve.Circle { return approve.Circle{Person: person, Wide: wide} }
	for _, tt := range []struct {
		name   string
		author approve.Circle
		before approve.Circle
		voter  approve.Circle
		want   string
	}{
		{"not", wide(1, 7), wide(2, 8), wide(3, 9), ""},
		{"invited by the author", wide(1), wide(2), wide(3, 4, 1), "invited by the author"},
		{"invited the author", wide(1, 4, 3), wide(2), wide(3), "invited the author"},
		{"same inviter", wide(1, 9), wide(2), wide(3, 9), "invited by the same person as the author"},
		{"invited by another approver", wide(1), wide(2), wide(3, 2), "invited by another approver"},
		{"the author comes first", wide(1), wide(2), wide(3, 2, 1), "invited by the author"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := approve.Relation([]approve.Circle{tt.author}, []approve.Voter{may(tt.before)}, may(tt.voter)); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// However people are related, a count never has two of one circle, nor an author's.
func TestCountedAreUnrelated(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		draw := func(name string) approve.Circle {
			return approve.Circle{
				Person: rapid.Int64Range(0, 8).Draw(t, name),
				Above:  rapid.SliceOfN(rapid.Int64Range(1, 8), 0, 3).Draw(t, name+" above"),
			}
		}
		authors := []approve.Circle{draw("author")}
		var voters []approve.Voter
		for range rapid.IntRange(0, 6).Draw(t, "voters") {
			voters = append(voters, approve.Voter{Circle: draw("voter"), May: rapid.Bool().Draw(t, "may")})
		}
		counted := approve.Count(authors, voters)
		for i, v := range counted {
			if !v.May || v.Person <= 0 || approve.Related(authors[0], v.Circle) {
				t.Fatalf("counted %+v against the author %+v", v, authors[0])
			}
			for _, o := range counted[:i] {
				if approve.Related(o.Circle, v.Circle) || !approve.Related(o.Circle, v.Circle) && approve.Related(v.Circle, o.Circle) {
					t.Fatalf("counted both %+v and %+v", o, v)
				}
			}
		}
	})
}

// Every field of a bundle that changes what a device loads changes the digest.
func TestContentDigestCoversWhatDevicesLoad(t *testing.T) {
	base := func() *ota.Bundle {
		return &ota.Bundle{ID: 7, Version: "1.0.0", Tree: ota.Sum([]byte("tree")), MinNative: "1.0.0", Variants: []ota.Variant{{
			KeyID: "k", SessionKey: "s", Checksum: "c", ChecksumV2: "c2", Zip: ota.Sum([]byte("zip")), ZipSize: 3,
			Files: []ota.VariantFile{{Name: "index.html", WireHash: "w", Hash: ota.Sum([]byte("h")), Size: 1, Blob: ota.Sum([]byte("b")), StoredSize: 1}},
		}}}
	}
	digest := func(b *ota.Bundle) ota.Digest {
		d, err := approve.ContentOf(b).Digest()
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	want := digest(base())
	if digest(base()) != want {
		t.Fatal("the digest is not stable")
	}
	for name, change := range map[string]func(*ota.Bundle){
		"id":           func(b *ota.Bundle) { b.ID = 8 },
		"version":      func(b *ota.Bundle) { b.Version = "1.0.1" },
		"tree":         func(b *ota.Bundle) { b.Tree = ota.Digest{} },
		"min_native":   func(b *ota.Bundle) { b.MinNative = "" },
		"key":          func(b *ota.Bundle) { b.Variants[0].KeyID = "" },
		"session":      func(b *ota.Bundle) { b.Variants[0].SessionKey = "" },
		"checksum":     func(b *ota.Bundle) { b.Variants[0].Checksum = "x" },
		"checksum v2":  func(b *ota.Bundle) { b.Variants[0].ChecksumV2 = "x" },
		"zip":          func(b *ota.Bundle) { b.Variants[0].Zip = ota.Sum(nil) },
		"no variant":   func(b *ota.Bundle) { b.Variants = nil },
		"file name":    func(b *ota.Bundle) { b.Variants[0].Files[0].Name = "x" },
		"file hash":    func(b *ota.Bundle) { b.Variants[0].Files[0].WireHash = "x" },
		"file blob":    func(b *ota.Bundle) { b.Variants[0].Files[0].Blob = ota.Sum(nil) },
		"file packing": func(b *ota.Bundle) { b.Variants[0].Files[0].Brotli = true },
		"file list":    func(b *ota.Bundle) { b.Variants[0].Files = nil },
	} {
		b := base()
		if change(b); digest(b) == want {
			t.Errorf("%s is not in the digest", name)
		}
	}
}

// The document is canonical JSON: its digest can be computed by anybody.
func TestSealIsCanonical(t *testing.T) {
	d := approve.Document{App: "com.example.app", Act: ota.ActRelease, Object: "1.0.0", Request: map[string]any{"b": 1, "a": "é<"}}
	raw, digest, err := d.Seal()
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"act":"release.publish","app":"com.example.app","format":"waxwing-approval/1","object":"1.0.0","protects":[],"request":{"a":"é<","b":1}}`
	if string(raw) != want || digest != ota.Sum([]byte(want)) {
		t.Errorf("got %s %s", raw, digest)
	}
}
