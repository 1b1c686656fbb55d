package signer

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/secret"
)

const (
	// tool is OpenSC's program. It runs as a child process: a PKCS #11 library
	// is code of a vendor, and has no business in the process that holds tokens
	// of the API.
	tool = "pkcs11-tool"

	// pinVariable is how the child is told the PIN: not in its arguments, which
	// everybody on the machine can read.
	pinVariable = "WAXWING_CHILD_PIN"

	// toolTime is for a person who must touch the token, too.
	toolTime = 90 * time.Second

	maxObject = 16 << 10 // bytes of a public key or a certificate
	maxNoise  = 8 << 10  // of what the program says on stderr
)

// request is one run of the program.
type request struct {
	args  []string
	stdin []byte
	pin   secret.Text
	max   int // bytes of its answer on stdout
}

// runTool runs the program and returns what it printed, all of it or an error.
func runTool(ctx context.Context, at place, r request) ([]byte, error) {
	path, err := exec.LookPath(tool)
	if err != nil {
		return nil, ota.Errorf(ota.KindUnavailable, CodeTool, "the program %s is not installed", tool).WithCause(err).
			WithHint("install OpenSC: apt install opensc, brew install opensc, or from github.com/OpenSC/OpenSC")
	}
	ctx, cancel := context.WithTimeout(ctx, toolTime)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, append(at.arguments(), r.args...)...)
	cmd.WaitDelay = 2 * time.Second // a grandchild that keeps the pipes open does not keep us
	cmd.Env = childEnv(os.Environ(), r.pin)
	cmd.Stdin = bytes.NewReader(r.stdin)
	out, noise := &bounded{max: r.max}, &bounded{max: maxNoise, cut: true}
	cmd.Stdout, cmd.Stderr = out, noise
	err = cmd.Run()
	if ctx.Err() != nil {
		return nil, toolFailed(at, "gave no answer in time").WithCause(context.Cause(ctx)).
			WithHint("is the token plugged in, and does it wait to be touched?")
	}
	if errors.Is(err, errTooMuch) || out.over {
		return nil, toolFailed(at, "printed more than a key or a signature has")
	}
	if err != nil {
		return nil, explain(at, noise.buf.String(), err)
	}
	return out.buf.Bytes(), nil
}

func (at place) arguments() []string {
	var args []string
	if at.module != "" {
		args = append(args, "--module", at.module)
	}
	if at.token != "" {
		args = append(args, "--token-label", at.token)
	}
	return args
}

// childEnv is the environment for the child: libraries of vendors read variables
// of their own, but no secret of ours is their business.
func childEnv(own []string, pin secret.Text) []string {
	var env []string
	for _, kv := range own {
		name, _, _ := strings.Cut(kv, "=")
		if strings.HasPrefix(name, "WAXWING_") || strings.HasPrefix(name, "AWS_") || strings.HasPrefix(name, "GOOGLE_") {
			continue
		}
		env = append(env, kv)
	}
	if !pin.IsZero() {
		env = append(env, pinVariable+"="+pin.Reveal())
	}
	return append(env, "LC_ALL=C")
}

// explain makes an error of what the program said, by the names of PKCS #11
// where there are some.
func explain(at place, noise string, err error) error {
	has := func(s string) bool { return strings.Contains(noise, s) }
	switch {
	case has("CKR_PIN_LOCKED"):
		return ota.Errorf(ota.KindForbidden, CodePIN, "the token of %s is locked after too many wrong PINs", at.uri).
			WithHint("unlock it with its PUK or its security officer's PIN")
	case has("CKR_PIN_"):
		return ota.Errorf(ota.KindForbidden, CodePIN, "the token of %s refuses the PIN", at.uri).
			WithHint("enter it again; tokens lock themselves after a few wrong ones")
	case has("No slot with token named"), has("CKR_TOKEN_NOT_PRESENT"), has("No slots"), has("No slot with a token"):
		return ota.NotFound(CodeToken, "there is no token for %s", at.uri).
			WithHint("plug it in; pkcs11-tool --list-token-slots shows the tokens, with --module PATH for another library than OpenSC's")
	case has("object not found"), has("key not found"):
		return ota.NotFound(CodeToken, "the token has no such key: %s", at.uri).
			WithHint("pkcs11-tool --list-objects shows what it has; some tokens show it after --login only")
	case has("Failed to load pkcs11 module"):
		return ota.NotFound(CodeToken, "the PKCS #11 library %s cannot be loaded", at.module).
			WithHint("name the library of the token's vendor with ?module-path=/…")
	}
	return toolFailed(at, "failed: %s", firstLine(noise)).WithCause(err)
}

func toolFailed(at place, format string, a ...any) *ota.Error {
	return ota.Errorf(ota.KindUnavailable, CodeTool, tool+" for "+clip(at.uri)+" "+format, a...).
		WithHint("try it by hand: pkcs11-tool --list-objects")
}

// firstLine is what a program said, fit for a message.
func firstLine(s string) string {
	for line := range strings.Lines(s) {
		line = strings.TrimSpace(line)
		if line != "" && !strings.HasPrefix(line, "Using ") && printable(line) {
			return clip(line)
		}
	}
	return "it did not say why"
}

var errTooMuch = errors.New("too much output")

// bounded keeps the first max bytes; more is an error, or dropped if cut is set.
type bounded struct {
	buf  bytes.Buffer
	max  int
	cut  bool
	over bool
}

var _ io.Writer = (*bounded)(nil)

func (b *bounded) Write(p []byte) (int, error) {
	room := b.max - b.buf.Len()
	if len(p) <= room {
		return b.buf.Write(p)
	}
	if !b.cut {
		b.over = true
		return 0, errTooMuch
	}
	b.buf.Write(p[:room])
	return len(p), nil
}
