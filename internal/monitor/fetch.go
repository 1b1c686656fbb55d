package monitor

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/tilelog"
)

// The most bytes that are read of each.
const (
	maxCheckpoint = 16 << 10
	maxTile       = 256 * tlog.HashSize
	maxBundle     = 256 * (2 + 128)
)

// Source is a log over HTTP (C2SP tlog-tiles).
type Source struct {
	base   string
	client *http.Client
}

// NewSource returns the log below an address such as https://ota.example.com/sealed/log/.
func NewSource(address string) (*Source, error) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		return nil, ota.Invalid("log_url_invalid", "%q cannot be the address of a log", address).WithField("log").
			WithHint("write it like https://ota.example.com/sealed/log/")
	}
	return &Source{
		base: strings.TrimRight(u.String(), "/") + "/",
		client: &http.Client{
			Timeout:       time.Minute,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}, nil
}

// get reads at most limit bytes of a resource of the log.
func (s *Source) get(ctx context.Context, path string, limit int64) ([]byte, error) {
	return fetch(ctx, s.client, s.base+path, limit)
}

func fetch(ctx context.Context, c *http.Client, address string, limit int64) ([]byte, error) {
	unreachable := func(err error) *ota.Error {
		return ota.Errorf(ota.KindUnavailable, "log_unreachable", "%s cannot be read", address).WithCause(err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
	if err != nil {
		return nil, unreachable(err)
	}
	res, err := c.Do(req)
	if err != nil {
		return nil, unreachable(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(io.LimitReader(res.Body, limit+1))
	switch {
	case err != nil:
		return nil, unreachable(err)
	case res.StatusCode != http.StatusOK:
		return nil, ota.Errorf(ota.KindUnavailable, "log_unreachable", "%s answers with status %d", address, res.StatusCode)
	case int64(len(b)) > limit:
		return nil, ota.Invalid("log_answer_long", "%s has more than %d bytes", address, limit)
	}
	return b, nil
}

// FetchNote reads a signed checkpoint from an address.
func FetchNote(ctx context.Context, address string) (string, error) {
	b, err := fetch(ctx, &http.Client{Timeout: time.Minute}, address, maxCheckpoint)
	return string(b), err
}

// tiles reads tiles of hashes for package tlog, which verifies them.
type tiles struct {
	ctx context.Context //nolint:containedctx // package tlog has no place for it, and the value lives for one call
	src *Source
}

// Height implements [tlog.TileReader].
func (t tiles) Height() int { return tilelog.TileHeight }

// ReadTiles implements [tlog.TileReader].
func (t tiles) ReadTiles(list []tlog.Tile) ([][]byte, error) {
	out := make([][]byte, len(list))
	for i, one := range list {
		b, err := t.src.get(t.ctx, tilelog.TilePath(one), maxTile)
		if err != nil {
			return nil, err
		}
		if len(b) != one.W*tlog.HashSize {
			return nil, ota.Invalid("tile_invalid", "%s has %d bytes", tilelog.TilePath(one), len(b))
		}
		out[i] = b
	}
	return out, nil
}

// SaveTiles implements [tlog.TileReader].
func (t tiles) SaveTiles([]tlog.Tile, [][]byte) {}
