package secret_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/waxwing-ota/waxwing/internal/secret"
)

func TestTextNeverPrints(t *testing.T) {
	const value = "hunter2-hunter2"
	s := secret.New(value)
	var out bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		fmt.Fprintf(&out, verb, s)
		fmt.Fprintf(&out, verb, &s)
		fmt.Fprintf(&out, verb, struct{ S secret.Text }{s})
		fmt.Fprintf(&out, verb, struct{ s secret.Text }{s})
	}
	fmt.Fprint(&out, s, []secret.Text{s})
	slog.New(slog.NewTextHandler(&out, nil)).Info("x", "s", s, "in", struct{ S secret.Text }{s})
	slog.New(slog.NewJSONHandler(&out, nil)).Info("x", "s", s, "in", struct{ S secret.Text }{s})
	j, err := json.Marshal(map[string]any{"s": s, "p": &s})
	if err != nil {
		t.Fatal(err)
	}
	out.Write(j)
	if strings.Contains(out.String(), "hunter2") || strings.Contains(out.String(), "68756e74") {
		t.Errorf("the value was printed: %s", out.String())
	}
	if s.Reveal() != value {
		t.Errorf("Reveal = %q", s.Reveal())
	}
}

func TestTextEqual(t *testing.T) {
	a, b, none := secret.New("a"), secret.New("b"), secret.Text{}
	if !a.Equal(secret.New("a")) || a.Equal(b) || a.Equal(none) || !none.Equal(secret.Text{}) {
		t.Error("Equal does not compare the values")
	}
	if !none.IsZero() || a.IsZero() {
		t.Error("IsZero is wrong")
	}
}
