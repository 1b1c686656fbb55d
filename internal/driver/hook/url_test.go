package hook

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// TestAddressSpellings: every way to write an address that must not be reached,
// and some that may be.
func TestAddressSpellings(t *testing.T) {
	c := New(Config{})
	for _, tt := range []struct{ url, code string }{
		// IPv4, plainly.
		{"https://127.0.0.1/", CodeURLRefused},
		{"https://127.1.2.3/", CodeURLRefused},
		{"https://0.0.0.0/", CodeURLRefused},
		{"https://0.1.2.3/", CodeURLRefused},
		{"https://10.0.0.1/", CodeURLRefused},
		{"https://172.16.0.1/", CodeURLRefused},
		{"https://172.31.255.255/", CodeURLRefused},
		{"https://192.168.1.1/", CodeURLRefused},
		{"https://100.64.0.1/", CodeURLRefused},
		{"https://100.127.255.254/", CodeURLRefused},
		{"https://100.100.100.200/latest/meta-data", CodeURLRefused},
		{"https://169.254.169.254/latest/meta-data", CodeURLRefused},
		{"https://168.63.129.16/", CodeURLRefused},
		{"https://192.0.0.192/", CodeURLRefused},
		{"https://192.0.2.1/", CodeURLRefused},
		{"https://192.88.99.1/", CodeURLRefused},
		{"https://198.18.0.1/", CodeURLRefused},
		{"https://198.51.100.1/", CodeURLRefused},
		{"https://203.0.113.9/", CodeURLRefused},
		{"https://224.0.0.1/", CodeURLRefused},
		{"https://239.255.255.255/", CodeURLRefused},
		{"https://240.0.0.1/", CodeURLRefused},
		{"https://255.255.255.255/", CodeURLRefused},
		// IPv4 in other notations, which some resolvers read.
		{"https://2130706433/", CodeURLInvalid},
		{"https://017700000001/", CodeURLInvalid},
		{"https://0x7f000001/", CodeURLInvalid},
		{"https://0x7f.0.0.1/", CodeURLInvalid},
		{"https://0x7f.1/", CodeURLInvalid},
		{"https://0177.0.0.1/", CodeURLInvalid},
		{"https://127.1/", CodeURLInvalid},
		{"https://127.0.1/", CodeURLInvalid},
		{"https://127.0.0.01/", CodeURLInvalid},
		{"https://127.0.0.0x1/", CodeURLInvalid},
		{"https://127.0.0.1./", CodeURLRefused},
		{"https://127.0.0.1.../", CodeURLInvalid},
		{"https://010.0.0.1/", CodeURLInvalid},
		{"https://256.256.256.256/", CodeURLInvalid},
		{"https://1.2.3.4.5/", CodeURLInvalid},
		{"https://3232235777/", CodeURLInvalid},
		{"https://0/", CodeURLInvalid},
		// Unicode digits, dots and letters.
		{"https://１２７.0.0.1/", CodeURLInvalid},
		{"https://①②⑦.⓪.⓪.①/", CodeURLInvalid},
		{"https://127。0。0。1/", CodeURLInvalid},
		{"https://127．0．0．1/", CodeURLInvalid},
		{"https://ⓛocalhost/", CodeURLInvalid},
		{"https://exämple.com/", CodeURLInvalid},
		{"https://%31%32%37.0.0.1/", CodeURLInvalid},
		{"https://127%2e0%2e0%2e1/", CodeURLInvalid},
		{"https://example.com%00.evil.example/", CodeURLInvalid},
		// IPv6.
		{"https://[::1]/", CodeURLRefused},
		{"https://[0:0:0:0:0:0:0:1]/", CodeURLRefused},
		{"https://[0000:0000:0000:0000:0000:0000:0000:0001]/", CodeURLRefused},
		{"https://[::]/", CodeURLRefused},
		{"https://[fe80::1]/", CodeURLRefused},
		{"https://[fe80::1%25eth0]/", CodeURLRefused},
		{"https://[2600::1%25eth0]/", CodeURLRefused},
		{"https://[fc00::1]/", CodeURLRefused},
		{"https://[fd00:ec2::254]/", CodeURLRefused},
		{"https://[fec0::1]/", CodeURLRefused},
		{"https://[ff02::1]/", CodeURLRefused},
		{"https://[::ffff:127.0.0.1]/", CodeURLRefused},
		{"https://[::ffff:7f00:1]/", CodeURLRefused},
		{"https://[::ffff:8.8.8.8]/", CodeURLRefused},
		{"https://[::ffff:0:127.0.0.1]/", CodeURLRefused},
		{"https://[::127.0.0.1]/", CodeURLRefused},
		{"https://[64:ff9b::127.0.0.1]/", CodeURLRefused},
		{"https://[64:ff9b:1::a00:1]/", CodeURLRefused},
		{"https://[2002:7f00:1::]/", CodeURLRefused},
		{"https://[2001:0:53aa:64c::1]/", CodeURLRefused},
		{"https://[2001:db8::1]/", CodeURLRefused},
		{"https://[3fff::1]/", CodeURLRefused},
		{"https://[5f00::1]/", CodeURLRefused},
		{"https://[100::1]/", CodeURLRefused},
		{"https://[4000::1]/", CodeURLRefused},
		{"https://::1/", CodeURLInvalid},
		{"https://[127.0.0.1]/", ""}, // refused below, whatever the code
		// User names, backslashes, fragments and spaces that move the host.
		{"https://example.com@127.0.0.1/", CodeURLInvalid},
		{"https://127.0.0.1@example.com/", CodeURLInvalid},
		{"https://user:pass@example.com/", CodeURLInvalid},
		{"https://example.com\\@127.0.0.1/", CodeURLInvalid},
		{"https://127.0.0.1\\.example.com/", CodeURLInvalid},
		{"https://example.com#@127.0.0.1/", CodeURLInvalid},
		{"https://example.com/#x", CodeURLInvalid},
		{"https://example.com/#", CodeURLInvalid},
		{"https://exam ple.com/", CodeURLInvalid},
		{"https://example.com\t/", CodeURLInvalid},
		{"https://example.com/\r\nHost: x", CodeURLInvalid},
		// Names of what is near.
		{"https://localhost/", CodeURLRefused},
		{"https://LOCALHOST/", CodeURLRefused},
		{"https://localhost./", CodeURLRefused},
		{"https://a.localhost/", CodeURLRefused},
		{"https://metadata.google.internal/", CodeURLRefused},
		{"https://printer.local/", CodeURLRefused},
		{"https://router/", CodeURLRefused},
		{"https://x.onion/", CodeURLRefused},
		// Schemes and ports.
		{"http://example.com/", CodeURLRefused},
		{"ftp://example.com/", CodeURLInvalid},
		{"file:///etc/passwd", CodeURLInvalid},
		{"gopher://example.com/", CodeURLInvalid},
		{"//example.com/", CodeURLInvalid},
		{"https:example.com", CodeURLInvalid},
		{"https:///x", CodeURLInvalid},
		{"https://", CodeURLInvalid},
		{"", CodeURLInvalid},
		{"https://example.com:22/", CodeURLRefused},
		{"https://example.com:80/", CodeURLRefused},
		{"https://example.com:0443/", CodeURLRefused},
		{"https://example.com:/", CodeURLInvalid},
		{"https://example.com:99999/", CodeURLRefused},
		{"https://8.8.8.8:22/", CodeURLRefused},
		{"https://-example.com/", CodeURLInvalid},
		{"https://example..com/", CodeURLInvalid},
		{"https://" + strings.Repeat("a", 64) + ".com/", CodeURLInvalid},
		{"https://example.com/" + strings.Repeat("a", maxURL), CodeURLInvalid},
		// And what is fine.
		{"https://example.com/hooks?token=x", "ok"},
		{"https://EXAMPLE.com./hooks", "ok"},
		{"https://example.com:8443/", "ok"},
		{"https://xn--exmple-cua.com/", "ok"},
		{"https://hooks.slack.com/services/T/B/x", "ok"},
		{"https://8.8.8.8/", "ok"},
		{"https://[2600:1901:0:38d7::]/", "ok"},
	} {
		err := c.Check(tt.url)
		switch {
		case tt.code == "ok":
			if err != nil {
				t.Errorf("%s: %v", tt.url, err)
			}
		case err == nil:
			t.Errorf("%q is let through", tt.url)
		case tt.code != "" && ota.CodeOf(err) != tt.code:
			t.Errorf("%q: %v (%s), want %s", tt.url, err, ota.CodeOf(err), tt.code)
		}
	}
}

