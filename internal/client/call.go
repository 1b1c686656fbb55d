package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// maxAnswer bounds a JSON answer; the largest are file lists of huge bundles.
const maxAnswer = 256 << 20

// headerCode holds the code of an error answer.
const headerCode = "Problem-Code"

// maxProblem bounds an error answer.
const maxProblem = 64 << 10

// call is one request of the API.
type call struct {
	method string
	path   []string // segments below /api/v1, not yet escaped
	query  url.Values
	in     any       // JSON body, or
	raw    io.Reader // bytes
	out    any       // JSON answer goes here; nil = ignored
}

// do runs the call and returns the status code of a good answer.
func (c *Client) do(ctx context.Context, k call) (int, error) {
	res, err := c.exchange(ctx, k)
	if err != nil {
		return 0, err
	}
	defer res.Body.Close()
	defer drain(res.Body)
	if k.out == nil || res.StatusCode == http.StatusNoContent {
		return res.StatusCode, nil
	}
	if err := json.NewDecoder(io.LimitReader(res.Body, maxAnswer)).Decode(k.out); err != nil {
		return 0, unreadable(ctx, k, err)
	}
	return res.StatusCode, nil
}

// exchange runs the call and returns the answer, which the caller must close. An
// answer that is not 2xx is an error.
func (c *Client) exchange(ctx context.Context, k call) (*http.Response, error) {
	req, err := c.request(ctx, k)
	if err != nil {
		return nil, err
	}
	res, err := c.http.Do(req)
	if err != nil {
		return nil, c.unreachable(ctx, err)
	}
	// Only what waits for approval is put off and says so; other operations have
	// done what they are for when they answer 202.
	waits := res.StatusCode == http.StatusAccepted && res.Header.Get("Preference-Applied") != ""
	if res.StatusCode >= 200 && res.StatusCode < 300 && !waits {
		return res, nil
	}
	defer res.Body.Close()
	defer drain(res.Body)
	if waits {
		return nil, accepted(ctx, k, res)
	}
	return nil, problem(res)
}

func (c *Client) request(ctx context.Context, k call) (*http.Request, error) {
	var u strings.Builder
	u.WriteString(c.base + "/api/v1")
	for _, s := range k.path {
		if s == "" || s == "." || s == ".." {
			return nil, ota.Invalid("name_invalid", "%q cannot be a name", s)
		}
		u.WriteString("/" + url.PathEscape(s))
	}
	if len(k.query) > 0 {
		u.WriteString("?" + k.query.Encode())
	}
	body, kind := k.raw, "application/octet-stream"
	if k.in != nil {
		b, err := json.Marshal(k.in)
		if err != nil {
			return nil, fmt.Errorf("encode request: %w", err)
		}
		body, kind = bytes.NewReader(b), "application/json"
	}
	req, err := http.NewRequestWithContext(ctx, k.method, u.String(), body)
	if err != nil {
		return nil, fmt.Errorf("build request: %w", err)
	}
	if body != nil {
		req.Header.Set("Content-Type", kind)
	}
	req.Header.Set("Accept", "application/json, application/problem+json")
	req.Header.Set("User-Agent", "waxwing-client")
	if k.method != http.MethodGet && k.method != http.MethodHead {
		req.Header.Set("Prefer", "respond-async") // it knows what to do with a request for approval
	}
	if !c.token.IsZero() {
		req.Header.Set("Authorization", "Bearer "+c.token.Reveal())
	}
	return req, nil
}

