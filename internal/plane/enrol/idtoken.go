package enrol

import (
	"context"
	"encoding/hex"
	"slices"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/sealed"
)

// The bounds of an ID token.
const (
	tokenSkew  = 60       // seconds that clocks may differ by
	tokenAge   = 3600     // seconds since it was issued
	maxSubject = 255      // bytes
	maxGroup   = 255      // bytes
	maxClaims  = 64 << 10 // bytes of its payload
)

// person is whom an identity provider vouches for.
type person struct {
	Subject string
	Groups  []string // sorted
}

// claims is what is looked at of an ID token.
type claims struct {
	Issuer   string         `json:"iss"`
	Subject  string         `json:"sub"`
	Audience jsontext.Value `json:"aud"`
	Party    *string        `json:"azp"`
	Expires  *int64         `json:"exp"`
	Issued   *int64         `json:"iat"`
	From     *int64         `json:"nbf"`
	Nonce    *string        `json:"nonce"`
}

// subject says whose device it is. Without a token it is nobody's.
func (s *Service) subject(ctx context.Context, policy *ota.SealedPolicy, req *sealed.EnrolRequest) (person, error) {
	if req.IDToken == "" {
		if policy.Enrolment == ota.EnrolIDToken {
			return person{}, refusedToken("the user must be signed in to enrol")
		}
		return person{Groups: []string{}}, nil
	}
	if policy.Issuer.URL == "" || s.Verifier == nil {
		return person{}, refusedToken("the app has no identity provider")
	}
	payload, err := s.Verifier.Verify(ctx, policy.Issuer.URL, req.IDToken)
	if ota.KindOf(err) == ota.KindUnauthorized {
		return person{}, refusedToken("its signature is not the issuer's").WithCause(err)
	}
	if err != nil {
		return person{}, err
	}
	return readToken(payload, policy.Issuer, hex.EncodeToString(req.Nonce), s.Now().Unix())
}

// readToken judges the claims of a token whose signature is right, at now (Unix
// seconds).
func readToken(payload []byte, issuer ota.SealedIssuer, nonce string, now int64) (person, error) {
	var c claims
	var all map[string]jsontext.Value
	if len(payload) > maxClaims || json.Unmarshal(payload, &c) != nil || json.Unmarshal(payload, &all) != nil {
		return person{}, refusedToken("it cannot be read")
	}
	switch {
	case c.Issuer != issuer.URL:
		return person{}, refusedToken("it is of another issuer")
	case !isFor(c.Audience, c.Party, issuer.Audience):
		return person{}, refusedToken("it is made out to somebody else")
	case c.Subject == "" || len(c.Subject) > maxSubject || !plain(c.Subject):
		return person{}, refusedToken("it names no subject")
	case c.Expires == nil || *c.Expires <= now-tokenSkew:
		return person{}, refusedToken("it has expired")
	case c.Issued == nil || *c.Issued > now+tokenSkew || *c.Issued < now-tokenAge-tokenSkew:
		return person{}, refusedToken("it is too old, or of the future")
	case c.From != nil && *c.From > now+tokenSkew:
		return person{}, refusedToken("it is not valid yet")
	case !issuer.AnyNonce && (c.Nonce == nil || *c.Nonce != nonce):
		return person{}, refusedToken("it was not made for this enrolment: its nonce differs")
	}
	groups, err := groupsOf(all, issuer.GroupClaim)
	return person{c.Subject, groups}, err
}

// isFor reports whether the audience has the client, and says so alone or to it.
func isFor(audience jsontext.Value, party *string, client string) bool {
	var one string
	if client == "" {
		return false
	}
	if json.Unmarshal(audience, &one) == nil {
		return one == client && (party == nil || *party == client)
	}
	var many []string
	if json.Unmarshal(audience, &many) != nil || !slices.Contains(many, client) {
		return false
	}
	return len(many) == 1 && party == nil || party != nil && *party == client
}

// groupsOf reads the claim that lists groups, sorted and each once. More than a
// certificate holds is an error: to leave some out would deny by chance.
func groupsOf(all map[string]jsontext.Value, claim string) ([]string, error) {
	raw, ok := all[claim]
	if claim == "" || !ok {
		return []string{}, nil
	}
	var list []string
	if json.Unmarshal(raw, &list) != nil {
		var one string
		if json.Unmarshal(raw, &one) != nil {
			return nil, refusedToken("its groups are no list of texts")
		}
		list = []string{one}
	}
	slices.Sort(list)
	list = slices.Compact(list)
	if len(list) > sealed.MaxGroups {
		return nil, refusedToken("it lists too many groups").WithHint("have the issuer list at most %d, those of this app", sealed.MaxGroups)
	}
	for _, g := range list {
		if g == "" || len(g) > maxGroup || !plain(g) {
			return nil, refusedToken("a group in it has no name that can be used")
		}
	}
	return list, nil
}

// plain reports whether a text has no control characters.
func plain(s string) bool {
	for _, c := range s {
		if c < ' ' || c == 0x7f || c == 0xfffd {
			return false
		}
	}
	return true
}

func refusedToken(why string) *ota.Error {
	return ota.Errorf(ota.KindUnauthorized, CodeIDToken, "the ID token is not accepted: %s", why).WithField("id_token").
		WithHint("sign in with the app's identity provider, with the enrolment's nonce as the nonce of the sign-in")
}
