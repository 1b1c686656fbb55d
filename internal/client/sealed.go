package client

import (
	"context"
	"net/http"
	"net/url"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// SealedPlace says where the next sealed bundle of an app goes.
func (c *Client) SealedPlace(ctx context.Context, app string) (ota.SealedPlace, error) {
	return get[ota.SealedPlace](ctx, c, "apps", app, "sealed")
}

// SealedManifests lists an app's manifests, highest number first; version "" =
// those of all its bundles. It also returns where the next page begins, "" = none.
func (c *Client) SealedManifests(ctx context.Context, app, version string, page ota.Page) ([]ota.SealedManifest, string, error) {
	q := url.Values{}
	if version != "" {
		q.Set("version", version)
	}
	return getList[ota.SealedManifest](ctx, c, page, q, "apps", app, "sealed", "manifests")
}

// AddSealedManifest registers the manifest of a bundle, whose bytes and sealed
// files are uploaded. created is false if it was known.
func (c *Client) AddSealedManifest(ctx context.Context, app string, in ota.NewSealedManifest) (m ota.SealedManifest, created bool, err error) {
	m, status, err := sendStatus[ota.SealedManifest](ctx, c, http.MethodPost, in, "apps", app, "sealed", "manifests")
	return m, status == http.StatusCreated, err
}
