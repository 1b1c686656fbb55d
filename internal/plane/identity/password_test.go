package identity

import (
	"crypto/rand"
	"strings"
	"testing"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/secret"
)

func newTestService(t *testing.T) *Service {
	t.Helper()
	s, err := New(Deps{Now: func() time.Time { return time.Unix(1e9, 0) }, Rand: rand.Reader})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestPasswordHash(t *testing.T) {
	s := newTestService(t)
	stored, err := s.hashPassword(t.Context(), secret.New("correct horse battery"))
	if err != nil || !strings.HasPrefix(stored, "$argon2id$v=19$m=32768,t=3,p=1$") {
		t.Fatalf("%q, %v", stored, err)
	}
	for password, want := range map[string]bool{"correct horse battery": true, "correct horse batterz": false, "": false} {
		if ok, err := s.verifyPassword(t.Context(), stored, secret.New(password)); ok != want || err != nil {
			t.Errorf("%q: %v, %v", password, ok, err)
		}
	}
	if ok, err := s.verifyPassword(t.Context(), "", secret.New("")); ok || err != nil {
		t.Errorf("no password: %v, %v", ok, err)
	}
	for _, bad := range []string{"x", "$argon2i$v=19$m=1,t=1,p=1$AAAA$AAAA", strings.Replace(stored, "m=32768", "m=99999999", 1), stored[:len(stored)-4]} {
		if _, err := parsePHC(bad); err == nil {
			t.Errorf("%q is read", bad)
		}
	}
}

func TestPasswordRules(t *testing.T) {
	s := newTestService(t)
	s.breached = func(h [20]byte) (bool, error) { return h[0] == 0x12, nil }
	for password, ok := range map[string]bool{
		"elevenchars": false, "twelve chars": true, strings.Repeat("é", 200) + "x": false, "ada@example.com": false,
		strings.Repeat("a", 20): false, "пароль из слов": true, "\xff\xfe invalid utf8": false,
	} {
		err := s.checkPassword(secret.New(password), "ada@example.com", "Ada")
		if (err == nil) != ok || err != nil && ota.CodeOf(err) != "password_weak" {
			t.Errorf("%q: %v", password, err)
		}
	}
}

func TestBackoff(t *testing.T) {
	for n, want := range map[int]time.Duration{0: 0, 4: 0, 5: time.Second, 6: 2 * time.Second, 10: 32 * time.Second, 15: maxBackoff, 1000: maxBackoff} {
		if got := backoff(n, 5); got != want {
			t.Errorf("after %d: %s, want %s", n, got, want)
		}
	}
}
