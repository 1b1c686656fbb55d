package keyfile

import (
	"bytes"
	"crypto/rand"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"filippo.io/age"
	"filippo.io/age/armor"
	"github.com/google/go-cmp/cmp"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/seal"
	"github.com/waxwing-ota/waxwing/internal/secret"
)

const quick = 8 // log2 of scrypt's cost where a test is not about it

var (
	keyA = sync.OnceValue(mustKey)
	keyB = sync.OnceValue(mustKey)
	pass = secret.New("correct horse battery staple")
)

func mustKey() *seal.PrivateKey {
	k, err := seal.GenerateKey(rand.Reader)
	if err != nil {
		panic(err)
	}
	return k
}

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantError(t testing.TB, err error, kind ota.Kind, code, says string) {
	t.Helper()
	e, isOta := errors.AsType[*ota.Error](err)
	if !isOta || e.Kind != kind || e.Code != code || e.Hint == "" {
		t.Fatalf("got %#v, want kind %d, code %s and a hint", err, kind, code)
	}
	if !strings.Contains(e.Msg+" / "+e.Hint, says) {
		t.Errorf("got %q with hint %q, want %q in it", e.Msg, e.Hint, says)
	}
}

// never is the ask of tests in which nobody must be asked.
func never(t testing.TB) func() (Secret, error) {
	return func() (Secret, error) {
		t.Error("asked for a passphrase")
		return Secret{}, nil
	}
}

func give(s Secret) func() (Secret, error) { return func() (Secret, error) { return s, nil } }

func names(t testing.TB, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	ok(t, err)
	all := []string{}
	for _, e := range entries {
		all = append(all, e.Name())
	}
	return all
}

func mode(t testing.TB, path string) fs.FileMode {
	t.Helper()
	info, err := os.Lstat(path)
	ok(t, err)
	return info.Mode()
}

func TestBareFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "app.key")
	ok(t, Write(path, keyA(), Secret{}))
	if diff := cmp.Diff([]string{"app.key", "app.key.pub"}, names(t, dir)); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	if m := mode(t, path); m != 0o600 {
		t.Errorf("key file has mode %v", m)
	}
	if m := mode(t, path+".pub"); m != 0o644 {
		t.Errorf("public file has mode %v", m)
	}
	text, err := os.ReadFile(path)
	ok(t, err)
	if !bytes.Equal(text, keyA().PEM()) {
		t.Error("the bare file is not the PEM")
	}
	pub, err := os.ReadFile(path + ".pub")
	ok(t, err)
	if string(pub) != keyA().Public().PEM() {
		t.Errorf("public file is %s", pub)
	}
	k, err := Read(path, never(t))
	ok(t, err)
	if !bytes.Equal(k.PEM(), keyA().PEM()) {
		t.Error("another key came back")
	}
}

func TestProtectedFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "app.key")
	ok(t, Write(path, keyA(), pass))
	if m := mode(t, path); m != 0o600 {
		t.Errorf("key file has mode %v", m)
	}
	text, err := os.ReadFile(path)
	ok(t, err)
	if !bytes.HasPrefix(text, []byte(armor.Header+"\n")) || bytes.Contains(text, []byte("RSA PRIVATE")) {
		t.Errorf("the file is\n%s", text)
	}
	raw, err := io.ReadAll(armor.NewReader(bytes.NewReader(text)))
	ok(t, err)
	if head := string(raw[:70]); !strings.Contains(head, " 16\n") {
		t.Errorf("scrypt's cost is not 2^16 in %q", head)
	}
	asked := 0
	k, err := Read(path, func() (Secret, error) { asked++; return pass, nil })
	ok(t, err)
	if !bytes.Equal(k.PEM(), keyA().PEM()) || asked != 1 {
		t.Errorf("asked %d times, same key: %v", asked, bytes.Equal(k.PEM(), keyA().PEM()))
	}
}

func TestPassphraseTrouble(t *testing.T) {
	path := filepath.Join(t.TempDir(), "app.key")
	ok(t, write(path, keyA(), pass, quick))

	_, err := Read(path, give(secret.New("wrong")))
	wantError(t, err, ota.KindInvalid, "passphrase_wrong", path)
	_, err = Read(path, give(Secret{}))
	wantError(t, err, ota.KindInvalid, "key_locked", "none was given")
	_, err = Read(path, nil)
	wantError(t, err, ota.KindInvalid, "key_locked", path)
	cancelled := errors.New("cancelled")
	_, err = Read(path, func() (Secret, error) { return Secret{}, cancelled })
	if !errors.Is(err, cancelled) || ota.CodeOf(err) != "internal" {
		t.Errorf("ask's own error came back as %v", err)
	}
}

