package token_test

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/plane/token"
)

func TestTokens(t *testing.T) {
	e := newEnv(t)
	secret, tok, err := e.create(nobody(), ota.NewToken{Name: "ci"})
	e.do(err)
	if !regexp.MustCompile(`^wxw_[0-9A-Za-z]{49}$`).MatchString(secret) || !strings.HasPrefix(secret, tok.Prefix) || len(tok.Prefix) != 8 {
		t.Errorf("secret %q, token %+v", secret, tok)
	}
	got, err := e.as(secret)
	if err != nil || got.ID != tok.ID || got.Actor() != "token:ci" || got.Name != "ci" || !got.Is(ota.RoleOwner, ota.Scope{Org: ota.MainOrg}) {
		t.Errorf("authenticated as %+v, %v", got, err)
	}
	_, _, err = e.create(nobody(), ota.NewToken{Name: "ci"})
	wantCode(t, err, token.CodeTokenExists)
	_, _, err = e.create(nobody(), ota.NewToken{Name: "no spaces"})
	wantCode(t, err, token.CodeNameInvalid)
	wantCode(t, e.Delete(e.ctx(), nobody(), tok.ID), token.CodeLastToken)
	_, other, err := e.create(nobody(), ota.NewToken{Name: "other"})
	e.do(err)
	wantCode(t, e.Delete(e.ctx(), nobody(), 99), token.CodeTokenNotFound)
	e.do(e.Delete(e.ctx(), nobody(), tok.ID))
	_, err = e.as(secret)
	if got := wantCode(t, err, token.CodeTokenInvalid); got.Kind != ota.KindUnauthorized {
		t.Errorf("%+v", got)
	}
	if diff := cmp.Diff([]ota.Token{other}, e.own()); diff != "" {
		t.Error(diff)
	}
}

func TestAuthenticateRefused(t *testing.T) {
	e := newEnv(t)
	secret, _, err := e.create(nobody(), ota.NewToken{Name: "ci"})
	e.do(err)
	flipped := []byte(secret)
	flipped[20] ^= 1
	for name, bad := range map[string]string{
		"empty": "", "unknown": "something-else", "cut": secret[:30], "longer": secret + "0",
		"mistyped": string(flipped), "prefix only": "wxw_",
	} {
		t.Run(name, func(t *testing.T) {
			_, err := e.as(bad)
			wantCode(t, err, token.CodeTokenInvalid)
		})
	}
}

func TestTokenUseIsNotedNowAndThen(t *testing.T) {
	e := newEnv(t)
	secret, _, err := e.create(nobody(), ota.NewToken{Name: "ci"})
	e.do(err)
	used := func() int64 {
		return e.own()[0].LastUsed
	}
	for _, tt := range []struct {
		after time.Duration
		noted bool
	}{{0, true}, {time.Minute, false}, {5 * time.Minute, true}} {
		e.pass(tt.after)
		_, err := e.as(secret)
		e.do(err)
		if got := used() == e.now().UnixMilli(); got != tt.noted {
			t.Errorf("after %s noted: %v, want %v", tt.after, got, tt.noted)
		}
	}
}

func TestBootstrap(t *testing.T) {
	t.Run("FirstStart", func(t *testing.T) {
		e := newEnv(t)
		secret, err := e.Bootstrap(e.ctx(), "")
		e.do(err)
		if tok, err := e.as(secret); err != nil || tok.Name != "owner" {
			t.Errorf("authenticated as %+v, %v", tok, err)
		}
		if again, err := e.Bootstrap(e.ctx(), ""); again != "" || err != nil {
			t.Errorf("second start printed %q, %v", again, err)
		}
	})
	t.Run("FromEnvironment", func(t *testing.T) {
		e := newEnv(t)
		for _, secret := range []string{"first-secret", "first-secret", "second-secret"} {
			if printed, err := e.Bootstrap(e.ctx(), secret); printed != "" || err != nil {
				t.Fatalf("printed %q, %v", printed, err)
			}
			if tok, err := e.as(secret); err != nil || tok.Name != "bootstrap" || tok.Token.Prefix != "" {
				t.Errorf("authenticated as %+v, %v", tok, err)
			}
		}
		_, err := e.as("first-secret")
		wantCode(t, err, token.CodeTokenInvalid)
		if list := e.own(); len(list) != 1 || list[0].ExpiresAt != 0 {
			t.Errorf("tokens = %+v", list)
		}
	})
	t.Run("Weak", func(t *testing.T) {
		e := newEnv(t)
		for _, secret := range []string{"short", "has a space in it", "wxw_mistyped", "ümlaut-secret"} {
			_, err := e.Bootstrap(e.ctx(), secret)
			if got := wantCode(t, err, token.CodeTokenWeak); strings.Contains(got.Error()+got.Hint, secret) {
				t.Errorf("%q tells the secret", got.Msg)
			}
		}
	})
}
