package seal

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

func TestSessionWire(t *testing.T) {
	k := keyA()
	s := k.EpochSession("com.example.app", 1)
	wire := must[string](t)(k.SealSession(s))
	if !regexp.MustCompile(`^[A-Za-z0-9+/]{22}==:[A-Za-z0-9+/]{342}==$`).MatchString(wire) || len(wire) != 369 {
		t.Errorf("wire form is %s", wire)
	}
	if again := must[string](t)(k.SealSession(s)); again != wire {
		t.Error("sealing the same session twice gives two wire forms")
	}
	if got := must[Session](t)(k.Public().OpenSession(wire)); got != s {
		t.Error("the session changed on the way")
	}
	_, err := keyB().Public().OpenSession(wire)
	wantCode(t, err, "signature_invalid")
}

func TestSessionWireRefused(t *testing.T) {
	k := keyA()
	wire := must[string](t)(k.SealSession(k.EpochSession("com.example.app", 1)))
	iv, key, _ := strings.Cut(wire, ":")
	sealed := func(n int) string {
		return base64.StdEncoding.EncodeToString(must[[]byte](t)(k.sign(make([]byte, n))))
	}
	tests := []struct{ name, wire, code, says string }{
		{"empty", "", "session_key_invalid", "one colon"},
		{"colon alone", ":", "session_key_invalid", "one colon"},
		{"no colon", iv + key, "session_key_invalid", "one colon"},
		{"no key", iv + ":", "session_key_invalid", "one colon"},
		{"no IV", ":" + key, "session_key_invalid", "one colon"},
		{"two colons", iv + ":" + key + ":", "session_key_invalid", "one colon"},
		{"two colons in the middle", iv + "::" + key, "session_key_invalid", "one colon"},
		{"three parts", iv + ":" + key + ":" + key, "session_key_invalid", "one colon"},
		{"halves swapped", key + ":" + iv, "session_key_invalid", "344 characters, not 24"},
		{"IV unpadded", strings.TrimRight(iv, "=") + ":" + key, "session_key_invalid", "22 characters, not 24"},
		{"key unpadded", iv + ":" + strings.TrimRight(key, "="), "session_key_invalid", "342 characters, not 344"},
		{"IV of 8 bytes", "AQEBAQEBAQE=:" + key, "session_key_invalid", "12 characters"},
		{"IV of 17 bytes", "AQEBAQEBAQEBAQEBAQEBAQE=:" + key, "session_key_invalid", "17 bytes, not 16"},
		{"IV of 18 bytes", "AQEBAQEBAQEBAQEBAQEBAQEB:" + key, "session_key_invalid", "18 bytes, not 16"},
		{"spare bits set in the IV", iv[:21] + "B==:" + key, "session_key_invalid", "before the colon is not standard"},
		{"line end inside", iv + ":" + key[:100] + "\n" + key[100:], "session_key_invalid", "345 characters"},
		{"line ends for characters", iv + ":" + key[:340] + "\n\n\n\n", "session_key_invalid", "colon"},
		{"space after", wire + " ", "session_key_invalid", "345 characters"},
		{"URL alphabet", iv + ":" + strings.Repeat("-_", 171) + "==", "session_key_invalid", "not standard"},
		{"short block", iv + ":" + base64.StdEncoding.EncodeToString(make([]byte, 255)), "session_key_invalid", "340 characters"},
		{"block of 257 bytes", iv + ":" + base64.StdEncoding.EncodeToString(make([]byte, 257)), "session_key_invalid", "257 bytes"},
		{"payload of 15", iv + ":" + sealed(15), "session_key_invalid", "15 bytes"},
		{"payload of 17", iv + ":" + sealed(17), "session_key_invalid", "17 bytes"},
		{"payload of 32 (AES-256)", iv + ":" + sealed(32), "session_key_invalid", "32 bytes"},
		{"not signed", iv + ":" + base64.StdEncoding.EncodeToString(make([]byte, 256)), "signature_invalid", "another key"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, err := k.Public().OpenSession(tt.wire)
			wantCode(t, err, tt.code)
			if !strings.Contains(fmt.Sprint(err), tt.says) {
				t.Errorf("got %v, want an error with %q", err, tt.says)
			}
			if s != (Session{}) {
				t.Error("a refused session key left something behind")
			}
		})
	}
}

