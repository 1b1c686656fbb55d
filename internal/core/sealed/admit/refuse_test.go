package admit_test

import (
	"bytes"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/canon"
	"github.com/waxwing-ota/waxwing/internal/core/cobblestone"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/sealed"
	"github.com/waxwing-ota/waxwing/internal/core/sealed/admit"
	"github.com/waxwing-ota/waxwing/internal/core/tuf"
	"github.com/waxwing-ota/waxwing/internal/testkit/sealedworld"
)

// refused demands that the input admits nothing, for the reason.
func refused(t *testing.T, name string, st admit.State, in admit.Input, code string) {
	t.Helper()
	d, next, err := admit.Decide(st, in)
	if err == nil {
		t.Errorf("%s: decided %+v", name, d)
		return
	}
	if ota.CodeOf(err) != code {
		t.Errorf("%s: %v (%s), want %s", name, err, ota.CodeOf(err), code)
	}
	if d.Plan != nil || d.Builtin.Valid() {
		t.Errorf("%s: an error and a decision", name)
	}
	if next.Floor < st.Floor || next.Issued.Before(st.Issued.Time) {
		t.Errorf("%s: the state became weaker", name)
	}
}

// Each thing that the manifest binds, one row.
func TestWrongSoftware(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(*sealed.Manifest)
		build  func(*admit.Build)
		code   string
	}{
		{"another platform", func(m *sealed.Manifest) { m.Platforms = []string{"electron"} }, nil, admit.CodePlatform},
		{"a native app too old", func(m *sealed.Manifest) { m.Native.Min = "2.0.1" }, nil, admit.CodeNative},
		{"a native app too new", func(m *sealed.Manifest) { m.Native.Max = "1.9.9" }, nil, admit.CodeNative},
		{"a native app without a version", nil, func(b *admit.Build) { b.Version = "new" }, admit.CodeNative},
		{"below the floor of the build", nil, func(b *admit.Build) { b.Floor = 8 }, admit.CodeFloor},
	} {
		w := sealedworld.New(t, app)
		bundle := w.Release(sealed.ClassProduction, 7, tt.change)
		b := w.Build("android")
		if tt.build != nil {
			tt.build(&b)
		}
		st := admit.Fresh(b)
		refused(t, tt.name, st, w.Input(b, st, bundle, 1), tt.code)
	}
}

// The cross product of app, platform, native range and class: exactly those
// combinations run that were meant to.
func TestCrossProduct(t *testing.T) {
	apps := map[string]*sealedworld.World{}
	for _, a := range []string{app, "com.example.other"} {
		apps[a] = sealedworld.New(t, a)
	}
	seq := int64(0)
	for owner, w := range apps {
		for _, class := range []string{sealed.ClassProduction, sealed.ClassStaging} {
			for _, platform := range []string{"android", "ios"} {
				for _, native := range []sealed.Native{{Min: "1.0.0"}, {Min: "2.0.0"}, {Min: "1.0.0", Max: "1.5.0"}} {
					seq++
					bundle := w.Release(class, seq, func(m *sealed.Manifest) { m.Platforms, m.Native = []string{platform}, native })
					for device, dw := range apps {
						for _, on := range []string{"android", "ios"} {
							for _, version := range []string{"1.2.0", "2.1.0"} {
								for _, least := range []string{sealed.ClassProduction, sealed.ClassStaging} {
									b := dw.Build(on)
									b.Version, b.MinClass = version, least
									st := admit.Fresh(b)
									in := dw.Input(b, st, nil, 1)
									// A director of the device's app names it; the rest is the owner's.
									in.Answer = w.Answer(in.Request, bundle, nil)
									if device != owner {
										in.Answer.Director = dw.Direct(in.Request, nil, func(d *sealed.Director) {
											d.Action, d.Target = sealed.ActionInstall, bundle.Target()
											d.Target.Path = sealed.TargetPath(class, device, seq)
										})
									}
									dec, _, err := admit.Decide(st, in)
									want := device == owner && on == platform && native.Holds(version) && (class == sealed.ClassProduction || least == sealed.ClassStaging)
									if got := err == nil && dec.Plan != nil; got != want {
										t.Errorf("%s bundle of %s for %s %v on %s %s %s that runs %s: admitted %v (%v)", class, owner, platform, native, device, on, version, least, got, err)
									}
								}
							}
						}
					}
				}
			}
		}
	}
}

