package admitvectors

import (
	"bytes"
	"encoding/hex"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/canon"
	"github.com/waxwing-ota/waxwing/internal/core/cobblestone"
	"github.com/waxwing-ota/waxwing/internal/core/sealed"
	"github.com/waxwing-ota/waxwing/internal/core/sealed/admit"
	"github.com/waxwing-ota/waxwing/internal/core/tuf"
	"github.com/waxwing-ota/waxwing/internal/testkit/sealedworld"
)

// refusals are what must not get in, each for one reason.
func refusals(t *testing.T, f *File) {
	documents(newBench(t, f))
	directors(newBench(t, f))
	logs(newBench(t, f))
	software(newBench(t, f))
	files(newBench(t, f))
}

// forged is a document with a signature that is of other bytes.
func forged(b []byte) []byte {
	out := bytes.Clone(b)
	i := bytes.Index(out, []byte(`"expires":"20`)) + len(`"expires":"20`)
	out[i]++
	return out
}

func documents(b *bench) {
	w := b.w
	one := b.production(1)
	device := w.Build("android")
	fresh := admit.Fresh(device)
	old := b.ask("", device, fresh, one)
	w.Trust.Floor = 1
	w.PublishTrust()
	two := b.production(2)
	st := b.after(device, fresh, two)
	try := func(name, code string, change func(a *sealed.Answer)) {
		s := b.ask(name, device, st, two)
		change(s.In.Answer)
		b.add(s, code)
	}
	try("an older timestamp", tuf.CodeRollback, func(a *sealed.Answer) { a.Timestamp = old.In.Answer.Timestamp })
	try("an older snapshot", tuf.CodeHash, func(a *sealed.Answer) { a.Snapshot = old.In.Answer.Snapshot })
	try("older targets", tuf.CodeHash, func(a *sealed.Answer) { a.Roles.Targets = old.In.Answer.Roles.Targets })
	try("an older trust.json", admit.CodeTrust, func(a *sealed.Answer) { a.Trust = old.In.Answer.Trust })
	try("the manifest of another bundle", admit.CodeManifest, func(a *sealed.Answer) { a.Manifest = one.Raw })
	try("the timestamp is another's document", canon.CodeUnknown, func(a *sealed.Answer) { a.Timestamp = w.Docs.Roles[tuf.RoleStaging] })
	try("no director", sealed.CodeDocument, func(a *sealed.Answer) { a.Director = nil })
	try("a root that is none", canon.CodeType, func(a *sealed.Answer) { a.Roots = []canon.Base64{[]byte("1")} })
	try("the first root again", tuf.CodeVersion, func(a *sealed.Answer) { a.Roots = []canon.Base64{w.Roots[0]} })
	s := b.ask("everything old", device, st, one)
	s.In = old.In
	b.add(s, tuf.CodeRollback)
	s = b.ask("an answer that is not canonical", device, st, two)
	raw, err := s.In.Answer.Encode()
	if err != nil {
		b.t.Fatal(err)
	}
	s.Raw = bytes.Replace(raw, []byte(`,`), []byte(`, `), 1)
	b.add(s, canon.CodeSyntax)
	s.Name, s.Raw = "an answer with a field too many", append(bytes.TrimSuffix(raw, []byte("}")), `,"zz":1}`...)
	b.add(s, canon.CodeUnknown)

	for _, d := range []struct {
		name string
		drop func(*sealed.Answer)
	}{
		{"no timestamp", func(a *sealed.Answer) { a.Timestamp, a.Snapshot, a.Roles = nil, nil, sealed.Roles{} }},
		{"no snapshot", func(a *sealed.Answer) { a.Snapshot, a.Roles = nil, sealed.Roles{} }},
		{"no targets", func(a *sealed.Answer) { a.Roles = sealed.Roles{} }},
		{"no trust.json", func(a *sealed.Answer) { a.Trust = nil }},
		{"no manifest", func(a *sealed.Answer) { a.Manifest = nil }},
	} {
		s := b.ask(d.name, device, fresh, two)
		d.drop(s.In.Answer)
		b.add(s, admit.CodeMissing)
	}
	signatures(b, device, st, two)
	clocks(b, device, st, two)
}

