package trustdir

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/canon"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/p256"
	"github.com/waxwing-ota/waxwing/internal/core/sealed"
	"github.com/waxwing-ota/waxwing/internal/core/tuf"
)

const app = "com.example.shop"

var day = time.Date(2026, 11, 24, 19, 0, 0, 0, time.UTC)

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantCode(t testing.TB, err error, code string) {
	t.Helper()
	e, is := errors.AsType[*ota.Error](err)
	if !is || e.Code != code || e.Hint == "" {
		t.Fatalf("got %#v, want code %s and a hint", err, code)
	}
}

// people are the keys of a story: r1 r2 r3 root, p1 p2 p3 release, ci staging,
// ts sn di au log of the server.
type people map[string]p256.Signer

func newPeople(t testing.TB, more ...string) people {
	t.Helper()
	p := people{}
	for _, name := range append(strings.Fields("r1 r2 r3 p1 p2 p3 ci ts sn di au log"), more...) {
		k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		ok(t, err)
		p[name] = p256.Software(k)
	}
	return p
}

func (p people) keys(threshold int, names string) tuf.Keys {
	k := tuf.Keys{Threshold: threshold}
	for name := range strings.FieldsSeq(names) {
		k.Keys = append(k.Keys, p[name].Public())
	}
	return k
}

func (p people) id(name string) string { return p[name].Public().ID() }

func begin(t testing.TB, p people) *Folder {
	t.Helper()
	f, err := Create(filepath.Join(t.TempDir(), "trust"), app)
	ok(t, err)
	ok(t, f.Begin(Start{
		Root: p.keys(2, "r1 r2 r3"), Release: p.keys(2, "p1 p2 p3"), Staging: p.keys(1, "ci"),
		Online: Online{
			Timestamp: p.keys(1, "ts").Keys, Snapshot: p.keys(1, "sn").Keys, Director: p.keys(1, "di").Keys, Authority: p.keys(1, "au").Keys,
			Log: sealed.TrustLog{Name: "ota.example.com/sealed", Ed25519: strings.Repeat("ab", 32), P256: p["log"].Public()},
		},
		RootExpires: day.AddDate(1, 0, 0), TargetsExpires: day.AddDate(0, 0, 90),
		MinClass: sealed.ClassProduction, MinAssurance: sealed.AssuranceNone,
	}))
	return f
}

// sign has each sign all that is wanted of them.
func sign(t testing.TB, f *Folder, p people, names string) {
	t.Helper()
	for name := range strings.FieldsSeq(names) {
		roles, err := f.Wanted(p.id(name), "")
		ok(t, err)
		for _, role := range roles {
			ok(t, f.Sign(t.Context(), role, p[name], day))
		}
	}
}

func publish(t testing.TB, f *Folder) {
	t.Helper()
	roles, err := f.Ready(day)
	ok(t, err)
	for _, role := range roles {
		f.Published(role)
	}
	ok(t, f.Check())
}

func reload(t testing.TB, f *Folder) *Folder {
	t.Helper()
	ok(t, f.Save())
	again, err := Load(f.Path)
	ok(t, err)
	return again
}

func manifest(t testing.TB, version string, seq int64, files map[string]string) []byte {
	t.Helper()
	m := &sealed.Manifest{
		Suite: sealed.SuiteS1, App: app, Platforms: []string{"android", "ios"}, Version: version, Seq: seq, Class: sealed.ClassProduction,
		Native: sealed.Native{Min: "1.0.0"}, Created: canon.At(day), Encryption: sealed.Encryption{Mode: sealed.EncryptionNone, Dedupe: true},
		Patches: []sealed.Patch{},
	}
	for _, path := range []string{"a.js", "index.html", "z.css"} {
		if content, ok := files[path]; ok {
			sum := sha256.Sum256([]byte(content))
			h := hex.EncodeToString(sum[:])
			m.Files = append(m.Files, sealed.File{Path: path, Size: int64(len(content)), SHA256: h, Blob: h, EncSize: int64(len(content))})
		}
	}
	m.Tree = sealed.TreeHash(m.Files)
	b, err := sealed.Encode(m)
	ok(t, err)
	return b
}

