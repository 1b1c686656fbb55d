package console_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/descope/virtualwebauthn"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/run/config"
	"github.com/waxwing-ota/waxwing/internal/testkit/live"
)

// site is a whole server with people who sign in to its console.
type site struct {
	*live.Server
	t   *testing.T
	url string // http://localhost:port, as passkeys are for names only
}

func newSite(t *testing.T, change func(*config.Config)) *site {
	t.Helper()
	s := live.Start(t, "", change)
	return &site{Server: s, t: t, url: strings.Replace(s.URL, "127.0.0.1", "localhost", 1)}
}

// person is somebody with a browser and a passkey.
type person struct {
	s      *site
	http   *http.Client
	rp     virtualwebauthn.RelyingParty
	device virtualwebauthn.Authenticator
	body   string // of the last page
}

// enrol opens a one-time link, and is signed in afterwards.
func (s *site) enrol(kind, link, email, name string) *person {
	s.t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		s.t.Fatal(err)
	}
	p := &person{
		s: s, http: &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }},
		rp: virtualwebauthn.RelyingParty{ID: "localhost", Name: "Waxwing", Origin: s.url}, device: virtualwebauthn.NewAuthenticator(),
	}
	_, token, _ := strings.Cut(link, "#")
	in := map[string]any{"token": token, "name": name}
	if kind == "setup" {
		in["email"] = email
	}
	options := p.json("/auth/"+kind+"/passkey/begin", in)
	o, err := virtualwebauthn.ParseAttestationOptions(options)
	if err != nil {
		s.t.Fatalf("%v: %s", err, options)
	}
	var handle struct {
		PublicKey struct{ User struct{ ID string } }
	}
	if err := json.Unmarshal([]byte(options), &handle); err != nil {
		s.t.Fatal(err)
	}
	if p.device.Options.UserHandle, err = base64.RawURLEncoding.DecodeString(strings.TrimRight(handle.PublicKey.User.ID, "=")); err != nil {
		s.t.Fatal(err)
	}
	key := virtualwebauthn.NewCredential(virtualwebauthn.KeyTypeEC2)
	for len(key.Key.AttestationData()) != 77 { // it leaves out leading zeros, which no real authenticator does
		key = virtualwebauthn.NewCredential(virtualwebauthn.KeyTypeEC2)
	}
	answer := virtualwebauthn.CreateAttestationResponse(p.rp, p.device, key, *o)
	p.device.AddCredential(key)
	p.json("/auth/"+kind+"/passkey/finish", map[string]any{"token": token, "credential": json.RawMessage(answer), "passkey_name": "laptop"})
	return p
}

