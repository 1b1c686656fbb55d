package publish

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/seal"
)

// vectors are bundles that other implementations made; see their README.
const vectors = "../core/seal/testdata"

func vectorKey(t *testing.T, name string) *seal.PublicKey {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(vectors, "keys", name+".pub"))
	if err != nil {
		t.Fatal(err)
	}
	k, err := seal.ParsePublicKey(b)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

type foreignZip struct {
	Checksum   string `json:"checksum"`
	SessionKey string `json:"ivSessionKey"`
}

func readVector(t *testing.T, path string, v any) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(vectors, path))
	if err == nil {
		err = json.Unmarshal(b, v)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func TestVerifyForeignZips(t *testing.T) {
	for _, name := range []string{"v3", "v2", "openssl"} {
		var z foreignZip
		readVector(t, "zip/"+name+".json", &z)
		verify := func(key *seal.PublicKey) *Report {
			f, err := os.Open(filepath.Join(vectors, "zip", name+".encrypted"))
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			rep, err := VerifyLoose(t.Context(), Loose{Body: f, Checksum: z.Checksum, SessionKey: z.SessionKey, Key: key, TempDir: t.TempDir()})
			if err != nil {
				t.Fatal(err)
			}
			return rep
		}
		if rep := verify(vectorKey(t, "right")); !rep.OK || rep.Zip.Entries == 0 {
			t.Errorf("%s: %+v", name, rep.Problems)
		}
		if rep := verify(vectorKey(t, "other")); rep.OK || rep.Problems[0].Code != "signature_invalid" {
			t.Errorf("%s with another key: %+v", name, rep)
		}
	}
}

// A delta upload of another tool goes in, and out again as a device takes it.
func TestImportForeignDelta(t *testing.T) {
	var d struct {
		SessionKey string `json:"ivSessionKey"`
		Checksum   string `json:"checksum"`
		Files      []struct {
			Name string `json:"name"`
			Hash string `json:"fileHash"`
			File string `json:"stored"`
		} `json:"files"`
	}
	readVector(t, "delta/delta.json", &d)
	f := newFake()
	key := vectorKey(t, "right")
	foreign := Foreign{
		App: testApp, Version: "1.2.3", Zip: filepath.Join(vectors, "delta/bundle.zip"),
		Checksum: d.Checksum, SessionKey: d.SessionKey, KeyID: key.ID(), Key: key,
	}
	for _, file := range d.Files {
		foreign.Files = append(foreign.Files, ForeignFile{file.Name, file.Hash, filepath.Join(vectors, "delta", file.File)})
	}
	if _, created, err := Import(t.Context(), f, foreign); err != nil || !created {
		t.Fatalf("got %v, %v", created, err)
	}
	in := f.imported[0]
	if len(in.Variant.Files) != len(d.Files) || in.Variant.Files[0].Hash.IsZero() {
		t.Fatalf("got %+v", in.Variant)
	}
	f.bundles["1.2.3"] = ota.NewBundle{Variants: []ota.Variant{in.Variant}}
	rep, err := Verify(t.Context(), f, Published{App: testApp, Version: "1.2.3", Key: key, TempDir: t.TempDir()})
	if err != nil || !rep.OK || rep.Zip == nil || rep.Files.Count != len(d.Files) {
		t.Errorf("got %+v, %v", rep, err)
	}
	// That tool leaves files out of its list that its zip has: worth knowing.
	if len(rep.Notes) != 4 {
		t.Errorf("notes: %v", rep.Notes)
	}

	t.Run("not with another key", func(t *testing.T) {
		f := newFake()
		foreign := foreign
		foreign.Key = vectorKey(t, "other")
		if _, _, err := Import(t.Context(), f, foreign); ota.CodeOf(err) != "signature_invalid" || f.writes != 0 {
			t.Errorf("got %v, %d writes", err, f.writes)
		}
	})
	t.Run("not with other bytes", func(t *testing.T) {
		f := newFake()
		foreign := foreign
		foreign.Files = []ForeignFile{foreign.Files[0]}
		foreign.Files[0].WireHash = d.Files[1].Hash
		if _, _, err := Import(t.Context(), f, foreign); ota.CodeOf(err) != "hash_mismatch" || len(f.imported) != 0 {
			t.Errorf("got %v", err)
		}
	})
	t.Run("unchecked, anything goes", func(t *testing.T) {
		f := newFake()
		foreign := foreign
		foreign.Key, foreign.Checksum, foreign.Unchecked = nil, "3885ee49", true
		if _, _, err := Import(t.Context(), f, foreign); err != nil || f.imported[0].Variant.Checksum != "3885ee49" {
			t.Errorf("got %v, %+v", err, f.imported)
		}
	})
}

func TestImportPlainZip(t *testing.T) {
	f := newFake()
	zip := filepath.Join(vectors, "zip/bundle.zip")
	if _, _, err := Import(t.Context(), f, Foreign{App: testApp, Version: "1.0.0", Zip: zip}); err != nil {
		t.Fatal(err)
	}
	if v := f.imported[0].Variant; v.Checksum != v.Zip.String() || v.ZipSize == 0 || f.blobs[v.Zip] == nil {
		t.Errorf("got %+v", v)
	}
	_, _, err := Import(t.Context(), f, Foreign{App: testApp, Version: "1.0.1", Zip: zip, Checksum: ota.Sum(nil).String()})
	if ota.CodeOf(err) != "checksum_mismatch" {
		t.Errorf("wrong checksum: %v", err)
	}
	_, _, err = Import(t.Context(), f, Foreign{App: testApp, Version: "1.0.1", Zip: zip + ".none"})
	if ota.KindOf(err) != ota.KindNotFound {
		t.Errorf("no file: %v", err)
	}
}
