package sealedworld

import (
	"context"

	"github.com/waxwing-ota/waxwing/internal/core/canon"
	"github.com/waxwing-ota/waxwing/internal/core/sealed"
	"github.com/waxwing-ota/waxwing/internal/core/sealed/admit"
	"github.com/waxwing-ota/waxwing/internal/core/tuf"
)

// Direct is a director's answer to a request: a bundle to install, or with nil to
// do nothing. change may alter it before it is signed.
func (w *World) Direct(request []byte, b *Bundle, change func(*sealed.Director)) []byte {
	w.T.Helper()
	d := &sealed.Director{
		App: w.App, Request: sealed.HashOf(request), Device: sealed.DeviceHash(w.App, "0f0e0d0c-0b0a-4908-8706-050403020100"),
		Issued: canon.At(w.Now), Expires: canon.At(w.Now.Add(minutes(10))), Action: sealed.ActionStay, Arm: sealed.ArmNone,
		PollAfter: 600, Root: int64(w.root.Version), Timestamp: int64(w.stamp.Version),
	}
	if b != nil {
		d.Action, d.Target = sealed.ActionInstall, b.Target()
	}
	if change != nil {
		change(d)
	}
	env, err := sealed.Make(context.Background(), d, w.Key(w.Answers))
	w.must(err)
	return env
}

// Answer is what an honest server says to a request: the bundle, or with nil that
// there is nothing to do. It has every document, whether the device has it or not.
func (w *World) Answer(request []byte, b *Bundle, change func(*sealed.Director)) *sealed.Answer {
	w.T.Helper()
	req, err := sealed.Parse[sealed.CheckRequest](request)
	w.must(err)
	a := &sealed.Answer{
		Director: w.Direct(request, b, change), Roots: base64s(w.Roots[req.Versions.Root:]),
		Timestamp: w.Docs.Timestamp, Snapshot: w.Docs.Snapshot,
		Roles: sealed.Roles{Targets: w.Docs.Roles[tuf.RoleTargets], Staging: w.Docs.Roles[tuf.RoleStaging]}, Trust: w.TrustB,
	}
	if b != nil {
		a.Manifest = b.Raw
		a.Proof = w.Tree.Prove(b.Leaf, w.Tree.Size())
		a.Consistency = w.Tree.Consistency(req.Log, w.Tree.Size())
	}
	return a
}

// Input asks and answers: a device in the state checks, and an honest server
// offers the bundle.
func (w *World) Input(build admit.Build, st admit.State, b *Bundle, n int) admit.Input {
	w.T.Helper()
	request := w.Request(build, st, sealed.Running{}, n)
	return admit.Input{Build: build, Now: w.Now, Request: request, Answer: w.Answer(request, b, nil)}
}
