package config

import (
	"strings"
	"testing"
)

// TestValues: every setting is listed as it is, and secrets only as being set.
func TestValues(t *testing.T) {
	env := map[string]string{
		"WAXWING_SMTP_URL": "smtps://bob:hunter2@mail.example.com", "WAXWING_MAIL_FROM": "ota@example.com", "WAXWING_BOOTSTRAP_TOKEN": "twenty-characters-or-so",
		"WAXWING_MAX_BODY": "1024", "WAXWING_STRICT_429": "true", "WAXWING_RETENTION": "48h",
	}
	c, err := FromEnv(func(name string) string { return env[name] })
	if err != nil {
		t.Fatal(err)
	}
	texts := c.texts()
	all := Values(c)
	if len(all) != len(Settings()) || len(texts) != len(all) {
		t.Fatalf("%d of %d settings, %d texts", len(all), len(Settings()), len(texts))
	}
	for _, s := range all {
		if _, ok := texts[s.Name]; !ok {
			t.Errorf("%s has no text", s.Name)
		}
		if _, changed := env[s.Name]; changed == s.Default {
			t.Errorf("%s = %q, default %v", s.Name, s.Value, s.Default)
		}
		if s.Secret && s.Value != "" && s.Value != "set" || strings.Contains(s.Value, "hunter2") || strings.Contains(s.Value, "twenty") {
			t.Errorf("%s shows %q", s.Name, s.Value)
		}
		if s.Secret || s.Value == "" {
			continue
		}
		again, err := FromEnv(func(name string) string {
			if name == s.Name {
				return s.Value
			}
			return ""
		})
		if err != nil || again.texts()[s.Name] != s.Value {
			t.Errorf("%s = %q cannot be read again: %v", s.Name, s.Value, err)
		}
	}
}
