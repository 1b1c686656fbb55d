package control_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/plane/control"
)

func TestImportBundle(t *testing.T) {
	e := newEnv(t)
	zip := e.put([]byte("a zip"))
	file := e.put([]byte("hello"))
	sum := strings.Repeat("ab", 32)
	for name, va := range map[string]ota.Variant{
		"1.0.0-url":   {ExternalURL: "https://cdn.example/1.zip", Checksum: sum},
		"1.0.0-zip":   {Zip: zip, Checksum: zip.String()},
		"1.0.0-files": {Checksum: sum, Files: []ota.VariantFile{{Name: "index.html", WireHash: sum, Size: 5, Blob: file}}},
		"1.0.0-seal": {
			SessionKey: strings.Repeat("A", 22) + "==:" + strings.Repeat("A", 342) + "==", KeyID: "MIIBCgKCAQEAother",
			Checksum: strings.Repeat("ab", 256), ExternalURL: "https://cdn.example/2.zip",
		},
		"not semver": {ExternalURL: "https://cdn.example/3.zip", Checksum: sum},
	} {
		t.Run(name, func(t *testing.T) {
			in := ota.ImportBundle{Version: strings.ReplaceAll(name, " ", "_"), Variant: va}
			b, created, err := e.ImportBundle(t.Context(), actor, app, in)
			if err != nil || !created {
				t.Fatal(created, err)
			}
			again, created, err := e.ImportBundle(t.Context(), actor, app, in)
			if err != nil || created || again.ID != b.ID {
				t.Errorf("again: %v, %v", created, err)
			}
			got, err := e.VariantFiles(t.Context(), app, in.Version, va.KeyID)
			if err != nil || len(got.Files) != len(va.Files) {
				t.Fatalf("%d files, %v", len(got.Files), err)
			}
			for _, f := range got.Files {
				if f.StoredSize != 5 {
					t.Errorf("stored size %d is not the blob's", f.StoredSize)
				}
			}
			in.Variant.Checksum = strings.Repeat("cd", 32)
			_, _, err = e.ImportBundle(t.Context(), actor, app, in)
			wantCode(t, err, control.CodeVersionExists)
		})
	}
	e.release("1.0.0-files")
	va := e.snap.App(app).ChannelByName(prod).Chain[0].Bundle.Variants[0]
	if len(va.Files) != 1 || va.Files[0].Blob != file {
		t.Errorf("snapshot has %+v", va.Files)
	}
	if r, _, err := e.OpenBlob(e.ctx(), app, file); err != nil {
		t.Error(err)
	} else {
		e.do(r.Close())
	}
}

