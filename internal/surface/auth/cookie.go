package auth

import (
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"
)

// The names of cookies. __Host- makes browsers refuse one that is not Secure,
// has a Domain, or comes from a subdomain.
const (
	cookieSecure     = "__Host-waxwing"
	cookieDev        = "waxwing-dev" // plain HTTP on this machine only
	flowSuffix       = "-flow"
	flowMaxAge       = 10 * time.Minute
	sessionCookieAge = 7 * 24 * time.Hour
)

// CookieName is the name of the session cookie at an address: base is the
// scheme and host that the browser sees, such as "https://ota.example.com".
func CookieName(base string) string {
	if strings.HasPrefix(base, "https://") {
		return cookieSecure
	}
	return cookieDev
}

// SessionSecret takes the session's secret out of a request, "" if there is
// none. base is as for [CookieName]. A name that is there twice counts as none:
// one of the two was planted.
func SessionSecret(r *http.Request, base string) string { return cookieValue(r, CookieName(base)) }

func cookieValue(r *http.Request, name string) string {
	found := r.CookiesNamed(name)
	if len(found) != 1 || len(found[0].Value) > 4096 {
		return ""
	}
	return found[0].Value
}

// setCookie sets a cookie, or clears it if value is "".
func setCookie(w http.ResponseWriter, base, suffix, value string, age time.Duration) {
	c := &http.Cookie{
		Name: CookieName(base) + suffix, Value: value, Path: "/", HttpOnly: true,
		Secure: strings.HasPrefix(base, "https://"), SameSite: http.SameSiteLaxMode, MaxAge: int(age.Seconds()),
	}
	if value == "" {
		c.MaxAge = -1
	}
	http.SetCookie(w, c)
}

// confidential reports whether what is sent to base cannot be read on the way:
// it is HTTPS, or does not leave the machine.
func confidential(base string) bool {
	u, err := url.Parse(base)
	if err != nil {
		return false
	}
	return u.Scheme == "https" || loopback(u.Hostname())
}

func loopback(host string) bool {
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}

// addressOf is the address that a request came from, the zero Addr if unknown.
func addressOf(r *http.Request) netip.Addr {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	ip, err := netip.ParseAddr(host)
	if err != nil {
		return netip.Addr{}
	}
	return ip.Unmap().WithZone("")
}
