package client

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"strconv"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// The headers in which the server says how much of a blob it has.
const (
	headerOffset   = "Upload-Offset"
	headerComplete = "Upload-Complete" // "?1" or "?0"
)

// BlobOffset asks how many bytes of a blob the server has, and whether that is
// all of it. A blob the server never heard of has offset 0.
func (c *Client) BlobOffset(ctx context.Context, app string, d ota.Digest) (offset int64, complete bool, err error) {
	res, err := c.exchange(ctx, call{method: http.MethodHead, path: []string{"apps", app, "blobs", d.String()}})
	if err != nil {
		return 0, false, err
	}
	defer res.Body.Close()
	offset, err = strconv.ParseInt(res.Header.Get(headerOffset), 10, 64)
	if err != nil {
		return 0, false, unreadable(ctx, call{method: http.MethodHead, path: []string{"blobs"}}, err)
	}
	return offset, res.Header.Get(headerComplete) == "?1", nil
}

// PutBlob uploads bytes of a blob from offset on; d is the SHA-256 of the whole.
// It is complete when the server has all of it and the digest is right. What
// arrived of an upload that broke off is kept: ask BlobOffset and go on there.
func (c *Client) PutBlob(ctx context.Context, app string, d ota.Digest, offset int64, r io.Reader) (complete bool, err error) {
	var q url.Values
	if offset != 0 {
		q = url.Values{"offset": {strconv.FormatInt(offset, 10)}}
	}
	var out struct {
		Complete bool `json:"complete"`
	}
	_, err = c.do(ctx, call{method: http.MethodPut, path: []string{"apps", app, "blobs", d.String()}, query: q, raw: r, out: &out})
	return out.Complete, err
}

// OpenBlob reads a stored blob; the caller must close it. size is its length.
func (c *Client) OpenBlob(ctx context.Context, app string, d ota.Digest) (body io.ReadCloser, size int64, err error) {
	res, err := c.exchange(ctx, call{method: http.MethodGet, path: []string{"apps", app, "blobs", d.String()}})
	if err != nil {
		return nil, 0, err
	}
	return res.Body, res.ContentLength, nil
}