func TestDirector(t *testing.T) {
	w := sealedworld.New(t, app)
	one := w.Release(sealed.ClassProduction, 1, nil)
	two := w.Release(sealed.ClassProduction, 2, nil)
	staged := w.Release(sealed.ClassStaging, 3, nil)
	b := w.Build("ios")
	st := admit.Fresh(b)
	in := w.Input(b, st, one, 1)
	for _, tt := range []struct {
		name   string
		change func(*sealed.Director)
		code   string
	}{
		{"another request", func(d *sealed.Director) { d.Request = sealed.HashOf([]byte("x")) }, admit.CodeRequest},
		{"another device", func(d *sealed.Director) { d.Device = sealed.HashOf([]byte("x")) }, admit.CodeDevice},
		{"another app", func(d *sealed.Director) {
			d.App, d.Target.Path = "com.example.other", sealed.TargetPath(sealed.ClassProduction, "com.example.other", 1)
		}, admit.CodeApp},
		{"from the future", func(d *sealed.Director) {
			d.Issued, d.Expires = canon.At(w.Now.Add(6*time.Minute)), canon.At(w.Now.Add(9*time.Minute))
		}, admit.CodeExpired},
		{"expired", func(d *sealed.Director) { d.Issued, d.Expires = canon.At(w.Now.Add(-6*time.Minute)), canon.At(w.Now) }, admit.CodeExpired},
		{"below its own floor", func(d *sealed.Director) { d.Floor = 2 }, admit.CodeFloor},
		{"another hash", func(d *sealed.Director) { d.Target.SHA256 = two.SHA256() }, admit.CodeTarget},
		{"a hash of nothing", func(d *sealed.Director) { d.Target.SHA256 = sealed.HashOf(nil) }, admit.CodeTarget},
		{"a target of nobody", func(d *sealed.Director) {
			d.Target = two.Target()
			d.Target.Seq, d.Target.Path = 9, sealed.TargetPath(sealed.ClassProduction, app, 9)
		}, tuf.CodeTarget},
		{"another target than the manifest", func(d *sealed.Director) { d.Target = two.Target() }, admit.CodeManifest},
		{"a class that CI may sign", func(d *sealed.Director) { d.Target = staged.Target() }, admit.CodeManifest},
		{"newer metadata that is not here", func(d *sealed.Director) { d.Timestamp++ }, admit.CodeMissing},
		{"a newer root that is not here", func(d *sealed.Director) { d.Root++ }, admit.CodeMissing},
	} {
		bad := in
		bad.Answer = w.Answer(in.Request, one, tt.change)
		refused(t, tt.name, st, bad, tt.code)
	}
	production := b
	production.MinClass = sealed.ClassProduction
	in.Build = production
	in.Answer = w.Answer(in.Request, staged, nil)
	refused(t, "staging on a production app", admit.Fresh(production), in, admit.CodeClass)
	w.Trust.MinClass = sealed.ClassProduction
	w.PublishTrust()
	in = w.Input(b, st, staged, 2)
	refused(t, "staging where trust.json says production", st, in, admit.CodeClass)
	in = w.Input(b, st, one, 3)
	other := w.Input(b, st, one, 4)
	in.Answer.Director = other.Answer.Director
	refused(t, "a recorded answer", st, in, admit.CodeRequest)
	in.Answer.Director = nil
	refused(t, "no director", st, in, sealed.CodeDocument)
}

