package client

import (
	"context"
	"net/http"
	"net/url"
	"strconv"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/secret"
)

// tokenAnswer is the one answer that holds a token's secret.
type tokenAnswer struct {
	Secret string    `json:"secret"`
	Token  ota.Token `json:"token"`
}

func (c *Client) sendToken(ctx context.Context, in any, path ...string) (secret.Text, ota.Token, error) {
	out, err := send[tokenAnswer](ctx, c, http.MethodPost, in, path...)
	return secret.New(out.Secret), out.Token, err
}

// CreateToken makes an API token; its secret is shown only this once.
func (c *Client) CreateToken(ctx context.Context, in ota.NewToken) (secret.Text, ota.Token, error) {
	return c.sendToken(ctx, in, "tokens")
}

// Tokens lists API tokens: the client's own, unless the filter says otherwise.
func (c *Client) Tokens(ctx context.Context, f ota.TokenFilter, page ota.Page) ([]ota.Token, string, error) {
	q := url.Values{}
	if f.All {
		q.Set("all", "true")
	}
	if f.Service != "" {
		q.Set("service", f.Service)
	}
	if f.Org != "" {
		q.Set("org", f.Org)
	}
	return getList[ota.Token](ctx, c, page, q, "tokens")
}

// Token returns an API token.
func (c *Client) Token(ctx context.Context, id int64) (ota.Token, error) {
	return get[ota.Token](ctx, c, "tokens", strconv.FormatInt(id, 10))
}

// RotateToken gives an API token a new secret; it is shown only this once.
func (c *Client) RotateToken(ctx context.Context, id int64, in ota.TokenRotation) (secret.Text, ota.Token, error) {
	return c.sendToken(ctx, in, "tokens", strconv.FormatInt(id, 10), "rotate")
}

// DeleteToken revokes an API token.
func (c *Client) DeleteToken(ctx context.Context, id int64) error {
	return remove(ctx, c, nil, "tokens", strconv.FormatInt(id, 10))
}
