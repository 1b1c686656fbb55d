package config_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/run/config"
	"github.com/waxwing-ota/waxwing/internal/secret"
)

func from(vars map[string]string) func(string) string {
	return func(name string) string { return vars[name] }
}

func TestFromEnv(t *testing.T) {
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte("a-token-from-a-file-of-its-own\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := config.FromEnv(from(map[string]string{
		"WAXWING_DATA": "/srv/ota", "WAXWING_LISTEN": ":9000", "WAXWING_PUBLIC_URL": "https://ota.example.com/x/",
		"WAXWING_TLS_CERT": "c.pem", "WAXWING_TLS_KEY": "k.pem", "WAXWING_BOOTSTRAP_TOKEN_FILE": file,
		"WAXWING_TRUST_PROXY": "true", "WAXWING_STRICT_429": "1", "WAXWING_MAX_BODY": "1000", "WAXWING_MAX_BLOB": "2000",
		"WAXWING_MAX_CHECK": "3000", "WAXWING_MAX_STATS": "4000", "WAXWING_MAX_MANIFEST": "5000",
		"WAXWING_RETENTION": "24h", "WAXWING_EVENT_RETENTION": "48h", "WAXWING_SHUTDOWN_GRACE": "3s",
	}))
	if err == nil {
		err = c.Check()
	}
	if err != nil {
		t.Fatal(err)
	}
	if c.BootstrapToken.Reveal() != "a-token-from-a-file-of-its-own" {
		t.Error("the secret's file was not read")
	}
	c.BootstrapToken = secret.Text{}
	want := config.Config{
		Data: "/srv/ota", Listen: ":9000", PublicURL: "https://ota.example.com/x", TLSCert: "c.pem", TLSKey: "k.pem", ACMEDirectory: config.Default().ACMEDirectory,
		TrustProxy: true, Strict429: true, MaxBody: 1000, MaxBlob: 2000, MaxCheck: 3000, MaxStats: 4000, MaxManifest: 5000,
		Retention: 24 * time.Hour, EventRetention: 48 * time.Hour, SealedTTL: 24 * time.Hour, SealedPoll: time.Hour, ShutdownGrace: 3 * time.Second,
	}
	if c != want {
		t.Errorf("got  %+v\nwant %+v", c, want)
	}
}

func TestDefaultIsGood(t *testing.T) {
	c, err := config.FromEnv(from(nil))
	if err != nil || c != config.Default() {
		t.Errorf("no variables: %+v, %v", c, err)
	}
	if err := c.Check(); err != nil {
		t.Error(err)
	}
}

func TestEveryVariableIsRead(t *testing.T) {
	for _, s := range config.Settings() {
		// A value that no setting of a type other than text can read; of text
		// it must show up in the result.
		c, err := config.FromEnv(from(map[string]string{s.Env: "~value~"}))
		if e, ok := errors.AsType[*ota.Error](err); ok {
			if e.Code != "config_invalid" || e.Field != s.Env || !strings.Contains(e.Msg, s.Env) {
				t.Errorf("%s: the error does not name it: %+v", s.Env, e)
			}
			continue
		}
		if !s.Secret && !strings.Contains(fmt.Sprintf("%+v", c), "~value~") || s.Secret && c.BootstrapToken.Reveal() != "~value~" && c.SMTP.Reveal() != "~value~" && c.CustodyPass.Reveal() != "~value~" {
			t.Errorf("%s is not read", s.Env)
		}
		if s.Usage == "" {
			t.Errorf("%s is not described", s.Env)
		}
	}
}

func TestRefused(t *testing.T) {
	for name, vars := range map[string]map[string]string{
		"secret twice":         {"WAXWING_BOOTSTRAP_TOKEN": strings.Repeat("x", 20), "WAXWING_BOOTSTRAP_TOKEN_FILE": "/x"},
		"secret file missing":  {"WAXWING_BOOTSTRAP_TOKEN_FILE": filepath.Join(t.TempDir(), "none")},
		"short token":          {"WAXWING_BOOTSTRAP_TOKEN": "short-secret"},
		"listen without port":  {"WAXWING_LISTEN": "localhost"},
		"certificate alone":    {"WAXWING_TLS_CERT": "c.pem"},
		"key alone":            {"WAXWING_TLS_KEY": "k.pem"},
		"public url relative":  {"WAXWING_PUBLIC_URL": "ota.example.com"},
		"public url query":     {"WAXWING_PUBLIC_URL": "https://ota.example.com/?a=1"},
		"public url user":      {"WAXWING_PUBLIC_URL": "https://u:p@ota.example.com/"},
		"negative size":        {"WAXWING_MAX_BODY": "-1"},
		"no retention":         {"WAXWING_EVENT_RETENTION": "0s"},
		"debug on all":         {"WAXWING_DEBUG_LISTEN": ":6060"},
		"debug on the network": {"WAXWING_DEBUG_LISTEN": "10.1.2.3:6060"},
		"debug by a name":      {"WAXWING_DEBUG_LISTEN": "localhost:6060"},
		"debug without port":   {"WAXWING_DEBUG_LISTEN": "127.0.0.1"},
		"neither true nor not": {"WAXWING_TRUST_PROXY": "maybe"},
	} {
		t.Run(name, func(t *testing.T) {
			c, err := config.FromEnv(from(vars))
			if err == nil {
				err = c.Check()
			}
			if ota.CodeOf(err) != "config_invalid" {
				t.Fatalf("got %v", err)
			}
			if strings.Contains(err.Error(), "short-secret") || strings.Contains(err.Error(), strings.Repeat("x", 20)) {
				t.Errorf("the secret is in the error: %v", err)
			}
		})
	}
}
