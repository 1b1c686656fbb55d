package sealeddevice_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/waxwing-ota/waxwing/internal/core/canon"
	"github.com/waxwing-ota/waxwing/internal/core/grant"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/p256"
	"github.com/waxwing-ota/waxwing/internal/core/sealed"
	"github.com/waxwing-ota/waxwing/internal/core/sealed/lifecycle"
	"github.com/waxwing-ota/waxwing/internal/sealeddevice"
	"github.com/waxwing-ota/waxwing/internal/testkit/sealedworld"
)

// runs demands that the device shows exactly the files of a bundle, nil = its own.
func runs(t *testing.T, dir string, got sealeddevice.Loaded, want *sealedworld.Bundle) {
	t.Helper()
	if want == nil {
		if got != (sealeddevice.Loaded{}) {
			t.Fatalf("it runs %+v, want the built-in bundle", got)
		}
		return
	}
	if got.Manifest != want.SHA256() {
		t.Fatalf("it runs %+v, want seq %d", got, want.Manifest.Seq)
	}
	files := map[string]string{}
	root := filepath.Join(dir, got.Dir)
	err := filepath.WalkDir(root, func(p string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		b, err := os.ReadFile(p)
		rel, _ := filepath.Rel(root, p)
		files[filepath.ToSlash(rel)] = string(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	expect := map[string]string{}
	for p, b := range want.Files {
		expect[p] = string(b)
	}
	if diff := cmp.Diff(expect, files); diff != "" {
		t.Fatal(diff)
	}
}

func check(t *testing.T, d *sealeddevice.Device) sealeddevice.Checked {
	t.Helper()
	c, err := d.Check(t.Context())
	if err != nil {
		t.Fatalf("%v (%s)", err, ota.CodeOf(err))
	}
	return c
}

func must[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatalf("%v (%s)", err, ota.CodeOf(err))
		}
		return v
	}
}

// TestLife is the life of an enrolled device: encrypted bundles come, share files,
// work, fail and are taken back, and it says so under its key.
func TestLife(t *testing.T) {
	w := sealedworld.New(t, app)
	s, dir := serve(t, w), t.TempDir()
	d := s.device(dir, nil)
	run := must[sealeddevice.Loaded](t)
	runs(t, dir, run(d.Start()), nil)

	one := w.Release(sealed.ClassProduction, 1, nil)
	s.offer = one
	if _, err := d.Check(t.Context()); ota.CodeOf(err) != sealeddevice.CodeGrant {
		t.Fatalf("an encrypted bundle without a certificate: %v", err)
	}
	if err := d.Enrol(t.Context(), "", "", sealed.Attestation{}); err != nil {
		t.Fatal(err)
	}
	if c := check(t, d); c.Seq != 1 || c.Files.Fetched != 3 {
		t.Errorf("first bundle: %+v", c)
	}
	runs(t, dir, run(d.Switch()), one)
	if err := d.Ready(); err != nil {
		t.Fatal(err)
	}
	s.offer = nil
	before := s.got["metadata"]
	if c := check(t, d); c.Action != sealed.ActionStay || s.got["metadata"] != before {
		t.Errorf("nothing to do: %+v", c)
	}

	two := w.Release(sealed.ClassProduction, 2, nil)
	s.offer = two
	if c := check(t, d); c.Files.Kept != 2 || c.Files.Fetched != 1 {
		t.Errorf("second bundle: %+v", c)
	}
	runs(t, dir, run(d.Start()), two)
	runs(t, dir, run(d.Timeout()), one) // its page gave no word
	asked := s.got["blobs"]
	if _, err := d.Check(t.Context()); ota.CodeOf(err) != lifecycle.CodeFailed || s.got["blobs"] != asked {
		t.Errorf("a bundle that failed here is taken again: %v", err)
	}
	three := w.Release(sealed.ClassProduction, 3, func(m *sealed.Manifest) { m.Floor = 2 })
	s.offer = three
	check(t, d)
	d.Close()
	d = s.device(dir, nil)
	runs(t, dir, run(d.Start()), three) // killed before the switch: the next start does it
	if err := d.Ready(); err != nil {
		t.Fatal(err)
	}
	s.offer = one
	if _, err := d.Check(t.Context()); err == nil {
		t.Error("a bundle below the floor is taken")
	}
	s.offer, s.change = nil, func(d *sealed.Director) { d.Action = sealed.ActionBuiltin }
	if c := check(t, d); c.Loaded == nil {
		t.Errorf("back to built-in: %+v", c)
	}
	runs(t, dir, run(d.Start()), nil)
	if err := d.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	var said []string
	for i, r := range s.reports {
		said = append(said, fmt.Sprintf("%d %s %s", r.Seq, r.Event, r.Reason))
		if r.N != int64(i+1) {
			t.Errorf("report %d has the number %d", i+1, r.N)
		}
	}
	want := []string{
		"1 offered ", "1 downloaded ", "1 verified ", "1 installed ", "1 healthy ",
		"2 offered ", "2 downloaded ", "2 verified ", "2 installed ", "2 failed health_timeout", "2 rolled_back health_timeout",
		"3 offered ", "3 downloaded ", "3 verified ", "3 installed ", "3 healthy ", "3 rolled_back director_builtin",
	}
	if diff := cmp.Diff(want, said); diff != "" {
		t.Error(diff)
	}
}

// killed is what a step panics with.
type killed struct{}

// TestKilledAtEveryStep ends the process at each of its durable steps in turn, of
// two updates with what comes between: whatever it finds when it comes again, it
// shows a whole bundle that was approved, never an older one than before, and the
// next attempt gets through.
func TestKilledAtEveryStep(t *testing.T) {
	w := sealedworld.New(t, app)
	one := w.Release(sealed.ClassProduction, 1, plainText)
	two := w.Release(sealed.ClassProduction, 2, func(m *sealed.Manifest) { plainText(m); m.Floor = 2 })
	s := serve(t, w)
	bundles := map[string]*sealedworld.Bundle{one.SHA256(): one, two.SHA256(): two}
	for at := 1; ; at++ {
		dir := t.TempDir()
		left, steps := at, []string{}
		life := func() (done bool) {
			defer func() {
				if r := recover(); r != nil {
					if _, ok := r.(killed); !ok {
						panic(r)
					}
				}
			}()
			d := s.device(dir, func(c *sealeddevice.Config) {
				c.Step = func(name string) {
					if left--; left == 0 {
						steps = append(steps, name)
						panic(killed{})
					}
				}
			})
			defer d.Close()
			for _, b := range []*sealedworld.Bundle{one, two} {
				s.mu.Lock()
				s.offer = b
				s.mu.Unlock()
				if d.Status().Highest >= b.Manifest.Seq && d.Status().Running.Seq == b.Manifest.Seq {
					continue
				}
				if d.Status().Running.Seq < b.Manifest.Seq {
					if d.Status().Floor <= b.Manifest.Seq {
						check(t, d)
					}
					if _, err := d.Switch(); err != nil {
						t.Fatal(err)
					}
					if err := d.Ready(); err != nil {
						t.Fatal(err)
					}
				}
			}
			return true
		}
		if life() {
			if at < 30 {
				t.Errorf("only %d steps were found", at-1)
			}
			t.Logf("killed at each of %d steps", at-1)
			return
		}
		left = -1 // never again
		d := s.device(dir, nil)
		got, err := d.Start()
		if err != nil {
			t.Fatalf("killed at %v: %v", steps, err)
		}
		runs(t, dir, got, bundles[got.Manifest])
		if got.Seq < d.Status().Floor && got.Seq != 0 {
			t.Fatalf("killed at %v: it runs %d below its floor %d", steps, got.Seq, d.Status().Floor)
		}
		d.Close()
		if !life() {
			t.Fatal("killed twice")
		}
		d = s.device(dir, nil)
		runs(t, dir, must[sealeddevice.Loaded](t)(d.Start()), two)
		d.Close()
	}
}

func TestLostAndDamagedState(t *testing.T) {
	w := sealedworld.New(t, app)
	s := serve(t, w)
	s.offer = w.Release(sealed.ClassProduction, 5, func(m *sealed.Manifest) { plainText(m); m.Floor = 5 })
	old := w.Release(sealed.ClassProduction, 6, plainText)
	for _, c := range []struct {
		name  string
		spoil func(dir string) error
		runs  *sealedworld.Bundle
	}{
		{"nothing happened", func(string) error { return nil }, s.offer},
		{"state lost", func(dir string) error { return os.Remove(filepath.Join(dir, "state")) }, nil},
		{"state cut", func(dir string) error { return os.Truncate(filepath.Join(dir, "state"), 100) }, nil},
		{"file changed", func(dir string) error {
			return os.WriteFile(filepath.Join(dir, "bundles", s.offer.SHA256(), "www", "app.js"), []byte("evil()"), 0o600)
		}, nil},
		{"file added", func(dir string) error {
			return os.WriteFile(filepath.Join(dir, "bundles", s.offer.SHA256(), "www", "more.js"), nil, 0o600)
		}, nil},
		{"file gone", func(dir string) error {
			return os.Remove(filepath.Join(dir, "bundles", s.offer.SHA256(), "www", "index.html"))
		}, nil},
		{"file is a link", func(dir string) error {
			p := filepath.Join(dir, "bundles", s.offer.SHA256(), "www", "app.js")
			if err := os.Rename(p, filepath.Join(dir, "elsewhere.js")); err != nil {
				return err
			}
			return os.Symlink("/etc/hostname", p)
		}, nil},
		{"manifest of another", func(dir string) error {
			return os.WriteFile(filepath.Join(dir, "bundles", s.offer.SHA256(), "manifest"), old.Raw, 0o600)
		}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			d := s.device(dir, nil)
			check(t, d)
			if _, err := d.Switch(); err != nil {
				t.Fatal(err)
			}
			if err := d.Ready(); err != nil {
				t.Fatal(err)
			}
			d.Close()
			if err := c.spoil(dir); err != nil {
				t.Fatal(err)
			}
			d = s.device(dir, nil)
			runs(t, dir, must[sealeddevice.Loaded](t)(d.Start()), c.runs)
			if d.Status().Floor != 5 {
				t.Errorf("floor %d, want 5: it fell", d.Status().Floor)
			}
			check(t, d) // and it heals
			if c.runs == nil {
				runs(t, dir, must[sealeddevice.Loaded](t)(d.Start()), s.offer)
			}
		})
	}
}

