package pack

import (
	"context"
	"io/fs"
	"os"
	"testing"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// sampleApp is a real web build to measure with; v1 below the folder that the
// environment names, or that folder itself.
func sampleApp(b *testing.B) fs.FS {
	b.Helper()
	dir := os.Getenv("WAXWING_SAMPLEAPP")
	if dir == "" {
		b.Skip("LOUD: WAXWING_SAMPLEAPP names no folder with a web build; nothing is measured")
	}
	if _, err := os.Stat(dir + "/v1"); err == nil {
		dir += "/v1"
	}
	return os.DirFS(dir)
}

func BenchmarkScanDir(b *testing.B) {
	app := sampleApp(b)
	b.SetBytes(mustScan(b, app, Limits{}).Size)
	m := startMeter()
	for b.Loop() {
		if _, err := ScanDir(context.Background(), app, Limits{}); err != nil {
			b.Fatal(err)
		}
	}
	m.report(b)
}

func BenchmarkWriteZip(b *testing.B) {
	app := sampleApp(b)
	s := mustScan(b, app, Limits{})
	b.SetBytes(s.Size)
	var n counter
	m := startMeter()
	for b.Loop() {
		n = 0
		if err := WriteZip(&n, app, s.Files); err != nil {
			b.Fatal(err)
		}
	}
	m.report(b)
	b.ReportMetric(float64(n), "zip-bytes")
}

func BenchmarkEncode(b *testing.B) {
	app := sampleApp(b)
	contents, size := readAll(b, app)
	b.SetBytes(size)
	var stored int
	m := startMeter()
	for b.Loop() {
		stored = 0
		for p, c := range contents {
			packed, _ := Encode(p, c, false)
			stored += len(packed)
		}
	}
	m.report(b)
	b.ReportMetric(float64(stored), "stored-bytes")
}

func BenchmarkDecode(b *testing.B) {
	contents, size := readAll(b, sampleApp(b))
	packed := map[string][]byte{}
	for p, c := range contents {
		packed[p], _ = Encode(p, c, true)
	}
	b.SetBytes(size)
	for b.Loop() {
		for p, c := range packed {
			if _, err := Decode(c, int64(len(contents[p]))); err != nil {
				b.Fatal(err)
			}
		}
	}
}

// BenchmarkCheckPath is what a device does per manifest entry.
func BenchmarkCheckPath(b *testing.B) {
	for b.Loop() {
		if err := CheckPath("assets/vendor/monaco/assets/css.worker-BpD9FCKP.js"); err != nil {
			b.Fatal(err)
		}
	}
}

func readAll(b *testing.B, app fs.FS) (contents map[string][]byte, size int64) {
	b.Helper()
	contents = map[string][]byte{}
	for _, f := range mustScan(b, app, Limits{}).Files {
		c, err := fs.ReadFile(app, f.Path)
		if err != nil || ota.Sum(c) != f.Hash {
			b.Fatalf("%s: %v", f.Path, err)
		}
		contents[f.Path] = c
		size += int64(len(c))
	}
	return contents, size
}
