package auditlog

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/mod/sumdb/tlog"
	"pgregory.net/rapid"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// memory is a whole log in memory.
type memory struct {
	changes []ota.Change
	hashes  []tlog.Hash
}

func (m *memory) ReadHashes(idx []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(idx))
	for i, n := range idx {
		out[i] = m.hashes[n]
	}
	return out, nil
}

func (m *memory) add(t tester, c ota.Change) {
	c.ID = int64(len(m.changes) + 1)
	fresh, err := tlog.StoredHashesForRecordHash(int64(len(m.changes)), LeafHash(c), m)
	if err != nil {
		t.Fatal(err)
	}
	m.hashes = append(m.hashes, fresh...)
	m.changes = append(m.changes, c)
}

func (m *memory) root(t tester, n int64) tlog.Hash {
	if n == 0 {
		return (&Range{}).Root()
	}
	h, err := tlog.TreeHash(n, m)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

type tester interface {
	Helper()
	Fatal(...any)
	Fatalf(string, ...any)
}

func drawChange(t *rapid.T) ota.Change {
	text := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{"", "\xff", "\x00\x1f\"\\", "\u2028<&>", strings.Repeat("é", 9000), strings.Repeat("a", 1023)}))
	return ota.Change{
		ID: rapid.Int64Range(1, 1<<40).Draw(t, "id"), At: rapid.Int64Range(0, 1<<44).Draw(t, "at"), Actor: ota.Actor(text.Draw(t, "actor")),
		Action: text.Draw(t, "action"), App: text.Draw(t, "app"), Object: text.Draw(t, "object"), Detail: text.Draw(t, "detail"),
		Org: text.Draw(t, "org"), Before: text.Draw(t, "before"), After: text.Draw(t, "after"), RequestID: text.Draw(t, "request"),
	}
}

func TestRecord(t *testing.T) {
	c := ota.Change{
		ID: 7, At: 1700000000000, Actor: "user:ada@example.com", Action: "release.publish", App: "com.example.a", Object: "production",
		Detail: `{"version":"1.0.0"}`, Org: "main", After: "a\nb\x01", RequestID: "abc",
	}
	want := `{"action":"release.publish","actor":"user:ada@example.com","after":"a\nb\u0001","app":"com.example.a","at":1700000000000,"before":"",` +
		`"detail":"{\"version\":\"1.0.0\"}","id":7,"object":"production","org":"main","request_id":"abc","v":1}`
	if d := cmp.Diff(want, string(Record(c))); d != "" {
		t.Error(d)
	}
	if got := LeafHash(c); got != tlog.RecordHash([]byte(want)) {
		t.Errorf("leaf hash %x", got)
	}
}

func TestRecordsAreTheirChanges(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := drawChange(t), drawChange(t)
		ra, rb := Record(a), Record(b)
		if cmp.Equal(a, b) != bytes.Equal(ra, rb) {
			t.Fatalf("%+v and %+v have the records %s and %s", a, b, ra, rb)
		}
		if len(ra) > 1<<16-1 {
			t.Fatalf("a record has %d bytes", len(ra))
		}
		back, long, err := ParseRecord(ra)
		if err != nil {
			t.Fatalf("%s: %v", ra, err)
		}
		if len(long) == 0 && !cmp.Equal(a, back) {
			t.Fatal(cmp.Diff(a, back))
		}
	})
}

