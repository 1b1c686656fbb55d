package client

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// SealedFile reads a public file of an app's sealed updates, as devices and
// mirrors do: without the token, and at most as many bytes as they would. path is
// below /sealed/v1/{app}, such as "metadata/timestamp.json". A file that is not
// there is KindNotFound.
func (c *Client) SealedFile(ctx context.Context, app, path string, most int64) ([]byte, error) {
	var u strings.Builder
	u.WriteString(c.base + "/sealed/v1/" + url.PathEscape(app))
	for part := range strings.SplitSeq(path, "/") {
		if part == "" || part == "." || part == ".." {
			return nil, ota.Invalid("name_invalid", "%q cannot be a name", path)
		}
		u.WriteString("/" + url.PathEscape(part))
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), http.NoBody)
	if err != nil {
		return nil, fmt.Errorf("build request: %w", err)
	}
	req.Header.Set("User-Agent", "waxwing-client")
	res, err := c.http.Do(req)
	if err != nil {
		return nil, c.unreachable(ctx, err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		defer drain(res.Body)
		return nil, problem(res)
	}
	b, err := io.ReadAll(io.LimitReader(res.Body, most+1))
	if err != nil {
		return nil, c.unreachable(ctx, err)
	}
	if int64(len(b)) > most {
		return nil, ota.Errorf(ota.KindTooLarge, "file_too_long", "%s has more than the %d bytes that a device would read", path, most).
			WithHint("the server, or something before it, does not send what was signed")
	}
	return b, nil
}