func TestAllowed(t *testing.T) {
	a, err := ParseAllowed(" 10.1.0.0/16, hooks.example ,chat.intranet:8065,192.168.7.7")
	if err != nil {
		t.Fatal(err)
	}
	c := New(Config{Allowed: a})
	for url, want := range map[string]string{
		"http://10.1.2.3:9000/x":          "",
		"https://10.2.0.1/":               CodeURLRefused,
		"http://192.168.7.7/":             "",
		"http://192.168.7.8/":             CodeURLRefused,
		"http://hooks.example:81/":        "",
		"http://chat.intranet:8065/":      "",
		"http://chat.intranet:8066/":      CodeURLRefused,
		"http://other.example/":           CodeURLRefused,
		"http://hooks.example.evil.test/": CodeURLRefused,
		"http://[::ffff:10.1.2.3]/":       CodeURLRefused,
	} {
		err := c.Check(url)
		if want == "" && err != nil || want != "" && ota.CodeOf(err) != want {
			t.Errorf("%s: %v, want %q", url, err, want)
		}
	}
	for _, bad := range []string{"10.1.0.0/33", "a b", "http://x", "host:0", "host:x", "host:99999", "1.2.3", "fe80::1%eth0", "*.example.com"} {
		if _, err := ParseAllowed(bad); err == nil {
			t.Errorf("%q is let through", bad)
		}
	}
}

