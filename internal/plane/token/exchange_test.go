package token_test

import (
	"crypto/x509"
	"encoding/pem"
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/plane/token"
)

func (e *env) exchange(raw string) (string, ota.Token, error) {
	text, t, err := e.Exchange(e.ctx(), ota.TokenExchange{IDToken: raw}, netip.MustParseAddr("198.51.100.9"))
	return text.Reveal(), t, err
}

func TestExchange(t *testing.T) {
	e, gh, gl := trusting(t)
	text, tok, err := e.exchange(gh.sign(e.github(gh)))
	e.do(err)
	if life := tok.ExpiresAt - e.now().UnixMilli(); life != 15*60*1000 {
		t.Errorf("lasts %d ms", life)
	}
	p, err := e.as(text)
	e.do(err)
	want := ota.Principal{
		Kind: ota.PrincipalCI, ID: tok.ID, Name: "hub", Grants: []ota.Grant{grant(ota.RoleReleaseManager, "main/com.example.shop/beta")},
		Limits: &ota.Limits{Actions: []string{"bundle.create", "release.create"}}, Token: p.Token,
	}
	if diff := cmp.Diff(want, p); diff != "" || p.Actor() != "ci:hub" {
		t.Errorf("%s: %s", p.Actor(), diff)
	}
	if _, _, err = e.create(p, ota.NewToken{Name: "more"}); ota.KindOf(err) != ota.KindForbidden {
		t.Errorf("a CI run made a token: %v", err)
	}
	_, _, err = e.Rotate(e.ctx(), nobody(), tok.ID, ota.TokenRotation{})
	wantCode(t, err, token.CodeNotRotated)
	// GitLab, and the other algorithm.
	if _, tok, err = e.exchange(compact(`{"alg":"ES256","kid":"ec"}`, e.gitlab(gl).text(), gl.es256)); err != nil || tok.Owner.Name != "lab" {
		t.Errorf("%+v, %v", tok, err)
	}
	e.pass(15 * time.Minute)
	_, err = e.as(text)
	wantCode(t, err, token.CodeTokenExpired)
}

