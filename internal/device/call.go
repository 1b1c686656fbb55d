package device

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// maxRedirects is how far a download may be sent on.
const maxRedirects = 5

var (
	errRedirect  = errors.New("redirect refused")
	errAnswerBig = errors.New("the answer is too large")
)

// checkRedirect keeps the scheme and the method of the first request: a
// redirected POST would lose its body, and https must not end in http.
func checkRedirect(req *http.Request, via []*http.Request) error {
	first := via[0]
	switch {
	case len(via) > maxRedirects:
		return errors.Join(errRedirect, errors.New("too many redirects"))
	case req.URL.Scheme != first.URL.Scheme:
		return errors.Join(errRedirect, errors.New("from "+first.URL.Scheme+" to "+clean(req.URL.Scheme, 20)))
	case req.Method != first.Method:
		return errors.Join(errRedirect, errors.New("a "+first.Method+" must not become a "+req.Method))
	}
	return nil
}

// reply is an endpoint's answer, read whole.
type reply struct {
	status int
	header http.Header
	body   []byte
}

// call sends one JSON request to an endpoint and reads at most limit bytes of
// the answer. The error is a transport error; a status is none.
func (d *Device) call(ctx context.Context, method, target string, body any, limit int64) (*reply, error) {
	var in io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			return nil, err
		}
		in = bytes.NewReader(b)
	}
	ctx, cancel := context.WithTimeout(ctx, d.responseTimeout())
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, target, in)
	if err != nil {
		return nil, err
	}
	req.Header.Set("User-Agent", d.userAgent())
	if in != nil {
		req.Header.Set("Content-Type", map[bool]string{true: "application/json; charset=utf-8", false: "application/json"}[d.cfg.Platform == Android])
	}
	if d.cfg.Platform == IOS {
		req.Header.Set("Accept", "application/json")
	}
	res, err := d.http.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = res.Body.Close() }()
	b, err := io.ReadAll(io.LimitReader(res.Body, limit+1))
	if err != nil {
		return nil, err
	}
	if int64(len(b)) > limit {
		return nil, errAnswerBig
	}
	return &reply{status: res.StatusCode, header: res.Header, body: b}, nil
}

// responseTimeout is the limit for one answer; iOS has a floor.
func (d *Device) responseTimeout() time.Duration {
	if d.cfg.Platform == IOS {
		return max(d.cfg.ResponseTimeout+5*time.Second, 10*time.Second)
	}
	return d.cfg.ResponseTimeout
}

// withQuery adds the device info to a URL's query.
func withQuery(target string, info map[string]any) (string, error) {
	u, err := url.Parse(target)
	if err != nil {
		return "", err
	}
	q := u.Query()
	for k, v := range info {
		switch v := v.(type) {
		case string:
			q.Set(k, v)
		case bool:
			q.Set(k, map[bool]string{true: "true", false: "false"}[v])
		}
	}
	u.RawQuery = q.Encode()
	return u.String(), nil
}

// transportCode names a transport error as the plugin would.
func transportCode(err error) string {
	if errors.Is(err, context.DeadlineExceeded) {
		return CodeTimeout
	}
	return CodeResponse
}

// unreachable wraps a transport error for a caller who needs an error.
func unreachable(err error) *ota.Error {
	return ota.Errorf(ota.KindUnavailable, transportCode(err), "no usable answer from the server").WithCause(err).
		WithHint("check that the server runs and that the URL is right")
}