// TestNeverByName: a listed name opens private networks, but not what holds the
// keys of a cloud.
func TestNeverByName(t *testing.T) {
	a, err := ParseAllowed("hooks.intranet.example")
	if err != nil {
		t.Fatal(err)
	}
	for ip, want := range map[string]bool{
		"10.0.0.1": true, "127.0.0.1": true, "8.8.8.8": true, "fc00::1": true,
		"169.254.169.254": false, "0.0.0.0": false, "fe80::1": false, "fd00:ec2::254": false, "224.0.0.1": false, "::ffff:10.0.0.1": false,
	} {
		if got := a.address(netip.MustParseAddr(ip), "hooks.intranet.example", "80"); got != want {
			t.Errorf("%s by name: %v", ip, got)
		}
		if a.address(netip.MustParseAddr(ip), "elsewhere.example", "80") {
			t.Errorf("%s on port 80 for a name that is not listed", ip)
		}
	}
}

func FuzzCheck(f *testing.F) {
	for _, s := range []string{"https://example.com/", "https://[::1]/", "https://0x7f.1", "https://a@b", "http://10.0.0.1:80", "https://1.2.3.4:8443/?#"} {
		f.Add(s)
	}
	c := New(Config{})
	f.Fuzz(func(t *testing.T, raw string) {
		got, err := c.parse(raw)
		if err != nil {
			if _, ok := err.(*ota.Error); !ok { //nolint:errorlint // the outermost is what callers see
				t.Fatalf("%q: %v is no error of ours", raw, err)
			}
			return
		}
		if got.url.Scheme != "https" || got.url.User != nil || !publicPort(got.port) {
			t.Fatalf("%q is let through as %v", raw, got.url)
		}
		if ip, err := netip.ParseAddr(got.host); err == nil && !public(ip) {
			t.Fatalf("%q leads to %v", raw, ip)
		}
		// What is requested later is read once more: it must mean the same.
		again, err := c.parse(got.url.String())
		if err != nil || again.host != got.host || again.port != got.port {
			t.Fatalf("%q: read as %s:%s, then %s:%s (%v)", raw, got.host, got.port, again.host, again.port, err)
		}
	})
}