func TestParseRecordRefuses(t *testing.T) {
	good := string(Record(ota.Change{ID: 1, Action: "a.b"}))
	for name, s := range map[string]string{
		"empty": "", "null": "null", "space": " " + good, "line break": good + "\n", "unknown field": strings.Replace(good, `"v"`, `"w":1,"v"`, 1),
		"version": strings.Replace(good, `"v":1`, `"v":2`, 1), "escape": strings.Replace(good, "a.b", `\u0061.b`, 1), "twice": strings.Replace(good, `"v":1`, `"v":1,"v":1`, 1),
		"float": strings.Replace(good, `"id":1`, `"id":1.0`, 1), "two": good + good, "no UTF-8": strings.Replace(good, "a.b", "\xff", 1),
		"digest of nothing": strings.Replace(good, `"a.b"`, `{"sha256":"","size":0}`, 1), "case": strings.Replace(good, `"action"`, `"Action"`, 1),
	} {
		if _, _, err := ParseRecord([]byte(s)); ota.CodeOf(err) != "record_invalid" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestProofs(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := &memory{}
		var r Range
		sizes := rapid.Int64Range(1, 70).Draw(t, "size")
		for i := range sizes {
			m.add(t, ota.Change{Action: "a.b", Detail: fmt.Sprint(i)})
			r.Append(LeafHash(m.changes[i]))
			if r.Root() != m.root(t, i+1) {
				t.Fatalf("roots differ at %d", i+1)
			}
		}
		now := Checkpoint{Size: sizes, Root: r.Root()}
		leaf := rapid.Int64Range(0, sizes-1).Draw(t, "leaf")
		proof, err := tlog.ProveRecord(sizes, leaf, m)
		if err != nil {
			t.Fatal(err)
		}
		h := LeafHash(m.changes[leaf])
		if err := CheckInclusion(now, leaf, h, Digests(proof)); err != nil {
			t.Fatal(err)
		}
		flip := func(d []ota.Digest) []ota.Digest {
			out := append([]ota.Digest(nil), d...)
			i := rapid.IntRange(0, len(d)-1).Draw(t, "which")
			out[i][rapid.IntRange(0, 31).Draw(t, "byte")] ^= 1 << rapid.IntRange(0, 7).Draw(t, "bit")
			return out
		}
		other := flip([]ota.Digest{ota.Digest(h)})[0]
		if CheckInclusion(now, leaf, tlog.Hash(other), Digests(proof)) == nil {
			t.Fatal("another leaf is proven")
		}
		if len(proof) > 0 && CheckInclusion(now, leaf, h, flip(Digests(proof))) == nil {
			t.Fatal("a proof with a flipped bit holds")
		}
		from := rapid.Int64Range(1, sizes).Draw(t, "from")
		before := Checkpoint{Size: from, Root: m.root(t, from)}
		tree, err := tlog.ProveTree(sizes, from, m)
		if err != nil {
			t.Fatal(err)
		}
		if err := CheckConsistency(before, now, Digests(tree)); err != nil {
			t.Fatal(err)
		}
		if len(tree) > 0 && CheckConsistency(before, now, flip(Digests(tree))) == nil {
			t.Fatal("a proof with a flipped bit holds")
		}
		wrong := before
		wrong.Root = tlog.Hash(flip([]ota.Digest{ota.Digest(before.Root)})[0])
		if CheckConsistency(wrong, now, Digests(tree)) == nil {
			t.Fatal("a fork is consistent")
		}
	})
}

// written is an export of the log from a leaf to behind another.
func (m *memory) written(t tester, s *Signer, from, to int64) []byte {
	size := int64(len(m.changes))
	note, err := s.Checkpoint(size, m.root(t, size))
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	nodes := func(nodes []Node) (out []ota.Digest) {
		for _, n := range nodes {
			out = append(out, ota.Digest(m.hashes[n.Stored()]))
		}
		return out
	}
	_ = WriteLine(&b, Header{Version: ExportVersion, Key: s.Verifier(), Checkpoint: note, From: from, To: to, Before: nodes(Before(from)), After: nodes(After(to, size))})
	for i := from; i < to; i++ {
		_ = WriteLine(&b, Line{Leaf: i, Hash: ota.Digest(LeafHash(m.changes[i])), Change: &m.changes[i]})
	}
	return b.Bytes()
}

func testSigner(t tester) *Signer {
	s, err := NewSigner("waxwing.local/log", [32]byte{1})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestExportsVerify(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, m := testSigner(t), &memory{}
		n := rapid.Int64Range(0, 40).Draw(t, "size")
		for i := range n {
			m.add(t, ota.Change{Action: "a.b", Detail: fmt.Sprint(i)})
		}
		from := rapid.Int64Range(0, n).Draw(t, "from")
		to := rapid.Int64Range(from, n).Draw(t, "to")
		at := rapid.Int64Range(from, to).Draw(t, "kept")
		raw := m.written(t, s, from, to)
		kept := Kept{{Size: at, Root: m.root(t, at)}}
		r, err := Verify(bytes.NewReader(raw), s.Verifier(), kept, nil)
		if err != nil {
			t.Fatalf("%d..%d of %d: %v\n%s", from, to, n, err, raw)
		}
		if r.From != from || r.To != to {
			t.Fatalf("verified %d to %d", r.From, r.To)
		}
		if at > 0 {
			kept[0].Root[3] ^= 1
			if _, err := Verify(bytes.NewReader(raw), s.Verifier(), kept, nil); ota.CodeOf(err) != "log_forked" {
				t.Fatalf("a kept checkpoint of another log: %v", err)
			}
		}
		// No byte of an export may change unnoticed, but for the spelling of JSON.
		i := rapid.IntRange(0, len(raw)-1).Draw(t, "byte")
		bad := bytes.Clone(raw)
		bad[i] ^= 1 << rapid.IntRange(0, 7).Draw(t, "bit")
		if got, err := Verify(bytes.NewReader(bad), s.Verifier(), nil, nil); err == nil && (got.Range.Root() != r.Range.Root() || got.HashOnly != 0 || got.Checkpoint != r.Checkpoint) {
			t.Fatalf("byte %d of\n%s\nchanged unnoticed", i, raw)
		}
	})
}