// TestExchangeRefuses: every documented way to be somebody else.
func TestExchangeRefuses(t *testing.T) {
	e, gh, gl := trusting(t)
	other := newIssuer(t) // nobody trusts it
	good := e.github(gh)
	now := e.now().Unix()
	der, err := x509.MarshalPKIXPublicKey(&gh.rsa.PublicKey)
	e.do(err)
	public := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
	none := func([]byte) []byte { return nil }
	twice := strings.Replace(good.text(), `"repository_id"`, `"repository_id":"74","repository_id"`, 1)
	for name, tt := range map[string]struct {
		raw, code, field string
	}{
		"wrong audience":        {gh.sign(good.with("aud", "https://other.example.com")), token.CodeIDTokenAudience, ""},
		"two audiences":         {gh.sign(good.with("aud", []string{audience, "https://other.example.com"})), token.CodeIDTokenAudience, ""},
		"no audience":           {gh.sign(good.with("aud", nil)), token.CodeIDTokenAudience, ""},
		"fork of the same name": {gh.sign(good.with("repository_id", "75")), token.CodePublisherRefused, "repository_id"},
		"id is a number":        {gh.sign(good.with("repository_id", 74)), token.CodeIDTokenClaims, ""},
		"transferred owner":     {gh.sign(good.with("repository_owner_id", "66")), token.CodePublisherRefused, "owner_id"},
		"other workflow":        {gh.sign(good.with("job_workflow_ref", "octo/shop/.github/workflows/test.yml@refs/heads/main")), token.CodePublisherRefused, "workflow"},
		"workflow of other ref": {gh.sign(good.with("job_workflow_ref", "octo/shop/.github/workflows/release.yml@refs/heads/evil")), token.CodePublisherRefused, "workflow"},
		"workflow of a stranger": {
			gh.sign(good.with("job_workflow_ref", "evil/shop/.github/workflows/release.yml@refs/heads/main")), token.CodePublisherRefused, "workflow",
		},
		"other ref":            {gh.sign(good.with("ref", "refs/heads/dev")), token.CodePublisherRefused, "ref"},
		"tag called like it":   {gh.sign(good.with("ref", "refs/tags/main")), token.CodePublisherRefused, "ref"},
		"other environment":    {gh.sign(good.with("environment", "staging")), token.CodePublisherRefused, "environment"},
		"no environment":       {gh.sign(good.with("environment", nil)), token.CodePublisherRefused, "environment"},
		"pull request":         {gh.sign(good.with("event_name", "pull_request")), token.CodePublisherRefused, "pull_requests"},
		"pull request target":  {gh.sign(good.with("event_name", "pull_request_target")), token.CodePublisherRefused, "pull_requests"},
		"merge request":        {gl.sign(e.gitlab(gl).with("pipeline_source", "merge_request_event")), token.CodePublisherRefused, "pull_requests"},
		"GitLab's remote file": {gl.sign(e.gitlab(gl).with("ci_config_ref_uri", "evil.example.com/x//.gitlab-ci.yml@refs/heads/main")), token.CodePublisherRefused, "workflow"},
		"no event":             {gh.sign(good.with("event_name", nil)), token.CodeIDTokenClaims, ""},
		"no repository id":     {gh.sign(good.with("repository_id", nil)), token.CodeIDTokenClaims, ""},
		"no owner id":          {gh.sign(good.with("repository_owner_id", nil)), token.CodeIDTokenClaims, ""},
		"no workflow":          {gh.sign(good.with("job_workflow_ref", nil)), token.CodeIDTokenClaims, ""},
		"no ref":               {gh.sign(good.with("ref", nil)), token.CodeIDTokenClaims, ""},
		"no jti":               {gh.sign(good.with("jti", nil)), token.CodeIDTokenClaims, ""},
		"no exp":               {gh.sign(good.with("exp", nil)), token.CodeIDTokenClaims, ""},
		"no iat":               {gh.sign(good.with("iat", nil)), token.CodeIDTokenClaims, ""},
		"expired":              {gh.sign(good.with("exp", now-61).with("iat", now-400)), token.CodeIDTokenExpired, ""},
		"not yet valid":        {gh.sign(good.with("nbf", now+61)), token.CodeIDTokenEarly, ""},
		"issued in the future": {gh.sign(good.with("iat", now+61)), token.CodeIDTokenEarly, ""},
		"valid for too long":   {gh.sign(good.with("exp", now+7201)), token.CodeIDTokenClaims, ""},
		"claims of GitLab by GitHub's issuer": {
			gh.sign(e.gitlab(gl).with("iss", gh.srv.URL)), token.CodeIDTokenClaims, "",
		},
		"duplicate claim":  {compact(`{"alg":"RS256","kid":"rsa"}`, twice, gh.rs256), token.CodeExchangeRefused, ""},
		"duplicate header": {compact(`{"alg":"RS256","alg":"RS256","kid":"rsa"}`, good.text(), gh.rs256), token.CodeExchangeRefused, ""},
		"alg none":         {compact(`{"alg":"none","kid":"rsa"}`, good.text(), none), token.CodeExchangeRefused, ""},
		"alg none, signed": {compact(`{"alg":"none","kid":"rsa"}`, good.text(), gh.rs256), token.CodeExchangeRefused, ""},
		"alg HS256 with the public key": {
			compact(`{"alg":"HS256","kid":"rsa"}`, good.text(), hs256(public)), token.CodeExchangeRefused, "",
		},
		"alg ES256 with the RSA key": {compact(`{"alg":"ES256","kid":"rsa"}`, good.text(), gh.es256), token.CodeExchangeRefused, ""},
		"unknown kid":                {compact(`{"alg":"RS256","kid":"new"}`, good.text(), gh.rs256), token.CodeExchangeRefused, ""},
		"no kid":                     {compact(`{"alg":"RS256"}`, good.text(), gh.rs256), token.CodeExchangeRefused, ""},
		"key in the header":          {compact(`{"alg":"RS256","kid":"rsa","jwk":{}}`, good.text(), gh.rs256), token.CodeExchangeRefused, ""},
		"key at an address":          {compact(`{"alg":"RS256","kid":"rsa","jku":"https://evil"}`, good.text(), gh.rs256), token.CodeExchangeRefused, ""},
		"critical header":            {compact(`{"alg":"RS256","kid":"rsa","crit":["exp"]}`, good.text(), gh.rs256), token.CodeExchangeRefused, ""},
		"key of another issuer":      {gl.sign(good), token.CodeExchangeRefused, ""},
		"foreign issuer, its keys":   {other.sign(good.with("iss", other.srv.URL)), token.CodeExchangeRefused, ""},
		"foreign issuer, same keys":  {gh.sign(good.with("iss", other.srv.URL)), token.CodeExchangeRefused, ""},
		"issuer with a slash more":   {gh.sign(good.with("iss", gh.srv.URL+"/")), token.CodeExchangeRefused, ""},
		"changed payload":            {swapPayload(gh.sign(good), good.with("ref", "refs/heads/main ").text()), token.CodeExchangeRefused, ""},
		"oversized":                  {gh.sign(good.with("pad", strings.Repeat("x", 16<<10))), token.CodeExchangeRefused, ""},
		"not a token":                {"x", token.CodeExchangeRefused, ""},
		"empty":                      {"", token.CodeExchangeRefused, ""},
	} {
		t.Run(name, func(t *testing.T) {
			text, _, err := e.exchange(tt.raw)
			if text != "" {
				t.Error("a secret was handed out")
			}
			got := wantCode(t, err, tt.code)
			if got.Field != tt.field || ota.KindOf(err) != ota.KindUnauthorized && name != "oversized" {
				t.Errorf("%+v, want the field %q", got, tt.field)
			}
		})
	}
	if n := other.asked.Load(); n != 0 {
		t.Errorf("an issuer that nobody trusts was asked %d times", n)
	}
	// However many tokens named keys that do not exist: discovery and keys once.
	if n := gh.asked.Load(); n > 2 {
		t.Errorf("the issuer was asked %d times within seconds", n)
	}
	if _, _, err := e.exchange(gh.sign(good)); err != nil {
		t.Errorf("the run itself, after all that: %v", err)
	}
}

