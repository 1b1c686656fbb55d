package scan

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
)

// fixture is one file of testdata/RULE: a bundle as a txtar archive, with what
// the rule finds in it on top:
//
//	want: PATH:LINE SEVERITY      ("-" for the whole bundle, no line for a whole file)
//
// Names in it: baseline/… is the bundle to compare with, options.json the
// options, X.hex the bytes of X in hexadecimal, X.zip!/…, X.tar!/…, and
// X.gz!/… members of archives. "¦" is taken out of texts, so that made-up
// secrets do not look like secrets to other tools.
type fixture struct {
	rule, name string
	bad        bool
	want       []string
	bundle     []Entry
	baseline   []Entry
	options    Options
}

func fixtures(t testing.TB) []*fixture {
	t.Helper()
	files, err := filepath.Glob("testdata/*/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no fixtures: %v", err)
	}
	var list []*fixture
	for _, f := range files {
		list = append(list, readFixture(t, f))
	}
	return list
}

func readFixture(t testing.TB, path string) *fixture {
	t.Helper()
	ar, err := txtar.ParseFile(path)
	if err != nil {
		t.Fatal(err)
	}
	base := strings.TrimSuffix(filepath.Base(path), ".txtar")
	fx := &fixture{rule: filepath.Base(filepath.Dir(path)), name: base, bad: strings.HasPrefix(base, "bad-")}
	if !fx.bad && !strings.HasPrefix(base, "good-") {
		t.Fatalf("%s is neither bad- nor good-", path)
	}
	for line := range strings.Lines(string(ar.Comment)) {
		if w, ok := strings.CutPrefix(line, "want: "); ok {
			fx.want = append(fx.want, strings.TrimSpace(w))
		}
	}
	slices.Sort(fx.want)
	if fx.bad == (len(fx.want) == 0) {
		t.Fatalf("%s wants %d findings", path, len(fx.want))
	}
	plain := map[string][]byte{}
	for _, f := range ar.Files {
		name, data := f.Name, bytes.ReplaceAll(f.Data, []byte("¦"), nil)
		if n, ok := strings.CutSuffix(name, ".hex"); ok {
			name = n
			if data, err = hex.DecodeString(strings.Join(strings.Fields(string(data)), "")); err != nil {
				t.Fatalf("%s: %s: %v", path, f.Name, err)
			}
		}
		plain[name] = data
	}
	if o, ok := plain["options.json"]; ok {
		fx.options = readOptions(t, path, o)
		delete(plain, "options.json")
	}
	packArchives(t, plain)
	for _, name := range slices.Sorted(maps.Keys(plain)) {
		if n, ok := strings.CutPrefix(name, "baseline/"); ok {
			fx.baseline = append(fx.baseline, FromBytes(n, plain[name]))
			continue
		}
		e := FromBytes(strings.TrimSuffix(name, "@link"), plain[name])
		if strings.HasSuffix(name, "@link") {
			e.Mode = fs.ModeSymlink
		}
		fx.bundle = append(fx.bundle, e)
	}
	if _, ok := plain["index.html"]; !ok && fx.rule != "ST-021" {
		fx.bundle = append(fx.bundle, FromBytes("index.html", []byte("<!doctype html><title>x</title>")))
	}
	return fx
}

func readOptions(t testing.TB, path string, text []byte) Options {
	t.Helper()
	var o struct {
		Plugins  []string
		Config   json.RawMessage
		Metadata *Metadata
		Advisory []Advisory
		Allowed  Allowed
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&o); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	opts := Options{Metadata: o.Metadata, Advisory: o.Advisory, Allowed: o.Allowed}
	if o.Plugins != nil || o.Config != nil {
		opts.Native = &Native{Plugins: o.Plugins, Config: o.Config, Path: "native.json"}
	}
	return opts
}

// pack builds the archives, the innermost first.
func packArchives(t testing.TB, files map[string][]byte) {
	t.Helper()
	for {
		deepest := ""
		for name := range files {
			if i := strings.LastIndex(name, "!/"); i >= 0 && strings.Count(name[:i], "!/") >= strings.Count(deepest, "!/") {
				deepest = name[:i]
			}
		}
		if deepest == "" {
			return
		}
		members := map[string][]byte{}
		for name, data := range files {
			if m, ok := strings.CutPrefix(name, deepest+"!/"); ok {
				members[m] = data
				delete(files, name)
			}
		}
		files[deepest] = archive(t, deepest, members)
	}
}