// A director may send every device back to the built-in bundle, by its word and
// nobody else's.
func TestBuiltin(t *testing.T) {
	w := sealedworld.New(t, app)
	b := w.Build("ios")
	st := admit.Fresh(b)
	in := w.Input(b, st, nil, 1)
	in.Answer = w.Answer(in.Request, nil, func(d *sealed.Director) { d.Action = sealed.ActionBuiltin })
	d, _, err := admit.Decide(st, in)
	if err != nil || d.Action != sealed.ActionBuiltin || !d.Builtin.Valid() || d.Plan != nil {
		t.Fatalf("%+v, %v", d, err)
	}
	in.Answer.Director = bytes.Replace(in.Answer.Director, []byte("builtin"), []byte("install"), 1)
	if d, _, err := admit.Decide(st, in); err == nil || d.Builtin.Valid() {
		t.Errorf("%+v, %v", d, err)
	}
}

func TestClock(t *testing.T) {
	w := sealedworld.New(t, app)
	bundle := w.Release(sealed.ClassProduction, 1, nil)
	b := w.Build("android")
	fresh := admit.Fresh(b)
	st := install(t, w, b, fresh, bundle, 1)
	for _, tt := range []struct {
		name string
		now  time.Time
		code string
	}{
		{"1970", time.Unix(0, 0), admit.CodeClock},
		{"ten years back", w.Now.AddDate(-10, 0, 0), admit.CodeClock},
		{"six minutes back", w.Now.Add(-6 * time.Minute), admit.CodeClock},
		{"four minutes back", w.Now.Add(-4 * time.Minute), ""},
		{"nine minutes on", w.Now.Add(9 * time.Minute), ""},
		{"ten minutes on", w.Now.Add(10 * time.Minute), admit.CodeExpired},
		{"a day on", w.Now.Add(25 * time.Hour), tuf.CodeExpired},
		{"ten years on", w.Now.AddDate(10, 0, 0), tuf.CodeExpired},
	} {
		in := w.Input(b, st, bundle, 2)
		in.Now = tt.now
		if tt.code == "" {
			if _, _, err := admit.Decide(st, in); err != nil {
				t.Errorf("%s: %v", tt.name, err)
			}
			continue
		}
		refused(t, tt.name, st, in, tt.code)
		in = w.Input(b, fresh, bundle, 2)
		if in.Now = tt.now; tt.now.Before(b.Made) {
			refused(t, tt.name+", nothing known", fresh, in, admit.CodeClock)
		}
	}
	// A clock that was wrong and is set again does no harm.
	in := w.Input(b, st, bundle, 3)
	in.Now = w.Now.AddDate(10, 0, 0)
	_, after, _ := admit.Decide(st, in)
	install(t, w, b, after, bundle, 4)
}

func TestLog(t *testing.T) {
	w := sealedworld.New(t, app)
	one := w.Release(sealed.ClassProduction, 1, nil)
	two := w.Release(sealed.ClassProduction, 2, nil)
	b := w.Build("android")
	st := install(t, w, b, admit.Fresh(b), two, 1)
	good := func() admit.Input { return w.Input(b, st, one, 2) }
	in := good()
	in.Answer.Proof = ""
	refused(t, "no proof", st, in, admit.CodeUnproven)
	in = good()
	in.Answer.Proof = w.Tree.Prove(two.Leaf, 2)
	refused(t, "the proof of another manifest", st, in, "entry_not_proven")
	in = good()
	in.Answer.Proof = w.Tree.Prove(one.Leaf, 1)
	refused(t, "a shorter log", st, in, "log_shrunk")
	fork := w.Tree.Fork(0)
	at := fork.Add(one.Raw)
	fork.Add([]byte("for you only"))
	fork.Add([]byte("more"))
	in = good()
	in.Answer.Proof, in.Answer.Consistency = fork.Prove(at, 3), fork.Consistency(2, 3)
	refused(t, "a forked log", st, in, "log_forked")
	stranger := sealedworld.New(t, "com.example.other").Tree
	stranger.Origin = w.Tree.Origin
	in = good()
	in.Answer.Proof = stranger.Prove(stranger.Add(one.Raw), 1)
	refused(t, "a log of other keys", st, in, "checkpoint_unsigned")
	w.Trust.Witnesses = sealed.Witnesses{Threshold: 1, Keys: []sealed.Witness{{Name: "w.example", Ed25519: sealed.HashOf([]byte("w"))}}}
	w.PublishTrust()
	refused(t, "no witness", st, good(), "witnesses_missing")
}

