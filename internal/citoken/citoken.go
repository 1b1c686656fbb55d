// Package citoken gets the ID token of the CI run that the program is part of:
// from GitHub by asking the runner for one, from GitLab out of a variable.
//
// It must never print a token, keep one, or send what GitHub's runner trusts it
// with to anywhere but the runner's own address.
package citoken

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/secret"
)

// The variables that a CI run has.
const (
	// VarIDToken holds an ID token, as GitLab's id_tokens puts it there.
	VarIDToken = "WAXWING_ID_TOKEN"

	varRequestURL   = "ACTIONS_ID_TOKEN_REQUEST_URL"
	varRequestToken = "ACTIONS_ID_TOKEN_REQUEST_TOKEN"
)

const (
	maxAnswer = 64 << 10 // bytes
	askTime   = 20 * time.Second
)

// Available reports whether env is that of a CI run with an ID token.
func Available(env func(string) string) bool {
	return env(VarIDToken) != "" || env(varRequestURL) != "" && env(varRequestToken) != ""
}

// Get returns the ID token of the run, made out to audience. On GitLab the
// audience is what the pipeline's definition says.
func Get(ctx context.Context, env func(string) string, audience string) (secret.Text, error) {
	switch {
	case env(VarIDToken) != "":
		return secret.New(env(VarIDToken)), nil
	case Available(env):
		return ask(ctx, env(varRequestURL), secret.New(env(varRequestToken)), audience)
	}
	return secret.Text{}, ota.Invalid("ci_missing", "this is no CI run with an ID token").
		WithHint("on GitHub give the job the permission id-token: write; on GitLab define %s under id_tokens", VarIDToken)
}

// ask asks GitHub's runner.
func ask(ctx context.Context, at string, bearer secret.Text, audience string) (secret.Text, error) {
	u, err := url.Parse(at)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" {
		return secret.Text{}, ota.Invalid("ci_invalid", "%s is no address", varRequestURL)
	}
	q := u.Query()
	q.Set("audience", audience)
	u.RawQuery = q.Encode()
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return secret.Text{}, fmt.Errorf("build request: %w", err)
	}
	req.Header.Set("Authorization", "Bearer "+bearer.Reveal())
	req.Header.Set("Accept", "application/json; api-version=2.0")
	c := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return errors.New("the runner does not redirect") }}
	res, err := c.Do(req)
	if err != nil {
		if ue, ok := errors.AsType[*url.Error](err); ok {
			err = ue.Err // the outer text repeats the URL
		}
		return secret.Text{}, failed("cannot ask the runner for an ID token").WithCause(err)
	}
	defer res.Body.Close()
	var body struct {
		Value string `json:"value"`
	}
	raw, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	if err != nil || res.StatusCode != http.StatusOK || json.Unmarshal(raw, &body) != nil || body.Value == "" {
		return secret.Text{}, failed("the runner gave no ID token: %s", res.Status)
	}
	return secret.New(body.Value), nil
}

func failed(format string, a ...any) *ota.Error {
	return ota.Errorf(ota.KindUnavailable, "ci_unavailable", format, a...).
		WithHint("the job needs the permission id-token: write")
}
