package admitvectors

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/waxwing-ota/waxwing/internal/core/sealed"
	"github.com/waxwing-ota/waxwing/internal/core/sealed/admit"
	"github.com/waxwing-ota/waxwing/internal/testkit/sealedworld"
)

var update = flag.Bool("update", false, "write the vectors anew")

const (
	app    = "com.example.app"
	folder = "../../../docs/sealed/vectors"
	about  = "build, state, now, request, answer: what a device gets. A text that starts with # is a name in pool. " +
		"state and answer: the canonical form of the object is what is stored and sent; raw: the bytes that were sent instead. " +
		"blobs: stored files by address. extra: files that are there besides. expect: code of the refusal or empty; action, and of a bundle " +
		"that was taken in seq and tree; state: SHA-256 of the canonical state to keep, also after a refusal. See docs/sealed/spec.md."
)

// bench collects the scenes of one file.
type bench struct {
	t *testing.T
	w *sealedworld.World
	f *File
	n int
}

func newBench(t *testing.T, f *File) *bench { return &bench{t: t, w: sealedworld.New(t, app), f: f} }

// ask is a scene: a device in the state gets what an honest server says.
func (b *bench) ask(name string, build admit.Build, st admit.State, bundle *sealedworld.Bundle) *Scene {
	b.n++
	s := &Scene{Name: name, State: st, In: b.w.Input(build, st, bundle, b.n), Key: b.w.Epoch}
	if bundle != nil {
		s.Blobs = bundle.Blobs
	}
	return s
}

// add writes the scene and demands its outcome.
func (b *bench) add(s *Scene, code string) {
	b.t.Helper()
	if err := b.f.Add(*s); err != nil {
		b.t.Fatal(err)
	}
	if got := b.f.Cases[len(b.f.Cases)-1].Expect; got.Code != code || got.State == "" {
		b.t.Errorf("%s: %+v, want the code %q", s.Name, got, code)
	}
}

// after is the state of a device that took the bundle in.
func (b *bench) after(build admit.Build, st admit.State, bundle *sealedworld.Bundle) admit.State {
	b.t.Helper()
	s := b.ask("", build, st, bundle)
	_, next, err := admit.Admit(st, s.In, b.w.Source(bundle))
	if err != nil {
		b.t.Fatal(err)
	}
	return next
}

func (b *bench) production(seq int64) *sealedworld.Bundle {
	return b.w.Release(sealed.ClassProduction, seq, nil)
}

// The files in docs are what this program says, and every outcome is as meant.
func TestVectors(t *testing.T) {
	total := 0
	for name, write := range map[string]func(*testing.T, *File){"admit-good.json": good, "admit-refused.json": refusals} {
		f := &File{About: about}
		write(t, f)
		got, err := f.Encode()
		if err != nil {
			t.Fatal(err)
		}
		total += len(got)
		path := filepath.Join(folder, name)
		if *update {
			if err := os.WriteFile(path, got, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s is not what this program writes; -update writes it anew, and a change of what is there breaks other implementations", name)
		}
		again(t, want)
		t.Logf("%s: %d cases, %d bytes", name, len(f.Cases), len(want))
	}
	if total > 1<<20 {
		t.Errorf("the vectors have %d bytes", total)
	}
}

// again runs the cases from the bytes alone, as another program would.
func again(t *testing.T, b []byte) {
	t.Helper()
	var f File
	if err := json.Unmarshal(b, &f); err != nil {
		t.Fatal(err)
	}
	for _, c := range f.Cases {
		if got, err := f.Run(c); err != nil || got != c.Expect {
			t.Errorf("%s: %+v, %v, want %+v", c.Name, got, err, c.Expect)
		}
	}
}