// Metadata that is replaced, withheld or mixed is found out.
func TestMixAndMatch(t *testing.T) {
	w := sealedworld.New(t, app)
	one := w.Release(sealed.ClassProduction, 1, nil)
	b := w.Build("android")
	fresh := admit.Fresh(b)
	old := w.Input(b, fresh, one, 1)
	w.Trust.Floor = 1
	w.PublishTrust()
	two := w.Release(sealed.ClassProduction, 2, nil)
	st := install(t, w, b, fresh, two, 2)
	in := w.Input(b, st, one, 3)
	in.Answer.Timestamp = old.Answer.Timestamp
	refused(t, "an older timestamp", st, in, tuf.CodeRollback)
	in = w.Input(b, st, one, 4)
	in.Answer.Snapshot = old.Answer.Snapshot
	refused(t, "an older snapshot", st, in, tuf.CodeHash)
	in = w.Input(b, st, one, 5)
	in.Answer.Roles.Targets = old.Answer.Roles.Targets
	refused(t, "older targets", st, in, tuf.CodeHash)
	in = w.Input(b, st, one, 6)
	in.Answer.Trust = old.Answer.Trust
	refused(t, "an older trust.json", st, in, admit.CodeTrust)
	in = w.Input(b, st, one, 7)
	in.Answer.Manifest = two.Raw
	refused(t, "the manifest of another bundle", st, in, admit.CodeManifest)
	refused(t, "everything old", st, old, tuf.CodeRollback)
	for _, drop := range []func(*sealed.Answer){
		func(a *sealed.Answer) { a.Timestamp = nil }, func(a *sealed.Answer) { a.Snapshot = nil },
		func(a *sealed.Answer) { a.Roles = sealed.Roles{} }, func(a *sealed.Answer) { a.Trust = nil }, func(a *sealed.Answer) { a.Manifest = nil },
	} {
		in := w.Input(b, fresh, two, 8)
		if drop(in.Answer); in.Answer.Timestamp == nil {
			in.Answer.Snapshot, in.Answer.Roles = nil, sealed.Roles{}
		} else if in.Answer.Snapshot == nil {
			in.Answer.Roles = sealed.Roles{}
		}
		_, next, err := admit.Decide(fresh, in)
		if ota.CodeOf(err) != admit.CodeMissing || len(admit.Missing(err)) == 0 || admit.Missing(err)[0].Max <= 0 {
			t.Errorf("something was left out: %v, missing %v", err, admit.Missing(err))
		}
		// What was taken in is not asked for again.
		in = w.Input(b, next, two, 9)
		in.Now = w.Now
		if _, _, err := admit.Decide(next, in); err != nil {
			t.Errorf("then all came: %v", err)
		}
	}
	// Known documents need not be sent again.
	in = w.Input(b, st, one, 10)
	in.Answer.Timestamp, in.Answer.Snapshot, in.Answer.Roles, in.Answer.Trust = nil, nil, sealed.Roles{}, nil
	if d, _, err := admit.Decide(st, in); err != nil || d.Plan == nil {
		t.Errorf("what is known was asked for: %v", err)
	}
}

