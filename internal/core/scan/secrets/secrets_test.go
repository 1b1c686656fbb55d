package secrets

import (
	"encoding/base64"
	"fmt"
	"hash/crc32"
	"strings"
	"testing"

	"github.com/waxwing-ota/waxwing/internal/core/scan/rules"
)

func engine(t testing.TB) *Engine {
	t.Helper()
	set, err := rules.Load()
	if err != nil {
		t.Fatal(err)
	}
	e, err := New(set.Secrets)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// letters returns n letters without a pattern that a stop word matches.
func letters(n int, alphabet string) string {
	var b strings.Builder
	x := uint32(12345)
	for range n {
		x = x*1664525 + 1013904223
		b.WriteByte(alphabet[int(x>>16)%len(alphabet)])
	}
	return b.String()
}

const (
	alnum = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	hex   = "0123456789abcdef"
)

func token(prefix string) string {
	body := letters(30, alnum)
	return prefix + body + base62(crc32.ChecksumIEEE([]byte(body)))
}

func jwt(claims string) string {
	e := base64.RawURLEncoding.EncodeToString
	return e([]byte(`{"alg":"HS256","typ":"JWT"}`)) + "." + e([]byte(claims)) + "." + letters(43, alnum)
}

func TestFormats(t *testing.T) {
	e := engine(t)
	for rule, texts := range map[string][]string{
		"aws-access-key":            {"k='AKIA" + letters(16, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") + "'"},
		"aws-secret-key":            {`awsSecretAccessKey:"` + letters(40, alnum) + `"`, `AWS_SECRET_KEY="` + letters(40, alnum) + `"`},
		"github-token":              {token("ghp_"), token("ghs_")},
		"github-fine-grained-token": {"github_pat_" + letters(22, alnum) + "_" + letters(59, alnum)},
		"gitlab-token":              {"glpat-" + letters(20, alnum)},
		"google-api-key":            {`"AIza` + letters(35, alnum) + `"`},
		"google-oauth-secret":       {"GOCSPX-" + letters(28, alnum)},
		"google-service-account":    {`{"type": "service_account"}`},
		"stripe-live-key":           {"sk_live_" + letters(24, alnum)},
		"stripe-test-key":           {"sk_test_" + letters(24, alnum)},
		"stripe-webhook-secret":     {"whsec_" + letters(32, alnum)},
		"slack-token":               {"xoxb-123456789012-123456789012-" + letters(24, alnum)},
		"slack-app-token":           {"xapp-1-A01234567-1234567890123-" + letters(64, hex)},
		"slack-webhook":             {"https://hooks.slack.com/services/T01234567/B01234567/" + letters(24, alnum)},
		"discord-webhook":           {"https://discord.com/api/webhooks/123456789012345678/" + letters(68, alnum)},
		"telegram-bot-token":        {"telegramToken='1234567890:AA" + letters(33, alnum) + "'"},
		"private-key":               {"-----BEGIN RSA PRIVATE KEY-----\n" + letters(64, alnum), `"-----BEGIN PRIVATE KEY-----\n` + letters(64, alnum)},
		"age-secret-key":            {"AGE-SECRET-KEY-1" + letters(58, "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L")},
		"npm-token":                 {token("npm_")},
		"pypi-token":                {"pypi-AgEIcHlwaS5vcmc" + letters(60, alnum)},
		"twilio-key":                {"twilio('SK" + letters(32, hex) + "')"},
		"twilio-auth-token":         {"twilio('AC" + letters(32, hex) + "', '" + letters(32, hex) + "')"},
		"sendgrid-key":              {"SG." + letters(22, alnum) + "." + letters(43, alnum)},
		"mailgun-key":               {"mailgun={key:'key-" + letters(32, hex) + "'}"},
		"mailchimp-key":             {letters(32, hex) + "-us12"},
		"openai-key":                {"sk-proj-" + letters(24, alnum) + "T3BlbkFJ" + letters(24, alnum)},
		"anthropic-key":             {"sk-ant-api03-" + letters(95, alnum)},
		"huggingface-token":         {"hf_" + letters(34, alnum[:52])},
		"shopify-token":             {"shpat_" + letters(32, hex)},
		"square-token":              {"sq0csp-" + letters(43, alnum)},
		"digitalocean-token":        {"dop_v1_" + letters(64, hex)},
		"hashicorp-vault-token":     {"hvs." + letters(24, alnum)},
		"azure-storage-key":         {"AccountKey=" + letters(86, alnum) + "=="},
		"supabase-service-key":      {"sb_secret_" + letters(31, alnum)},
		"firebase-server-key":       {"AAAA" + letters(7, alnum) + ":APA91b" + letters(134, alnum)},
		"facebook-token":            {"EAAC" + letters(150, alnum)},
		"mapbox-secret-token":       {"sk.eyJ" + letters(80, alnum) + "." + letters(22, alnum)},
		"sentry-token":              {"sntrys_eyJ" + letters(100, alnum)},
		"database-url":              {"postgres://admin:hunter2hunter2@db.example.org/x"},
		"basic-auth-url":            {"fetch('https://bob:hunter2hunter2@host.example.org/x')"},
		"jwt":                       {jwt(`{"sub":"1"}`), jwt(`{"iat":1700000000,"exp":1800000000}`), jwt(`{"exp":4000000000}`)},
		"generic-secret":            {`apiKey:"` + letters(32, alnum) + `"`, `client_secret = '` + letters(40, alnum) + `'`},
	} {
		for _, text := range texts {
			hits := e.Find("a.js", []byte("x "+text+" y"), 1_750_000_000)
			if len(hits) != 1 || hits[0].Rule.ID != rule {
				t.Errorf("%s in %q: %s", rule, text, names(hits))
			}
		}
	}
	if h := e.Find(".npmrc", []byte("//r.example/:_authToken="+letters(20, alnum)), 0); len(h) != 1 || h[0].Rule.ID != "npmrc-auth" {
		t.Errorf(".npmrc: %s", names(h))
	}
}

func names(hits []Hit) string {
	var s []string
	for _, h := range hits {
		s = append(s, fmt.Sprintf("%s[%d:%d]", h.Rule.ID, h.Start, h.End))
	}
	return fmt.Sprint(s)
}

// Every format has a line in TestFormats; what only looks like one is silent.
func TestLookalikes(t *testing.T) {
	e := engine(t)
	for _, text := range []string{
		"AKIAIOSFODNN7EXAMPLE", "AKIAAAAAAAAAAAAAAAAA",
		"ghp_" + letters(36, alnum), // wrong checksum
		"sk_live_example", "apiKey: process.env.API_KEY", `apiKey:"your-api-key-goes-here-please"`,
		`accessToken:"auth.token.of.the.user"`, `"privateKey":"missingPrivateKeyMessage"`,
		"-----BEGIN PUBLIC KEY-----\n" + letters(64, alnum), `"-----BEGIN PRIVATE KEY-----"`,
		jwt(`{"iat":1700000000,"exp":1700003600}`), jwt(`{"role":"anon","exp":4000000000}`),
		"https://user:password@example.com", "postgres://user:password@localhost/db",
		"https://example.com/a:b@c", "pk_live_" + letters(24, alnum),
	} {
		if h := e.Find("a.js", []byte(text), 1_750_000_000); len(h) > 0 {
			t.Errorf("%q: %s", text, names(h))
		}
	}
}

func FuzzFind(f *testing.F) {
	f.Add([]byte("AKIA eyJ. -----BEGIN PRIVATE KEY"))
	f.Add([]byte(jwt(`{"exp":1e999}`)))
	e := engine(f)
	f.Fuzz(func(t *testing.T, text []byte) {
		for _, h := range e.Find("x/.npmrc", text, 0) {
			if h.Start < 0 || h.End > len(text) || h.Start >= h.End {
				t.Fatalf("%+v", h)
			}
		}
	})
}