// signatures are by the wrong keys, or of other bytes, at each place.
func signatures(b *bench, device admit.Build, st admit.State, two *sealedworld.Bundle) {
	w := b.w
	s := b.ask("a forged timestamp", device, st, two)
	s.In.Answer.Timestamp = forged(w.Docs.Timestamp)
	b.add(s, tuf.CodeSignature)
	s = b.ask("a forged director", device, st, two)
	s.In.Answer.Director = bytes.Replace(s.In.Answer.Director, []byte(`"rollout":""`), []byte(`"rollout":"x"`), 1)
	b.add(s, sealed.CodeSignature)
	for _, r := range []struct {
		name, role string
		by         []int
	}{
		{"targets by one release key of two", tuf.RoleTargets, []int{sealedworld.Release1}},
		{"targets by the online keys", tuf.RoleTargets, []int{sealedworld.Snapshot, sealedworld.Timestamp, sealedworld.Staging}},
		{"staging by a stranger", tuf.RoleStaging, []int{sealedworld.Spare1}},
	} {
		x := newBench(b.t, b.f)
		x.production(1)
		x.w.By[r.role] = r.by
		class := sealed.ClassProduction
		if r.role == tuf.RoleStaging {
			class = sealed.ClassStaging
		}
		evil := x.w.Release(class, 2, nil)
		d := x.w.Build("android")
		x.add(x.ask(r.name, d, admit.Fresh(d), evil), tuf.CodeSignature)
	}
	for _, r := range []struct {
		name, role string
		by         []int
	}{
		{"a snapshot by a stranger", tuf.RoleSnapshot, []int{sealedworld.Spare1}},
		{"a timestamp by a stranger", tuf.RoleTimestamp, []int{sealedworld.Spare1}},
	} {
		x := newBench(b.t, b.f)
		x.w.By[r.role] = r.by
		evil := x.production(2)
		d := x.w.Build("android")
		x.add(x.ask(r.name, d, admit.Fresh(d), evil), tuf.CodeSignature)
	}
	x := newBench(b.t, b.f)
	good := x.production(1)
	p := x.w.RootPlan()
	p.Root = x.w.Keys(1, sealedworld.Spare1)
	x.w.By[tuf.RoleRoot] = []int{sealedworld.Root1, sealedworld.Spare1}
	x.w.Rotate(p)
	d := x.w.Build("android")
	x.add(x.ask("a root by one root key of two", d, admit.Fresh(d), good), tuf.CodeSignature)
	z := newBench(b.t, b.f)
	good = z.production(1)
	p.Root = z.w.Keys(2, sealedworld.Root1, sealedworld.Spare1, sealedworld.Spare2)
	z.w.By[tuf.RoleRoot] = []int{sealedworld.Root1, sealedworld.Root2}
	z.w.Rotate(p)
	d = z.w.Build("android")
	z.add(z.ask("a root that too few of its own keys signed", d, admit.Fresh(d), good), tuf.CodeSignature)
	padded(b, device, st, two)
	y := newBench(b.t, b.f)
	good = y.production(1)
	y.w.Rotate(y.w.RootPlan())
	y.w.Rotate(y.w.RootPlan())
	d = y.w.Build("android")
	s = y.ask("a root is skipped", d, admit.Fresh(d), good)
	s.In.Answer.Roots = s.In.Answer.Roots[1:]
	y.add(s, tuf.CodeVersion)
	y.w.Answers = sealedworld.Spare1
	y.add(y.ask("a director of nobody", d, admit.Fresh(d), good), sealed.CodeSignature)
}

// padded is a director whose signature has a needless zero byte before a number.
func padded(b *bench, device admit.Build, st admit.State, two *sealedworld.Bundle) {
	for {
		s := b.ask("a signature that is not minimal", device, st, two)
		at := bytes.Index(s.In.Answer.Director, []byte(`"sig":"30`)) + len(`"sig":"`)
		if !bytes.HasPrefix(s.In.Answer.Director[at+4:], []byte("0220")) {
			continue // the first number fills 33 bytes already
		}
		end := at + bytes.IndexByte(s.In.Answer.Director[at:], '"')
		der, err := hex.DecodeString(string(s.In.Answer.Director[at:end]))
		if err != nil {
			b.t.Fatal(err)
		}
		der = append([]byte{0x30, der[1] + 1, 2, 33, 0}, der[4:]...)
		s.In.Answer.Director = slices.Concat(s.In.Answer.Director[:at], []byte(hex.EncodeToString(der)), s.In.Answer.Director[end:])
		b.add(s, sealed.CodeSignature)
		return
	}
}

