package webhook

import (
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// TestSpecificationExample is the example of the Standard Webhooks libraries.
func TestSpecificationExample(t *testing.T) {
	k, err := ParseKey("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
	if err != nil {
		t.Fatal(err)
	}
	at := time.Unix(1614265330, 0)
	const id, want = "msg_p5jXN8AQM9LWM0D4loKWxJek", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
	body := []byte(`{"test": 2432232314}`)
	if got := Sign(id, at, body, k); got != want {
		t.Errorf("signature %s, want %s", got, want)
	}
	if err := Verify(Signed{id, "1614265330", want, body}, at, k); err != nil {
		t.Error(err)
	}
}

func testKeys(t *testing.T) map[string]Key {
	t.Helper()
	return map[string]Key{
		"hmac":    NewKey(ota.SignHMAC, [32]byte{1}),
		"ed25519": NewKey(ota.SignEd25519, [32]byte{2}),
	}
}

func TestVerifyRefuses(t *testing.T) {
	at := time.Unix(1_700_000_000, 0)
	for name, k := range testKeys(t) {
		receiver := k
		if k.Public() != "" {
			var err error
			if receiver, err = ParseKey(k.Public()); err != nil {
				t.Fatal(err)
			}
		}
		body := []byte(`{"type":"x"}`)
		good := Signed{"msg_1", "1700000000", Sign("msg_1", at, body, k), body}
		other := NewKey(ota.SignHMAC, [32]byte{9})
		for _, tt := range []struct {
			what   string
			change func(r *Signed, now *time.Time, k *Key)
			ok     bool
		}{
			{"nothing", func(*Signed, *time.Time, *Key) {}, true},
			{"two signatures", func(r *Signed, _ *time.Time, _ *Key) { r.Signature = "v1,AAAA v9,x " + r.Signature }, true},
			{"almost too old", func(_ *Signed, now *time.Time, _ *Key) { *now = at.Add(Tolerance) }, true},
			{"too old", func(_ *Signed, now *time.Time, _ *Key) { *now = at.Add(Tolerance + time.Second) }, false},
			{"too new", func(_ *Signed, now *time.Time, _ *Key) { *now = at.Add(-Tolerance - time.Second) }, false},
			{"another body", func(r *Signed, _ *time.Time, _ *Key) { r.Body = []byte(`{"type":"y"}`) }, false},
			{"another id", func(r *Signed, _ *time.Time, _ *Key) { r.ID = "msg_2" }, false},
			{"another time", func(r *Signed, _ *time.Time, _ *Key) { r.Timestamp = "1700000001" }, false},
			{"a time with a sign", func(r *Signed, _ *time.Time, _ *Key) { r.Timestamp = "+1700000000" }, false},
			{"no time", func(r *Signed, _ *time.Time, _ *Key) { r.Timestamp = "" }, false},
			{"no id", func(r *Signed, _ *time.Time, _ *Key) { r.ID = "" }, false},
			{"no signature", func(r *Signed, _ *time.Time, _ *Key) { r.Signature = "" }, false},
			{"a shorter signature", func(r *Signed, _ *time.Time, _ *Key) { r.Signature = r.Signature[:10] }, false},
			{"a version that is another's", func(r *Signed, _ *time.Time, _ *Key) { r.Signature = "v2" + r.Signature[2:] }, false},
			{"versions swapped", func(r *Signed, _ *time.Time, _ *Key) {
				_, sig, _ := strings.Cut(r.Signature, ",")
				r.Signature = "v1," + sig
				if name == "hmac" {
					r.Signature = "v1a," + sig
				}
			}, false},
			{"another key", func(_ *Signed, _ *time.Time, k *Key) { *k = other }, false},
			{"a dot moved from body to id", func(r *Signed, _ *time.Time, _ *Key) { r.ID, r.Timestamp = "msg_1.1700000000", "1700000000" }, false},
			{"a huge header", func(r *Signed, _ *time.Time, _ *Key) { r.Signature = strings.Repeat("v1,AAAA ", 2000) + r.Signature }, false},
		} {
			r, now, key := good, at, receiver
			tt.change(&r, &now, &key)
			if err := Verify(r, now, key); (err == nil) != tt.ok {
				t.Errorf("%s, %s changed: %v", name, tt.what, err)
			}
		}
	}
}

func TestParseKey(t *testing.T) {
	b64 := func(n int) string { return base64.StdEncoding.EncodeToString(make([]byte, n)) }
	for _, tt := range []struct {
		text string
		ok   bool
	}{
		{"whsec_" + b64(24), true},
		{"whsec_" + b64(64), true},
		{b64(32), true},
		{"whsec_" + b64(23), false},
		{"whsec_" + b64(65), false},
		{"whsec_", false},
		{"", false},
		{"whsec_!!!", false},
		{"whsec_" + b64(24) + "\n", false},
		{"whpk_" + b64(32), true},
		{"whpk_" + b64(31), false},
		{"whsk_" + b64(32), true},
		{"whsk_" + b64(64), false}, // halves that do not belong together
		{"whsec_" + base64.RawStdEncoding.EncodeToString(make([]byte, 32)), false},
	} {
		k, err := ParseKey(tt.text)
		if (err == nil) != tt.ok {
			t.Errorf("%q: %v", tt.text, err)
		}
		if err != nil && tt.text != "" && strings.Contains(err.Error(), tt.text) {
			t.Errorf("the error shows the key: %v", err)
		}
		if err == nil && strings.HasPrefix(tt.text, "wh") && !strings.HasPrefix(k.Encoded(), tt.text[:5]) {
			t.Errorf("%q became %q", tt.text, k.Encoded())
		}
	}
	for name, k := range testKeys(t) {
		again, err := ParseKey(k.Encoded())
		if err != nil || again.Encoded() != k.Encoded() {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzVerify(f *testing.F) {
	k, at := NewKey(ota.SignHMAC, [32]byte{1}), time.Unix(1_700_000_000, 0)
	body := []byte(`{}`)
	good := Sign("msg_1", at, body, k)
	f.Add("msg_1", "1700000000", good, body)
	f.Add("msg_1", "1700000000", "v1,AAAA v1a,AAAA", body)
	f.Add("msg_1", "1700000000", good[:20]+"\n"+good[20:], body)
	f.Fuzz(func(t *testing.T, id, ts, sig string, b []byte) {
		if Verify(Signed{id, ts, sig, b}, at, k) != nil {
			return
		}
		// Nobody finds another signature: only what was signed may pass.
		if want := Sign(id, TimeOf(Signed{Timestamp: ts}), b, k); !strings.Contains(sig, want) {
			t.Fatalf("%q %q %q %q is believed", id, ts, sig, b)
		}
	})
}