func TestWriteNeverOverwrites(t *testing.T) {
	for _, there := range []string{"app.key", "app.key.pub"} {
		for what, make := range map[string]func(string) error{
			"file":             func(p string) error { return os.WriteFile(p, []byte("precious"), 0o600) },
			"folder":           func(p string) error { return os.Mkdir(p, 0o700) },
			"link to nowhere":  func(p string) error { return os.Symlink("nowhere", p) },
			"link to a device": func(p string) error { return os.Symlink(os.DevNull, p) },
		} {
			t.Run(there+" is a "+what, func(t *testing.T) {
				dir := t.TempDir()
				ok(t, make(filepath.Join(dir, there)))
				before := mode(t, filepath.Join(dir, there))
				err := Write(filepath.Join(dir, "app.key"), keyA(), Secret{})
				wantError(t, err, ota.KindConflict, "key_exists", there)
				if diff := cmp.Diff([]string{there}, names(t, dir)); diff != "" {
					t.Errorf("files (-want +got):\n%s", diff)
				}
				if what == "file" {
					text, err := os.ReadFile(filepath.Join(dir, there))
					ok(t, err)
					if string(text) != "precious" {
						t.Errorf("the file now has %q", text)
					}
				}
				if got := mode(t, filepath.Join(dir, there)); got != before {
					t.Errorf("mode went from %v to %v", before, got)
				}
			})
		}
	}
}

// TestPlaceDoesNotReplace is about the moment between the look and the write.
func TestPlaceDoesNotReplace(t *testing.T) {
	path := filepath.Join(t.TempDir(), "app.key")
	ok(t, place(path, []byte("first"), 0o600))
	wantError(t, place(path, []byte("second"), 0o600), ota.KindConflict, "key_exists", path)
	if text, _ := os.ReadFile(path); string(text) != "first" {
		t.Errorf("the file has %q", text)
	}
}

func TestWritersRace(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "app.key")
	keys := []*seal.PrivateKey{keyA(), keyB()}
	errs := make([]error, 8)
	var wg sync.WaitGroup
	for i := range errs {
		wg.Go(func() { errs[i] = Write(path, keys[i%2], Secret{}) })
	}
	wg.Wait()
	winner := -1
	for i, err := range errs {
		if err != nil {
			wantError(t, err, ota.KindConflict, "key_exists", "app.key")
			continue
		}
		if winner >= 0 {
			t.Fatal("two writers won")
		}
		winner = i
	}
	if winner < 0 {
		t.Fatal("no writer won")
	}
	k, err := Read(path, nil)
	ok(t, err)
	pub, err := os.ReadFile(path + ".pub")
	ok(t, err)
	if want := keys[winner%2].Public().PEM(); k.Public().PEM() != want || string(pub) != want {
		t.Error("the two files are not both the winner's")
	}
	if diff := cmp.Diff([]string{"app.key", "app.key.pub"}, names(t, dir)); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
}

func TestWriteFailureLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	ok(t, os.WriteFile(filepath.Join(dir, "file"), nil, 0o600))
	for name, path := range map[string]string{
		"no folder":            filepath.Join(dir, "missing", "app.key"),
		"folder is a file":     filepath.Join(dir, "file", "app.key"),
		"name too long":        filepath.Join(dir, strings.Repeat("k", 300)),
		"public name too long": filepath.Join(dir, strings.Repeat("k", 253)), // 257 with .pub, and 255 is the limit
		"no name":              "",
	} {
		t.Run(name, func(t *testing.T) {
			t.Chdir(dir)
			wantError(t, Write(path, keyA(), Secret{}), ota.KindInvalid, "key_write_failed", "folder")
			if diff := cmp.Diff([]string{"file"}, names(t, dir)); diff != "" {
				t.Errorf("files (-want +got):\n%s", diff)
			}
		})
	}
}

func TestReadRefusesOpenModes(t *testing.T) {
	for _, protected := range []bool{false, true} {
		path := filepath.Join(t.TempDir(), "app.key")
		p := Secret{}
		if protected {
			p = pass
		}
		ok(t, write(path, keyA(), p, quick))
		for _, m := range []fs.FileMode{0o640, 0o604, 0o620, 0o602, 0o610, 0o601, 0o644, 0o666, 0o777} {
			ok(t, os.Chmod(path, m))
			_, err := Read(path, never(t))
			wantError(t, err, ota.KindInvalid, "key_permissions", "chmod 600 "+path)
		}
		for _, m := range []fs.FileMode{0o600, 0o400, 0o700} {
			ok(t, os.Chmod(path, m))
			_, err := Read(path, give(pass))
			ok(t, err)
		}
	}
}

func TestReadFollowsLinks(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "app.key")
	ok(t, Write(path, keyA(), Secret{}))
	link := filepath.Join(dir, "link")
	ok(t, os.Symlink("app.key", link))
	_, err := Read(link, nil)
	ok(t, err)
	ok(t, os.Chmod(path, 0o644))
	_, err = Read(link, nil)
	wantError(t, err, ota.KindInvalid, "key_permissions", "chmod")
}

