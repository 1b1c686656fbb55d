package console_test

import (
	"testing"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/sealed"
	"github.com/waxwing-ota/waxwing/internal/core/sealed/admit"
	"github.com/waxwing-ota/waxwing/internal/sealeddevice"
	"github.com/waxwing-ota/waxwing/internal/testkit/sealedrepo"
)

// TestSealedPage: the page says what is signed, what waits for signatures, which
// devices are enrolled, and revokes one of them.
func TestSealedPage(t *testing.T) {
	s := newSite(t, nil)
	ada := s.setup("ada@example.com")
	if _, err := s.Client.CreateApp(t.Context(), ota.NewApp{ID: shop}); err != nil {
		t.Fatal(err)
	}
	const at = "/console/apps/" + shop + "/sealed"
	ada.sees(at, "This app has no sealed updates")

	repo := sealedrepo.New(t, s.Client, shop)
	files := map[string][]byte{"index.html": []byte("<!doctype html>notifyAppReady")}
	approved := repo.Push("1.0.0", sealed.ClassProduction, files, nil)
	repo.Approve(approved)
	repo.Push("1.1.0", sealed.ClassProduction, files, nil)
	ada.sees(at, "Signed metadata", "timestamp", "approved", "waits for signatures", "1.1.0", "Enrolment", "No device is enrolled")

	open := ota.EnrolOpen
	if _, err := s.Client.SetSealedPolicy(t.Context(), shop, ota.SealedPolicyPatch{Enrolment: &open}); err != nil {
		t.Fatal(err)
	}
	const id = "0f0e0d0c-0b0a-4908-8706-050403020100"
	d, err := sealeddevice.New(sealeddevice.Config{
		Build: admit.Build{App: shop, Platform: "android", Version: "1.0.0", Root: repo.RootDoc, Made: time.Now().Add(-time.Hour)},
		Dir:   t.TempDir(), Server: s.URL, Device: id, Now: time.Now,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if err := d.Enrol(t.Context(), "", "", sealed.Attestation{}); err != nil {
		t.Fatal(err)
	}
	ada.sees(at, id[:8], "enrolled", "Revoke this device")
	if code, to := ada.send(at, "device", id, "reason", ""); code < 400 || to != "" {
		t.Errorf("revoked without a reason: %d to %q", code, to)
	}
	ada.does(at, "sealed_revoked", "device", id, "reason", "left in a taxi")
	ada.sees(at, "revoked", "left in a taxi")
	gone, _, err := s.Client.SealedRevocations(t.Context(), shop, ota.Page{})
	if err != nil || len(gone) != 1 || gone[0].Device != id {
		t.Errorf("revocations: %+v, %v", gone, err)
	}
}
