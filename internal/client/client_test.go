package client_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/waxwing-ota/waxwing/internal/client"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/secret"
)

// recorded is what a fake server saw of a request.
type recorded struct {
	Method, URI, Auth, Type, Body string
}

// serve starts a fake server that gives one answer to everything.
func serve(t *testing.T, status int, header http.Header, body string) (*client.Client, *recorded) {
	t.Helper()
	var got recorded
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		got = recorded{r.Method, r.RequestURI, r.Header.Get("Authorization"), r.Header.Get("Content-Type"), string(b)}
		maps.Copy(w.Header(), header)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}))
	t.Cleanup(srv.Close)
	c, err := client.New(client.Config{URL: srv.URL + "/", Token: secret.New("tok")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c, &got
}

func TestRequests(t *testing.T) {
	ctx := context.Background()
	id, _ := ota.ParseDeviceID("0a000000-0000-4000-8000-000000000001")
	d := ota.Sum([]byte("x"))
	yes := true
	for _, tt := range []struct {
		name string
		call func(c *client.Client) error
		want recorded
	}{
		{"create app", func(c *client.Client) error {
			_, err := c.CreateApp(ctx, ota.NewApp{ID: "com.x"})
			return err
		}, recorded{Method: "POST", URI: "/api/v1/apps", Type: "application/json", Body: `{"id":"com.x"}`}},
		{"list", func(c *client.Client) error {
			_, _, err := c.Apps(ctx, ota.Page{After: "a&b", Limit: 7})
			return err
		}, recorded{Method: "GET", URI: "/api/v1/apps?after=a%26b&limit=7"}},
		{"key id with a slash", func(c *client.Client) error {
			_, err := c.SetKeyState(ctx, "com.x", "MII/b+c=", ota.KeyRetired)
			return err
		}, recorded{Method: "PATCH", URI: "/api/v1/apps/com.x/keys/MII%2Fb+c=", Type: "application/json", Body: `{"state":"retired"}`}},
		{"plain variant", func(c *client.Client) error {
			_, err := c.VariantFiles(ctx, "com.x", "1.0.0+a", "")
			return err
		}, recorded{Method: "GET", URI: "/api/v1/apps/com.x/bundles/1.0.0+a/variants/plain"}},
		{"create channel", func(c *client.Client) error {
			_, err := c.CreateChannel(ctx, "com.x", "beta", ota.PolicyPatch{Public: &yes})
			return err
		}, recorded{Method: "POST", URI: "/api/v1/apps/com.x/channels", Type: "application/json", Body: `{"name":"beta","policy":{"public":true}}`}},
		{
			"force", func(c *client.Client) error { return c.DeleteBundle(ctx, "com.x", "1.0.0", true) },
			recorded{Method: "DELETE", URI: "/api/v1/apps/com.x/bundles/1.0.0?force=true"},
		},
		{"promote without a body", func(c *client.Client) error {
			_, err := c.PromoteRollout(ctx, "com.x", "beta")
			return err
		}, recorded{Method: "POST", URI: "/api/v1/apps/com.x/channels/beta/rollout/promote"}},
		{"upload", func(c *client.Client) error {
			_, err := c.PutBlob(ctx, "com.x", d, 3, strings.NewReader("rest"))
			return err
		}, recorded{Method: "PUT", URI: "/api/v1/apps/com.x/blobs/" + d.String() + "?offset=3", Type: "application/octet-stream", Body: "rest"}},
		{"filters", func(c *client.Client) error {
			_, _, err := c.Events(ctx, "com.x", ota.EventFilter{Device: id, Action: "set", Since: 5}, ota.Page{})
			return err
		}, recorded{Method: "GET", URI: "/api/v1/apps/com.x/events?action=set&device=" + id.String() + "&since=5"}},
		{
			"failures of all devices", func(c *client.Client) error { return c.ClearFailures(ctx, "com.x", nil, "1.0.0") },
			recorded{Method: "DELETE", URI: "/api/v1/apps/com.x/failures?version=1.0.0"},
		},
		{
			"failures of one device", func(c *client.Client) error { return c.ClearFailures(ctx, "com.x", &id, "") },
			recorded{Method: "DELETE", URI: "/api/v1/apps/com.x/devices/" + id.String() + "/failures"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, got := serve(t, 200, nil, "{}")
			if err := tt.call(c); err != nil {
				t.Fatal(err)
			}
			tt.want.Auth = "Bearer tok"
			if diff := cmp.Diff(tt.want, *got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestCreatedComesFromTheStatus(t *testing.T) {
	for status, want := range map[int]bool{200: false, 201: true} {
		c, _ := serve(t, status, nil, `{"version":"1.0.0"}`)
		b, created, err := c.CreateBundle(t.Context(), "com.x", ota.NewBundle{})
		if err != nil || created != want || b.Version != "1.0.0" {
			t.Errorf("status %d: created = %v, bundle %+v, %v", status, created, b, err)
		}
	}
}

func TestErrorsComeBackAsTheyWere(t *testing.T) {
	problem := http.Header{"Content-Type": {"application/problem+json; charset=utf-8"}}
	for _, tt := range []struct {
		name   string
		status int
		header http.Header
		body   string
		want   ota.Error
	}{
		{
			"conflict", 409, problem, `{"title":"Conflict","detail":"taken","code":"version_exists","hint":"use another","field":"version"}`,
			ota.Error{Kind: ota.KindConflict, Code: "version_exists", Msg: "taken", Hint: "use another", Field: "version"},
		},
		{"invalid", 400, problem, `{"detail":"no","code":"x"}`, ota.Error{Kind: ota.KindInvalid, Code: "x", Msg: "no"}},
		{"unauthorized", 401, problem, `{"detail":"no","code":"x"}`, ota.Error{Kind: ota.KindUnauthorized, Code: "x", Msg: "no"}},
		{"forbidden", 403, problem, `{"detail":"no","code":"x"}`, ota.Error{Kind: ota.KindForbidden, Code: "x", Msg: "no"}},
		{"not found", 404, problem, `{"detail":"no","code":"x"}`, ota.Error{Kind: ota.KindNotFound, Code: "x", Msg: "no"}},
		{"too large", 413, problem, `{"detail":"no","code":"x"}`, ota.Error{Kind: ota.KindTooLarge, Code: "x", Msg: "no"}},
		{"unavailable", 503, problem, `{"detail":"no","code":"x"}`, ota.Error{Kind: ota.KindUnavailable, Code: "x", Msg: "no"}},
		{"internal", 500, problem, `{"detail":"no","code":"internal","request_id":"r1"}`, ota.Error{Kind: ota.KindInternal, Code: "internal", Msg: "no (request r1)"}},
		{"a proxy's page", 502, http.Header{"Content-Type": {"text/html"}}, "<html>", ota.Error{
			Kind: ota.KindUnavailable, Code: "http_502",
			Msg: "the server answered 502 Bad Gateway", Hint: "is there something other than waxwing, or a proxy, at this address?",
		}},
		{"broken problem", 400, problem, "{", ota.Error{
			Kind: ota.KindInvalid, Code: "http_400",
			Msg: "the server answered 400 Bad Request", Hint: "is there something other than waxwing, or a proxy, at this address?",
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, _ := serve(t, tt.status, tt.header, tt.body)
			_, err := c.App(t.Context(), "com.x")
			e, ok := errors.AsType[*ota.Error](err)
			if !ok {
				t.Fatalf("got %v", err)
			}
			if diff := cmp.Diff(tt.want, *e); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestErrorOfHead(t *testing.T) {
	c, _ := serve(t, 404, http.Header{"Problem-Code": {"app_unknown"}}, "")
	_, _, err := c.BlobOffset(t.Context(), "com.x", ota.Sum(nil))
	if ota.KindOf(err) != ota.KindNotFound || ota.CodeOf(err) != "app_unknown" {
		t.Errorf("got %v", err)
	}
}

func TestBlobOffset(t *testing.T) {
	c, _ := serve(t, 200, http.Header{"Upload-Offset": {"17"}, "Upload-Complete": {"?0"}}, "")
	offset, complete, err := c.BlobOffset(t.Context(), "com.x", ota.Sum(nil))
	if offset != 17 || complete || err != nil {
		t.Errorf("got %d, %v, %v", offset, complete, err)
	}
	c, _ = serve(t, 200, http.Header{"Upload-Offset": {"17"}, "Upload-Complete": {"?1"}}, "")
	if _, complete, _ = c.BlobOffset(t.Context(), "com.x", ota.Sum(nil)); !complete {
		t.Error("complete is not seen")
	}
	c, _ = serve(t, 200, nil, "")
	if _, _, err = c.BlobOffset(t.Context(), "com.x", ota.Sum(nil)); ota.CodeOf(err) != "answer_unreadable" {
		t.Errorf("an answer without the header: %v", err)
	}
}

func TestUnreachable(t *testing.T) {
	srv := httptest.NewServer(nil)
	url := srv.URL
	srv.Close()
	c, err := client.New(client.Config{URL: url, Token: secret.New("tok-secret")})
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.Status(t.Context())
	if ota.KindOf(err) != ota.KindUnavailable || ota.CodeOf(err) != "server_unreachable" {
		t.Errorf("got %v", err)
	}
	if strings.Contains(err.Error(), "tok-secret") {
		t.Errorf("the token is in the error: %v", err)
	}
}

func TestCancelledIsTheContextsError(t *testing.T) {
	c, _ := serve(t, 200, nil, "{}")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.Status(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	c, _ := serve(t, 307, http.Header{"Location": {"https://elsewhere.example/"}}, "")
	if _, err := c.CreateApp(t.Context(), ota.NewApp{}); ota.CodeOf(err) != "redirected" {
		t.Errorf("got %v", err)
	}
}

func TestNotJSON(t *testing.T) {
	c, _ := serve(t, 200, nil, "<html>")
	if _, err := c.Status(t.Context()); ota.CodeOf(err) != "answer_unreadable" {
		t.Errorf("got %v", err)
	}
}

func TestNamesThatWouldBeOtherRoutes(t *testing.T) {
	c, got := serve(t, 200, nil, "{}")
	for _, name := range []string{"", ".", ".."} {
		if err := c.DeleteApp(t.Context(), name); ota.KindOf(err) != ota.KindInvalid {
			t.Errorf("%q: got %v", name, err)
		}
	}
	if got.Method != "" {
		t.Errorf("the server was asked: %+v", got)
	}
}

func TestNewRefuses(t *testing.T) {
	for _, u := range []string{"", "ota.example.com", "ftp://ota.example.com", "http://", "http://u:p@h/", "http://h/?a=1", "http://h/#x", "http://h:port/", "::"} {
		if _, err := client.New(client.Config{URL: u}); ota.CodeOf(err) != "url_invalid" {
			t.Errorf("%q: got %v", u, err)
		}
	}
}

func TestOpenBlob(t *testing.T) {
	c, _ := serve(t, 200, nil, "content")
	body, size, err := c.OpenBlob(t.Context(), "com.x", ota.Sum(nil))
	if err != nil {
		t.Fatal(err)
	}
	defer body.Close()
	var b bytes.Buffer
	if _, err := b.ReadFrom(body); err != nil || b.String() != "content" || size != 7 {
		t.Errorf("got %q, %d, %v", b.String(), size, err)
	}
}