// unreachable is the error for a request that got no answer.
func (c *Client) unreachable(ctx context.Context, err error) error {
	if e, ok := errors.AsType[*ota.Error](err); ok {
		return e // ours, from refuseRedirect or from the reader of a body
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if u, ok := errors.AsType[*url.Error](err); ok {
		err = u.Err // the outer text repeats the URL
	}
	return ota.Errorf(ota.KindUnavailable, "server_unreachable", "cannot reach the server at %s", c.base).WithCause(err).
		WithHint("is it running? its address comes from --url or WAXWING_URL")
}

func unreadable(ctx context.Context, k call, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return ota.Errorf(ota.KindUnavailable, "answer_unreadable", "the server's answer to %s %v cannot be read", k.method, k.path).
		WithCause(err).WithHint("is there something other than waxwing, or another version of it, at this address?")
}

// problem turns an error answer into the *ota.Error that the server had.
func problem(res *http.Response) error {
	var p struct {
		Title     string `json:"title"`
		Detail    string `json:"detail"`
		Code      string `json:"code"`
		Hint      string `json:"hint"`
		Field     string `json:"field"`
		RequestID string `json:"request_id"`
	}
	kind := kindOf(res.StatusCode)
	media, _, _ := mime.ParseMediaType(res.Header.Get("Content-Type"))
	if code := res.Header.Get(headerCode); code != "" && res.Request.Method == http.MethodHead {
		return ota.Errorf(kind, code, "the server answered %s", res.Status) // has no body to say more
	}
	raw, err := io.ReadAll(io.LimitReader(res.Body, maxProblem))
	if err != nil || media != "application/problem+json" || json.Unmarshal(raw, &p) != nil || p.Code == "" {
		// Not ours: a proxy, a load balancer, another program.
		return ota.Errorf(kind, "http_"+strconv.Itoa(res.StatusCode), "the server answered %s", res.Status).
			WithHint("is there something other than waxwing, or a proxy, at this address?")
	}
	e := &ota.Error{Kind: kind, Code: p.Code, Msg: p.Detail, Hint: p.Hint, Field: p.Field}
	if e.Msg == "" {
		e.Msg = p.Title
	}
	if kind == ota.KindInternal && p.RequestID != "" {
		e.Msg += " (request " + p.RequestID + ")"
	}
	return e
}

// kindOf is the inverse of the server's switch from kinds to statuses.
func kindOf(status int) ota.Kind {
	switch status {
	case http.StatusUnauthorized:
		return ota.KindUnauthorized
	case http.StatusForbidden:
		return ota.KindForbidden
	case http.StatusNotFound:
		return ota.KindNotFound
	case http.StatusConflict:
		return ota.KindConflict
	case http.StatusRequestEntityTooLarge:
		return ota.KindTooLarge
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return ota.KindUnavailable
	}
	if status >= 400 && status < 500 {
		return ota.KindInvalid
	}
	return ota.KindInternal
}

// drain reads what is left of an answer, within reason, so that its connection
// can be used again.
func drain(body io.Reader) { _, _ = io.Copy(io.Discard, io.LimitReader(body, 64<<10)) }

// list is the form of every list answer.
type list[T any] struct {
	Items []T    `json:"items"`
	Next  string `json:"next"`
}

// getList reads one page of a list.
func getList[T any](ctx context.Context, c *Client, page ota.Page, query url.Values, path ...string) ([]T, string, error) {
	if query == nil {
		query = url.Values{}
	}
	if page.After != "" {
		query.Set("after", page.After)
	}
	if page.Limit != 0 {
		query.Set("limit", strconv.Itoa(page.Limit))
	}
	var l list[T]
	_, err := c.do(ctx, call{method: http.MethodGet, path: path, query: query, out: &l})
	return l.Items, l.Next, err
}

// get reads one thing.
func get[T any](ctx context.Context, c *Client, path ...string) (T, error) {
	var v T
	_, err := c.do(ctx, call{method: http.MethodGet, path: path, out: &v})
	return v, err
}

// send changes something and returns what it is now.
func send[T any](ctx context.Context, c *Client, method string, in any, path ...string) (T, error) {
	v, _, err := sendStatus[T](ctx, c, method, in, path...)
	return v, err
}

// sendStatus is send for answers whose status code says something.
func sendStatus[T any](ctx context.Context, c *Client, method string, in any, path ...string) (T, int, error) {
	var v T
	status, err := c.do(ctx, call{method: method, path: path, in: in, out: &v})
	return v, status, err
}

// remove deletes something.
func remove(ctx context.Context, c *Client, query url.Values, path ...string) error {
	_, err := c.do(ctx, call{method: http.MethodDelete, path: path, query: query})
	return err
}