func archive(t testing.TB, name string, members map[string][]byte) []byte {
	t.Helper()
	var b bytes.Buffer
	names := slices.Sorted(maps.Keys(members))
	must := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	switch filepath.Ext(name) {
	case ".gz":
		z := gzip.NewWriter(&b)
		_, err := z.Write(members[names[0]])
		must(err)
		must(z.Close())
	case ".tar":
		w := tar.NewWriter(&b)
		for _, n := range names {
			must(w.WriteHeader(&tar.Header{Name: n, Mode: 0o644, Size: int64(len(members[n])), Typeflag: tar.TypeReg}))
			_, err := w.Write(members[n])
			must(err)
		}
		must(w.Close())
	default:
		w := zip.NewWriter(&b)
		for _, n := range names {
			f, err := w.Create(n)
			must(err)
			_, err = f.Write(members[n])
			must(err)
		}
		must(w.Close())
	}
	return b.Bytes()
}

// run scans a fixture and returns what its rule found, in the form of want.
func (fx *fixture) run(t testing.TB, off ...string) []string {
	t.Helper()
	opts := fx.options
	opts.Off = off
	opts.Now = 1_750_000_000
	if fx.baseline != nil {
		base, err := Run(context.Background(), fx.baseline, Options{Now: opts.Now})
		if err != nil {
			t.Fatal(err)
		}
		opts.Baseline = base
	}
	rep, err := Run(context.Background(), fx.bundle, opts)
	if err != nil {
		t.Fatal(err)
	}
	got := []string{}
	for _, f := range rep.Findings {
		if f.Rule == "ST-900" && strings.Contains(f.Message, "gave up") {
			t.Errorf("%s: %s", f.Path, f.Message)
		}
		if f.Rule != fx.rule {
			continue
		}
		at := f.Path
		if at == "" {
			at = "-"
		}
		if f.Line > 0 {
			at += ":" + strconv.Itoa(f.Line)
		}
		got = append(got, fmt.Sprintf("%s %s", at, f.Severity))
	}
	slices.Sort(got)
	return got
}

func TestFixtures(t *testing.T) {
	all := fixtures(t)
	for _, fx := range all {
		t.Run(fx.rule+"/"+fx.name, func(t *testing.T) {
			want := fx.want
			if want == nil {
				want = []string{}
			}
			if d := cmp.Diff(want, fx.run(t)); d != "" {
				t.Errorf("-want +got:\n%s", d)
			}
		})
	}
}

// TestEveryRuleHasFixtures counts them: the table of rules is whole, each rule is
// shown both ways, and each seeded violation says where it is found.
func TestEveryRuleHasFixtures(t *testing.T) {
	rules, err := Rules()
	if err != nil {
		t.Fatal(err)
	}
	var want, have []string
	for i := range 22 {
		want = append(want, fmt.Sprintf("ST-%03d", i+1))
	}
	want = append(want, "ST-900")
	for i := range 14 {
		want = append(want, fmt.Sprintf("WB-%03d", i+1))
	}
	bad, good := map[string]int{}, map[string]int{}
	violations, total := 0, 0
	for _, fx := range fixtures(t) {
		total++
		if !fx.bad {
			good[fx.rule]++
			continue
		}
		bad[fx.rule]++
		violations += len(fx.want)
	}
	for _, r := range rules {
		have = append(have, r.ID)
		if bad[r.ID] == 0 || good[r.ID] == 0 {
			t.Errorf("%s has %d bad and %d good fixtures", r.ID, bad[r.ID], good[r.ID])
		}
	}
	slices.Sort(have)
	if d := cmp.Diff(want, have); d != "" {
		t.Errorf("rules, -table +have:\n%s", d)
	}
	t.Logf("%d fixtures, %d violations in them", total, violations)
	if total < 120 || violations < 200 {
		t.Errorf("%d fixtures, %d violations in them: some got lost", total, violations)
	}
}

// TestFixturesNeedTheirRules turns each rule off: its bad fixtures must fail.
func TestFixturesNeedTheirRules(t *testing.T) {
	for _, fx := range fixtures(t) {
		if !fx.bad {
			continue
		}
		if got := fx.run(t, fx.rule); len(got) > 0 {
			t.Errorf("%s/%s: without the rule there is still %v", fx.rule, fx.name, got)
		}
	}
}

func TestFixtureFoldersAreRules(t *testing.T) {
	rules, err := Rules()
	if err != nil {
		t.Fatal(err)
	}
	dirs, err := os.ReadDir("testdata")
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range dirs {
		known := d.Name() == "fuzz"
		for _, r := range rules {
			known = known || r.ID == d.Name()
		}
		if !known {
			t.Errorf("testdata/%s is no rule", d.Name())
		}
	}
}
