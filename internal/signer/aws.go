package signer

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"net/http"
	"regexp"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/p256"
	"github.com/waxwing-ota/waxwing/internal/secret"
)

// arnForm is arn:PARTITION:kms:REGION:ACCOUNT:key/ID or alias/NAME.
func arnForm() *regexp.Regexp {
	return regexp.MustCompile(`^arn:(aws|aws-cn|aws-us-gov):kms:([a-z0-9-]{4,32}):[0-9]{12}:(key/[A-Za-z0-9-]{1,128}|alias/[A-Za-z0-9/_-]{1,250})$`)
}

// aws is a key of AWS KMS. Two calls are all there is to it, so it speaks the
// protocol itself (JSON 1.1 with Signature Version 4) instead of carrying an SDK.
type aws struct {
	arn, region, url string
	access           awsAccess
	prompts          Prompts
	now              func() time.Time
}

// awsAccess are credentials; session is empty for those that do not expire.
type awsAccess struct {
	id      string
	key     secret.Text
	session secret.Text
}

func openAWS(ctx context.Context, arn string, prompts Prompts) (p256.Signer, error) {
	m := arnForm().FindStringSubmatch(arn)
	if m == nil {
		return nil, badURI(schemeAWS+":"+arn, "without the ARN of a key: arn:aws:kms:REGION:ACCOUNT:key/ID")
	}
	a := &aws{arn: arn, region: m[2], prompts: prompts, now: time.Now} //nolint:forbidigo // requests carry the time at which they are sent
	a.url = "https://kms." + a.region + ".amazonaws.com"
	if m[1] == "aws-cn" {
		a.url += ".cn"
	}
	if other := prompts.env("AWS_ENDPOINT_URL_KMS"); other != "" {
		u, err := endpoint(other)
		if err != nil {
			return nil, err
		}
		a.url = u.String()
	}
	a.access = awsAccess{
		id: prompts.env("AWS_ACCESS_KEY_ID"), key: secret.New(prompts.env("AWS_SECRET_ACCESS_KEY")),
		session: secret.New(prompts.env("AWS_SESSION_TOKEN")),
	}
	if a.access.id == "" || a.access.key.IsZero() {
		return nil, noCredentials("AWS", `set AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN: eval "$(aws configure export-credentials --format env)"`)
	}
	public, err := a.public(ctx)
	if err != nil {
		return nil, err
	}
	return &service{name: arn, public: public, sign: a.sign}, nil
}

func (a *aws) public(ctx context.Context) (p256.Key, error) {
	var out struct {
		PublicKey []byte
		KeySpec   string
		KeyUsage  string
	}
	if err := a.call(ctx, "GetPublicKey", map[string]any{"KeyId": a.arn}, &out); err != nil {
		return p256.Key{}, err
	}
	if out.KeySpec != "ECC_NIST_P256" || out.KeyUsage != "SIGN_VERIFY" {
		return p256.Key{}, badURI(schemeAWS+":"+a.arn, "a key of spec %q for %q; it must be ECC_NIST_P256 for SIGN_VERIFY", clip(out.KeySpec), clip(out.KeyUsage))
	}
	return fromSPKI(place{uri: a.arn}, out.PublicKey)
}

func (a *aws) sign(ctx context.Context, message []byte) ([]byte, error) {
	hash := sha256.Sum256(message)
	var out struct{ Signature []byte }
	err := a.call(ctx, "Sign", map[string]any{
		"KeyId": a.arn, "Message": hash[:], "MessageType": "DIGEST", "SigningAlgorithm": "ECDSA_SHA_256",
	}, &out)
	return out.Signature, err
}

// call is one action of the service.
func (a *aws) call(ctx context.Context, action string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return serviceFailed(a.arn, "cannot be asked").WithCause(err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, a.url+"/", bytes.NewReader(body))
	if err != nil {
		return serviceFailed(a.arn, "cannot be asked").WithCause(err)
	}
	req.Header.Set("Content-Type", "application/x-amz-json-1.1")
	req.Header.Set("X-Amz-Target", "TrentService."+action)
	signV4(req, body, a.access, a.region, "kms", a.now())
	return a.prompts.ask(req, a.arn, out)
}