func texts(t testing.TB, f *Folder, role string) string {
	t.Helper()
	list, err := f.Changes(role)
	ok(t, err)
	var b strings.Builder
	for _, c := range list {
		b.WriteString(c.Act + " " + c.What + ": " + c.Text + "\n")
	}
	return b.String()
}

func TestFromNothingToARelease(t *testing.T) {
	p := newPeople(t)
	f := reload(t, begin(t, p))
	_, err := f.Ready(day)
	wantCode(t, err, ota.CodeTrustThreshold)
	sign(t, f, p, "r1 r3 p1")
	f = reload(t, f)
	_, err = f.Ready(day)
	wantCode(t, err, ota.CodeTrustThreshold)
	if !strings.Contains(err.Error(), "targets has 1 of 2") {
		t.Errorf("the error does not say what is missing: %v", err)
	}
	sign(t, f, p, "p2")
	publish(t, f)
	f = reload(t, f)

	first := manifest(t, "1.0.0", 1, map[string]string{"index.html": "one", "a.js": "a"})
	ok(t, f.Approve(day.AddDate(0, 0, 90), first))
	sign(t, f, p, "p1 p3")
	publish(t, f)
	ok(t, f.Approve(day.AddDate(0, 0, 90), manifest(t, "1.1.0", 2, map[string]string{"index.html": "two", "z.css": "z"})))
	says := texts(t, reload(t, f), tuf.RoleTargets)
	for _, want := range []string{"add release: version 1.1.0, number 2: 2 files", "1 new, 1 changed, 1 gone", `add file: "z.css"`, `remove file: "a.js"`, `set file: "index.html"`} {
		if !strings.Contains(says, want) {
			t.Errorf("%q is not in:\n%s", want, says)
		}
	}
	if strings.Contains(says, "number 1:") || strings.Contains(says, "director") {
		t.Errorf("what does not change is listed:\n%s", says)
	}
	sign(t, f, p, "p2 p3")
	publish(t, f)
	ok(t, f.Withdraw(day.AddDate(0, 0, 90), 1))
	if says := texts(t, f, tuf.RoleTargets); !strings.Contains(says, "remove release: production/com.example.shop/1.manifest") {
		t.Errorf("got\n%s", says)
	}
	wantCode(t, f.Withdraw(day.AddDate(0, 0, 90), 7), CodeDraft)
}

func TestRootRotation(t *testing.T) {
	p := newPeople(t, "r4")
	f := begin(t, p)
	sign(t, f, p, "r1 r2 p1 p2")
	publish(t, f)
	ok(t, f.DraftRoot(day.AddDate(1, 0, 0), func(plan *tuf.RootPlan) (err error) {
		plan.Root, err = Swap(plan.Root, "root", Short(p.id("r2")), p["r4"].Public())
		return err
	}))
	says := texts(t, f, tuf.RoleRoot)
	if !strings.Contains(says, "add root key: "+Short(p.id("r4"))) || !strings.Contains(says, "remove root key: "+Short(p.id("r2"))) ||
		!strings.Contains(says, Words(p.id("r4"))) {
		t.Errorf("got\n%s", says)
	}
	// The new key and one old one are 2 of the new keys, but 1 of the old.
	sign(t, f, p, "r4 r1")
	_, err := f.Ready(day)
	wantCode(t, err, ota.CodeTrustThreshold)
	if !strings.Contains(err.Error(), "by the keys in force") {
		t.Errorf("got %v", err)
	}
	sign(t, f, p, "r3")
	publish(t, f)
	if again := reload(t, f); len(again.Roots) != 2 {
		t.Errorf("%d roots", len(again.Roots))
	}
}

