package delta_test

import (
	"bytes"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/andybalholm/brotli"

	"github.com/waxwing-ota/waxwing/internal/core/delta"
)

// TestTable prints the tables of docs/sealed/spec-patches.md. WAXWING_SAMPLEAPP is
// a folder with two versions of a web app in v1 and v2.
func TestTable(t *testing.T) {
	dir := os.Getenv("WAXWING_SAMPLEAPP")
	if dir == "" {
		t.Skip("WAXWING_SAMPLEAPP names no folder with v1 and v2")
	}
	v1, v2 := files(t, dir+"/v1"), files(t, dir+"/v2")
	known := map[string]bool{}
	sketches := map[string]delta.Sketch{}
	for path, b := range v1 {
		known[string(b)] = true
		sketches[path] = delta.SketchOf(b)
	}
	var out strings.Builder
	out.WriteString("| file | bytes | brotli 11 | zstd | patch | with |\n|---|--:|--:|--:|--:|---|\n")
	var sum [4]int
	for path, b := range v2 {
		if known[string(b)] {
			continue
		}
		base, near := "", 0.0
		for p, s := range sketches {
			if x := s.Similarity(delta.SketchOf(b)); x > near {
				base, near = p, x
			}
		}
		row := [4]int{len(b), brotliSize(b), patchSize(t, nil, b), patchSize(t, v1[base], b)}
		for i := range sum {
			sum[i] += row[i]
		}
		fmt.Fprintf(&out, "| %s | %d | %d | %d | %d | %s |\n", path, row[0], row[1], row[2], row[3], base)
	}
	fmt.Fprintf(&out, "| together | %d | %d | %d | %d | |\n\n", sum[0], sum[1], sum[2], sum[3])

	var all [3]int
	for _, b := range v2 {
		full := len(b)
		z := patchSize(t, nil, b)
		all[0] += full
		all[1] += z
		if delta.Worth(z, full) {
			full = z
		}
		all[2] += full
	}
	fmt.Fprintf(&out, "whole v2: %d files, %d bytes, zstd %d, chosen %d\n\n", len(v2), all[0], all[1], all[2])
	out.WriteString("| one edit in … bytes | zstd of the whole | patch | share |\n|--:|--:|--:|--:|\n")
	edits(t, &out, longest(v2, ".js"))
	t.Log("\n" + out.String())
}

// edits shows what patches cost when a file changes all over.
func edits(t *testing.T, out *strings.Builder, old []byte) {
	for _, every := range []int{100000, 10000, 1000, 300, 100, 30, 10} {
		rnd := rand.New(rand.NewPCG(1, 2))
		var new bytes.Buffer
		for at := 0; at < len(old); {
			n := min(len(old)-at, 1+rnd.IntN(2*every))
			new.Write(old[at : at+n])
			fmt.Fprintf(&new, "%03x", rnd.IntN(4096)) // an identifier that was renamed
			at += n + 3
			at = min(at, len(old))
		}
		z, p := patchSize(t, nil, new.Bytes()), patchSize(t, old, new.Bytes())
		fmt.Fprintf(out, "| %d | %d | %d | %d %% |\n", every, z, p, 100*p/z)
	}
}

func files(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	root := os.DirFS(dir)
	all := map[string][]byte{}
	err := fs.WalkDir(root, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := fs.ReadFile(root, path)
		all[path] = b
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func longest(all map[string][]byte, suffix string) []byte {
	var l []byte
	for path, b := range all {
		if strings.HasSuffix(path, suffix) && len(b) > len(l) {
			l = b
		}
	}
	return l
}

func patchSize(t *testing.T, old, new []byte) int {
	t.Helper()
	p, err := delta.Make(old, new)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := delta.Apply(old, p, int64(len(new))); err != nil || !bytes.Equal(got, new) {
		t.Fatal("the patch makes something else: ", err)
	}
	return len(p)
}

func brotliSize(b []byte) int {
	var out bytes.Buffer
	w := brotli.NewWriterLevel(&out, brotli.BestCompression)
	_, _ = w.Write(b)
	_ = w.Close()
	return out.Len()
}
