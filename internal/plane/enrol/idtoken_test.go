package enrol

import (
	"encoding/json"
	"maps"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// A token counts only if it is of the app's issuer, made out to the app, of now, and
// made for this enrolment; each row changes one claim of a good one.
func TestClaims(t *testing.T) {
	const now, nonce = 1_800_000_000, "00112233445566778899aabbccddeeff"
	issuer := ota.SealedIssuer{URL: "https://id.example.com", Audience: "shop", GroupClaim: "groups"}
	good := map[string]any{
		"iss": issuer.URL, "sub": "00u1", "aud": "shop", "exp": now + 300, "iat": now - 10, "nonce": nonce, "groups": []string{"staff", "beta", "staff"},
	}
	many := make([]string, 65)
	for i := range many {
		many[i] = strings.Repeat("g", i+1)
	}
	for _, c := range []struct {
		name   string
		change map[string]any // nil = left out
		ok     bool
	}{
		{"good", nil, true},
		{"audience in a list", map[string]any{"aud": []string{"shop"}}, true},
		{"several audiences, to us", map[string]any{"aud": []string{"api", "shop"}, "azp": "shop"}, true},
		{"just expired, clocks differ", map[string]any{"exp": now - 30}, true},
		{"no groups", map[string]any{"groups": nil}, true},
		{"one group as text", map[string]any{"groups": "staff"}, true},
		{"another issuer", map[string]any{"iss": "https://id.example.com.evil.example"}, false},
		{"issuer with a slash", map[string]any{"iss": issuer.URL + "/"}, false},
		{"no issuer", map[string]any{"iss": nil}, false},
		{"to somebody else", map[string]any{"aud": "bank"}, false},
		{"several audiences, to another", map[string]any{"aud": []string{"shop", "bank"}, "azp": "bank"}, false},
		{"several audiences, to nobody in particular", map[string]any{"aud": []string{"shop", "bank"}}, false},
		{"one audience, to another party", map[string]any{"azp": "bank"}, false},
		{"no audience", map[string]any{"aud": nil}, false},
		{"audience is a number", map[string]any{"aud": 7}, false},
		{"nobody", map[string]any{"sub": ""}, false},
		{"subject with a line break", map[string]any{"sub": "a\nb"}, false},
		{"subject too long", map[string]any{"sub": strings.Repeat("x", 256)}, false},
		{"expired", map[string]any{"exp": now - 61}, false},
		{"never expires", map[string]any{"exp": nil}, false},
		{"of the future", map[string]any{"iat": now + 120}, false},
		{"issued long ago", map[string]any{"iat": now - 3700}, false},
		{"no time of issue", map[string]any{"iat": nil}, false},
		{"not valid yet", map[string]any{"nbf": now + 120}, false},
		{"made for another enrolment", map[string]any{"nonce": strings.Repeat("0", 32)}, false},
		{"made for none", map[string]any{"nonce": nil}, false},
		{"expiry is text", map[string]any{"exp": "tomorrow"}, false},
		{"groups are numbers", map[string]any{"groups": []int{1}}, false},
		{"a group without a name", map[string]any{"groups": []string{""}}, false},
		{"too many groups", map[string]any{"groups": many}, false},
	} {
		claims := maps.Clone(good)
		for k, v := range c.change {
			if claims[k] = v; v == nil {
				delete(claims, k)
			}
		}
		raw, err := json.Marshal(claims)
		if err != nil {
			t.Fatal(err)
		}
		who, err := readToken(raw, issuer, nonce, now)
		if (err == nil) != c.ok {
			t.Errorf("%s: %v", c.name, err)
		}
		if c.name == "good" {
			if diff := cmp.Diff(person{"00u1", []string{"beta", "staff"}}, who); diff != "" {
				t.Error(diff)
			}
		}
	}
	for _, raw := range []string{"", "null", "[]", `{"iss":1}`, `{"iss":"a","iss":"b"}`} {
		if _, err := readToken([]byte(raw), issuer, nonce, now); err == nil {
			t.Errorf("%s was taken", raw)
		}
	}
}
