package signer

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/p256"
	"github.com/waxwing-ota/waxwing/internal/secret"
)

const (
	goodPIN = "135790"
	tokenNo = "waxwing-test"
)

// softHSM makes a token of SoftHSM with one P-256 key, and returns its module.
func softHSM(t *testing.T) (module string) {
	t.Helper()
	for _, path := range []string{
		"/usr/lib/softhsm/libsofthsm2.so", "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so", "/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so",
		"/usr/local/lib/softhsm/libsofthsm2.so", "/opt/homebrew/lib/softhsm/libsofthsm2.so",
	} {
		if _, err := os.Stat(path); err == nil {
			module = path
		}
	}
	_, noTool := exec.LookPath(tool)
	_, noHSM := exec.LookPath("softhsm2-util")
	if module == "" || noTool != nil || noHSM != nil {
		if strings.Contains(os.Getenv("WAXWING_TEST_REQUIRE"), "softhsm") {
			t.Fatal("WAXWING_TEST_REQUIRE asks for softhsm, and SoftHSM or OpenSC is not installed")
		}
		t.Skip("LOUD: no SoftHSM and OpenSC here: tokens are not tested (install Debian's softhsm2 and opensc)")
	}
	dir := t.TempDir()
	ok(t, os.Mkdir(filepath.Join(dir, "tokens"), 0o700))
	conf := filepath.Join(dir, "softhsm2.conf")
	ok(t, os.WriteFile(conf, []byte("directories.tokendir = "+dir+"/tokens\nobjectstore.backend = file\n"), 0o600))
	t.Setenv("SOFTHSM2_CONF", conf)
	run(t, "softhsm2-util", "--init-token", "--free", "--label", tokenNo, "--pin", goodPIN, "--so-pin", "24680")
	run(t, tool, "--module", module, "--token-label", tokenNo, "--login", "--pin", goodPIN,
		"--keypairgen", "--key-type", "EC:prime256v1", "--id", "01", "--label", "root")
	return module
}

func run(t *testing.T, name string, args ...string) {
	t.Helper()
	if out, err := exec.CommandContext(t.Context(), name, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", name, err, out)
	}
}

func pin(s string) func(string) (secret.Text, error) {
	return func(string) (secret.Text, error) { return secret.New(s), nil }
}

func TestToken(t *testing.T) {
	module := softHSM(t)
	for _, uri := range []string{
		"pkcs11:token=" + tokenNo + ";object=root?module-path=" + module,
		"pkcs11:token=" + tokenNo + ";id=%01;type=private?module-path=" + module,
	} {
		s, err := Open(t.Context(), uri, Prompts{PIN: pin(goodPIN)})
		ok(t, err)
		der, err := p256.Sign(t.Context(), s, []byte("message"))
		ok(t, err)
		if !p256.Verify(s.Public(), []byte("message"), der) {
			t.Error("the signature does not verify")
		}
	}
	uri := "pkcs11:token=" + tokenNo + ";object=root?module-path=" + module
	s, err := Open(t.Context(), uri, Prompts{PIN: pin("999999")})
	ok(t, err)
	_, err = s.Sign(t.Context(), []byte("message"))
	wantCode(t, err, CodePIN)
	s, err = Open(t.Context(), uri, Prompts{})
	ok(t, err)
	_, err = s.Sign(t.Context(), []byte("message"))
	wantCode(t, err, CodePIN)

	for _, uri := range []string{
		"pkcs11:token=other;object=root?module-path=" + module,
		"pkcs11:token=" + tokenNo + ";object=other?module-path=" + module,
		"pkcs11:token=" + tokenNo + ";object=root?module-path=/nowhere/lib.so",
	} {
		_, err = Open(t.Context(), uri, Prompts{PIN: pin(goodPIN)})
		wantCode(t, err, CodeToken)
	}
	run(t, tool, "--module", module, "--token-label", tokenNo, "--login", "--pin", goodPIN,
		"--keypairgen", "--key-type", "EC:secp384r1", "--id", "02", "--label", "large")
	_, err = Open(t.Context(), "pkcs11:token="+tokenNo+";object=large?module-path="+module, Prompts{})
	if code := ota.CodeOf(err); code != CodeToken && code != CodeTool { // OpenSC 0.23 cannot read it
		t.Errorf("a key of P-384: %v", err)
	}
}

// fakeTool puts a program of that name first in the path.
func fakeTool(t *testing.T, script string) {
	t.Helper()
	dir := t.TempDir()
	ok(t, os.WriteFile(filepath.Join(dir, tool), []byte("#!/bin/sh\n"+script), 0o700))
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
}

// TestPINStaysSecret: the child has the PIN in its environment, in no argument,
// and none of our own secrets.
func TestPINStaysSecret(t *testing.T) {
	dir := t.TempDir()
	fakeTool(t, `echo "$@" > `+dir+`/args; env > `+dir+`/env; cat > `+dir+`/in; head -c 64 /dev/zero | tr '\0' 'a'`)
	t.Setenv("WAXWING_TOKEN", "wxw_secret")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "aws-secret")
	s := &token{at: place{uri: "pkcs11:object=a", object: "a"}, prompts: Prompts{PIN: pin(goodPIN)}}
	der, err := s.Sign(t.Context(), []byte("message"))
	ok(t, err)
	if len(der) < 64 {
		t.Error("no signature in DER")
	}
	read := func(name string) string {
		b, err := os.ReadFile(filepath.Join(dir, name))
		ok(t, err)
		return string(b)
	}
	if args := read("args"); strings.Contains(args, goodPIN) || !strings.Contains(args, "--label a") {
		t.Errorf("arguments: %s", args)
	}
	environment := read("env")
	if !strings.Contains(environment, pinVariable+"="+goodPIN) || strings.Contains(environment, "wxw_secret") || strings.Contains(environment, "aws-secret") {
		t.Errorf("environment:\n%s", environment)
	}
	if len(read("in")) != 32 {
		t.Error("what is signed is not a hash")
	}
}

func TestToolTrouble(t *testing.T) {
	at := place{uri: "pkcs11:object=a", object: "a"}
	sign := func() error {
		s := &token{at: at, prompts: Prompts{PIN: pin(goodPIN)}}
		_, err := s.Sign(t.Context(), []byte("m"))
		return err
	}
	for script, code := range map[string]string{
		"head -c 1000 /dev/zero":            CodeTool, // more than a signature
		"printf short":                      CodeTool,
		"head -c 64 /dev/zero":              CodeTool, // r = s = 0
		"echo surprise >&2; exit 3":         CodeTool,
		"echo CKR_PIN_LOCKED >&2; exit 1":   CodePIN,
		"yes | head -c 1000000 >&2; exit 1": CodeTool,
	} {
		fakeTool(t, script)
		wantCode(t, sign(), code)
	}
	t.Setenv("PATH", t.TempDir())
	wantCode(t, sign(), CodeTool)
}

func TestChildEnv(t *testing.T) {
	got := childEnv([]string{"PATH=/bin", "WAXWING_TOKEN=x", "SOFTHSM2_CONF=/c"}, secret.Text{})
	if !slices.Equal(got, []string{"PATH=/bin", "SOFTHSM2_CONF=/c", "LC_ALL=C"}) {
		t.Errorf("got %q", got)
	}
}
