package admit_test

import (
	"testing"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/sealed"
	"github.com/waxwing-ota/waxwing/internal/core/sealed/admit"
	"github.com/waxwing-ota/waxwing/internal/testkit/sealedworld"
)

const app = "com.example.app"

// install demands that the bundle is admitted, and returns the state after it.
func install(t testing.TB, w *sealedworld.World, b admit.Build, st admit.State, bundle *sealedworld.Bundle, n int) admit.State {
	t.Helper()
	v, next, err := admit.Admit(st, w.Input(b, st, bundle, n), w.Source(bundle))
	if err != nil {
		t.Fatalf("%v (%s)", err, ota.CodeOf(err))
	}
	if !v.Valid() || v.Manifest() != bundle.SHA256() || v.Seq() != bundle.Manifest.Seq {
		t.Fatalf("admitted %+v", v)
	}
	return next
}

func TestHonestServer(t *testing.T) {
	w := sealedworld.New(t, app)
	b := w.Build("android")
	st := admit.Fresh(b)
	one := w.Release(sealed.ClassProduction, 1, nil)
	st = install(t, w, b, st, one, 1)
	two := w.Release(sealed.ClassStaging, 2, nil)
	three := w.Release(sealed.ClassProduction, 3, func(m *sealed.Manifest) { m.Floor = 2 })
	st = install(t, w, b, st, two, 2)
	st = install(t, w, b, st, three, 3)
	st = install(t, w, b, st, two, 4) // among approved ones a director may go back
	if st.Floor != 2 || st.Highest != 3 || st.Log.Size != 3 {
		t.Errorf("floor %d, highest %d, log %d", st.Floor, st.Highest, st.Log.Size)
	}
	if _, _, err := admit.Admit(st, w.Input(b, st, one, 5), w.Source(one)); ota.CodeOf(err) != admit.CodeFloor {
		t.Errorf("a bundle below the floor: %v", err)
	}
	raw, err := st.Encode()
	if err != nil {
		t.Fatal(err)
	}
	again, err := admit.DecodeState(raw)
	if err != nil {
		t.Fatal(err)
	}
	install(t, w, b, again, three, 6)
}
