package client

import (
	"context"
	"net/http"
	"net/url"
	"strconv"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// LogEntries lists entries of the log of sealed updates, newest first.
func (c *Client) LogEntries(ctx context.Context, f ota.LogFilter, page ota.Page) ([]ota.LogEntry, string, error) {
	q := url.Values{}
	set(q, "kind", f.Kind)
	set(q, "app", f.App)
	set(q, "what", f.What)
	set(q, "name", f.Name)
	return getList[ota.LogEntry](ctx, c, page, q, "sealed-log", "entries")
}

// LogEntry returns an entry of the log of sealed updates.
func (c *Client) LogEntry(ctx context.Context, leaf int64) (ota.LogEntry, error) {
	return get[ota.LogEntry](ctx, c, "sealed-log", "entries", strconv.FormatInt(leaf, 10))
}

// LogProof proves that an entry is in the log of the newest checkpoint, which goes
// on from the first kept entries (0 = none).
func (c *Client) LogProof(ctx context.Context, leaf, kept int64) (ota.LogProof, error) {
	q := url.Values{}
	setInt(q, "kept", kept)
	var out ota.LogProof
	_, err := c.do(ctx, call{method: http.MethodGet, path: []string{"sealed-log", "entries", strconv.FormatInt(leaf, 10), "proof"}, query: q, out: &out})
	return out, err
}

// LogKeys returns the keys that the server says the log of sealed updates is signed with.
func (c *Client) LogKeys(ctx context.Context) (ota.LogKeys, error) {
	return get[ota.LogKeys](ctx, c, "sealed-log", "keys")
}