func clocks(b *bench, device admit.Build, st admit.State, two *sealedworld.Bundle) {
	for _, c := range []struct {
		name string
		now  time.Time
		code string
	}{
		{"the clock says 1970", time.Unix(0, 0), admit.CodeClock},
		{"the clock is six minutes slow", b.w.Now.Add(-6 * time.Minute), admit.CodeClock},
		{"the director's answer expired", b.w.Now.Add(10 * time.Minute), admit.CodeExpired},
		{"the timestamp expired", b.w.Now.Add(25 * time.Hour), tuf.CodeExpired},
		{"everything expired", b.w.Now.AddDate(10, 0, 0), tuf.CodeExpired},
	} {
		s := b.ask(c.name, device, st, two)
		s.In.Now = c.now
		b.add(s, c.code)
	}
}

func directors(b *bench) {
	w := b.w
	one, two := b.production(1), b.production(2)
	staged := w.Release(sealed.ClassStaging, 3, nil)
	device := w.Build("ios")
	st := admit.Fresh(device)
	for _, tt := range []struct {
		name   string
		change func(*sealed.Director)
		code   string
	}{
		{"the director answers another request", func(d *sealed.Director) { d.Request = sealed.HashOf([]byte("x")) }, admit.CodeRequest},
		{"the director answers another device", func(d *sealed.Director) { d.Device = sealed.HashOf([]byte("x")) }, admit.CodeDevice},
		{"the director answers for another app", func(d *sealed.Director) {
			d.App, d.Target.Path = "com.example.other", sealed.TargetPath(sealed.ClassProduction, "com.example.other", 1)
		}, admit.CodeApp},
		{"a director from the future", func(d *sealed.Director) {
			d.Issued, d.Expires = canon.At(w.Now.Add(6*time.Minute)), canon.At(w.Now.Add(9*time.Minute))
		}, admit.CodeExpired},
		{"below the director's own floor", func(d *sealed.Director) { d.Floor = 2 }, admit.CodeFloor},
		{"another hash than the metadata has", func(d *sealed.Director) { d.Target.SHA256 = two.SHA256() }, admit.CodeTarget},
		{"a target of nobody", func(d *sealed.Director) {
			d.Target.Seq, d.Target.Path = 9, sealed.TargetPath(sealed.ClassProduction, app, 9)
		}, tuf.CodeTarget},
		{"another target than the manifest", func(d *sealed.Director) { d.Target = two.Target() }, admit.CodeManifest},
		{"a timestamp that is held back", func(d *sealed.Director) { d.Timestamp++ }, admit.CodeMissing},
		{"a root that is held back", func(d *sealed.Director) { d.Root++ }, admit.CodeMissing},
	} {
		s := b.ask(tt.name, device, st, one)
		s.In.Answer = w.Answer(s.In.Request, one, tt.change)
		b.add(s, tt.code)
	}
	s, recorded := b.ask("a recorded answer", device, st, one), b.ask("", device, st, one)
	s.In.Answer.Director = recorded.In.Answer.Director
	b.add(s, admit.CodeRequest)
	strict := device
	strict.MinClass = sealed.ClassProduction
	b.add(b.ask("staging on a production app", strict, admit.Fresh(strict), staged), admit.CodeClass)
	w.Trust.MinClass = sealed.ClassProduction
	w.PublishTrust()
	b.add(b.ask("staging where trust.json says production", device, st, staged), admit.CodeClass)
}

func logs(b *bench) {
	w := b.w
	one, two := b.production(1), b.production(2)
	device := w.Build("android")
	st := b.after(device, admit.Fresh(device), two)
	try := func(name, code, proof string, consistency []canon.Hex) {
		s := b.ask(name, device, st, one)
		s.In.Answer.Proof, s.In.Answer.Consistency = proof, consistency
		b.add(s, code)
	}
	try("no proof", admit.CodeUnproven, "", nil)
	try("the proof of another manifest", "entry_not_proven", w.Tree.Prove(two.Leaf, 2), nil)
	try("a shorter log", "log_shrunk", w.Tree.Prove(one.Leaf, 1), nil)
	try("a proof that is none", "proof_invalid", "c2sp.org/tlog-proof@v1\nindex 01\n\n"+w.Tree.Checkpoint(2), nil)
	fork := w.Tree.Fork(0)
	at := fork.Add(one.Raw)
	fork.Add([]byte("for you only"))
	fork.Add([]byte("more"))
	try("a forked log", "log_forked", fork.Prove(at, 3), fork.Consistency(2, 3))
	try("a forked log of the same size", "log_forked", fork.Prove(at, 2), nil)
	stranger := sealedworld.New(b.t, "com.example.other").Tree
	stranger.Origin = w.Tree.Origin
	try("a log of other keys", "checkpoint_unsigned", stranger.Prove(stranger.Add(one.Raw), 1), nil)
	w.Trust.Witnesses = sealed.Witnesses{Threshold: 1, Keys: []sealed.Witness{{Name: "w.example", Ed25519: sealed.HashOf([]byte("w"))}}}
	w.PublishTrust()
	b.add(b.ask("no witness", device, st, one), "witnesses_missing")
}

