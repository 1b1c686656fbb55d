package browser

import (
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/sealed"
	"github.com/waxwing-ota/waxwing/internal/core/sealed/admit"
	"github.com/waxwing-ota/waxwing/internal/demo"
	"github.com/waxwing-ota/waxwing/internal/sealeddevice"
	"github.com/waxwing-ota/waxwing/internal/testkit/sealedrepo"
)

// seal gives the app sealed updates: a bundle that is approved, one that waits, and
// an enrolled device.
func (w *world) seal() {
	w.t.Helper()
	repo := sealedrepo.New(w.t, w.Client, demo.App)
	files := map[string][]byte{"index.html": []byte("<!doctype html>notifyAppReady")}
	repo.Approve(repo.Push("3.0.0", sealed.ClassProduction, files, nil))
	repo.Push("3.1.0", sealed.ClassProduction, files, nil)
	open := ota.EnrolOpen
	policy, err := w.Client.SetSealedPolicy(w.t.Context(), demo.App, ota.SealedPolicyPatch{Enrolment: &open})
	must(w, policy, err)
	d, err := sealeddevice.New(sealeddevice.Config{
		Build: admit.Build{App: demo.App, Platform: "android", Version: "1.0.0", Root: repo.RootDoc, Made: time.Now().Add(-time.Hour)},
		Dir:   w.t.TempDir(), Server: w.URL, Now: time.Now,
	})
	defer must(w, d, err).Close()
	if err := d.Enrol(w.t.Context(), "", "", sealed.Attestation{}); err != nil {
		w.t.Fatal(err)
	}
}
