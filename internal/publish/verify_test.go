package publish

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/seal"
)

func dirFS(dir string) fs.FS { return os.DirFS(dir) }

// Whatever is broken in what is published, the report names it.
func TestVerifyFinds(t *testing.T) {
	k, stranger := newKey(t), newKey(t)
	f := newFake(k)
	mustPush(t, f, options(webApp(""), k))
	good := f.bundles["1.2.0"].Variants[0]
	sealedBy := func(by *seal.PrivateKey, d ota.Digest) string {
		s, err := by.SealHash(d)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	wrongSession, err := k.SealSession(k.EpochSession(testApp, 7))
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name, object, code string
		breakIt            func(v *ota.Variant)
	}{
		{"nothing", "", "", func(*ota.Variant) {}},
		{"another key's checksum", "zip", "signature_invalid", func(v *ota.Variant) { v.Checksum = sealedBy(stranger, ota.Sum(nil)) }},
		{"another zip's checksum", "zip", "checksum_mismatch", func(v *ota.Variant) { v.Checksum, v.ChecksumV2 = sealedBy(k, ota.Sum(nil)), "" }},
		{"old and new checksum disagree", "zip", "checksum_mismatch", func(v *ota.Variant) { v.Checksum = sealedBy(k, ota.Sum(nil)) }},
		{"another session", "zip", "", func(v *ota.Variant) { v.SessionKey = wrongSession }},
		{"no session", "session_key", "session_key_invalid", func(v *ota.Variant) { v.SessionKey = "" }},
		{"a lost zip", "zip", "blob_not_found", func(v *ota.Variant) { v.Zip = ota.Sum([]byte("lost")) }},
		{"a lost file", good.Files[0].Name, "blob_not_found", func(v *ota.Variant) { v.Files[0].Blob = ota.Sum([]byte("lost")) }},
		{"a swapped file", good.Files[0].Name, "hash_mismatch", func(v *ota.Variant) { v.Files[0].WireHash = v.Files[1].WireHash }},
		{"a file signed by a stranger", good.Files[0].Name, "signature_invalid", func(v *ota.Variant) { v.Files[0].WireHash = sealedBy(stranger, v.Files[0].Hash) }},
		{"a path that leaves", "../x", "path_invalid", func(v *ota.Variant) { v.Files[0].Name = "../x" }},
		{"one path twice", good.Files[0].Name, "path_duplicate", func(v *ota.Variant) { v.Files[1] = v.Files[0] }},
		{"a file left out", "same.css", "not_listed", func(v *ota.Variant) {
			v.Files = slices.DeleteFunc(v.Files, func(f ota.VariantFile) bool { return f.Name == "same.css.br" })
		}},
		{"an empty file as ciphertext", "empty.txt", "file_empty_sealed", func(v *ota.Variant) {
			i := slices.IndexFunc(v.Files, func(f ota.VariantFile) bool { return f.Name == "empty.txt.br" })
			nothing := k.EpochSession(testApp, 0).EncryptBytes(nil)
			f.blobs[ota.Sum(nothing)] = nothing
			v.Files[i].Name, v.Files[i].Brotli, v.Files[i].Blob = "empty.txt", false, ota.Sum(nothing)
		}},
		{"another file in the list than in the zip", "empty.txt", "zip_differs", func(v *ota.Variant) {
			i := slices.IndexFunc(v.Files, func(f ota.VariantFile) bool { return f.Name == "empty.txt.br" })
			j := slices.IndexFunc(v.Files, func(f ota.VariantFile) bool { return f.Name == "same.css.br" })
			v.Files[i].Blob, v.Files[i].WireHash = v.Files[j].Blob, v.Files[j].WireHash
		}},
		{"nothing published", "zip", "nothing_published", func(v *ota.Variant) { v.Zip, v.Files = ota.Digest{}, nil }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			v := good
			v.Files = slices.Clone(good.Files)
			tt.breakIt(&v)
			b := f.bundles["1.2.0"]
			b.Variants = []ota.Variant{v}
			f.bundles["1.2.0"] = b
			rep, err := Verify(t.Context(), f, Published{App: testApp, Version: "1.2.0", Key: k.Public(), TempDir: t.TempDir()})
			if err != nil {
				t.Fatal(err)
			}
			found := slices.ContainsFunc(rep.Problems, func(p Problem) bool {
				return p.Object == tt.object && (tt.code == "" || p.Code == tt.code)
			})
			if rep.OK != (tt.object == "") || !rep.OK && !found {
				t.Errorf("got %+v, want %s at %s", rep.Problems, tt.code, tt.object)
			}
		})
	}
}

func TestVerifyBrokenBlob(t *testing.T) {
	k := newKey(t)
	f := newFake(k)
	mustPush(t, f, options(webApp(""), k))
	v := f.bundles["1.2.0"].Variants[0]
	for _, d := range []ota.Digest{v.Zip, v.Files[0].Blob} {
		b := bytes.Clone(f.blobs[d])
		f.blobs[d][len(b)/2] ^= 1
		rep, err := Verify(t.Context(), f, Published{App: testApp, Version: "1.2.0", Key: k.Public(), TempDir: t.TempDir()})
		if err != nil || rep.OK || rep.Problems[0].Code != "blob_mismatch" {
			t.Errorf("a flipped bit went unseen: %+v, %v", rep, err)
		}
		f.blobs[d] = b
	}
}

func TestDecrypt(t *testing.T) {
	k := newKey(t)
	f := newFake(k)
	app := webApp("")
	mustPush(t, f, options(app, k))
	p := Published{App: testApp, Version: "1.2.0", Key: k.Public(), TempDir: t.TempDir()}

	dir := filepath.Join(t.TempDir(), "new", "folder")
	res, err := Decrypt(t.Context(), f, p, dir)
	if err != nil || res.Files != len(app) {
		t.Fatalf("got %+v, %v", res, err)
	}
	got := map[string]string{}
	err = fs.WalkDir(dirFS(dir), ".", func(path string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			b, readErr := fs.ReadFile(dirFS(dir), path)
			got[path], err = string(b), readErr
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{}
	for path, file := range app {
		want[path] = string(file.Data)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if _, err := Decrypt(t.Context(), f, p, dir); ota.CodeOf(err) != "folder_not_empty" {
		t.Errorf("into a folder with files: %v", err)
	}

	zip := filepath.Join(t.TempDir(), "out.zip")
	if res, err = Decrypt(t.Context(), f, p, zip); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(zip)
	if err != nil || ota.Sum(b) != res.SHA256 {
		t.Errorf("the zip is not what was signed: %v", err)
	}
	if _, err := Decrypt(t.Context(), f, p, zip); ota.CodeOf(err) != "file_exists" {
		t.Errorf("over a file: %v", err)
	}

	// Nothing is written of what a device would refuse.
	p.Key = newKey(t).Public()
	none := filepath.Join(t.TempDir(), "none")
	v := f.bundles["1.2.0"].Variants
	v[0].KeyID = p.Key.ID()
	if _, err := Decrypt(t.Context(), f, p, none); ota.CodeOf(err) != "signature_invalid" {
		t.Errorf("another key: %v", err)
	}
	if _, err := os.Stat(none); err == nil {
		t.Error("a folder was made")
	}
}
