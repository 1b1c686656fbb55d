package auth_test

import (
	"crypto/sha1" //nolint:gosec // lists of leaked passwords are kept by SHA-1
	"encoding/hex"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/run/config"
	"github.com/waxwing-ota/waxwing/internal/testkit/live"
)

// newLive is a whole server with the clock of the machine.
func newLive(t *testing.T, change func(*config.Config)) (*world, *live.Server) {
	t.Helper()
	srv := live.Start(t, "", change)
	return &world{t: t, clock: &clock{at: time.Now()}, url: strings.Replace(srv.URL, "127.0.0.1", "localhost", 1)}, srv
}

// TestLeakedPasswords: a password of the operator's list is refused, wherever
// one is chosen; others are not.
func TestLeakedPasswords(t *testing.T) {
	var lines []string
	for _, p := range []string{"leaked leaked leaked", "another one of the list"} {
		sum := sha1.Sum([]byte(p)) //nolint:gosec // as above
		lines = append(lines, strings.ToUpper(hex.EncodeToString(sum[:]))+":12")
	}
	slices.Sort(lines)
	list := filepath.Join(t.TempDir(), "leaked.txt")
	if err := os.WriteFile(list, []byte(strings.Join(lines, "\r\n")+"\r\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	w, srv := newLive(t, func(c *config.Config) { c.Breached = list })
	link, err := srv.Client.CreateSetupLink(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	b := w.browser()
	in := m{"token": tokenOf(link.URL), "email": "ada@example.com", "name": "Ada", "password": "leaked leaked leaked"}
	b.post("/auth/setup/password", in).refused(t, "a leaked password", 400, "password_weak")
	b.enrolPassword("setup", tokenOf(link.URL), "ada@example.com", "Ada").must(t, 200)
	b.get("/auth/session").must(t, 200)
}

// TestManySignInsAtOnce: people who sign in at once all get their answer. That only
// two hashes are computed at a time is counted in plane/identity.
func TestManySignInsAtOnce(t *testing.T) {
	w, srv := newLive(t, nil)
	var wg sync.WaitGroup
	answers := make([]int, 6)
	browsers := make([]*browser, len(answers))
	for i := range browsers {
		browsers[i] = w.browser()
	}
	for i, b := range browsers {
		wg.Go(func() {
			answers[i] = b.post("/auth/password", m{"email": at("p%d@example.com", i), "password": goodPassword}).status
		})
	}
	wg.Wait()
	for i, status := range answers {
		if status != 401 {
			t.Errorf("%d: status %d", i, status)
		}
	}
	if _, _, err := srv.Client.Apps(t.Context(), ota.Page{}); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

// TestGroupsOnAServer: an issuer's group gives a role on a whole server, and
// takes it at the next sign-in.
func TestGroupsOnAServer(t *testing.T) {
	w, srv := newLive(t, nil)
	i, ctx, c := newIssuer(t), t.Context(), srv.Client
	g, err := c.CreateGroup(ctx, ota.NewGroup{Name: "devs"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.CreateGrant(ctx, ota.NewGrant{SubjectKind: ota.SubjectGroup, SubjectID: g.ID, Grant: grant(ota.RoleDeveloper, ota.MainOrg)}); err != nil {
		t.Fatal(err)
	}
	if _, err := c.CreateSSOProvider(ctx, ota.NewSSOProvider{
		ID: "test", Issuer: i.url, ClientID: "client", ClientSecret: "hush", Domains: []string{"example.com"}, CreateUsers: true,
	}); err != nil {
		t.Fatal(err)
	}
	signIn := func(groups ...string) []string {
		t.Helper()
		b := w.browser()
		if to := i.attempt(b, func(_ url.Values, claims m) { claims["groups"] = groups }); to != "/console/apps" {
			t.Fatalf("led to %s", to)
		}
		u, err := c.UserByEmail(ctx, "eve@example.com")
		if err != nil {
			t.Fatal(err)
		}
		d, err := c.User(ctx, u.ID)
		if err != nil {
			t.Fatal(err)
		}
		names := []string{}
		for _, g := range d.Groups {
			names = append(names, g.Name)
		}
		return names
	}
	if got := signIn("devs"); len(got) != 0 {
		t.Errorf("without a mapping: %v", got)
	}
	claim, groups := "groups", map[string]int64{"devs": g.ID}
	if _, err := c.UpdateSSOProvider(ctx, "test", ota.SSOProviderPatch{GroupClaim: &claim, Groups: &groups}); err != nil {
		t.Fatal(err)
	}
	if got := signIn("devs"); !slices.Equal(got, []string{"devs"}) {
		t.Errorf("in the group: %v", got)
	}
	if got := signIn("others"); len(got) != 0 {
		t.Errorf("out of the group: %v", got)
	}
}
