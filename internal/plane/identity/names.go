package identity

import (
	"net/mail"
	"net/netip"
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// emailOf checks a mail address and puts it into the one form it is stored in.
func emailOf(in string) (string, error) {
	e := strings.ToLower(strings.TrimSpace(in))
	a, err := mail.ParseAddress(e)
	if err != nil || a.Address != e || a.Name != "" || len(e) > 254 || strings.ContainsFunc(e, func(r rune) bool {
		return r <= ' ' || r == '<' || r == '"' || !unicode.IsPrint(r)
	}) {
		return "", ota.Invalid("email_invalid", "that is not a mail address").WithField("email").WithHint("write it like ada@example.com")
	}
	return e, nil
}

// typedEmail is what a stranger typed as a mail address, for looking it up and
// counting attempts: never an error, since every error would tell something.
func typedEmail(in string) string {
	e, err := emailOf(in)
	if err != nil {
		return "?"
	}
	return e
}

func domainOf(email string) string { return email[strings.LastIndexByte(email, '@')+1:] }

// nameOf checks the name of a person, passkey or provider.
func nameOf(in, field string, most int) (string, error) {
	n := strings.Join(strings.Fields(in), " ")
	if n == "" || utf8.RuneCountInString(n) > most || !utf8.ValidString(n) || strings.ContainsFunc(n, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return "", ota.Invalid("name_invalid", "a name has 1 to %d printable characters", most).WithField(field)
	}
	return n, nil
}

// place is the network that an address is in, coarse enough to be kept.
func place(a netip.Addr) string {
	a = a.Unmap()
	bits := 24
	if a.Is6() {
		bits = 48
	}
	p, err := a.Prefix(bits)
	if err != nil {
		return "unknown"
	}
	return p.String()
}

// agent names browser and system of a User-Agent header in words of ours: what
// the header says itself is never kept.
func agent(header string) string {
	if len(header) > 1024 {
		header = header[:1024]
	}
	first := func(names ...[2]string) string {
		for _, n := range names {
			if strings.Contains(header, n[0]) {
				return n[1]
			}
		}
		return ""
	}
	browser := first([2]string{"Edg", "Edge"}, [2]string{"OPR/", "Opera"}, [2]string{"Firefox/", "Firefox"}, [2]string{"FxiOS/", "Firefox"},
		[2]string{"Chrome/", "Chrome"}, [2]string{"CriOS/", "Chrome"}, [2]string{"Safari/", "Safari"}, [2]string{"curl/", "curl"})
	system := first([2]string{"iPhone", "iPhone"}, [2]string{"iPad", "iPad"}, [2]string{"Android", "Android"}, [2]string{"CrOS", "ChromeOS"},
		[2]string{"Windows", "Windows"}, [2]string{"Mac OS X", "macOS"}, [2]string{"Linux", "Linux"})
	switch {
	case browser == "" && system == "":
		return "unknown browser"
	case browser == "":
		return "unknown browser on " + system
	case system == "":
		return browser
	}
	return browser + " on " + system
}

// site is the WebAuthn side of an address: RP id and origin.
type site struct{ rpID, origin string }

// siteOf says what passkeys made at base belong to. Bare IP addresses cannot
// have any.
func siteOf(base string) (site, error) {
	u, err := url.Parse(base)
	if err != nil || u.Host == "" {
		return site{}, noPasskeys()
	}
	host := strings.ToLower(u.Hostname())
	if _, err := netip.ParseAddr(host); err == nil || (u.Scheme != "https" && host != "localhost" && !strings.HasSuffix(host, ".localhost")) {
		return site{}, noPasskeys()
	}
	return site{rpID: host, origin: u.Scheme + "://" + strings.ToLower(u.Host)}, nil
}

func noPasskeys() error {
	return ota.Invalid(CodeNoPasskeysHere, "browsers keep no passkeys for this address").
		WithHint("use a name with HTTPS, or http://localhost on the machine itself")
}

// PasskeysAt reports whether the address can have passkeys.
func PasskeysAt(base string) bool {
	_, err := siteOf(base)
	return err == nil
}