// A connection that breaks again and again brings the rest in the end, and what
// was there is not asked for twice.
func TestResume(t *testing.T) {
	w := sealedworld.New(t, app)
	s, dir := serve(t, w), t.TempDir()
	files := sealedworld.Files("x")
	files["big.bin"] = []byte(strings.Repeat("0123456789abcdef", 64<<10))
	b := w.Make(sealed.ClassProduction, 1, files, plainText)
	w.Approve(b)
	s.offer = b
	sent := 0
	s.blob = func(rw http.ResponseWriter, r *http.Request, content []byte) {
		var from int
		_, _ = fmt.Sscanf(r.Header.Get("Range"), "bytes=%d-", &from)
		part := content[from:min(len(content), from+300_000)]
		rw.Header().Set("Content-Length", fmt.Sprint(len(content)-from))
		if from > 0 {
			rw.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, len(content)-1, len(content)))
			rw.WriteHeader(http.StatusPartialContent)
		}
		n, _ := rw.Write(part)
		sent += n // what is short of the length breaks the connection
	}
	d := s.device(dir, nil)
	if c := check(t, d); c.Seq != 1 {
		t.Errorf("%+v", c)
	}
	runs(t, dir, must[sealeddevice.Loaded](t)(d.Start()), b)
	total := 0
	for _, blob := range b.Blobs {
		total += len(blob)
	}
	if sent != total {
		t.Errorf("%d bytes were sent for blobs of %d", sent, total)
	}
}

