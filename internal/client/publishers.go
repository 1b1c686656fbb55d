package client

import (
	"context"
	"net/http"
	"net/url"
	"strconv"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/secret"
)

// CreatePublisher lets the CI runs of a repository in.
func (c *Client) CreatePublisher(ctx context.Context, in ota.NewPublisher) (ota.TrustedPublisher, error) {
	return send[ota.TrustedPublisher](ctx, c, http.MethodPost, in, "trusted-publishers")
}

// Publishers lists the trusted publishers of an organisation ("" = main).
func (c *Client) Publishers(ctx context.Context, org string, page ota.Page) ([]ota.TrustedPublisher, string, error) {
	q := url.Values{}
	if org != "" {
		q.Set("org", org)
	}
	return getList[ota.TrustedPublisher](ctx, c, page, q, "trusted-publishers")
}

// DeletePublisher shuts the CI runs of a repository out.
func (c *Client) DeletePublisher(ctx context.Context, id int64) error {
	return remove(ctx, c, nil, "trusted-publishers", strconv.FormatInt(id, 10))
}

// ExchangeToken gives the token of a CI run for its ID token. The client needs
// no token of its own.
func (c *Client) ExchangeToken(ctx context.Context, in ota.TokenExchange) (secret.Text, ota.Token, error) {
	return c.sendToken(ctx, in, "token-exchange")
}
