package witness

import (
	"crypto/ed25519"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/tilelog"
)

func vkey(t testing.TB) string {
	t.Helper()
	pub, _ := ed25519.NewKeyFromSeed(make([]byte, 32)).Public().(ed25519.PublicKey)
	v, err := tilelog.CosignatureVerifier("witness.example", pub)
	if err != nil {
		t.Fatal(err)
	}
	return v.String()
}

func TestAdd(t *testing.T) {
	status, answer, asked := 200, "— w x\n", ""
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		asked = r.Method + " " + r.URL.Path + "\n" + string(b)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, answer)
	}))
	defer srv.Close()
	list, err := Parse(vkey(t) + " " + srv.URL + "/sub/")
	if err != nil || len(list) != 1 || list[0].Name != "witness.example" {
		t.Fatal(list, err)
	}
	lines, _, err := list[0].Add(t.Context(), 3, []ota.Digest{{}}, "checkpoint\n")
	want := "POST /sub/add-checkpoint\nold 3\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n\ncheckpoint\n"
	if err != nil || lines != answer || asked != want {
		t.Errorf("%q %v\n%s", lines, err, asked)
	}
	status, answer = 409, "17\n"
	if lines, seen, err := list[0].Add(t.Context(), 3, nil, "x"); err != nil || seen != 17 || lines != "" {
		t.Errorf("%q %d %v", lines, seen, err)
	}
	for _, row := range []struct {
		status int
		answer string
	}{{409, "x"}, {409, "-1"}, {409, "01"}, {409, ""}, {200, ""}, {422, "no"}, {302, ""}, {200, strings.Repeat("x", maxAnswer+1)}} {
		status, answer = row.status, row.answer
		if _, _, err := list[0].Add(t.Context(), 3, nil, "x"); ota.CodeOf(err) != "witness_unreachable" {
			t.Errorf("%d %.20q: %v", status, answer, err)
		}
	}
}

func TestParse(t *testing.T) {
	if list, err := Parse(" "); err != nil || len(list) != 0 {
		t.Error(list, err)
	}
	for _, bad := range []string{
		"x", vkey(t), vkey(t) + " ftp://x", "x http://y", vkey(t) + " http://u:p@y", vkey(t) + " http://y z",
		"example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k http://y",
	} {
		if _, err := Parse(bad); ota.CodeOf(err) != "config_invalid" {
			t.Errorf("%q: %v", bad, err)
		}
	}
}
