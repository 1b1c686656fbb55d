package config_test

import (
	"testing"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/run/config"
)

// A server that other machines can reach speaks TLS, or somebody said in so many
// words that it need not.
func TestNoPlainTextByAccident(t *testing.T) {
	for _, c := range []struct {
		name string
		set  map[string]string
		ok   bool
	}{
		{"this machine", map[string]string{"WAXWING_LISTEN": "127.0.0.1:80"}, true},
		{"this machine, another of its addresses", map[string]string{"WAXWING_LISTEN": "127.8.8.8:80"}, true},
		{"this machine by name", map[string]string{"WAXWING_LISTEN": "localhost:80"}, true},
		{"this machine, IPv6", map[string]string{"WAXWING_LISTEN": "[::1]:80"}, true},
		{"this machine, IPv4 in IPv6", map[string]string{"WAXWING_LISTEN": "[::ffff:127.0.0.1]:80"}, true},
		{"every address", map[string]string{"WAXWING_LISTEN": ":80"}, false},
		{"every IPv4 address", map[string]string{"WAXWING_LISTEN": "0.0.0.0:80"}, false},
		{"every IPv6 address", map[string]string{"WAXWING_LISTEN": "[::]:80"}, false},
		{"one address", map[string]string{"WAXWING_LISTEN": "192.168.1.2:80"}, false},
		{"a name", map[string]string{"WAXWING_LISTEN": "localhost.example.com:80"}, false},
		{"public address without TLS", map[string]string{"WAXWING_LISTEN": ":80", "WAXWING_PUBLIC_URL": "http://ota.example.com"}, false},
		{"a proxy does TLS", map[string]string{"WAXWING_LISTEN": ":80", "WAXWING_TRUST_PROXY": "true"}, true},
		{"somebody in front does TLS", map[string]string{"WAXWING_LISTEN": ":80", "WAXWING_PUBLIC_URL": "https://ota.example.com"}, true},
		{"files", map[string]string{"WAXWING_LISTEN": ":443", "WAXWING_TLS_CERT": "c", "WAXWING_TLS_KEY": "k"}, true},
		{"authority", map[string]string{"WAXWING_LISTEN": ":443", "WAXWING_ACME_HOSTS": "a.example.com, b.example.com"}, true},
		{"insists", map[string]string{"WAXWING_LISTEN": ":80", "WAXWING_INSECURE_HTTP": "true"}, true},
		{"insists not", map[string]string{"WAXWING_LISTEN": ":80", "WAXWING_INSECURE_HTTP": "false"}, false},
		{"half a certificate", map[string]string{"WAXWING_TLS_CERT": "c"}, false},
		{"two sources", map[string]string{"WAXWING_ACME_HOSTS": "a.example.com", "WAXWING_TLS_CERT": "c", "WAXWING_TLS_KEY": "k"}, false},
		{"host with a port", map[string]string{"WAXWING_ACME_HOSTS": "a.example.com:443"}, false},
		{"host is an address", map[string]string{"WAXWING_ACME_HOSTS": "192.168.1.2"}, false},
		{"host is a pattern", map[string]string{"WAXWING_ACME_HOSTS": "*.example.com"}, false},
		{"authority without TLS", map[string]string{"WAXWING_ACME_DIRECTORY": "http://ca.example.com/dir"}, false},
		{"sends on to nothing", map[string]string{"WAXWING_HTTP_LISTEN": ":80"}, false},
	} {
		got, err := config.FromEnv(from(c.set))
		if err == nil {
			err = got.Check()
		}
		if (err == nil) != c.ok {
			t.Errorf("%s: %v", c.name, err)
		}
		if err != nil && ota.CodeOf(err) != "config_invalid" {
			t.Errorf("%s: code %s", c.name, ota.CodeOf(err))
		}
	}
}
