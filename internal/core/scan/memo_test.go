package scan

import (
	"bytes"
	"context"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestMemo: a scan that remembers says what one says that does not, whatever
// changed in between, and looks only at what changed.
func TestMemo(t *testing.T) {
	files := func(change func(map[string]string)) []Entry {
		m := map[string]string{}
		for _, fx := range fixtures(t) {
			for _, en := range fx.bundle {
				if data, more, err := en.read(1 << 20); err == nil && !more && en.Mode.IsRegular() {
					m[fx.rule+"/"+fx.name+"/"+en.Path] = string(data)
				}
			}
		}
		if change != nil {
			change(m)
		}
		return entriesOf(m)
	}
	memo := &Memo{}
	for i, change := range []func(map[string]string){
		nil,
		nil,
		func(m map[string]string) { m["new.js"] = "eval(location.hash)" },
		func(m map[string]string) { m["new.js"] = "1" },
		func(m map[string]string) { delete(m, "new.js") },
	} {
		opts := Options{Now: 1_800_000_000}
		plain := mustRun(t, opts, files(change)...)
		opts.Memo = memo
		if diff := cmp.Diff(plain, mustRun(t, opts, files(change)...)); diff != "" {
			t.Fatalf("scan %d (-without +with memo):\n%s", i, diff)
		}
		var kept bytes.Buffer
		if err := memo.Save(&kept); err != nil {
			t.Fatal(err)
		}
		var err error
		if memo, err = ReadMemo(&kept); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(memo.old); n < 100 {
		t.Errorf("only %d results were kept", n)
	}
}

func entriesOf(m map[string]string) []Entry {
	var out []Entry
	for k, v := range m {
		out = append(out, FromBytes(k, []byte(v)))
	}
	return out
}

// TestMemoKey: what a single file is judged by makes another key.
func TestMemoKey(t *testing.T) {
	memo := &Memo{}
	entries := entriesOf(map[string]string{"index.html": "<!doctype html><p>x", "a.js": "eval(location.hash)"})
	seen := map[int]bool{}
	for i, opts := range []Options{
		{},
		{Off: []string{"ST-003"}},
		{Now: 1_800_000_000},
		{Allowed: Allowed{AI: true}},
		{Limits: Limits{PerRule: 1}},
		{Advisory: []Advisory{{ID: "x", Package: "y"}}},
	} {
		opts.Memo = memo
		if _, err := Run(context.Background(), entries, opts); err != nil {
			t.Fatal(err)
		}
		if n := len(memo.used); seen[n] {
			t.Errorf("options %d share what was kept with others", i)
		}
		seen[len(memo.used)] = true
	}
}

func TestMemoOfNothing(t *testing.T) {
	for _, text := range []string{"", "nonsense", fmt.Sprint(make([]int, 1000))} {
		m, err := ReadMemo(bytes.NewReader([]byte(text)))
		if err == nil || m == nil {
			t.Fatalf("%q: %v, %v", text, m, err)
		}
		if r := mustRun(t, Options{Memo: m}, FromBytes("index.html", []byte("<!doctype html><script>eval(x)</script>"))); len(r.Findings) == 0 {
			t.Error("nothing found")
		}
	}
}
