package admitvectors

import (
	"testing"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/sealed"
	"github.com/waxwing-ota/waxwing/internal/core/sealed/admit"
	"github.com/waxwing-ota/waxwing/internal/testkit/sealedworld"
)

// good are the ways things go when nobody does harm.
func good(t *testing.T, f *File) {
	b := newBench(t, f)
	w := b.w
	one := b.production(1)
	device := w.Build("android")
	fresh := admit.Fresh(device)
	b.add(b.ask("first installation", device, fresh, one), "")
	first := b.after(device, fresh, one)
	s := b.ask("nothing to do", device, first, nil)
	b.add(s, "")
	s = b.ask("nothing to do and a newer checkpoint", device, fresh, nil)
	s.In.Answer.Checkpoint = w.Tree.Checkpoint(1)
	b.add(s, "")
	s = b.ask("back to the built-in bundle", device, first, nil)
	s.In.Answer = w.Answer(s.In.Request, nil, func(d *sealed.Director) { d.Action = sealed.ActionBuiltin })
	b.add(s, "")
	s = b.ask("the bundle that runs", device, first, one)
	s.In.Request = w.Request(device, first, sealed.Running{Seq: 1, SHA256: one.SHA256()}, 90)
	s.In.Answer = w.Answer(s.In.Request, one, nil)
	s.In.Answer.Manifest, s.In.Answer.Proof, s.In.Answer.Consistency = nil, "", nil
	b.add(s, "")

	two := b.production(2)
	b.add(b.ask("second installation, the log grew", device, first, two), "")
	s = b.ask("only what is new", device, first, two)
	s.In.Answer.Trust, s.In.Answer.Roles.Staging = nil, nil
	b.add(s, "")
	second := b.after(device, first, two)
	s = b.ask("known documents are not sent again", device, second, one)
	s.In.Answer.Timestamp, s.In.Answer.Snapshot, s.In.Answer.Roles, s.In.Answer.Trust = nil, nil, sealed.Roles{}, nil
	b.add(s, "")
	staged := w.Release(sealed.ClassStaging, 3, nil)
	b.add(b.ask("staging on an app of testers", device, second, staged), "")
	plain := w.Release(sealed.ClassProduction, 4, func(m *sealed.Manifest) {
		m.Encryption = sealed.Encryption{Mode: sealed.EncryptionNone, Dedupe: true}
	})
	b.add(b.ask("not encrypted", device, second, plain), "")
	floor := w.Release(sealed.ClassProduction, 5, func(m *sealed.Manifest) { m.Floor = 5 })
	b.add(b.ask("a bundle that raises the floor", device, second, floor), "")
	s = b.ask("the clock is four minutes slow", device, second, two)
	s.In.Now = w.Now.Add(-4 * time.Minute)
	b.add(s, "")
	s = b.ask("another device by its certificate", device, second, two)
	s.In.Thumbprint = sealed.HashOf([]byte("certificate"))
	s.In.Answer = w.Answer(s.In.Request, two, func(d *sealed.Director) { d.Device = s.In.Thumbprint })
	b.add(s, "")
	rotations(b, device, second, two)
}

func rotations(b *bench, device admit.Build, st admit.State, two *sealedworld.Bundle) {
	w := b.w
	p := w.RootPlan()
	p.Timestamp = w.Keys(1, sealedworld.Spare1)
	w.By["timestamp"] = []int{sealedworld.Spare1}
	w.Rotate(p)
	w.Restamp()
	b.add(b.ask("the timestamp key was replaced", device, st, two), "")
	p.Root = w.Keys(2, sealedworld.Root1, sealedworld.Root3, sealedworld.Spare2)
	w.By["root"] = []int{sealedworld.Root1, sealedworld.Root3}
	w.Rotate(p)
	w.Restamp()
	b.add(b.ask("two roots later", device, st, two), "")
	w.Trust.Director = w.Keys(1, sealedworld.Spare3).Keys
	w.Answers = sealedworld.Spare3
	w.PublishTrust()
	b.add(b.ask("the director's key was replaced", device, st, two), "")
	w.NewLog(app+"/sealed/log2", sealedworld.Spare2)
	w.PublishTrust()
	b.add(b.ask("another log, named by the release role", device, st, two), "")
	other := device
	other.Root = w.Roots[len(w.Roots)-1]
	s := b.ask("a native app with a newer root", other, st, two)
	s.In.Answer.Consistency = nil // the log begins anew, too
	b.add(s, "")
}