func swapPayload(raw, payload string) string {
	parts := strings.Split(raw, ".")
	return parts[0] + "." + b64([]byte(payload)) + "." + parts[2]
}

func TestRenamedRepository(t *testing.T) {
	e, gh, _ := trusting(t)
	renamed := e.github(gh).with("repository", "octo/store").with("job_workflow_ref", "octo/store/.github/workflows/release.yml@refs/heads/main")
	if _, _, err := e.exchange(gh.sign(renamed)); err != nil {
		t.Errorf("another name, the same id: %v", err)
	}
	_, _, err := e.exchange(gh.sign(e.github(gh).with("repository_id", "99")))
	wantCode(t, err, token.CodePublisherRefused)
}

func TestReplay(t *testing.T) {
	e, gh, _ := trusting(t)
	c := e.github(gh)
	if _, _, err := e.exchange(gh.sign(c)); err != nil {
		t.Fatal(err)
	}
	for _, after := range []time.Duration{0, time.Minute, 5*time.Minute + 59*time.Second - time.Minute} {
		e.pass(after)
		_, _, err := e.exchange(gh.sign(c)) // signed anew: the jti counts
		wantCode(t, err, token.CodeIDTokenReplayed)
	}
	e.pass(time.Second)
	_, _, err := e.exchange(gh.sign(c))
	wantCode(t, err, token.CodeIDTokenExpired)
}

func TestPublisherRemoved(t *testing.T) {
	e, gh, _ := trusting(t)
	text, tok, err := e.exchange(gh.sign(e.github(gh)))
	e.do(err)
	e.do(e.DeletePublisher(e.ctx(), nobody(), tok.Owner.ID))
	_, err = e.as(text)
	wantCode(t, err, token.CodeTokenInvalid)
	asked := gh.asked.Load()
	_, _, err = e.exchange(gh.sign(e.github(gh)))
	wantCode(t, err, token.CodeExchangeRefused)
	if gh.asked.Load() != asked {
		t.Error("an issuer that nobody names any more was asked")
	}
}

func TestSeveralPublishers(t *testing.T) {
	e, gh, _ := trusting(t)
	second := e.hub(gh)
	second.Name, second.Scope.Channel, second.PullRequests = "pulls", "dev", true
	e.add(second)
	_, _, err := e.exchange(gh.sign(e.github(gh)))
	wantCode(t, err, token.CodeAmbiguous)
	for _, name := range []string{"hub", "pulls"} {
		_, tok, err := e.Exchange(e.ctx(), ota.TokenExchange{IDToken: gh.sign(e.github(gh)), Publisher: name}, netip.Addr{})
		if err != nil || tok.Owner.Name != name {
			t.Errorf("%+v, %v", tok, err)
		}
	}
	pull := e.github(gh).with("event_name", "pull_request").with("ref", "refs/pull/1/merge").
		with("job_workflow_ref", "octo/shop/.github/workflows/release.yml@refs/pull/1/merge")
	if _, tok, err := e.exchange(gh.sign(pull)); err != nil || tok.Owner.Name != "pulls" {
		t.Errorf("%+v, %v", tok, err)
	}
}

func TestIssuerDown(t *testing.T) {
	e, gh, _ := trusting(t)
	gh.down.Store(true)
	_, _, err := e.exchange(gh.sign(e.github(gh)))
	if got := wantCode(t, err, "issuer_unreachable"); got.Kind != ota.KindUnavailable {
		t.Errorf("%+v", got)
	}
	gh.down.Store(false)
	e.pass(20 * time.Second)
	if _, _, err := e.exchange(gh.sign(e.github(gh))); err != nil {
		t.Error(err)
	}
}

