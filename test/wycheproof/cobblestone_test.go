package wycheproof

import (
	"bytes"
	"compress/zlib"
	"crypto/sha512"
	"errors"
	"io"
	"slices"
	"testing"
	"testing/iotest"

	"github.com/waxwing-ota/waxwing/internal/core/cobblestone"
)

type chunkedTest struct {
	ID        int      `json:"tcId"`
	Comment   string   `json:"comment"`
	Key       bin      `json:"key"`
	Context   bin      `json:"ctx"`
	CT        bin      `json:"ct"` // zlib
	MsgLength int      `json:"msgLength"`
	MsgSHA512 bin      `json:"msgSha512"`
	Result    string   `json:"result"`
	Flags     []string `json:"flags"`
}

type chunkedGroup struct {
	AEAD  string        `json:"aead"`
	SHA   string        `json:"sha"`
	Tests []chunkedTest `json:"tests"`
}

// TestCobblestone256 applies the vectors as their document says: whole, as a
// stream, at random places, and, with the salt of the vector, to encryption.
func TestCobblestone256(t *testing.T) {
	const file = "c2sp_chunked_encryption_aes_256_gcm_test.json"
	for _, g := range load(t, file, func(g chunkedGroup) int { return len(g.Tests) }) {
		if g.AEAD != "AEAD_AES_256_GCM" || g.SHA != "SHA-512" {
			t.Fatalf("vectors for %s, %s", g.AEAD, g.SHA)
		}
		for _, v := range g.Tests {
			z, err := zlib.NewReader(bytes.NewReader(v.CT))
			if err != nil {
				t.Fatal(err)
			}
			ct, err := io.ReadAll(z)
			if err != nil {
				t.Fatal(err)
			}
			key, err := cobblestone.KeyFrom(v.Key)
			if wrong := slices.Contains(v.Flags, "InvalidKeySize"); (err != nil) != wrong {
				t.Errorf("%d %s: key: %v", v.ID, v.Comment, err)
			} else if wrong {
				continue
			}
			if v.Result == "valid" {
				accepted(t, v, key, ct)
			} else {
				refused(t, v, key, ct)
			}
		}
	}
}

func is(v chunkedTest, message []byte) bool {
	sum := sha512.Sum512(message)
	return len(message) == v.MsgLength && bytes.Equal(sum[:], v.MsgSHA512)
}

func accepted(t *testing.T, v chunkedTest, key cobblestone.Key, ct []byte) {
	message, err := cobblestone.Open(key, v.Context, ct)
	if err != nil || !is(v, message) {
		t.Errorf("%d %s: Open: %v", v.ID, v.Comment, err)
		return
	}
	if streamed, err := stream(key, v.Context, iotest.HalfReader(bytes.NewReader(ct))); err != nil || !is(v, streamed) {
		t.Errorf("%d %s: Reader: %v", v.ID, v.Comment, err)
	}
	r, err := cobblestone.NewReaderAt(bytes.NewReader(ct), int64(len(ct)), key, v.Context)
	if err != nil || r.Size() != int64(v.MsgLength) {
		t.Errorf("%d %s: NewReaderAt: %v", v.ID, v.Comment, err)
		return
	}
	if all, err := io.ReadAll(io.NewSectionReader(r, 0, r.Size())); err != nil || !is(v, all) {
		t.Errorf("%d %s: ReadAt: %v", v.ID, v.Comment, err)
	}
	again, err := cobblestone.Seal(bytes.NewReader(ct[:cobblestone.SaltSize]), key, v.Context, message)
	if err != nil || !bytes.Equal(again, ct) {
		t.Errorf("%d %s: encrypted again with its salt: %v", v.ID, v.Comment, err)
	}
}

func refused(t *testing.T, v chunkedTest, key cobblestone.Key, ct []byte) {
	if out, err := cobblestone.Open(key, v.Context, ct); err == nil || out != nil {
		t.Errorf("%d %s: opened", v.ID, v.Comment)
	}
	got, err := stream(key, v.Context, bytes.NewReader(ct))
	switch {
	case err == nil:
		t.Errorf("%d %s: streamed to its end", v.ID, v.Comment)
	case slices.Contains(v.Flags, "PartialPlaintext"):
		if len(got) > v.MsgLength || len(got) == v.MsgLength && !is(v, got) {
			t.Errorf("%d %s: %d bytes, more than what is authentic", v.ID, v.Comment, len(got))
		}
	case len(got) > 0:
		t.Errorf("%d %s: %d bytes of nothing authentic", v.ID, v.Comment, len(got))
	}
	r, err := cobblestone.NewReaderAt(bytes.NewReader(ct), int64(len(ct)), key, v.Context)
	if err != nil {
		return
	}
	if !slices.Contains(v.Flags, "ValidFinalChunk") {
		t.Errorf("%d %s: its length passed", v.ID, v.Comment)
	}
	if _, err := io.ReadAll(io.NewSectionReader(r, 0, r.Size())); err == nil {
		t.Errorf("%d %s: read whole at random places", v.ID, v.Comment)
	}
}

// stream reads all, and holds the Reader to its word that an error stays.
func stream(key cobblestone.Key, context []byte, src io.Reader) ([]byte, error) {
	r, err := cobblestone.NewReader(src, key, context)
	if err != nil {
		return nil, err
	}
	out, err := io.ReadAll(r)
	if err != nil {
		if n, again := r.Read(make([]byte, 1)); n > 0 || again == nil || errors.Is(again, io.EOF) {
			return out, nil // the caller reports it
		}
	}
	return out, err
}
