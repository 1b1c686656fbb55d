package oracle

import (
	"bytes"
	"fmt"
	"net/http"
	"testing"

	"github.com/transparency-dev/merkle/compact"
	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/tilelog"
)

// fill makes entries: n changes of an app's name.
func fill(t *testing.T, s *server, n int) {
	t.Helper()
	for i := range n {
		s.call(t, http.MethodPatch, "/api/v1/apps/com.example.a", map[string]string{"name": fmt.Sprint("name ", i, " of ", n)}, nil)
	}
}

// checkpoint reads the checkpoint with package note, not with ours.
func checkpoint(t *testing.T, s *server, vkey string) (size int64, root []byte) {
	t.Helper()
	status, b, _ := s.get(t, "/log/checkpoint", false)
	if status != http.StatusOK {
		t.Fatalf("checkpoint: %d %s", status, b)
	}
	v, err := note.NewVerifier(vkey)
	if err != nil {
		t.Fatal(err)
	}
	n, err := note.Open(b, note.VerifierList(v))
	if err != nil {
		t.Fatal(err)
	}
	var origin, hash string
	if _, err := fmt.Sscanf(n.Text, "%s\n%d\n%s\n", &origin, &size, &hash); err != nil || origin != v.Name() {
		t.Fatalf("%q: %v", n.Text, err)
	}
	h, err := tlog.ParseHash(hash)
	if err != nil {
		t.Fatal(err)
	}
	return size, h[:]
}

// TestServerThroughHTTP walks a server's log as a monitor would: tiles, entries
// and proofs, all checked with the other implementation.
func TestServerThroughHTTP(t *testing.T) {
	s := start(t)
	s.call(t, http.MethodPost, "/api/v1/apps", map[string]string{"id": "com.example.a"}, nil)
	fill(t, s, 60)
	var k ota.AuditKey
	s.call(t, http.MethodGet, "/api/v1/audit/key", nil, &k)
	oldSize, oldRoot := checkpoint(t, s, k.Key)
	fill(t, s, 220)
	size, root := checkpoint(t, s, k.Key)
	if size <= 256 || oldSize >= size {
		t.Fatalf("the log has %d entries, before %d", size, oldSize)
	}
	records, hashes := entries(t, s, size), hashTiles(t, s, 0, size)
	r := (&compact.RangeFactory{Hash: rfc6962.DefaultHasher.HashChildren}).NewEmptyRange(0)
	for i, rec := range records {
		leaf := rfc6962.DefaultHasher.HashLeaf(rec)
		if !bytes.Equal(leaf, hashes[i]) {
			t.Fatalf("entry %d is not that of its tile", i)
		}
		if err := r.Append(leaf, nil); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := r.GetRootHash(nil); err != nil || !bytes.Equal(got, root) {
		t.Fatalf("the entries have the root %x, the checkpoint %x", got, root)
	}
	upper := hashTiles(t, s, 1, size>>8)
	full := (&compact.RangeFactory{Hash: rfc6962.DefaultHasher.HashChildren}).NewEmptyRange(0)
	for _, h := range hashes[:256] {
		if err := full.Append(h, nil); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := full.GetRootHash(nil); err != nil || !bytes.Equal(got, upper[0]) {
		t.Fatal("the tile above does not have the root of the one below")
	}
	for _, id := range []int64{1, 2, 200, 257, size} {
		var p ota.AuditProof
		s.call(t, http.MethodGet, fmt.Sprintf("/api/v1/audit/entries/%d/proof", id), nil, &p)
		if err := proof.VerifyInclusion(rfc6962.DefaultHasher, uint64(p.Leaf), uint64(p.Checkpoint.Size), hashes[p.Leaf], digests(p.Proof), root); err != nil {
			t.Errorf("entry %d: %v", id, err)
		}
	}
	var c ota.AuditConsistency
	s.call(t, http.MethodGet, fmt.Sprintf("/api/v1/audit/consistency?from=%d", oldSize), nil, &c)
	if err := proof.VerifyConsistency(rfc6962.DefaultHasher, uint64(oldSize), uint64(size), digests(c.Proof), oldRoot, root); err != nil {
		t.Error(err)
	}
}

func digests(in []ota.Digest) [][]byte {
	out := make([][]byte, len(in))
	for i := range in {
		out[i] = in[i][:]
	}
	return out
}

// hashTiles reads the hashes of a level; full tiles by their address, the rest
// as a partial one.
func hashTiles(t *testing.T, s *server, level int, n int64) [][]byte {
	t.Helper()
	var out [][]byte
	for at := int64(0); at < n; at += 256 {
		tile := tlog.Tile{H: 8, L: level, N: at / 256, W: int(min(256, n-at))}
		status, b, h := s.get(t, "/log/"+tilelog.TilePath(tile), false)
		if status != http.StatusOK || len(b) != 32*tile.W || h.Get("Cache-Control") != "public, max-age=31536000, immutable" {
			t.Fatalf("%s: %d, %d bytes, %s", tilelog.TilePath(tile), status, len(b), h)
		}
		for i := range tile.W {
			out = append(out, b[32*i:32*i+32])
		}
	}
	return out
}

// entries reads the entry bundles, which need a token.
func entries(t *testing.T, s *server, n int64) [][]byte {
	t.Helper()
	var out [][]byte
	for at := int64(0); at < n; at += 256 {
		path := "/log/" + tilelog.TilePath(tlog.Tile{H: 8, L: -1, N: at / 256, W: int(min(256, n-at))})
		if status, _, _ := s.get(t, path, false); status != http.StatusUnauthorized {
			t.Fatalf("entries without a token: %d", status)
		}
		status, b, _ := s.get(t, path, true)
		if status != http.StatusOK {
			t.Fatalf("%s: %d %s", path, status, b)
		}
		some, err := tilelog.ParseBundle(b)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, some...)
	}
	return out
}