func TestStolenReleaseKey(t *testing.T) {
	p := newPeople(t)
	f := begin(t, p)
	sign(t, f, p, "r1 r2 p1 p2")
	publish(t, f)
	ok(t, f.DraftRoot(day.AddDate(1, 0, 0), func(plan *tuf.RootPlan) (err error) {
		plan.Targets, err = Take(plan.Targets, "targets", p.id("p1"))
		return err
	}))
	ok(t, f.DraftTargets(day.AddDate(0, 0, 90), nil, nil))
	_, err := f.Wanted(p.id("p1"), "")
	wantCode(t, err, CodeKey)
	sign(t, f, p, "r1 r2 p2 p3")
	publish(t, f)
	if f.verifiedTargets() == nil {
		t.Error("targets do not verify under the new root")
	}
	// Two keys are left of two that must sign.
	wantCode(t, f.DraftRoot(day.AddDate(1, 0, 0), func(plan *tuf.RootPlan) (err error) {
		plan.Targets, err = Take(plan.Targets, "targets", p.id("p2"))
		return err
	}), CodeKey)
}

func TestRefusedSignatures(t *testing.T) {
	p := newPeople(t, "mallory")
	f := begin(t, p)
	_, err := f.Wanted(p.id("mallory"), "")
	wantCode(t, err, CodeKey)
	_, err = f.Wanted(p.id("p1"), "root")
	wantCode(t, err, CodeKey)
	wantCode(t, f.Sign(t.Context(), tuf.RoleTargets, p["p1"], day.AddDate(0, 0, 91)), ota.CodeTrustExpired)
	sign(t, f, p, "r1 r2 p1 p2")
	_, err = f.Ready(day.AddDate(0, 0, 91))
	wantCode(t, err, ota.CodeTrustExpired)
	publish(t, f)
	_, err = f.Wanted(p.id("p1"), "")
	wantCode(t, err, CodeDraft)
	_, err = f.Ready(day)
	wantCode(t, err, CodeDraft)
}

func TestTamperedFolder(t *testing.T) {
	p := newPeople(t)
	f := begin(t, p)
	sign(t, f, p, "r1 r2 p1 p2")
	publish(t, f)
	good := manifest(t, "1.0.0", 1, map[string]string{"index.html": "one"})
	ok(t, f.Approve(day.AddDate(0, 0, 90), good))
	ok(t, f.Save())
	edit := func(name string, change func([]byte) []byte) func() {
		path := filepath.Join(f.Path, name)
		b, err := os.ReadFile(path)
		ok(t, err)
		ok(t, os.WriteFile(path, change(bytes.Clone(b)), 0o600))
		return func() { ok(t, os.WriteFile(path, b, 0o600)) }
	}
	swap := func(old, new string) func([]byte) []byte {
		return func(b []byte) []byte {
			if !bytes.Contains(b, []byte(old)) {
				t.Fatalf("nothing to change: %s in %s", old, b)
			}
			return bytes.Replace(b, []byte(old), []byte(new), 1)
		}
	}
	for name, tt := range map[string]struct {
		file   string
		change func([]byte) []byte
		code   string
	}{
		"another version":        {"draft/targets.json", swap(`"version":2`, `"version":9`), CodeDraft},
		"another manifest":       {"draft/targets.json", swap(hash(good), strings.Repeat("0", 64)), CodeDraft},
		"not canonical":          {"draft/targets.json", swap(`{"_type"`, `{ "_type"`), CodeDraft},
		"a changed manifest":     {"manifests/" + hash(good) + ".manifest", swap("1.0.0", "1.0.1"), CodeChain},
		"a changed root":         {"roots/1.root.json", swap(`"threshold":2`, `"threshold":1`), CodeChain},
		"a changed trust.json":   {"trust.json", swap(`"floor":0`, `"floor":7`), CodeChain},
		"another app":            {"app.json", swap(app, "com.example.evil"), CodeDraft},
		"no app":                 {"app.json", func([]byte) []byte { return []byte("{") }, CodeFolder},
		"a root that never ends": {"roots/1.root.json", func([]byte) []byte { return make([]byte, 65<<10) }, CodeFolder},
	} {
		t.Run(name, func(t *testing.T) {
			defer edit(tt.file, tt.change)()
			_, err := Load(f.Path)
			wantCode(t, err, tt.code)
		})
	}
	_, err := Load(t.TempDir())
	wantCode(t, err, CodeFolder)
	if _, err := Load(f.Path); err != nil {
		t.Fatal(err)
	}

	// Targets that pretend to be in force hide nothing: they do not verify.
	defer edit("targets.json", func(b []byte) []byte {
		evil := begin(t, newPeople(t))
		evil.Roots = [][]byte{evil.Draft.Root}
		return evil.Draft.Targets
	})()
	defer edit("draft/targets.json", func(b []byte) []byte { return b })()
	ok(t, os.Remove(filepath.Join(f.Path, "trust.json")))
	if bad, err := Load(f.Path); err == nil && !strings.Contains(texts(t, bad, tuf.RoleTargets), "did not sign the targets in force") {
		t.Error("targets that nobody signed are a basis for comparison")
	}
}

