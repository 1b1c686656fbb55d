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
	"github.com/waxwing-ota/waxwing/internal/core/tilelog"
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
		return (&tilelog.Range{}).Root()
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

// written is an export of the log from a leaf to behind another.
func (m *memory) written(t tester, s *tilelog.Signer, from, to int64) []byte {
	size := int64(len(m.changes))
	note, err := s.Checkpoint(size, m.root(t, size))
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	nodes := func(nodes []tilelog.Node) (out []ota.Digest) {
		for _, n := range nodes {
			out = append(out, ota.Digest(m.hashes[n.Stored()]))
		}
		return out
	}
	_ = WriteLine(&b, Header{Version: ExportVersion, Key: s.Verifier(), Checkpoint: note, From: from, To: to, Before: nodes(tilelog.Before(from)), After: nodes(tilelog.After(to, size))})
	for i := from; i < to; i++ {
		_ = WriteLine(&b, Line{Leaf: i, Hash: ota.Digest(LeafHash(m.changes[i])), Change: &m.changes[i]})
	}
	return b.Bytes()
}

func testSigner(t tester) *tilelog.Signer {
	s, err := tilelog.NewSigner("waxwing.local/log", [32]byte{1})
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
