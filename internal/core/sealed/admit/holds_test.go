package admit_test

import (
	"bytes"
	"testing"

	"github.com/waxwing-ota/waxwing/internal/core/cobblestone"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/sealed"
	"github.com/waxwing-ota/waxwing/internal/core/sealed/admit"
	"github.com/waxwing-ota/waxwing/internal/testkit/sealedworld"
)

// Even release keys do not take a trust.json back: its version only rises, and a
// version is one document.
func TestTrustNeverGoesBack(t *testing.T) {
	w := sealedworld.New(t, app)
	bundle := w.Release(sealed.ClassProduction, 1, nil)
	w.PublishTrust()
	b := w.Build("android")
	st := install(t, w, b, admit.Fresh(b), bundle, 1)
	w.Trust.Version -= 2 // and one more with the publication
	w.PublishTrust()
	refused(t, "a lower version", st, w.Input(b, st, bundle, 2), admit.CodeTrust)
	w.Trust.MinAssurance = sealed.AssuranceTEE
	w.PublishTrust()
	refused(t, "another document of the same version", st, w.Input(b, st, bundle, 3), admit.CodeTrust)
	w.PublishTrust()
	install(t, w, b, st, bundle, 4)
}

// The floor of trust.json holds from the check on that brought it, whatever the
// director said, and stays when a later one is lower.
func TestTrustRaisesFloor(t *testing.T) {
	w := sealedworld.New(t, app)
	one := w.Release(sealed.ClassProduction, 1, nil)
	w.Release(sealed.ClassProduction, 2, nil)
	b := w.Build("android")
	w.Trust.Floor = 2
	w.PublishTrust()
	_, st, err := admit.Decide(admit.Fresh(b), w.Input(b, admit.Fresh(b), nil, 1))
	if err != nil || st.Floor != 2 {
		t.Fatalf("floor %d, %v", st.Floor, err)
	}
	w.Trust.Floor = 0
	w.PublishTrust()
	refused(t, "below a floor that was seen", st, w.Input(b, st, one, 2), admit.CodeFloor)
}

// A manifest that is in the log, of the right seq and everything, and is not the
// one that the release role listed.
func TestManifestOfNobody(t *testing.T) {
	w := sealedworld.New(t, app)
	good := w.Release(sealed.ClassProduction, 1, nil)
	evil := w.Make(sealed.ClassProduction, 1, sealedworld.Files("evil"), nil)
	evil.Leaf = w.Tree.Add(evil.Raw)
	b := w.Build("android")
	st := admit.Fresh(b)
	in := w.Input(b, st, good, 1)
	in.Answer.Manifest, in.Answer.Proof = evil.Raw, w.Tree.Prove(evil.Leaf, w.Tree.Size())
	refused(t, "another manifest", st, in, admit.CodeManifest)
}

// Stored bytes that decrypt to the right file and are not those that were signed
// are refused before the first byte is decrypted.
func TestStoredBytesFirst(t *testing.T) {
	w := sealedworld.New(t, app)
	bundle := w.Release(sealed.ClassProduction, 1, nil)
	b := w.Build("android")
	d, _, err := admit.Decide(admit.Fresh(b), w.Input(b, admit.Fresh(b), bundle, 1))
	if err != nil {
		t.Fatal(err)
	}
	in, err := d.Plan.Intake(w.Epoch)
	if err != nil {
		t.Fatal(err)
	}
	plain := bundle.Files["app.js"]
	var other, out bytes.Buffer
	c := cobblestone.Blob{Epoch: w.Epoch, App: app, Plain: ota.Sum(plain), Size: int64(len(plain))}
	if _, err := c.Seal(&other, bytes.NewReader(bytes.Repeat([]byte{9}, 64)), bytes.NewReader(plain)); err != nil {
		t.Fatal(err)
	}
	err = in.Blob("app.js", bytes.NewReader(other.Bytes()), &out)
	if ota.CodeOf(err) != admit.CodeBlob || out.Len() > 0 {
		t.Errorf("wrote %d bytes: %v", out.Len(), err)
	}
}