func TestMerge(t *testing.T) {
	p := newPeople(t)
	f := begin(t, p)
	ok(t, f.Save())
	other, err := Load(f.Path)
	ok(t, err)
	sign(t, f, p, "r1 p1")
	sign(t, other, p, "r2 p2")
	n, err := f.Merge(other)
	ok(t, err)
	if n != 2 {
		t.Errorf("%d signatures were new", n)
	}
	if n, err = f.Merge(other); n != 0 || err != nil {
		t.Errorf("again: %d, %v", n, err)
	}
	publish(t, f)
	_, err = f.Merge(other)
	wantCode(t, err, CodeDraft)
	different := begin(t, p)
	_, err = different.Merge(begin(t, newPeople(t)))
	wantCode(t, err, CodeDraft)
}

func TestFingerprints(t *testing.T) {
	if n := len(strings.Fields(wordList)); n != 256 {
		t.Fatalf("%d words", n)
	}
	seen := map[string]bool{}
	for w := range strings.FieldsSeq(wordList) {
		if seen[w] {
			t.Errorf("%s is there twice", w)
		}
		seen[w] = true
	}
	id := "000102" + strings.Repeat("ff", 29)
	if got := Words(id); !strings.HasPrefix(got, "acid actor adult umbrella ") || len(strings.Fields(got)) != 12 {
		t.Errorf("got %q", got)
	}
	if got := Groups("0011aabb"); got != "0011 aabb" {
		t.Errorf("got %q", got)
	}
	if Words("xyz") != "" || Short("ab") != "ab" {
		t.Error("what is no id")
	}
}

func TestTrustJSONChanges(t *testing.T) {
	p := newPeople(t, "di2")
	f := begin(t, p)
	sign(t, f, p, "r1 r2 p1 p2")
	publish(t, f)
	ok(t, f.DraftTargets(day.AddDate(0, 0, 90), nil, func(tr *sealed.Trust) error {
		tr.Floor, tr.MinAssurance = 12, sealed.AssuranceTEE
		tr.Director = append(tr.Director, p["di2"].Public())
		return nil
	}))
	f = reload(t, f)
	says := texts(t, f, tuf.RoleTargets)
	for _, want := range []string{"set floor: 12, was 0", "set lowest assurance: tee, was none", "add director key (the server's): " + Short(p.id("di2"))} {
		if !strings.Contains(says, want) {
			t.Errorf("%q is not in:\n%s", want, says)
		}
	}
	sign(t, f, p, "p1 p2")
	publish(t, f)
	tr, err := sealed.Parse[sealed.Trust](f.Trust)
	ok(t, err)
	if tr.Version != 2 {
		t.Errorf("trust.json has version %d", tr.Version)
	}
}
