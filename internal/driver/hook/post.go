package hook

import (
	"bytes"
	"context"
	"io"
	"net/http"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// Lists reports whether an address is of a host or network of the list, which is
// more than that it may be reached: the public internet is not listed.
func (c *Client) Lists(raw string) bool {
	t, err := c.parse(raw)
	if err != nil {
		return false
	}
	return t.ip.IsValid() && within(c.allowed.nets, t.ip) || c.allowed.host(t.host, t.port)
}

// Post sends a body of JSON and returns the status and the answer, of at most
// limit bytes: a longer one is an error.
func (c *Client) Post(ctx context.Context, raw string, body []byte, limit int64) (status int, answer []byte, err error) {
	t, err := c.parse(raw)
	if err != nil {
		return 0, nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, t.url.String(), bytes.NewReader(body))
	if err != nil {
		return 0, nil, invalid("it cannot be read")
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "Waxwing/1")
	res, err := c.http.Do(req)
	if err != nil {
		return 0, nil, failure(err)
	}
	defer res.Body.Close()
	answer, err = io.ReadAll(io.LimitReader(res.Body, limit+1))
	if err != nil {
		return 0, nil, failure(err)
	}
	if int64(len(answer)) > limit {
		return 0, nil, ota.Errorf(ota.KindUnavailable, "answer_too_long", "the answer has more than %d bytes", limit)
	}
	return res.StatusCode, answer, nil
}
