package broker

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/access"
	"github.com/waxwing-ota/waxwing/internal/core/canon"
	"github.com/waxwing-ota/waxwing/internal/core/cobblestone"
	"github.com/waxwing-ota/waxwing/internal/core/epochkey"
	"github.com/waxwing-ota/waxwing/internal/core/grant"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/p256"
	"github.com/waxwing-ota/waxwing/internal/core/sealed"
)

const app = "com.example.shop"

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// TestGrantOverHTTP: a device is granted a key through bytes that do not hold it,
// and only as long as the broker's own policy says so.
func TestGrantOverHTTP(t *testing.T) {
	authority, phone := p256.Software(newKey(t)), p256.Software(newKey(t))
	now := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	file := filepath.Join(t.TempDir(), "broker.json")
	raw, err := json.Marshal(map[string]any{"key": "a", "signing_key": "b", "apps": []any{map[string]any{
		"app": app, "authority": []string{authority.Public().Val.Public}, "groups": []string{"staff"},
		"revoked": map[string]any{"serials": [][2]int64{{5, 9}}},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, err := Load(file)
	if err != nil {
		t.Fatal(err)
	}
	b, err := New(cfg, newKey(t), newKey(t), func() time.Time { return now }, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	b.refresh(t.Context())
	s := httptest.NewServer(b.Handler())
	defer s.Close()
	key, err := cobblestone.NewKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	wrapped, err := epochkey.Seal(b.Point(), app, 3, key)
	if err != nil {
		t.Fatal(err)
	}
	agree, err := grant.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	ask := func(groups []string, serial int64, by p256.Signer) (int, []byte) {
		t.Helper()
		cert, err := sealed.Make(t.Context(), &sealed.Certificate{
			App: app, Device: "0a000000-0000-4000-8000-000000000001", Groups: groups, SignKey: phone.Public(), AgreeKey: agree.Public().Bytes(),
			Thumbprint: phone.Public().ID(), Assurance: sealed.AssuranceNone, Issued: canon.At(now), Expires: canon.At(now.Add(time.Hour)), Serial: serial,
		}, by)
		if err != nil {
			t.Fatal(err)
		}
		req := sealed.GrantRequest{V: 1, App: app, Manifest: ota.Sum([]byte("m")).String(), Certificate: cert, Nonce: make([]byte, 16), At: canon.At(now)}
		if err := sealed.SignBody(t.Context(), &req, phone); err != nil {
			t.Fatal(err)
		}
		inner, err := sealed.Encode(&req)
		if err != nil {
			t.Fatal(err)
		}
		body, err := sealed.Encode(&sealed.BrokerRequest{V: 1, Request: inner, Epoch: 3, Key: wrapped})
		if err != nil {
			t.Fatal(err)
		}
		hr, err := http.NewRequestWithContext(context.Background(), http.MethodPost, s.URL+"/v1/grant", bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		res, err := http.DefaultClient.Do(hr)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		out, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		// Whoever passes them on sees these bytes, and none of them is the key.
		if bytes.Contains(append(body, out...), key.Reveal()) {
			t.Error("the content key is in clear on the wire")
		}
		return res.StatusCode, out
	}
	status, out := ask([]string{"staff"}, 1, authority)
	if status != http.StatusOK {
		t.Fatalf("%d %s", status, out)
	}
	g, err := sealed.Parse[sealed.Grant](out)
	if err != nil {
		t.Fatal(err)
	}
	thumb, err := ota.ParseDigest(phone.Public().ID())
	if err != nil {
		t.Fatal(err)
	}
	got, err := grant.Open(agree, grant.Info{App: app, Manifest: ota.Sum([]byte("m")), Epoch: 3, Thumbprint: thumb, NotAfter: g.NotAfter.Time}, g.Enc, g.CT)
	if err != nil || !got.Equal(key) {
		t.Fatalf("the grant does not open: %v", err)
	}
	if err := sealed.VerifyBody(g, b.Signs()); err != nil || g.NotAfter.After(now.Add(time.Hour)) {
		t.Errorf("%v, until %v", err, g.NotAfter)
	}
	for name, try := range map[string]struct {
		groups []string
		serial int64
		by     p256.Signer
		code   string
	}{
		"another group":     {[]string{"guests"}, 1, authority, access.CodeGroups},
		"no group":          {[]string{}, 1, authority, access.CodeGroups},
		"revoked":           {[]string{"staff"}, 7, authority, access.CodeRevoked},
		"another authority": {[]string{"staff"}, 1, phone, access.CodeCertificate},
	} {
		if status, out := ask(try.groups, try.serial, try.by); status == http.StatusOK || !bytes.Contains(out, []byte(try.code)) {
			t.Errorf("%s: %d %s", name, status, out)
		}
	}
}
