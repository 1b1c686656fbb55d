package cli

import (
	"context"
	"net"
	"net/url"
	"strings"

	"github.com/waxwing-ota/waxwing/internal/capconfig"
	"github.com/waxwing-ota/waxwing/internal/client"
	"github.com/waxwing-ota/waxwing/internal/core/seal"
)

// deviceBase is the address that devices should use: what the server calls its
// public address, else the one we talk to.
func deviceBase(ctx context.Context, cl *client.Client) (base string, declared bool, err error) {
	s, err := cl.Status(ctx)
	if err != nil {
		return "", false, err
	}
	if s.PublicURL != "" {
		return strings.TrimRight(s.PublicURL, "/"), true, nil
	}
	return cl.URL(), false, nil
}

// settingsFor is what an app's configuration must say. key nil leaves the
// public key out.
func settingsFor(base string, key *seal.PublicKey) []capconfig.Setting {
	s := []capconfig.Setting{
		{Name: "updateUrl", Value: base + "/updates"},
		{Name: "statsUrl", Value: base + "/stats"},
		{Name: "channelUrl", Value: base + "/channel_self"},
	}
	if key != nil {
		s = append(s, capconfig.Setting{Name: "publicKey", Value: key.PEM()})
	}
	return s
}

// unreachableByPhones says why a phone may not reach an address, "" if it may.
func unreachableByPhones(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return "it is not an address"
	}
	host := u.Hostname()
	if ip := net.ParseIP(host); host == "localhost" || ip != nil && ip.IsLoopback() {
		return "it is this machine's own address: a phone would ask itself"
	}
	if u.Scheme == "http" {
		return "it is plain http, which phones refuse unless the app allows it"
	}
	return ""
}
