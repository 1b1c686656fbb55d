package control_test

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/plane/control"
)

func TestTokens(t *testing.T) {
	e := newEnv(t)
	secret, tok, err := e.CreateToken(e.ctx(), actor, "ci")
	e.do(err)
	if !regexp.MustCompile(`^wxw_[0-9A-Za-z]{49}$`).MatchString(secret) || !strings.HasPrefix(secret, tok.Prefix) || len(tok.Prefix) != 8 {
		t.Errorf("secret %q, token %+v", secret, tok)
	}
	got, err := e.Authenticate(e.ctx(), secret)
	if err != nil || got.ID != tok.ID || got.Name != "ci" || got.Token.Role != "owner" {
		t.Errorf("authenticated as %+v, %v", got, err)
	}
	_, _, err = e.CreateToken(e.ctx(), actor, "ci")
	wantCode(t, err, control.CodeTokenExists)
	_, _, err = e.CreateToken(e.ctx(), actor, "no spaces")
	wantCode(t, err, control.CodeNameInvalid)
	wantCode(t, e.DeleteToken(e.ctx(), actor, tok.ID), control.CodeLastToken)
	_, other, err := e.CreateToken(e.ctx(), actor, "other")
	e.do(err)
	wantCode(t, e.DeleteToken(e.ctx(), actor, 99), control.CodeTokenNotFound)
	e.do(e.DeleteToken(e.ctx(), actor, tok.ID))
	_, err = e.Authenticate(e.ctx(), secret)
	if got := wantCode(t, err, control.CodeTokenInvalid); got.Kind != ota.KindUnauthorized {
		t.Errorf("%+v", got)
	}
	list, err := e.Tokens(e.ctx())
	if err != nil || len(list) != 1 || list[0] != other {
		t.Errorf("tokens = %+v, %v", list, err)
	}
}

func TestAuthenticateRefused(t *testing.T) {
	e := newEnv(t)
	secret, _, err := e.CreateToken(e.ctx(), actor, "ci")
	e.do(err)
	flipped := []byte(secret)
	flipped[20] ^= 1
	for name, bad := range map[string]string{
		"empty": "", "unknown": "something-else", "cut": secret[:30], "longer": secret + "0",
		"mistyped": string(flipped), "prefix only": "wxw_",
	} {
		t.Run(name, func(t *testing.T) {
			_, err := e.Authenticate(t.Context(), bad)
			wantCode(t, err, control.CodeTokenInvalid)
		})
	}
}

func TestTokenUseIsNotedNowAndThen(t *testing.T) {
	e := newEnv(t)
	secret, _, err := e.CreateToken(e.ctx(), actor, "ci")
	e.do(err)
	used := func() int64 {
		list, err := e.Tokens(e.ctx())
		e.do(err)
		return list[0].LastUsed
	}
	for _, tt := range []struct {
		after time.Duration
		noted bool
	}{{0, true}, {time.Minute, false}, {5 * time.Minute, true}} {
		e.pass(tt.after)
		_, err := e.Authenticate(e.ctx(), secret)
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
		if tok, err := e.Authenticate(e.ctx(), secret); err != nil || tok.Name != "owner" {
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
			if tok, err := e.Authenticate(e.ctx(), secret); err != nil || tok.Name != "bootstrap" || tok.Token.Prefix != "" {
				t.Errorf("authenticated as %+v, %v", tok, err)
			}
		}
		_, err := e.Authenticate(e.ctx(), "first-secret")
		wantCode(t, err, control.CodeTokenInvalid)
		if list, err := e.Tokens(e.ctx()); len(list) != 1 || err != nil {
			t.Errorf("tokens = %+v, %v", list, err)
		}
	})
	t.Run("Weak", func(t *testing.T) {
		e := newEnv(t)
		for _, secret := range []string{"short", "has a space in it", "wxw_mistyped", "ümlaut-secret"} {
			_, err := e.Bootstrap(e.ctx(), secret)
			if got := wantCode(t, err, control.CodeTokenWeak); strings.Contains(got.Error()+got.Hint, secret) {
				t.Errorf("%q tells the secret", got.Msg)
			}
		}
	})
}
