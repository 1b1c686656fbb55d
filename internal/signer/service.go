package signer

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/p256"
)

const (
	serviceTime = 20 * time.Second
	maxService  = 64 << 10 // bytes of an answer of a key service
)

// service is a key in a cloud's key service.
type service struct {
	name   string // for people
	public p256.Key
	sign   func(ctx context.Context, message []byte) ([]byte, error)
}

func (s *service) Public() p256.Key { return s.public }

func (s *service) Sign(ctx context.Context, message []byte) ([]byte, error) {
	return s.sign(ctx, message)
}

func (s *service) String() string { return "signer of " + s.name }

// client sends what key services are asked. Redirects are not followed: they
// would send a signed request to an address nobody named.
func (p Prompts) client() *http.Client {
	base := http.DefaultTransport
	if p.HTTP != nil && p.HTTP.Transport != nil {
		base = p.HTTP.Transport
	}
	return &http.Client{
		Transport: base, Timeout: serviceTime,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// ask sends a request to a key service and reads its JSON answer.
func (p Prompts) ask(req *http.Request, what string, out any) error {
	res, err := p.client().Do(req)
	if err != nil {
		return serviceFailed(what, "cannot be reached").WithCause(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, maxService+1))
	if err != nil || len(body) > maxService {
		return serviceFailed(what, "gave an answer that cannot be read").WithCause(err)
	}
	if res.StatusCode != http.StatusOK {
		return refused(what, res.StatusCode, body)
	}
	if err := json.NewDecoder(bytes.NewReader(body)).Decode(out); err != nil {
		return serviceFailed(what, "gave an answer that is not JSON").WithCause(err)
	}
	return nil
}

// refused is the error of a service that said no; it repeats the service's words
// if they are short and plain.
func refused(what string, status int, body []byte) error {
	var says struct {
		Lower string `json:"message"`
		Upper string `json:"Message"`
		Error struct {
			Message string `json:"message"`
		} `json:"error"`
	}
	_ = json.Unmarshal(body, &says)
	text := firstLine(says.Lower + says.Upper + says.Error.Message)
	e := serviceFailed(what, "answered %d: %s", status, text)
	switch status {
	case http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound:
		e.Kind = ota.KindForbidden
		e.Hint = "check the key's name and region, and that these credentials may read its public key and sign with it"
	}
	return e
}

func serviceFailed(what, format string, a ...any) *ota.Error {
	return ota.Errorf(ota.KindUnavailable, CodeCloud, "the key service of "+clip(what)+" "+format, a...).
		WithHint("try again; nothing was signed")
}

func noCredentials(what, hint string) error {
	return ota.Invalid(CodeAccess, "there are no credentials for %s", what).WithHint("%s", hint)
}

// endpoint checks another address of a service than its own: encrypted, or on
// this machine.
func endpoint(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" ||
		(u.Scheme != "https" && (u.Scheme != "http" || !loopback(u.Hostname()))) {
		return nil, ota.Invalid(CodeURI, "%q is no address of a key service", clip(text)).
			WithHint("write it like https://kms.example.com")
	}
	u.Path = strings.TrimRight(u.Path, "/")
	return u, nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || (ip != nil && ip.IsLoopback())
}
