package client

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"strconv"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// AuditEntries lists entries of the audit log, newest first.
func (c *Client) AuditEntries(ctx context.Context, f ota.AuditFilter, page ota.Page) ([]ota.AuditEntry, string, error) {
	q := url.Values{}
	set(q, "actor", f.Actor)
	set(q, "action", f.Action)
	set(q, "app", f.App)
	set(q, "org", f.Org)
	set(q, "object", f.Object)
	setInt(q, "since", f.Since)
	setInt(q, "until", f.Until)
	return getList[ota.AuditEntry](ctx, c, page, q, "audit", "entries")
}

// AuditEntry returns an entry of the audit log.
func (c *Client) AuditEntry(ctx context.Context, id int64) (ota.AuditEntry, error) {
	return get[ota.AuditEntry](ctx, c, "audit", "entries", strconv.FormatInt(id, 10))
}

// AuditProof proves that an entry is in the log of the newest checkpoint.
func (c *Client) AuditProof(ctx context.Context, id int64) (ota.AuditProof, error) {
	return get[ota.AuditProof](ctx, c, "audit", "entries", strconv.FormatInt(id, 10), "proof")
}

// AuditConsistency proves that the log of from entries is the beginning of the
// one of to entries (0 = all there are).
func (c *Client) AuditConsistency(ctx context.Context, from, to int64) (ota.AuditConsistency, error) {
	q := url.Values{}
	setInt(q, "from", from)
	setInt(q, "to", to)
	var out ota.AuditConsistency
	_, err := c.do(ctx, call{method: http.MethodGet, path: []string{"audit", "consistency"}, query: q, out: &out})
	return out, err
}

// AuditCheckpoint returns the signed checkpoint of the log as it is now.
func (c *Client) AuditCheckpoint(ctx context.Context) (ota.AuditCheckpoint, error) {
	return get[ota.AuditCheckpoint](ctx, c, "audit", "checkpoint")
}

// AuditKey returns the key that the server says its checkpoints are signed with.
func (c *Client) AuditKey(ctx context.Context) (ota.AuditKey, error) {
	return get[ota.AuditKey](ctx, c, "audit", "key")
}

// AuditExport opens an export of the entries from a leaf on, between two times
// (0 = no bound). The caller must close it.
func (c *Client) AuditExport(ctx context.Context, since, until, from int64) (io.ReadCloser, error) {
	q := url.Values{}
	setInt(q, "since", since)
	setInt(q, "until", until)
	setInt(q, "from", from)
	res, err := c.exchange(ctx, call{method: http.MethodGet, path: []string{"audit", "export"}, query: q})
	if err != nil {
		return nil, err
	}
	return res.Body, nil
}

func setInt(q url.Values, name string, value int64) {
	if value != 0 {
		q.Set(name, strconv.FormatInt(value, 10))
	}
}
