package client

import (
	"context"
	"net/http"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// Status returns what the server says of itself.
func (c *Client) Status(ctx context.Context) (ota.ServerStatus, error) {
	return get[ota.ServerStatus](ctx, c, "status")
}

// Me returns who the client's token is.
func (c *Client) Me(ctx context.Context) (ota.Me, error) { return get[ota.Me](ctx, c, "me") }

// Settings lists how the server is set up, without any secret.
func (c *Client) Settings(ctx context.Context) ([]ota.Setting, error) {
	items, _, err := getList[ota.Setting](ctx, c, ota.Page{}, nil, "settings")
	return items, err
}

// TestMail sends a mail that shows whether mails arrive.
func (c *Client) TestMail(ctx context.Context, to string) error {
	_, err := c.do(ctx, call{method: http.MethodPost, path: []string{"mail", "test"}, in: ota.MailTest{To: to}})
	return err
}

// CollectGarbage removes what nothing refers to any more.
func (c *Client) CollectGarbage(ctx context.Context) (ota.GCReport, error) {
	return send[ota.GCReport](ctx, c, http.MethodPost, nil, "gc")
}