func TestReadRefused(t *testing.T) {
	dir := t.TempDir()
	put := func(name string, data []byte, m fs.FileMode) string {
		path := filepath.Join(dir, name)
		ok(t, os.WriteFile(path, data, m))
		return path
	}
	whole, err := lock(keyA().PEM(), pass, quick)
	ok(t, err)
	toKey := encryptTo(t, keyA().PEM())
	notKey, err := lock([]byte("hello"), pass, quick)
	ok(t, err)
	altered := bytes.Clone(whole)
	altered[len(altered)/2] ^= 1
	tests := []struct{ name, path, code, says string }{
		{"missing", filepath.Join(dir, "missing"), "key_not_found", "keys create"},
		{"folder", dir, "key_invalid", "is a folder"},
		{"below a file", filepath.Join(put("f", nil, 0o600), "x"), "key_unreadable", "owner"},
		{"empty", put("empty", nil, 0o600), "key_invalid", "not a PEM key"},
		{"garbage", put("garbage", []byte("hello"), 0o600), "key_invalid", "not a PEM key"},
		{"public key", put("app.pub", []byte(keyA().Public().PEM()), 0o644), "key_invalid", "without .pub"},
		{"too large", put("large", bytes.Repeat([]byte{' '}, maxFile+1), 0o600), "key_invalid", "larger"},
		{"cut PEM", put("cut", keyA().PEM()[:500], 0o600), "key_invalid", "not one whole PEM"},
		{"cut age file", put("cutage", whole[:len(whole)/2], 0o600), "key_invalid", "not a sound age file"},
		{"altered age file", put("altered", altered, 0o600), "key_invalid", "cannot be opened"},
		{"age file to a key", put("tokey", toKey, 0o600), "key_invalid", "encrypted to an age key"},
		{"age file of another thing", put("other", notKey, 0o600), "key_invalid", "holds no usable key"},
		{"text after the age file", put("tail", append(bytes.Clone(whole), "tail"...), 0o600), "key_invalid", "not a sound age file"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			kind := ota.KindInvalid
			if tt.code == "key_not_found" {
				kind = ota.KindNotFound
			}
			k, err := Read(tt.path, give(pass))
			wantError(t, err, kind, tt.code, tt.says)
			if k != nil {
				t.Error("a key came back")
			}
		})
	}
}

func encryptTo(t testing.TB, text []byte) []byte {
	t.Helper()
	id, err := age.GenerateX25519Identity()
	ok(t, err)
	var out bytes.Buffer
	arm := armor.NewWriter(&out)
	w, err := age.Encrypt(arm, id.Recipient())
	ok(t, err)
	_, err = w.Write(text)
	ok(t, errors.Join(err, w.Close(), arm.Close()))
	return out.Bytes()
}

// TestOpensBinaryAgeFile: people protect keys with age itself, often unarmored.
func TestOpensBinaryAgeFile(t *testing.T) {
	to, err := age.NewScryptRecipient(pass.Reveal())
	ok(t, err)
	to.SetWorkFactor(quick)
	var out bytes.Buffer
	w, err := age.Encrypt(&out, to)
	ok(t, err)
	_, err = w.Write(keyA().PEM())
	ok(t, errors.Join(err, w.Close()))
	k, err := parse("app.key", out.Bytes(), give(pass), maxWork)
	ok(t, err)
	if k.Public().PEM() != keyA().Public().PEM() {
		t.Error("another key came back")
	}
}

func TestWorkIsBounded(t *testing.T) {
	data, err := lock(keyA().PEM(), pass, quick+1)
	ok(t, err)
	_, err = parse("app.key", data, give(pass), quick)
	wantError(t, err, ota.KindInvalid, "key_invalid", "work factor too large")
}

func FuzzParse(f *testing.F) {
	whole, err := lock(keyA().PEM(), pass, quick)
	ok(f, err)
	f.Add(whole)
	f.Add(keyA().PEM())
	f.Add([]byte(keyA().Public().PEM()))
	f.Add(encryptTo(f, keyA().PEM()))
	f.Add([]byte(binaryHead + "v1\n-> scrypt AAAAAAAAAAAAAAAAAAAAAA 8\n"))
	f.Add([]byte(armor.Header + "\n" + armor.Footer + "\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		k, err := parse("app.key", data, give(pass), quick)
		if (k == nil) == (err == nil) {
			t.Fatalf("key %v with error %v", k, err)
		}
		if err != nil && ota.CodeOf(err) != "key_invalid" && ota.CodeOf(err) != "passphrase_wrong" {
			t.Errorf("refused with %v", err)
		}
	})
}

func BenchmarkReadProtected(b *testing.B) {
	data, err := lock(keyA().PEM(), pass, writeWork)
	ok(b, err)
	for b.Loop() {
		if _, err := parse("app.key", data, give(pass), maxWork); err != nil {
			b.Fatal(err)
		}
	}
}