func TestMirrors(t *testing.T) {
	w := sealedworld.New(t, app)
	good, liar, dead := serve(t, w), serve(t, w), serve(t, w)
	b := w.Release(sealed.ClassProduction, 1, plainText)
	for _, s := range []*server{good, liar, dead} {
		s.offer = b
	}
	liar.blob = func(rw http.ResponseWriter, _ *http.Request, content []byte) {
		_, _ = rw.Write([]byte(strings.Repeat("x", len(content))))
	}
	dead.blob = func(rw http.ResponseWriter, _ *http.Request, _ []byte) { http.Error(rw, "no", http.StatusBadGateway) }
	dir := t.TempDir()
	d := liar.device(dir, func(c *sealeddevice.Config) { c.Mirrors = []string{dead.URL, good.URL} })
	check(t, d)
	runs(t, dir, must[sealeddevice.Loaded](t)(d.Start()), b)

	alone := liar.device(t.TempDir(), nil)
	if _, err := alone.Check(t.Context()); err == nil {
		t.Error("bytes that nobody signed were taken")
	}
	runs(t, "", must[sealeddevice.Loaded](t)(alone.Start()), nil)
}

func TestSlowAndEndless(t *testing.T) {
	w := sealedworld.New(t, app)
	s := serve(t, w)
	s.offer = w.Release(sealed.ClassProduction, 1, plainText)
	stop := make(chan struct{})
	defer close(stop)
	s.blobsBy(func(rw http.ResponseWriter, r *http.Request, _ []byte) {
		_, _ = rw.Write([]byte("x"))
		rw.(http.Flusher).Flush()
		select { // and no more
		case <-stop:
		case <-r.Context().Done():
		}
	})
	d := s.device(t.TempDir(), func(c *sealeddevice.Config) { c.Slow, c.MinBytes = 100*time.Millisecond, 1000 })
	if _, err := d.Check(t.Context()); !strings.Contains(fmt.Sprint(err), "fewer than 1000 bytes") {
		t.Errorf("a server that sends a byte and waits: %v", err)
	}
	s.blobsBy(func(rw http.ResponseWriter, r *http.Request, _ []byte) {
		drip := time.NewTicker(20 * time.Millisecond)
		defer drip.Stop()
		for r.Context().Err() == nil { // one byte, again and again
			_, _ = rw.Write([]byte("x"))
			rw.(http.Flusher).Flush()
			<-drip.C
		}
	})
	if _, err := d.Check(t.Context()); !strings.Contains(fmt.Sprint(err), "fewer than 1000 bytes") {
		t.Errorf("a server that drips: %v", err)
	}
	var read int64
	s.blobsBy(func(rw http.ResponseWriter, r *http.Request, _ []byte) {
		for r.Context().Err() == nil {
			n, err := rw.Write(make([]byte, 4096))
			if read += int64(n); err != nil || read > 64<<20 {
				return
			}
		}
	})
	_, err := d.Check(t.Context())
	s.blobsBy(nil) // it has ended
	if err == nil || read > 32<<20 {
		t.Errorf("a server that never ends: %v after %d bytes", err, read)
	}
}

