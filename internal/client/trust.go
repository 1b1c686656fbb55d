package client

import (
	"context"
	"net/http"
	"net/url"
	"strconv"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// Trust says what is in force for an app's devices, and what the server signs with.
func (c *Client) Trust(ctx context.Context, app string) (ota.TrustStatus, error) {
	return get[ota.TrustStatus](ctx, c, "apps", app, "trust")
}

// TrustMetadata returns the document of a role: root, targets, staging, trust,
// snapshot or timestamp. Version 0 is the one in force; old versions are kept of
// the root only.
func (c *Client) TrustMetadata(ctx context.Context, app, role string, version uint32) (ota.TrustDocument, error) {
	q := url.Values{}
	if version != 0 {
		q.Set("version", strconv.FormatUint(uint64(version), 10))
	}
	var v ota.TrustDocument
	_, err := c.do(ctx, call{
		method: http.MethodGet, path: []string{"apps", app, "trust", "metadata", role}, query: q, out: &v,
	})
	return v, err
}

// PublishTrust puts a signed document in force.
func (c *Client) PublishTrust(ctx context.Context, app, role string, in ota.TrustUpload) (ota.TrustPublished, error) {
	return send[ota.TrustPublished](ctx, c, http.MethodPut, in, "apps", app, "trust", "metadata", role)
}

// TrustTarget returns the bytes of a target file of an app (a manifest or
// trust.json) by the SHA-256 of its bytes, in lower hex. Nothing is checked.
func (c *Client) TrustTarget(ctx context.Context, app, sha256 string) ([]byte, error) {
	f, err := get[ota.TrustFile](ctx, c, "apps", app, "trust", "files", sha256)
	return f.Content, err
}