// Swapping any two files between releases is refused, whatever they are.
func TestSwappedFiles(t *testing.T) {
	w := sealedworld.New(t, app)
	one := w.Release(sealed.ClassProduction, 1, nil)
	two := w.Release(sealed.ClassProduction, 2, nil)
	b := w.Build("android")
	st := admit.Fresh(b)
	in := w.Input(b, st, two, 1)
	for _, from := range []*sealedworld.Bundle{one, two} {
		for _, f := range two.Manifest.Files {
			for _, g := range from.Manifest.Files {
				s := w.Source(two)
				swapped := *two
				swapped.Blobs = maps.Clone(two.Blobs)
				swapped.Blobs[f.Blob] = from.Blobs[g.Blob]
				s.Bundle = &swapped
				v, _, err := admit.Admit(st, in, s)
				same := f.Blob == g.Blob
				if v.Valid() != same || (err == nil) != same {
					t.Errorf("%s of %d in the place of %s: %v", g.Path, from.Manifest.Seq, f.Path, err)
				}
			}
		}
	}
	s := w.Source(two)
	s.Extra = []string{"extra.js"}
	if v, _, err := admit.Admit(st, in, s); v.Valid() || ota.CodeOf(err) != admit.CodeFiles {
		t.Errorf("a file too many: %v", err)
	}
}

func TestIntake(t *testing.T) {
	w := sealedworld.New(t, app)
	bundle := w.Release(sealed.ClassProduction, 1, nil)
	b := w.Build("android")
	st := admit.Fresh(b)
	d, st, err := admit.Decide(st, w.Input(b, st, bundle, 1))
	if err != nil {
		t.Fatal(err)
	}
	key, err := w.Source(bundle).Key(bundle.Manifest)
	if err != nil {
		t.Fatal(err)
	}
	in, err := d.Plan.Intake(key)
	if err != nil {
		t.Fatal(err)
	}
	d.Plan.Manifest().Files[0].SHA256 = sealed.HashOf(nil) // changes a copy
	var present []string
	for _, f := range bundle.Manifest.Files {
		if _, err := in.Finish(present); ota.CodeOf(err) != admit.CodeFiles {
			t.Errorf("finished without %s: %v", f.Path, err)
		}
		blob := bundle.Blobs[f.Blob]
		for i := range blob {
			bad := slices.Clone(blob)
			bad[i] ^= 1
			if err := in.Blob(f.Path, bytes.NewReader(bad), &bytes.Buffer{}); err == nil {
				t.Fatalf("byte %d of %s changed unnoticed", i, f.Path)
			}
		}
		var out bytes.Buffer
		if err := in.Blob(f.Path, bytes.NewReader(append(slices.Clone(blob), 0)), &out); err == nil || out.Len() > 0 {
			t.Errorf("a byte too many: %v, wrote %d", err, out.Len())
		}
		if err := in.Blob(f.Path, bytes.NewReader(blob), &out); err != nil || out.String() != string(bundle.Files[f.Path]) {
			t.Errorf("%s: %v", f.Path, err)
		}
		if err := in.Keep(f.Path, bytes.NewReader([]byte("other")), &out); err == nil || len(in.Remaining()) == 0 {
			t.Errorf("another copy of %s was kept", f.Path)
		}
		if err := in.Keep(f.Path, bytes.NewReader(bundle.Files[f.Path]), &out); err != nil {
			t.Errorf("the copy of %s: %v", f.Path, err)
		}
		present = append(present, f.Path)
	}
	for _, bad := range [][]string{present[1:], append(slices.Clone(present), present[0]), append(slices.Clone(present[1:]), "x"), nil} {
		if v, err := in.Finish(bad); err == nil || v.Valid() {
			t.Errorf("finished with %v", bad)
		}
	}
	v, err := in.Finish(present)
	if err != nil || !v.Valid() {
		t.Fatal(err)
	}
	st.Floor = 2
	if _, err := st.Commit(v); ota.CodeOf(err) != admit.CodeFloor {
		t.Errorf("the floor rose between: %v", err)
	}
	if _, err := st.Commit(admit.Verified{}); ota.CodeOf(err) != admit.CodeUnverified {
		t.Errorf("nothing was committed: %v", err)
	}
	if _, err := d.Plan.Intake(cobblestone.Key{}); err == nil {
		t.Error("an encrypted bundle without its key")
	}
}