// A grant counts only from an authority of trust.json, for this bundle, epoch and
// device, and while it holds.
func TestGrants(t *testing.T) {
	w := sealedworld.New(t, app)
	s := serve(t, w)
	s.offer = w.Release(sealed.ClassProduction, 1, nil)
	d := s.device(t.TempDir(), nil)
	if err := d.Enrol(t.Context(), "", "", sealed.Attestation{}); err != nil {
		t.Fatal(err)
	}
	other := sealed.HashOf([]byte("other"))
	for name, lie := range map[string]func(*sealed.Grant, p256.Signer) p256.Signer{
		"authority unknown": func(g *sealed.Grant, _ p256.Signer) p256.Signer {
			g.Issuer = w.Key(sealedworld.Spare1).Public().ID()
			return w.Key(sealedworld.Spare1)
		},
		"signed by another": func(_ *sealed.Grant, _ p256.Signer) p256.Signer { return w.Key(sealedworld.Spare1) },
		"another app":       func(g *sealed.Grant, by p256.Signer) p256.Signer { g.App = "com.example.other"; return by },
		"another bundle":    func(g *sealed.Grant, by p256.Signer) p256.Signer { g.Manifest = other; return by },
		"another epoch":     func(g *sealed.Grant, by p256.Signer) p256.Signer { g.KeyEpoch++; return by },
		"another device":    func(g *sealed.Grant, by p256.Signer) p256.Signer { g.Thumbprint = other; return by },
		"over":              func(g *sealed.Grant, by p256.Signer) p256.Signer { g.NotAfter = canon.At(w.Now); return by },
		"for too long": func(g *sealed.Grant, by p256.Signer) p256.Signer {
			g.NotAfter = canon.At(w.Now.Add(25 * time.Hour))
			return by
		},
		"another key in it": func(g *sealed.Grant, by p256.Signer) p256.Signer { g.CT[0] ^= 1; return by },
	} {
		s.lie = lie
		want := map[string]string{"signed by another": sealed.CodeSignature, "another key in it": grant.CodeClosed}[name]
		if want == "" {
			want = sealeddevice.CodeGrant
		}
		if _, err := d.Check(t.Context()); ota.CodeOf(err) != want {
			t.Errorf("%s: %v (%s), want %s", name, err, ota.CodeOf(err), want)
		}
	}
	s.lie = nil
	check(t, d)
}

// What another process left in the folder of a download is no part of the bundle.
func TestLeftovers(t *testing.T) {
	w := sealedworld.New(t, app)
	s, dir := serve(t, w), t.TempDir()
	s.offer = w.Release(sealed.ClassProduction, 1, plainText)
	d := s.device(dir, nil)
	www := filepath.Join(dir, "intake", s.offer.SHA256(), "www")
	for path, content := range map[string]string{"more.js": "evil()", "app.js": "half of"} {
		if err := os.MkdirAll(www, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(www, path), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	check(t, d)
	runs(t, dir, must[sealeddevice.Loaded](t)(d.Start()), s.offer)
}
