package admit_test

import (
	"testing"

	"github.com/waxwing-ota/waxwing/internal/core/canon"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/sealed"
	"github.com/waxwing-ota/waxwing/internal/core/sealed/admit"
	"github.com/waxwing-ota/waxwing/internal/core/tuf"
	"github.com/waxwing-ota/waxwing/internal/testkit/sealedworld"
)

// TestOmissionMatrix takes every field of every document of an answer away, empties
// it, doubles it, gives it another type, makes it null and adds one: no such answer
// installs anything.
func TestOmissionMatrix(t *testing.T) {
	w := sealedworld.New(t, app)
	w.Release(sealed.ClassProduction, 1, nil)
	plan := w.RootPlan()
	plan.Timestamp = w.Keys(1, sealedworld.Spare1)
	w.Rotate(plan)
	w.By[tuf.RoleTimestamp] = []int{sealedworld.Spare1}
	w.Publish()
	staged := w.Release(sealed.ClassStaging, 2, nil)
	b := w.Build("android")
	st := admit.Fresh(b)
	decide := admit.Remembering()
	good := w.Input(b, st, staged, 1)
	if d, _, err := decide(st, good); err != nil || d.Plan == nil {
		t.Fatal(err)
	}
	parts := map[string]func(*sealed.Answer) *canon.Base64{
		"root":      func(a *sealed.Answer) *canon.Base64 { return &a.Roots[0] },
		"timestamp": func(a *sealed.Answer) *canon.Base64 { return &a.Timestamp },
		"snapshot":  func(a *sealed.Answer) *canon.Base64 { return &a.Snapshot },
		"targets":   func(a *sealed.Answer) *canon.Base64 { return &a.Roles.Targets },
		"staging":   func(a *sealed.Answer) *canon.Base64 { return &a.Roles.Staging },
		"trust":     func(a *sealed.Answer) *canon.Base64 { return &a.Trust },
		"director":  func(a *sealed.Answer) *canon.Base64 { return &a.Director },
		"manifest":  func(a *sealed.Answer) *canon.Base64 { return &a.Manifest },
	}
	total := 0
	for name, part := range parts {
		muts := sealedworld.Mutations(*part(good.Answer))
		if len(muts) < 40 {
			t.Errorf("%s: only %d faults", name, len(muts))
		}
		for _, m := range muts {
			a := *good.Answer
			a.Roots = append([]canon.Base64(nil), a.Roots...)
			*part(&a) = m.Bytes
			in := good
			in.Answer = &a
			d, _, err := decide(st, in)
			if err == nil || d.Plan != nil {
				t.Errorf("%s: %s %s installs %v", name, m.Path, m.How, d.Plan.SHA256())
			}
			total++
		}
	}
	// The same for the answer as a whole: what parses is only missing something.
	raw, err := good.Answer.Encode()
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range sealedworld.Mutations(raw) {
		a, err := sealed.ParseAnswer(m.Bytes)
		if total++; err != nil {
			continue
		}
		in := good
		in.Answer = a
		if d, _, err := decide(st, in); err == nil && m.Path != "consistency" || d.Plan != nil {
			t.Errorf("answer: %s %s installs: %v", m.Path, m.How, err)
		}
	}
	t.Logf("%d answers with one fault", total)
}

// The request is the device's own; still, one with a fault decides nothing.
func TestOmissionsOfRequest(t *testing.T) {
	w := sealedworld.New(t, app)
	bundle := w.Release(sealed.ClassProduction, 1, nil)
	b := w.Build("android")
	st := admit.Fresh(b)
	good := w.Input(b, st, bundle, 1)
	for _, m := range sealedworld.Mutations(good.Request) {
		in := good
		in.Request = m.Bytes
		if _, _, err := admit.Decide(st, in); err == nil {
			t.Errorf("%s %s", m.Path, m.How)
		}
	}
}

// A stored state with a fault is refused, or is stricter.
func TestOmissionsOfState(t *testing.T) {
	w := sealedworld.New(t, app)
	bundle := w.Release(sealed.ClassProduction, 3, func(m *sealed.Manifest) { m.Floor = 2 })
	b := w.Build("android")
	st := install(t, w, b, admit.Fresh(b), bundle, 1)
	raw, err := st.Encode()
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range sealedworld.Mutations(raw) {
		if _, err := admit.DecodeState(m.Bytes); err != nil {
			if ota.CodeOf(err) != admit.CodeState {
				t.Errorf("%s %s: %v", m.Path, m.How, err)
			}
			continue
		}
		if m.How != "empty" && m.Path != "trust" && m.Path != "issued" && m.Path != "tuf.timestamp" && m.Path != "tuf.snapshot" && m.Path != "tuf.roles.targets" && m.Path != "tuf.roles.staging" && m.Path != "tuf.roles.zz_new" {
			t.Errorf("%s %s was read", m.Path, m.How)
		}
	}
}

func FuzzDecodeState(f *testing.F) {
	w := sealedworld.New(f, app)
	bundle := w.Release(sealed.ClassProduction, 3, nil)
	b := w.Build("android")
	raw, err := install(f, w, b, admit.Fresh(b), bundle, 1).Encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(raw)
	in := w.Input(b, admit.Fresh(b), bundle, 2)
	f.Fuzz(func(t *testing.T, raw []byte) {
		st, err := admit.DecodeState(raw)
		if err != nil {
			return
		}
		if again, err := st.Encode(); err != nil || string(again) != string(raw) {
			t.Fatal(err)
		}
		_, next, _ := admit.Decide(st, in)
		if next.Floor < st.Floor {
			t.Fatal("the floor fell")
		}
	})
}

// FuzzAnswer: no answer that the fuzzer finds installs what was not offered.
func FuzzAnswer(f *testing.F) {
	w := sealedworld.New(f, app)
	bundle := w.Release(sealed.ClassProduction, 3, nil)
	b := w.Build("android")
	st := admit.Fresh(b)
	in := w.Input(b, st, bundle, 1)
	raw, err := in.Answer.Encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(raw)
	f.Fuzz(func(t *testing.T, raw []byte) {
		a, err := sealed.ParseAnswer(raw)
		if err != nil {
			return
		}
		in := in
		in.Answer = a
		if d, _, err := admit.Decide(st, in); err == nil && d.Plan != nil && d.Plan.SHA256() != bundle.SHA256() {
			t.Fatal("something else is to be installed")
		}
	})
}
