package client

import (
	"context"
	"net/http"
	"strconv"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// Status returns what the server says of itself.
func (c *Client) Status(ctx context.Context) (ota.ServerStatus, error) {
	return get[ota.ServerStatus](ctx, c, "status")
}

// Me returns who the client's token is.
func (c *Client) Me(ctx context.Context) (ota.Me, error) { return get[ota.Me](ctx, c, "me") }

// CreateToken makes an API token; secret is shown only this once.
func (c *Client) CreateToken(ctx context.Context, name string) (secret string, t ota.Token, err error) {
	in := struct {
		Name string `json:"name"`
	}{name}
	out, err := send[struct {
		Secret string    `json:"secret"`
		Token  ota.Token `json:"token"`
	}](ctx, c, http.MethodPost, in, "tokens")
	return out.Secret, out.Token, err
}

// Tokens lists the API tokens.
func (c *Client) Tokens(ctx context.Context) ([]ota.Token, error) {
	items, _, err := getList[ota.Token](ctx, c, ota.Page{}, nil, "tokens")
	return items, err
}

// DeleteToken revokes an API token.
func (c *Client) DeleteToken(ctx context.Context, id int64) error {
	return remove(ctx, c, nil, "tokens", strconv.FormatInt(id, 10))
}

// CollectGarbage removes what nothing refers to any more.
func (c *Client) CollectGarbage(ctx context.Context) (ota.GCReport, error) {
	return send[ota.GCReport](ctx, c, http.MethodPost, nil, "gc")
}