func TestHashWire(t *testing.T) {
	k, d := keyA(), ota.Sum([]byte("content"))
	v3 := must[string](t)(k.SealHash(d))
	if !regexp.MustCompile(`^[0-9a-f]{512}$`).MatchString(v3) {
		t.Errorf("V3 is %s", v3)
	}
	v2 := must[string](t)(k.SealHashV2(d))
	if !regexp.MustCompile(`^[A-Za-z0-9+/]{342}==$`).MatchString(v2) {
		t.Errorf("V2 is %s", v2)
	}
	for name, open := range map[string]func(*PublicKey) (ota.Digest, error){
		"V3": func(p *PublicKey) (ota.Digest, error) { return p.OpenHash(v3) },
		"V2": func(p *PublicKey) (ota.Digest, error) { return p.OpenHashV2(v2) },
	} {
		if got := must[ota.Digest](t)(open(k.Public())); got != d {
			t.Errorf("%s opens to %s, want %s", name, got, d)
		}
		_, err := open(keyB().Public())
		wantCode(t, err, "signature_invalid")
	}
}

func TestHashWireRefused(t *testing.T) {
	k, d := keyA(), ota.Sum([]byte("content"))
	v3 := must[string](t)(k.SealHash(d))
	sealed := func(n int) string { return hex.EncodeToString(must[[]byte](t)(k.sign(make([]byte, n)))) }
	tests := []struct{ name, wire, code string }{
		{"empty", "", "checksum_invalid"},
		{"plain hash", d.String(), "checksum_invalid"},
		{"one digit less", v3[:511], "checksum_invalid"},
		{"one digit more", v3 + "0", "checksum_invalid"},
		{"upper case", strings.ToUpper(v3), "checksum_invalid"},
		{"no hex", "g" + v3[1:], "checksum_invalid"},
		{"space", " " + v3[1:], "checksum_invalid"},
		{"payload of 31", sealed(31), "checksum_invalid"},
		{"payload of 33", sealed(33), "checksum_invalid"},
		{"payload of V2", sealed(48), "checksum_invalid"},
		{"not signed", strings.Repeat("00", 256), "signature_invalid"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := k.Public().OpenHash(tt.wire)
			wantCode(t, err, tt.code)
			if !got.IsZero() {
				t.Error("a refused hash left something behind")
			}
		})
	}
}

func TestHashV2WireRefused(t *testing.T) {
	k := keyA()
	v2 := must[string](t)(k.SealHashV2(ota.Sum([]byte("content"))))
	seal := func(b []byte) string { return base64.StdEncoding.EncodeToString(must[[]byte](t)(k.sign(b))) }
	upper := must[[]byte](t)(base64.StdEncoding.DecodeString(strings.ToUpper(ota.Sum(nil).String())))
	tests := []struct{ name, wire, code string }{
		{"empty", "", "checksum_invalid"},
		{"unpadded", strings.TrimRight(v2, "="), "checksum_invalid"},
		{"line end inside", v2[:50] + "\n" + v2[51:], "checksum_invalid"},
		{"block of 258 bytes", base64.StdEncoding.EncodeToString(make([]byte, 258)), "checksum_invalid"},
		{"payload of V3", seal(make([]byte, 32)), "checksum_invalid"},
		{"payload of 49", seal(make([]byte, 49)), "checksum_invalid"},
		{"48 bytes that spell no hex", seal([]byte(strings.Repeat("\xff", 48))), "checksum_invalid"},
		{"48 bytes that spell upper-case hex", seal(upper), "checksum_invalid"},
		{"not signed", base64.StdEncoding.EncodeToString(make([]byte, 256)), "signature_invalid"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := k.Public().OpenHashV2(tt.wire)
			wantCode(t, err, tt.code)
			if strings.HasPrefix(tt.name, "payload") && !strings.Contains(fmt.Sprint(err), "bytes, not 48") {
				t.Errorf("got %v, want an error about the length", err)
			}
			if !got.IsZero() {
				t.Error("a refused hash left something behind")
			}
		})
	}
}

func TestWireRoundTripProperty(t *testing.T) {
	k := keyA()
	rapid.Check(t, func(t *rapid.T) {
		d := ota.Digest(rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "digest"))
		v3, err3 := k.SealHash(d)
		v2, err2 := k.SealHashV2(d)
		if err3 != nil || err2 != nil {
			t.Fatal(err3, err2)
		}
		if got, err := k.Public().OpenHash(v3); got != d || err != nil {
			t.Fatalf("V3 gives %s, %v, want %s", got, err, d)
		}
		if got, err := k.Public().OpenHashV2(v2); got != d || err != nil {
			t.Fatalf("V2 gives %s, %v, want %s", got, err, d)
		}
		var s Session
		copy(s.key[:], d[:16])
		copy(s.iv[:], d[16:])
		wire, err := k.SealSession(s)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := k.Public().OpenSession(wire); got != s || err != nil {
			t.Fatalf("the session changed on the way: %v", err)
		}
	})
}