func TestResume(t *testing.T) {
	s, m := testSigner(t), &memory{}
	for i := range 5 {
		m.add(t, ota.Change{Action: "a.b", Detail: fmt.Sprint(i)})
	}
	r, err := Verify(bytes.NewReader(m.written(t, s, 0, 5)), s.Verifier(), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 6 {
		m.add(t, ota.Change{Action: "a.b", Detail: fmt.Sprint("more", i)})
	}
	next, err := Resume(bytes.NewReader(m.written(t, s, 5, 11)), s.Verifier(), r, nil)
	if err != nil || next.Checkpoint.Size != 11 || next.Range.Root() != m.root(t, 11) {
		t.Fatalf("%+v, %v", next, err)
	}
	fork := &memory{}
	for i := range 12 {
		fork.add(t, ota.Change{Action: "a.b", Detail: fmt.Sprint("fork", i)})
	}
	if _, err := Resume(bytes.NewReader(fork.written(t, s, 5, 12)), s.Verifier(), r, nil); ota.CodeOf(err) != "log_altered" {
		t.Errorf("a fork: %v", err)
	}
	if _, err := Resume(bytes.NewReader(m.written(t, s, 4, 11)), s.Verifier(), r, nil); ota.CodeOf(err) != "export_invalid" {
		t.Errorf("a gap: %v", err)
	}
}

func TestRetentionMustBeTold(t *testing.T) {
	s := testSigner(t)
	for name, row := range map[string]struct {
		last ota.Change
		want string
	}{
		"told":       {ota.Change{Action: RetainAction, Actor: RetainActor, Detail: `{"upto":3}`}, ""},
		"too little": {ota.Change{Action: RetainAction, Actor: RetainActor, Detail: `{"upto":2}`}, "retention_unproven"},
		"not told":   {ota.Change{Action: "app.update"}, "retention_unproven"},
		"by another": {ota.Change{Action: RetainAction, Actor: "user:eve", Detail: `{"upto":3}`}, "retention_unproven"},
	} {
		m := &memory{}
		for range 5 {
			m.add(t, ota.Change{Action: "a.b"})
		}
		m.add(t, row.last)
		lines := bytes.SplitAfter(m.written(t, s, 0, 6), []byte("\n"))
		for i := range 3 {
			var b bytes.Buffer
			_ = WriteLine(&b, Line{Leaf: int64(i), Hash: ota.Digest(LeafHash(m.changes[i]))})
			lines[i+1] = b.Bytes()
		}
		r, err := Verify(bytes.NewReader(bytes.Join(lines, nil)), s.Verifier(), nil, nil)
		if row.want == "" && (err != nil || r.HashOnly != 3) || row.want != "" && ota.CodeOf(err) != row.want {
			t.Errorf("%s: %+v, %v", name, r, err)
		}
	}
}

func TestCheckpoint(t *testing.T) {
	s := testSigner(t)
	signed, err := s.Checkpoint(3, tlog.Hash{1, 2})
	if err != nil {
		t.Fatal(err)
	}
	c, err := OpenCheckpoint(signed, s.Verifier()+"\n")
	if err != nil || c != (Checkpoint{"waxwing.local/log", 3, tlog.Hash{1, 2}}) {
		t.Fatalf("%+v, %v", c, err)
	}
	again, _ := s.Checkpoint(3, tlog.Hash{1, 2})
	if again != signed {
		t.Error("signed twice, it differs")
	}
	other, _ := NewSigner("waxwing.local/log", [32]byte{2})
	if _, err := OpenCheckpoint(signed, other.Verifier()); ota.CodeOf(err) != "checkpoint_unsigned" {
		t.Errorf("another key: %v", err)
	}
	if _, err := OpenCheckpoint(signed, "nonsense"); ota.CodeOf(err) != "key_invalid" {
		t.Errorf("no key: %v", err)
	}
	for i := range len(signed) {
		bad := []byte(signed)
		bad[i] ^= 1
		if c2, err := OpenCheckpoint(string(bad), s.Verifier()); err == nil && c2 != c {
			t.Errorf("byte %d changed unnoticed", i)
		}
	}
	if _, err := NewSigner("a b", [32]byte{}); ota.CodeOf(err) != "log_name_invalid" {
		t.Errorf("a name with a space: %v", err)
	}
	if got := fmt.Sprintf("%v %+v", s, []any{s}); strings.Contains(got, "key") {
		t.Errorf("a signer prints as %s", got)
	}
}

func TestTilePaths(t *testing.T) {
	for path, want := range map[string]tlog.Tile{
		"tile/0/000":            {H: 8, L: 0, N: 0, W: 256},
		"tile/0/x001/x234/067":  {H: 8, L: 0, N: 1234067, W: 256},
		"tile/1/003.p/17":       {H: 8, L: 1, N: 3, W: 17},
		"tile/entries/000.p/1":  {H: 8, L: -1, N: 0, W: 1},
		"tile/entries/x001/000": {H: 8, L: -1, N: 1000, W: 256},
	} {
		got, err := ParseTilePath(path)
		if err != nil || got != want || TilePath(got) != path {
			t.Errorf("%s: %+v, %v", path, got, err)
		}
	}
	for _, path := range []string{
		"", "tile", "tile/0", "tile/0/0", "tile/0/00", "tile/00/000", "tile/-1/000", "tile/8/000", "tile/data/000", "tile/0/000.p/0", "tile/0/000.p/256",
		"tile/0/000.p/01", "tile/0/000/", "tile/0/x000", "tile/0/x000/000", "tile/0/1000", "tile/0/+01", "tile/entries", "tile/entries/-01",
		"tile/0/x999/x999/x999/x999/x999/x999/999", "tile//000", "../tile/0/000", "tile/0/000.p/17/18", strings.Repeat("tile/", 100),
	} {
		if got, err := ParseTilePath(path); err == nil {
			t.Errorf("%s is %+v", path, got)
		}
	}
}

func TestExportReaderRefuses(t *testing.T) {
	s, m := testSigner(t), &memory{}
	for i := range 4 {
		m.add(t, ota.Change{Action: "a.b", Detail: fmt.Sprint(i)})
	}
	raw := m.written(t, s, 0, 4)
	lines := strings.SplitAfter(string(raw), "\n")
	for name, text := range map[string]string{
		"nothing": "", "cut": string(raw[:len(raw)-10]), "no line break": strings.TrimSuffix(string(raw), "\n"), "more": string(raw) + "{}\n",
		"missing": lines[0] + lines[1] + lines[3] + lines[4], "swapped": lines[0] + lines[2] + lines[1] + lines[3] + lines[4],
		"twice": lines[0] + lines[1] + lines[1] + lines[2] + lines[3] + lines[4], "last missing": lines[0] + lines[1] + lines[2] + lines[3],
		"unknown field": strings.Replace(string(raw), `"leaf":1`, `"leaf":1,"x":1`, 1), "version": strings.Replace(string(raw), `export":1`, `export":2`, 1),
	} {
		if _, err := Verify(strings.NewReader(text), s.Verifier(), nil, nil); ota.CodeOf(err) != "export_invalid" {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := Verify(io.MultiReader(strings.NewReader(lines[0]), strings.NewReader(strings.Join(lines[1:], ""))), s.Verifier(), nil, nil); err != nil {
		t.Error(err)
	}
}

func TestBundle(t *testing.T) {
	var b []byte
	want := [][]byte{[]byte("a"), {}, bytes.Repeat([]byte("x"), 1<<16-1)}
	for _, r := range want {
		var err error
		if b, err = AppendBundled(b, r); err != nil {
			t.Fatal(err)
		}
	}
	got, err := ParseBundle(b)
	if err != nil || !cmp.Equal(want, got) {
		t.Errorf("%d records, %v", len(got), err)
	}
	if _, err := ParseBundle(b[:len(b)-1]); err == nil {
		t.Error("a cut bundle was taken")
	}
	if _, err := AppendBundled(nil, make([]byte, 1<<16)); err == nil {
		t.Error("a record that does not fit was taken")
	}
}
