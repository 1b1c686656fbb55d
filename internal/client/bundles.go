package client

import (
	"context"
	"net/http"
	"net/url"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// plainVariant stands for the empty key id in addresses.
const plainVariant = "plain"

// Missing asks what a push still has to upload.
func (c *Client) Missing(ctx context.Context, app string, in ota.MissingQuery) (ota.MissingAnswer, error) {
	return send[ota.MissingAnswer](ctx, c, http.MethodPost, in, "apps", app, "missing")
}

// CreateBundle publishes a bundle whose blobs are all uploaded. created is
// false if the version was there already with the same content.
func (c *Client) CreateBundle(ctx context.Context, app string, in ota.NewBundle) (b ota.Bundle, created bool, err error) {
	b, status, err := sendStatus[ota.Bundle](ctx, c, http.MethodPost, in, "apps", app, "bundles")
	return b, status == http.StatusCreated, err
}

// ImportBundle registers a bundle that another tool made.
func (c *Client) ImportBundle(ctx context.Context, app string, in ota.ImportBundle) (b ota.Bundle, created bool, err error) {
	b, status, err := sendStatus[ota.Bundle](ctx, c, http.MethodPost, in, "apps", app, "bundles", "import")
	return b, status == http.StatusCreated, err
}

// Bundles lists an app's bundles, newest first, without their files.
func (c *Client) Bundles(ctx context.Context, app string, page ota.Page) ([]ota.Bundle, string, error) {
	return getList[ota.Bundle](ctx, c, page, nil, "apps", app, "bundles")
}

// Bundle returns one bundle with its variants, without their files.
func (c *Client) Bundle(ctx context.Context, app, version string) (ota.Bundle, error) {
	return get[ota.Bundle](ctx, c, "apps", app, "bundles", version)
}

// BundleTree lists the plain files of a bundle, sorted by path.
func (c *Client) BundleTree(ctx context.Context, app, version string) ([]ota.TreeFile, error) {
	items, _, err := getList[ota.TreeFile](ctx, c, ota.Page{}, nil, "apps", app, "bundles", version, "tree")
	return items, err
}

// VariantFiles returns a bundle's variant for a key ("" = plain) with its files.
func (c *Client) VariantFiles(ctx context.Context, app, version, keyID string) (ota.Variant, error) {
	if keyID == "" {
		keyID = plainVariant
	}
	return get[ota.Variant](ctx, c, "apps", app, "bundles", version, "variants", keyID)
}

// UpdateBundle changes what is not content.
func (c *Client) UpdateBundle(ctx context.Context, app, version string, in ota.BundlePatch) (ota.Bundle, error) {
	return send[ota.Bundle](ctx, c, http.MethodPatch, in, "apps", app, "bundles", version)
}

// DeleteBundle deletes a bundle; its version name stays taken. The server
// refuses while a channel serves it, unless force.
func (c *Client) DeleteBundle(ctx context.Context, app, version string, force bool) error {
	var q url.Values
	if force {
		q = url.Values{"force": {"true"}}
	}
	return remove(ctx, c, q, "apps", app, "bundles", version)
}