// software is for other apps, platforms, native apps and floors.
func software(b *bench) {
	for i, tt := range []struct {
		name   string
		change func(*sealed.Manifest)
		build  func(*admit.Build)
		code   string
	}{
		{"for another platform", func(m *sealed.Manifest) { m.Platforms = []string{"electron"} }, nil, admit.CodePlatform},
		{"a native app too old", func(m *sealed.Manifest) { m.Native.Min = "2.0.1" }, nil, admit.CodeNative},
		{"a native app too new", func(m *sealed.Manifest) { m.Native.Max = "1.9.9" }, nil, admit.CodeNative},
		{"a native app before its release", func(m *sealed.Manifest) { m.Native.Min = "2.0.0" }, func(b *admit.Build) { b.Version = "2.0.0-rc.1" }, admit.CodeNative},
		{"a native app without a version", nil, func(b *admit.Build) { b.Version = "new" }, admit.CodeNative},
		{"below the floor of the native app", nil, func(b *admit.Build) { b.Floor = 80 }, admit.CodeFloor},
		{"a device of another platform", nil, func(b *admit.Build) { b.Platform = "electron" }, admit.CodePlatform},
	} {
		bundle := b.w.Release(sealed.ClassProduction, int64(i+7), tt.change)
		d := b.w.Build("android")
		if tt.build != nil {
			tt.build(&d)
		}
		b.add(b.ask(tt.name, d, admit.Fresh(d), bundle), tt.code)
	}
	d := b.w.Build("android")
	raised := b.w.Release(sealed.ClassProduction, 20, func(m *sealed.Manifest) { m.Floor = 20 })
	low := b.production(19)
	b.add(b.ask("below the floor of the bundle before", d, b.after(d, admit.Fresh(d), raised), low), admit.CodeFloor)
	b.w.Trust.Epochs.Min = 2
	b.w.PublishTrust()
	b.add(b.ask("under an epoch that is no longer trusted", d, admit.Fresh(d), low), admit.CodeEpoch)
	b.w.Trust.Floor = 30
	b.w.PublishTrust()
	b.add(b.ask("below the floor of trust.json", d, admit.Fresh(d), low), admit.CodeFloor)
	stolen := admit.Fresh(d)
	stolen.App = "com.example.other"
	s := b.ask("the state of another app", d, admit.Fresh(d), raised)
	s.State = stolen
	b.add(s, admit.CodeState)
}

// files are not what the manifest says.
func files(b *bench) {
	w := b.w
	one := b.production(1)
	d := w.Build("android")
	fresh := admit.Fresh(d)
	first, second := one.Manifest.Files[0], one.Manifest.Files[1]
	blob := func(name, code string, change func(map[string][]byte)) {
		s := b.ask(name, d, fresh, one)
		s.Blobs = maps.Clone(s.Blobs)
		change(s.Blobs)
		b.add(s, code)
	}
	blob("a damaged blob", admit.CodeBlob, func(m map[string][]byte) {
		m[first.Blob] = bytes.Clone(m[first.Blob])
		m[first.Blob][60] ^= 1
	})
	blob("a blob that is cut off", admit.CodeBlob, func(m map[string][]byte) { m[first.Blob] = m[first.Blob][:70] })
	blob("a blob with more at its end", admit.CodeBlob, func(m map[string][]byte) { m[first.Blob] = append(bytes.Clone(m[first.Blob]), 0) })
	blob("two blobs swapped", admit.CodeBlob, func(m map[string][]byte) {
		m[first.Blob], m[second.Blob] = m[second.Blob], m[first.Blob]
	})
	s := b.ask("a file too many", d, fresh, one)
	s.Extra = []string{"evil.js"}
	b.add(s, admit.CodeFiles)
	s = b.ask("another content key", d, fresh, one)
	var err error
	if s.Key, err = cobblestone.KeyFrom(bytes.Repeat([]byte{7}, cobblestone.KeySize)); err != nil {
		b.t.Fatal(err)
	}
	b.add(s, cobblestone.CodeKey)
}