func TestExchangeIsBounded(t *testing.T) {
	e, _, _ := trusting(t)
	from := netip.MustParseAddr("192.0.2.1")
	var err error
	n := 0
	for ; n < 200; n++ {
		if _, _, err = e.Exchange(e.ctx(), ota.TokenExchange{IDToken: "x"}, from); ota.CodeOf(err) == token.CodeExchangeBusy {
			break
		}
	}
	if n != 100 {
		t.Errorf("busy after %d", n)
	}
	if _, _, err = e.Exchange(e.ctx(), ota.TokenExchange{IDToken: "x"}, netip.MustParseAddr("192.0.3.1")); ota.CodeOf(err) != token.CodeExchangeRefused {
		t.Errorf("another network: %v", err)
	}
	e.deps.Audience = ""
	_, _, err = token.New(e.deps).Exchange(e.ctx(), ota.TokenExchange{}, from)
	wantCode(t, err, token.CodeExchangeOff)
}

func TestPublisherIsChecked(t *testing.T) {
	e, gh, gl := trusting(t)
	for name, tt := range map[string]struct {
		change func(*ota.NewPublisher)
		field  string
	}{
		"provider":          {func(p *ota.NewPublisher) { p.Provider = "jenkins" }, "provider"},
		"provider differs":  {func(p *ota.NewPublisher) { p.Issuer = gl.srv.URL }, "provider"},
		"GitHub's by other": {func(p *ota.NewPublisher) { p.Issuer = "https://gitlab.com" }, "provider"},
		"http":              {func(p *ota.NewPublisher) { p.Issuer = "http://gitlab.example.com" }, "issuer"},
		"slash":             {func(p *ota.NewPublisher) { p.Issuer += "/" }, "issuer"},
		"query":             {func(p *ota.NewPublisher) { p.Issuer += "?a" }, "issuer"},
		"user":              {func(p *ota.NewPublisher) { p.Issuer = "https://a@b.example.com" }, "issuer"},
		"name for an id":    {func(p *ota.NewPublisher) { p.RepositoryID = "octo/shop" }, "repository_id"},
		"no owner":          {func(p *ota.NewPublisher) { p.OwnerID = "" }, "owner_id"},
		"workflow":          {func(p *ota.NewPublisher) { p.Workflow = "release.yml" }, "workflow"},
		"no ref of another": {func(p *ota.NewPublisher) { p.Workflow = "o/r/.github/workflows/a.yml@main" }, "workflow"},
		"any branch":        {func(p *ota.NewPublisher) { p.Ref = "refs/heads/*" }, "ref"},
		"any ref":           {func(p *ota.NewPublisher) { p.Ref = "*" }, "ref"},
		"star within":       {func(p *ota.NewPublisher) { p.Ref = "refs/tags/v*-rc" }, "ref"},
		"branch's name":     {func(p *ota.NewPublisher) { p.Ref = "main" }, "ref"},
		"owner":             {func(p *ota.NewPublisher) { p.Role = ota.RoleOwner }, "role"},
		"administrator":     {func(p *ota.NewPublisher) { p.Role = ota.RoleAdministrator }, "role"},
		"auditor":           {func(p *ota.NewPublisher) { p.Role = ota.RoleAuditor }, "role"},
		"no role":           {func(p *ota.NewPublisher) { p.Role = "" }, "role"},
		"scope":             {func(p *ota.NewPublisher) { p.Scope.App = "" }, "scope"},
		"action":            {func(p *ota.NewPublisher) { p.Actions = []string{"*"} }, "actions"},
		"taken":             {func(p *ota.NewPublisher) { p.Name = "hub" }, "name"},
	} {
		in := e.hub(gh)
		in.Name = "new"
		tt.change(&in)
		_, err := e.CreatePublisher(e.ctx(), nobody(), in)
		got := &ota.Error{}
		ok := errors.As(err, &got)
		if !ok || got.Field != tt.field || got.Hint == "" && tt.field != "provider" {
			t.Errorf("%s: %+v, want the field %q", name, err, tt.field)
		}
	}
	in := e.hub(gh)
	in.Name = "mine"
	manager := ota.Principal{Kind: ota.PrincipalUser, ID: 5, Grants: []ota.Grant{grant(ota.RoleReleaseManager, "main")}}
	_, err := e.CreatePublisher(e.ctx(), manager, in)
	wantCode(t, err, token.CodeTokenBroader)
	list, _, err := e.Publishers(e.ctx(), manager, "", ota.Page{Limit: 1})
	if err != nil || len(list) != 1 {
		t.Errorf("%+v, %v", list, err)
	}
	wantCode(t, e.DeletePublisher(e.ctx(), manager, list[0].ID), token.CodePublisherNotFound)
	_, _, err = e.Publishers(e.ctx(), manager, "other", ota.Page{})
	wantCode(t, err, token.CodeNotAllowed)
}
