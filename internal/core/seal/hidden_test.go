package seal

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

func TestSecretsDoNotPrint(t *testing.T) {
	k := keyA()
	s := k.EpochSession("com.example.app", 1)
	type box struct {
		K    *PrivateKey
		V    PrivateKey
		S    Session
		k    *PrivateKey // fmt reaches unexported fields without asking them
		v    PrivateKey
		List []*PrivateKey
	}
	b := box{k, *k, s, k, *k, []*PrivateKey{k}}
	var out strings.Builder
	for _, v := range []any{k, *k, s, &s, b, &b, []Session{s}, map[string]PrivateKey{"a": *k}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%o", "%T %[1]v"} {
			fmt.Fprintf(&out, verb+"\n", v)
		}
		j := must[[]byte](t)(json.Marshal(v))
		out.Write(j)
		var text, js bytes.Buffer
		slog.New(slog.NewTextHandler(&text, nil)).Info("m", "v", v)
		slog.New(slog.NewJSONHandler(&js, nil)).Info("m", "v", v)
		out.WriteString(text.String() + js.String())
	}
	out.Write(must[[]byte](t)(xml.Marshal(s)))
	fmt.Fprintln(&out, k.String(), s.String(), fmt.Errorf("wrapped: %v", k))

	for name, secret := range map[string][]byte{
		"d": k.key.D.Bytes(), "p": k.key.Primes[0].Bytes(), "q": k.key.Primes[1].Bytes(), "aes key": s.key[:], "iv": s.iv[:],
	} {
		for _, form := range []string{
			hex.EncodeToString(secret[:8]), strings.ToUpper(hex.EncodeToString(secret[:8])),
			strings.Trim(fmt.Sprintf("%d", secret[:4]), "[]"), string(secret[:8]), strings.Trim(fmt.Sprintf("%#v", secret[:4]), "[]byte{}"),
		} {
			if strings.Contains(out.String(), form) {
				t.Errorf("%s shows as %q", name, form)
			}
		}
	}
	for _, n := range []string{k.key.D.String()[:20], k.key.Primes[0].String()[:20]} {
		if strings.Contains(out.String(), n) {
			t.Errorf("a secret number shows as %s", n)
		}
	}
	for _, v := range []any{k, *k, s} {
		if j := must[[]byte](t)(json.Marshal(v)); string(j) != `"[redacted]"` {
			t.Errorf("%T is %s in JSON", v, j)
		}
		var log bytes.Buffer
		slog.New(slog.NewTextHandler(&log, nil)).Info("m", "v", v)
		if !strings.Contains(log.String(), "v=[redacted]") || slog.AnyValue(v).Resolve().Kind() != slog.KindString {
			t.Errorf("%T logs as %s", v, log.String())
		}
	}
	if got := fmt.Sprint(k, *k, s); strings.Count(got, redacted) != 3 {
		t.Errorf("printed %q", got)
	}
}

func TestErrorsDoNotTell(t *testing.T) {
	text := keyA().PEM()
	text[len(text)/2] ^= 0x20
	_, err := ParsePrivateKey(text)
	if err == nil {
		t.Fatal("a changed key was taken")
	}
	if e, ok := errors.AsType[*ota.Error](err); !ok || e.Err != nil {
		t.Errorf("the error carries a cause: %#v", err)
	}
}
