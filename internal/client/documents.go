package client

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// maxDocument bounds a document of a bundle.
const maxDocument = 32 << 20

// SBOM returns a bundle's CycloneDX document.
func (c *Client) SBOM(ctx context.Context, app, version string) ([]byte, error) {
	return c.document(ctx, app, version, "sbom")
}

// Provenance returns the DSSE envelope about where a bundle came from.
func (c *Client) Provenance(ctx context.Context, app, version string) ([]byte, error) {
	return c.document(ctx, app, version, "provenance")
}

// CompareSBOM returns how the packages of a bundle differ from those of another,
// as the API says it.
func (c *Client) CompareSBOM(ctx context.Context, app, from, to string) (json.RawMessage, error) {
	var out json.RawMessage
	_, err := c.do(ctx, call{
		method: http.MethodGet, path: []string{"apps", app, "bundles", to, "sbom", "diff"},
		query: url.Values{"from": {from}}, out: &out,
	})
	return out, err
}

func (c *Client) document(ctx context.Context, app, version, kind string) ([]byte, error) {
	k := call{method: http.MethodGet, path: []string{"apps", app, "bundles", version, kind}}
	res, err := c.exchange(ctx, k)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(res.Body, maxDocument+1))
	switch {
	case err != nil:
		return nil, unreadable(ctx, k, err)
	case len(raw) > maxDocument:
		return nil, ota.Errorf(ota.KindTooLarge, "document_too_large", "the document has over %d bytes", maxDocument).WithHint("is there something other than waxwing at this address?")
	}
	return raw, nil
}
