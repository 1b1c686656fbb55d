package token

import (
	"testing"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// FuzzMistyped: what looks like a token of ours is one to the last digit, or refused.
func FuzzMistyped(f *testing.F) {
	for _, s := range []string{"", "wxw_", "wxw_0000000000000000000000000000000000000000000000000", "other"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if !mistyped(s) && prefixOf(s) != "" && (len(s) != len(tokenPrefix)+tokenDigits+checkDigits || checkOf(s[4:4+tokenDigits]) != s[4+tokenDigits:]) {
			t.Errorf("%q passes", s)
		}
	})
}

// FuzzClaimedIssuer: no bytes make the reader of ID tokens panic, and none
// without a listed algorithm and a named key get further.
func FuzzClaimedIssuer(f *testing.F) {
	for _, s := range []string{"", "..", "e30.e30.e30", "eyJhbGciOiJSUzI1NiIsImtpZCI6ImEifQ.eyJpc3MiOiJodHRwczovL2EifQ.AA"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if issuer, err := claimedIssuer(s); err == nil && (issuer == "" || len(s) > maxIDToken) {
			t.Errorf("%q passes", s)
		}
	})
}

// FuzzClaims: no payload makes the checks panic or pass without what they ask for.
func FuzzClaims(f *testing.F) {
	f.Add([]byte(`{"iss":"https://a","aud":"here","exp":100,"iat":90,"jti":"x","repository_id":"1"}`))
	f.Add([]byte(`{"aud":["here"],"exp":9223372036854775807,"iat":-9223372036854775808,"jti":"x"}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := readClaims(b)
		if err != nil || c.check("here", 95) != nil {
			return
		}
		for _, p := range []ota.CIProvider{ota.ProviderGitHub, ota.ProviderGitLab} {
			if r, err := c.run(p); err == nil && (r.RepositoryID == "" || r.OwnerID == "" || r.Ref == "" || r.jti == "" || r.expires <= 95-skew) {
				t.Errorf("%s passes", b)
			}
		}
	})
}

func TestMatchRef(t *testing.T) {
	for _, tt := range []struct {
		pattern, ref string
		want         bool
	}{
		{"refs/heads/main", "refs/heads/main", true},
		{"refs/heads/main", "refs/heads/main2", false},
		{"refs/heads/main", "refs/heads/Main", false},
		{"refs/tags/v*", "refs/tags/v1.0.0", true},
		{"refs/tags/v*", "refs/tags/v", false},
		{"refs/tags/v*", "refs/tags/v1/x", false},
		{"refs/tags/v*", "refs/heads/v1", false},
		{"refs/tags/*", "refs/tags/anything", true},
		{"refs/tags/*", "refs/tags/", false},
	} {
		if got := matchRef(tt.pattern, tt.ref); got != tt.want {
			t.Errorf("%s lets %s in: %v", tt.pattern, tt.ref, got)
		}
	}
}
