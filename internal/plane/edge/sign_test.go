package edge

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// parts takes a link apart.
func parts(t interface{ Fatal(...any) }, link string) (app string, d ota.Digest, e, sig string) {
	u, err := url.Parse(link)
	if err != nil {
		t.Fatal(err)
	}
	path := strings.Split(u.Path, "/")
	if d, err = ota.ParseDigest(path[3]); err != nil || len(path) != 4 || path[1] != "files" {
		t.Fatal("not a link: ", link)
	}
	return path[2], d, u.Query().Get("e"), u.Query().Get("s")
}

func TestLink(t *testing.T) {
	s, other := NewSigner([32]byte{1}), NewSigner([32]byte{2})
	const expires = 1_800_000_000
	app, d, e, sig := parts(t, s.Link(appID, ota.Sum([]byte("x")), expires))
	at := func(unix int64) time.Time { return time.Unix(unix, 0) }
	for _, c := range []struct {
		name string
		by   *Signer
		app  string
		d    ota.Digest
		e, s string
		now  time.Time
		want string
	}{
		{"good", s, app, d, e, sig, at(expires - 1), ""},
		{"last second", s, app, d, e, sig, at(expires), ""},
		{"expired", s, app, d, e, sig, at(expires + 1), "link_expired"},
		{"another app", s, "com.example.other", d, e, sig, at(0), "link_invalid"},
		{"another file", s, app, ota.Sum([]byte("y")), e, sig, at(0), "link_invalid"},
		{"longer life", s, app, d, "1900000000", sig, at(0), "link_invalid"},
		{"another server", other, app, d, e, sig, at(0), "link_invalid"},
		{"no signature", s, app, d, e, "", at(0), "link_invalid"},
		{"short signature", s, app, d, e, sig[:10], at(0), "link_invalid"},
		{"long signature", s, app, d, e, sig + strings.Repeat("A", 80), at(0), "link_invalid"},
		{"no base64", s, app, d, e, "!!", at(0), "link_invalid"},
		{"no number", s, app, d, "soon", sig, at(0), "link_invalid"},
		{"no expiry", s, app, d, "", sig, at(0), "link_invalid"},
		{"expired and forged", s, app, d, "1", sig, at(expires), "link_invalid"},
	} {
		err := c.by.Check(c.app, c.d, c.e, c.s, c.now)
		if (err == nil) != (c.want == "") || err != nil && (ota.CodeOf(err) != c.want || ota.KindOf(err) != ota.KindForbidden) {
			t.Errorf("%s: got %v, want %q", c.name, err, c.want)
		}
	}
}

// TestLifetime holds that a link is good for one to one and a bit days, whenever it is made.
func TestLifetime(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := NewSigner([32]byte{1})
		now := time.Unix(rapid.Int64Range(0, 1<<40).Draw(t, "now"), 0)
		app, d, e, sig := parts(t, s.Link(appID, ota.Sum(nil), expiry(windowOf(now))))
		if err := s.Check(app, d, e, sig, now.Add(ttl)); err != nil {
			t.Fatal("not good for a day: ", err)
		}
		if s.Check(app, d, e, sig, now.Add(ttl+Window+time.Second)) == nil {
			t.Fatal("good for too long")
		}
	})
}
