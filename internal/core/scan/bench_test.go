package scan

import (
	"context"
	"os"
	"testing"
)

// BenchmarkRun scans the folder that SCAN_BENCH names.
func BenchmarkRun(b *testing.B) {
	dir := os.Getenv("SCAN_BENCH")
	if dir == "" {
		b.Skip("SCAN_BENCH names no folder")
	}
	entries, err := FromFS(os.DirFS(dir))
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		rep, err := Run(context.Background(), entries, Options{})
		if err != nil {
			b.Fatal(err)
		}
		b.SetBytes(rep.Bytes)
	}
}
