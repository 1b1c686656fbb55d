package cryptovectors

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/canon"
	"github.com/waxwing-ota/waxwing/internal/core/cobblestone"
	"github.com/waxwing-ota/waxwing/internal/core/delta"
	"github.com/waxwing-ota/waxwing/internal/core/grant"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/p256"
)

var update = flag.Bool("update", false, "write docs/sealed/vectors/crypto-*.json")

// bin is bytes that are written in hex.
type bin []byte

func (b bin) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, b), nil }

func (b *bin) UnmarshalText(text []byte) error {
	out, err := hex.DecodeString(string(text))
	*b = out
	return err
}

// file is a file of vectors: what to do with each, and the vectors.
type file[T any] struct {
	About string `json:"about"`
	Cases []T    `json:"cases"`
}

// cases returns the vectors of a file, after -update the fresh ones.
func cases[T any](t *testing.T, name, about string, fresh func() []T) []T {
	t.Helper()
	path := filepath.Join("..", "..", "..", "docs", "sealed", "vectors", "crypto-"+name+".json")
	if *update {
		b, err := json.MarshalIndent(file[T]{about, fresh()}, "", " ")
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, append(b, '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var f file[T]
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&f); err != nil {
		t.Fatal(err)
	}
	if f.About != about || len(f.Cases) != len(fresh()) {
		t.Errorf("%s is not what this test writes: -update", path)
	}
	return f.Cases
}

type canonCase struct {
	Name     string `json:"name"`
	Document bin    `json:"document"`
	OK       bool   `json:"ok"`
	Signing  bin    `json:"signing"` // OLPC form; empty when refused
}

func TestCanon(t *testing.T) {
	for _, c := range cases(t, "canon", "document: bytes in hex. ok: whether they are canonical JSON. signing: the form that TUF signs.", canonCases) {
		var v any
		err := canon.Decode(c.Document, 1<<16, &v)
		if (err == nil) != c.OK {
			t.Errorf("%s: %v", c.Name, err)
		}
		if err == nil && !bytes.Equal(canon.Signing(c.Document), c.Signing) {
			t.Errorf("%s: %q", c.Name, canon.Signing(c.Document))
		}
	}
}

type signatureCase struct {
	Name    string   `json:"name"`
	Key     p256.Key `json:"key"`
	KeyID   string   `json:"keyid"` // "" when the key is refused
	Message bin      `json:"message"`
	DER     bin      `json:"der"`
	Raw     bin      `json:"raw"` // r ‖ s; empty when the DER is refused
	OK      bool     `json:"ok"`
}

func TestSignatures(t *testing.T) {
	const about = "der: signature over message by key, in the form of documents; raw: the same as WebCrypto takes it. ok: whether it is one, and key and form are right."
	for _, c := range cases(t, "p256", about, func() []signatureCase { return signatureCases(t) }) {
		if got := p256.Verify(c.Key, c.Message, c.DER); got != c.OK {
			t.Errorf("%s: %v", c.Name, got)
		}
		if err := c.Key.Check(); (err == nil) != (c.KeyID != "") || (err == nil && c.Key.ID() != c.KeyID) {
			t.Errorf("%s: key: %v", c.Name, err)
		}
		raw, err := p256.RawFromDER(c.DER)
		if (err == nil) != (len(c.Raw) > 0) || (err == nil && !bytes.Equal(raw[:], c.Raw)) {
			t.Errorf("%s: raw: %x %v", c.Name, raw, err)
		}
	}
}

// blobCase is a blob, perhaps changed: Flip inverts the lowest bit of a byte, Cut
// keeps so many bytes, Append adds some. -1 = leave alone.
type blobCase struct {
	Name   string `json:"name"`
	Epoch  bin    `json:"epoch"`
	App    string `json:"app"`
	SHA256 bin    `json:"sha256"` // of the plaintext, as the manifest says
	Size   int64  `json:"size"`   // of the plaintext, as the manifest says
	Key    bin    `json:"key"`    // derived: K_blob
	Ctx    bin    `json:"context"`
	Blob   bin    `json:"blob"`
	Flip   int    `json:"flip"`
	Cut    int    `json:"cut"`
	Append bin    `json:"append"`
	OK     bool   `json:"ok"`
}

func TestBlobs(t *testing.T) {
	const about = "blob: stored bytes; before opening, the byte at flip is XORed with 1, then cut bytes are kept (-1: all), then append is appended. ok: whether the result opens to the plaintext of size and sha256. key and context are derived from epoch, app and sha256."
	for _, c := range cases(t, "cobblestone", about, func() []blobCase { return blobCases(t) }) {
		epoch, err := cobblestone.KeyFrom(c.Epoch)
		if err != nil {
			t.Fatal(err)
		}
		b := cobblestone.Blob{Epoch: epoch, App: c.App, Plain: ota.Digest(c.SHA256), Size: c.Size}
		key, err := cobblestone.DeriveBlobKey(epoch, b.Plain)
		if err != nil || !bytes.Equal(key.Reveal(), c.Key) {
			t.Errorf("%s: key: %v", c.Name, err)
		}
		if ctx, err := cobblestone.Context(c.App, b.Plain); err != nil || !bytes.Equal(ctx, c.Ctx) {
			t.Errorf("%s: context: %v", c.Name, err)
		}
		stored := bytes.Clone(c.Blob)
		if c.Flip >= 0 {
			stored[c.Flip] ^= 1
		}
		if c.Cut >= 0 {
			stored = stored[:c.Cut]
		}
		var out bytes.Buffer
		err = b.Open(&out, bytes.NewReader(append(stored, c.Append...)))
		if (err == nil) != c.OK || (c.OK && ota.Sum(out.Bytes()) != b.Plain) {
			t.Errorf("%s: %v", c.Name, err)
		}
	}
}

type grantCase struct {
	Name       string `json:"name"`
	Private    bin    `json:"private"` // the device's scalar
	Public     bin    `json:"public"`
	App        string `json:"app"`
	Manifest   bin    `json:"manifest"`
	Epoch      uint32 `json:"key_epoch"`
	Thumbprint bin    `json:"thumbprint"`
	NotAfter   string `json:"not_after"`
	Info       bin    `json:"info"` // derived
	Enc        bin    `json:"enc"`
	CT         bin    `json:"ct"`
	Key        bin    `json:"key"` // what comes out; empty when refused
}

func TestGrants(t *testing.T) {
	const about = "key: what enc and ct open to with the private key under info, which is derived from the fields; empty: they do not open."
	for _, c := range cases(t, "grant", about, func() []grantCase { return grantCases(t) }) {
		priv, err := grant.ParsePrivate(c.Private)
		if err != nil || !bytes.Equal(priv.Public().Bytes(), c.Public) {
			t.Fatalf("%s: %v", c.Name, err)
		}
		end, err := time.Parse(time.RFC3339, c.NotAfter)
		if err != nil {
			t.Fatal(err)
		}
		i := grant.Info{App: c.App, Manifest: ota.Digest(c.Manifest), Epoch: c.Epoch, Thumbprint: ota.Digest(c.Thumbprint), NotAfter: end}
		if info, err := i.Bytes(); err != nil || !bytes.Equal(info, c.Info) {
			t.Errorf("%s: info: %v", c.Name, err)
		}
		key, err := grant.Open(priv, i, c.Enc, c.CT)
		if (err == nil) != (len(c.Key) > 0) || !bytes.Equal(key.Reveal(), c.Key) {
			t.Errorf("%s: %v", c.Name, err)
		}
	}
}

type patchCase struct {
	Name  string `json:"name"`
	Old   bin    `json:"old"`
	Patch bin    `json:"patch"`
	Size  int64  `json:"size"`
	New   bin    `json:"new"` // empty when refused
}

func TestPatches(t *testing.T) {
	const about = "new: what patch makes of old, when size bytes are announced; empty: the patch is refused."
	for _, c := range cases(t, "patch", about, func() []patchCase { return patchCases(t) }) {
		out, err := delta.Apply(c.Old, c.Patch, c.Size)
		if (err == nil) != (len(c.New) > 0) || !bytes.Equal(out, c.New) {
			t.Errorf("%s: %v", c.Name, err)
		}
	}
}