func TestImportRefused(t *testing.T) {
	e := newEnv(t)
	zip := e.put([]byte("a zip"))
	sum := strings.Repeat("ab", 32)
	session := strings.Repeat("A", 22) + "==:" + strings.Repeat("A", 342) + "=="
	file := func(name, hash string) []ota.VariantFile {
		return []ota.VariantFile{{Name: name, WireHash: hash, Blob: zip}}
	}
	for name, tt := range map[string]struct {
		va        ota.Variant
		code      string
		unchecked string // code if unchecked; "" = taken
	}{
		"nothing":           {ota.Variant{Checksum: sum}, control.CodeImportInvalid, ""},
		"relative address":  {ota.Variant{ExternalURL: "/1.zip", Checksum: sum}, control.CodeURLInvalid, control.CodeURLInvalid},
		"file address":      {ota.Variant{ExternalURL: "file:///etc/passwd", Checksum: sum}, control.CodeURLInvalid, control.CodeURLInvalid},
		"no checksum":       {ota.Variant{ExternalURL: "https://cdn.example/1.zip"}, control.CodeChecksumMismatch, ""},
		"CRC-32":            {ota.Variant{Zip: zip, Checksum: "0123abcd"}, control.CodeChecksumMismatch, ""},
		"checksum of other": {ota.Variant{Zip: zip, Checksum: sum}, control.CodeChecksumMismatch, ""},
		"upper case":        {ota.Variant{ExternalURL: "https://cdn.example/1.zip", Checksum: strings.ToUpper(sum)}, control.CodeChecksumMismatch, ""},
		"zip not uploaded":  {ota.Variant{Zip: ota.Digest{1}, Checksum: sum}, control.CodeBlobMissing, control.CodeBlobMissing},
		"file not uploaded": {ota.Variant{Checksum: sum, Files: []ota.VariantFile{{Name: "a", WireHash: sum}}}, control.CodeBlobMissing, control.CodeBlobMissing},
		"path":              {ota.Variant{Checksum: sum, Files: file("../a", sum)}, "path_invalid", "path_invalid"},
		"same path":         {ota.Variant{Checksum: sum, Files: append(file("a", sum), file("A.br", sum)...)}, control.CodeImportInvalid, control.CodeImportInvalid},
		"file hash":         {ota.Variant{Checksum: sum, Files: file("a", "12")}, control.CodeChecksumMismatch, ""},
		"no file hash":      {ota.Variant{Checksum: sum, Files: file("a", "")}, control.CodeImportInvalid, control.CodeImportInvalid},
		"key without":       {ota.Variant{ExternalURL: "https://cdn.example/1.zip", Checksum: sum, KeyID: "x"}, control.CodeImportInvalid, ""},
		"session key":       {ota.Variant{ExternalURL: "https://cdn.example/1.zip", Checksum: sum, SessionKey: "a:b"}, control.CodeImportInvalid, ""},
		"sealed checksum":   {ota.Variant{ExternalURL: "https://cdn.example/1.zip", Checksum: sum, SessionKey: session}, control.CodeChecksumMismatch, ""},
		"long":              {ota.Variant{ExternalURL: "https://cdn.example/1.zip", Checksum: strings.Repeat("a", 5000)}, control.CodeTextTooLong, control.CodeTextTooLong},
	} {
		t.Run(name, func(t *testing.T) {
			in := ota.ImportBundle{Version: "1.0.0-" + strings.NewReplacer(" ", "", "-", "").Replace(name), Variant: tt.va}
			_, _, err := e.ImportBundle(t.Context(), actor, app, in)
			wantCode(t, err, tt.code)
			in.Unchecked = true
			_, created, err := e.ImportBundle(t.Context(), actor, app, in)
			if tt.unchecked != "" {
				wantCode(t, err, tt.unchecked)
			} else if err != nil || !created {
				t.Errorf("unchecked: %v, %v", created, err)
			}
		})
	}
	_, _, err := e.ImportBundle(e.ctx(), actor, app, ota.ImportBundle{Version: "builtin"})
	wantCode(t, err, "version_reserved")
}

// With the key registered, an import is checked like a push.
func TestImportForRegisteredKey(t *testing.T) {
	e := newEnv(t)
	key, other := keyPair()[0], keyPair()[1]
	_, err := e.RegisterKey(e.ctx(), who, app, key.Public().PEM())
	e.do(err)
	va := e.variant(web("1.0.0"), key)
	_, created, err := e.ImportBundle(e.ctx(), actor, app, ota.ImportBundle{Version: "1.0.0", Variant: va})
	if err != nil || !created {
		t.Fatal(created, err)
	}
	got, err := e.VariantFiles(e.ctx(), app, "1.0.0", va.KeyID)
	e.do(err)
	if diff := cmp.Diff(va.Files, got.Files); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	for name, spoil := range map[string]func(*ota.Variant){
		"session":  func(va *ota.Variant) { va.SessionKey = must(other.SealSession(other.EpochSession(app, 1))) },
		"checksum": func(va *ota.Variant) { va.Checksum = must(other.SealHash(ota.Digest{1})) },
		"file":     func(va *ota.Variant) { va.Files[0].WireHash = must(other.SealHash(va.Files[0].Hash)) },
		"hash":     func(va *ota.Variant) { va.Files[0].WireHash = must(key.SealHash(ota.Digest{1})) },
	} {
		t.Run(name, func(t *testing.T) {
			bad := e.variant(web("1.0.0"), key)
			spoil(&bad)
			_, _, err := e.ImportBundle(t.Context(), actor, app, ota.ImportBundle{Version: "1.0.1", Variant: bad})
			wantCode(t, err, control.CodeSignatureWrong)
		})
	}
	plain := ota.Variant{ExternalURL: "https://cdn.example/1.zip", Checksum: strings.Repeat("ab", 32)}
	_, _, err = e.ImportBundle(e.ctx(), actor, app, ota.ImportBundle{Version: "1.0.1", Variant: plain})
	wantCode(t, err, control.CodePlainRefused)
}