// setup makes the first person, who owns everything.
func (s *site) setup(email string) *person {
	s.t.Helper()
	l, err := s.Client.CreateSetupLink(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	return s.enrol("setup", l.URL, email, strings.ToUpper(email[:1])+email[1:3])
}

// invite makes a person with a role.
func (s *site) invite(email string, grants ...ota.Grant) *person {
	s.t.Helper()
	out, err := s.Client.CreateInvitation(s.t.Context(), ota.NewInvitation{Email: email, Grants: grants})
	if err != nil {
		s.t.Fatal(err)
	}
	return s.enrol("invite", out.Link.URL, email, email)
}

func in(role ota.Role, scope ...string) ota.Grant {
	s := ota.Scope{Org: ota.MainOrg}
	if len(scope) > 0 {
		s.App = scope[0]
	}
	return ota.Grant{Role: role, Scope: s}
}

// sign answers what a passkey is asked for.
func (p *person) sign(options string) string {
	p.s.t.Helper()
	o, err := virtualwebauthn.ParseAssertionOptions(options)
	if err != nil {
		p.s.t.Fatalf("%v: %s", err, options)
	}
	last := len(p.device.Credentials) - 1
	p.device.Credentials[last].Counter++
	return virtualwebauthn.CreateAssertionResponse(p.rp, p.device, p.device.Credentials[last], *o)
}

func (p *person) json(path string, in any) string {
	p.s.t.Helper()
	raw, err := json.Marshal(in)
	if err != nil {
		p.s.t.Fatal(err)
	}
	res := p.do("POST", path, "application/json", bytes.NewReader(raw))
	if res.StatusCode != http.StatusOK {
		p.s.t.Fatalf("%s: %d %s", path, res.StatusCode, p.body)
	}
	return p.body
}

func (p *person) do(method, path, kind string, body io.Reader) *http.Response {
	p.s.t.Helper()
	req, err := http.NewRequestWithContext(p.s.t.Context(), method, p.s.url+path, body)
	if err != nil {
		p.s.t.Fatal(err)
	}
	if kind != "" {
		req.Header.Set("Content-Type", kind)
		req.Header.Set("Origin", p.s.url)
		req.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	res, err := p.http.Do(req)
	if err != nil {
		p.s.t.Fatal(err)
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		p.s.t.Fatal(err)
	}
	p.body = string(raw)
	return res
}

// open loads a page and returns its status; redirects are followed.
func (p *person) open(path string) int {
	p.s.t.Helper()
	res := p.do("GET", path, "", nil)
	for range 5 {
		to := res.Header.Get("Location")
		if to == "" {
			break
		}
		res = p.do("GET", to, "", nil)
	}
	p.harmless(path)
	return res.StatusCode
}

// sees fails unless the page is there and holds every text.
func (p *person) sees(path string, texts ...string) {
	p.s.t.Helper()
	if code := p.open(path); code != http.StatusOK {
		p.s.t.Errorf("%s: %d\n%s", path, code, p.text())
		return
	}
	for _, text := range texts {
		if !strings.Contains(p.text(), text) {
			p.s.t.Errorf("%s does not say %q:\n%s", path, text, p.text())
		}
	}
}

// refused fails unless the page is not for them.
func (p *person) refused(paths ...string) {
	p.s.t.Helper()
	for _, path := range paths {
		if code := p.open(path); code != http.StatusForbidden {
			p.s.t.Errorf("%s: %d, want it refused", path, code)
		}
	}
}

// send posts a form and returns the status and where it leads to.
func (p *person) send(path string, pairs ...string) (int, string) {
	p.s.t.Helper()
	form := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		form.Add(pairs[i], pairs[i+1])
	}
	res := p.do("POST", path, "application/x-www-form-urlencoded", strings.NewReader(form.Encode()))
	p.harmless(path)
	return res.StatusCode, res.Header.Get("Location")
}

// does posts a form that must be done, and lead to an address with a notice.
func (p *person) does(path, notice string, pairs ...string) string {
	p.s.t.Helper()
	code, to := p.send(path, pairs...)
	if code != http.StatusSeeOther || !strings.Contains(to, "done="+notice) {
		p.s.t.Fatalf("POST %s: %d to %q, want %q\n%s", path, code, to, notice, p.text())
	}
	p.sees(to)
	return strings.Split(to, "?")[0]
}

// fails posts a form that must come back with a problem.
func (p *person) fails(path string, status int, text string, pairs ...string) {
	p.s.t.Helper()
	if code, to := p.send(path, pairs...); code != status || to != "" || !strings.Contains(p.text(), text) {
		p.s.t.Errorf("POST %s: %d to %q, want %d and %q\n%s", path, code, to, status, text, p.text())
	}
}

var (
	tags   = regexp.MustCompile(`<[^>]*>`)
	values = regexp.MustCompile(`value="[^"]*"`)
	space  = regexp.MustCompile(`\s+`)
)

// text is the last page as people read it.
func (p *person) text() string {
	_, main, _ := strings.Cut(p.body, "<main")
	return space.ReplaceAllString(html.UnescapeString(tags.ReplaceAllString(main, " ")), " ")
}

// harmless fails if a page holds what the policy would refuse, or a fault of a template.
func (p *person) harmless(path string) {
	p.s.t.Helper()
	shown := values.ReplaceAllString(p.body, "") // a form has what is there, to be changed
	for _, bad := range []string{"<style", " style=", " onclick=", "javascript:", "ZgotmplZ", "<no value>", "%!", "hostile<b>", "\u202e", "<script>alert"} {
		if strings.Contains(shown, bad) {
			p.s.t.Errorf("%s holds %q", path, bad)
		}
	}
}

// find returns what a pattern finds on the last page.
func (p *person) find(pattern string) string {
	p.s.t.Helper()
	m := regexp.MustCompile(pattern).FindStringSubmatch(p.body)
	if m == nil {
		p.s.t.Fatalf("there is no %s in\n%s", pattern, p.body)
	}
	return html.UnescapeString(m[len(m)-1])
}
