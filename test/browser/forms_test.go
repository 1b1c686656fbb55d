package browser

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/demo"
)

// code is what an authenticator app shows at a time (RFC 6238).
func code(t *testing.T, secret string, at time.Time) string {
	t.Helper()
	key, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(strings.ToUpper(strings.ReplaceAll(strings.TrimSpace(secret), " ", "")))
	if err != nil {
		t.Fatal(err)
	}
	m := hmac.New(sha1.New, key)
	_ = binary.Write(m, binary.BigEndian, at.Unix()/30)
	sum := m.Sum(nil)
	n := binary.BigEndian.Uint32(sum[sum[19]&15:]) & 0x7fffffff
	return fmt.Sprintf("%06d", n%1_000_000)
}

// TestWithoutScript: a person with a password and an authenticator app signs in
// and takes a release back in a browser that runs no script at all.
func TestWithoutScript(t *testing.T) {
	w := start(t)
	link, err := w.Client.CreateSetupLink(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	_, token, _ := strings.Cut(link.URL, "#")
	w.Open(w.site + "/console/setup#" + token) // the one page that needs script
	w.Type("[data-step=start] [name=email]", "grace@example.com")
	w.Type("[data-step=start] [name=name]", "Grace Hopper")
	w.Click("summary")
	w.Type("[data-step=start] [name=password]", "a long walk by the sea 1906")
	w.Click("[data-step=start] [type=submit]")
	w.Wait("[data-qr]")
	secret := w.Text("[data-secret]")
	w.Screenshot("console-setup-totp")
	now := time.Now()
	w.Type("[data-step=totp] [name=code]", code(t, secret, now))
	w.Click("[data-step=totp] button")
	w.Wait("[data-codes]")
	w.Click("[data-go]")
	w.Wait(".me")
	w.play()

	w.Script(false)
	w.Open(w.site + "/console/")
	w.Click(`form[action="/auth/sign-out"] button`)
	w.Wait("[name=password]")
	w.Open(w.site + "/console/apps/" + demo.App) // leads to the sign-in page, and back
	w.Type("form[action='/auth/password'] [name=email]", "grace@example.com")
	w.Type("[name=password]", "wrong, and as long as it must be")
	w.Click("form[action='/auth/password'] button")
	w.Wait("form[action='/auth/password']")
	w.Wait(".notice.bad, form[action='/auth/totp']")
	w.Open(w.site + "/console/apps/" + demo.App)
	w.Type("form[action='/auth/password'] [name=email]", "grace@example.com")
	w.Type("[name=password]", "a long walk by the sea 1906")
	w.Click("form[action='/auth/password'] button")
	w.Wait("form[action='/auth/totp']")
	w.Type("form[action='/auth/totp'] [name=code]", code(t, secret, now.Add(30*time.Second))) // the first was used
	w.Click("form[action='/auth/totp'] button")
	w.Wait("#numbers svg")
	w.Screenshot("console-app-no-script")
	w.Click(`a.danger[href$="/production/rollback"]`)
	w.Wait(".blast")
	w.Click("button.solid")
	w.Wait(".notice.good")
	ch, err := w.Client.Channel(t.Context(), demo.App, demo.Channel)
	if err != nil || ch.Release.Version != ota.Builtin || ch.Release.CreatedBy != "user:grace@example.com" {
		t.Errorf("after the rollback: %+v, %v", ch.Release, err)
	}
	w.quiet("without script")
}
