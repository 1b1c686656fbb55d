package signer

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/p256"
	"github.com/waxwing-ota/waxwing/internal/secret"
)

// token signs with a key that does not leave its hardware.
type token struct {
	at      place
	public  p256.Key
	prompts Prompts
}

func (t *token) Public() p256.Key { return t.public }

func (t *token) String() string { return "signer of " + t.at.uri }

// openToken reads the public half of the key: the public key object, or where a
// token keeps none, as PIV does, the certificate.
func openToken(ctx context.Context, at place, prompts Prompts) (*token, error) {
	t := &token{at: at, prompts: prompts}
	der, err := runTool(ctx, at, request{args: append([]string{"--read-object", "--type", "pubkey"}, at.selector()...), max: maxObject})
	if err == nil {
		t.public, err = fromSPKI(at, der)
		return t, err
	}
	if ota.CodeOf(err) != CodeToken {
		return nil, err
	}
	cert, certErr := runTool(ctx, at, request{args: append([]string{"--read-object", "--type", "cert"}, at.selector()...), max: maxObject})
	if certErr != nil {
		return nil, err // about the key, which is what was asked for
	}
	t.public, err = fromCertificate(at, cert)
	return t, err
}

// Sign asks for the PIN and has the token sign the hash.
func (t *token) Sign(ctx context.Context, message []byte) ([]byte, error) {
	var pin secret.Text
	if t.prompts.PIN != nil {
		var err error
		if pin, err = t.prompts.PIN(t.at.uri); err != nil {
			return nil, err
		}
	}
	if pin.IsZero() {
		return nil, ota.Errorf(ota.KindForbidden, CodePIN, "the token of %s needs a PIN, and none was given", t.at.uri).
			WithHint("enter the PIN, or set WAXWING_PIN")
	}
	hash := sha256.Sum256(message)
	args := append([]string{"--login", "--pin", "env:" + pinVariable, "--sign", "--mechanism", "ECDSA", "--signature-format", "rs"}, t.at.selector()...)
	raw, err := runTool(ctx, t.at, request{args: args, stdin: hash[:], pin: pin, max: p256.RawSize})
	if err != nil {
		return nil, err
	}
	der, err := p256.DERFromRaw(raw)
	if err != nil {
		return nil, toolFailed(t.at, "answered with %d bytes that are no signature", len(raw)).WithCause(err)
	}
	return der, nil
}

// selector are the arguments that name the key.
func (at place) selector() []string {
	var args []string
	if at.id != "" {
		args = append(args, "--id", at.id)
	}
	if at.object != "" {
		args = append(args, "--label", at.object)
	}
	return args
}

// fromSPKI makes a key of what a token says its public key is.
func fromSPKI(at place, der []byte) (p256.Key, error) {
	k, err := p256.ParsePEM(string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})))
	if err != nil {
		return k, notP256(at)
	}
	return k, nil
}

func fromCertificate(at place, der []byte) (p256.Key, error) {
	c, err := x509.ParseCertificate(der)
	if err != nil {
		return p256.Key{}, notP256(at)
	}
	return fromSPKI(at, c.RawSubjectPublicKeyInfo)
}

func notP256(at place) error {
	return ota.Invalid(CodeToken, "the key of %s is not of the curve P-256", at.uri).
		WithHint("make one: pkcs11-tool --keypairgen --key-type EC:prime256v1")
}
