package scan

import "strings"

// use is what an address is for.
type use int

const (
	useText    use = iota // it stands in a script or text
	useLink               // a link that people follow
	useRequest            // a request of a script, a form
	useLoad               // a page or style sheet loads it
)

// address is an absolute address, or one that begins with //.
type address struct {
	raw    string
	scheme string // lower case; "" = begins with //
	host   string // lower case, without port
	port   string
	use    use
	at     int // offset in the file
}

// loopback reports whether the host is the device itself.
func (a *address) loopback() bool {
	return a.host == "localhost" || strings.HasSuffix(a.host, ".localhost") || strings.HasPrefix(a.host, "127.") || a.host == "[::1]"
}

// plain reports whether it goes over the network without encryption.
func (a *address) plain() bool { return a.scheme == "http" || a.scheme == "ws" }

// parseAddress reads an address with a host; nil = it is none, or a relative
// one, or of another scheme than those of the web.
func parseAddress(s string) *address {
	raw := s
	s = strings.TrimSpace(s)
	a := &address{raw: raw}
	switch i := strings.Index(s, "://"); {
	case strings.HasPrefix(s, "//"):
		s = s[2:]
	case i > 0 && i <= 5:
		a.scheme = strings.ToLower(s[:i])
		s = s[i+3:]
	default:
		return nil
	}
	switch a.scheme {
	case "", "http", "https", "ws", "wss":
	default:
		return nil
	}
	if i := strings.IndexAny(s, "/?#\\\"'<> \t\n`"); i >= 0 {
		s = s[:i]
	}
	if i := strings.LastIndexByte(s, '@'); i >= 0 {
		s = s[i+1:]
	}
	if strings.HasPrefix(s, "[") {
		end := strings.IndexByte(s, ']')
		if end < 0 {
			return nil
		}
		a.host, s = strings.ToLower(s[:end+1]), s[end+1:]
		a.port = strings.TrimPrefix(s, ":")
		return a
	}
	a.host, a.port, _ = strings.Cut(strings.ToLower(s), ":")
	a.host = strings.TrimSuffix(a.host, ".")
	if !validHost(a.host) {
		return nil
	}
	return a
}

// validHost reports whether a name can be a host's: with a dot, or localhost.
func validHost(h string) bool {
	if h == "localhost" {
		return true
	}
	if len(h) < 4 || len(h) > 253 || !strings.Contains(h, ".") || strings.Contains(h, "..") || h[0] == '.' || h[0] == '-' {
		return false
	}
	for i := range len(h) {
		c := h[i]
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '.' && c != '-' && c != '_' && c < 0x80 {
			return false
		}
	}
	last := h[strings.LastIndexByte(h, '.')+1:]
	return len(last) >= 2 || isIPv4(h)
}

// isIPv4 reports whether a host is four numbers.
func isIPv4(h string) bool {
	parts := strings.Split(h, ".")
	if len(parts) != 4 {
		return false
	}
	for _, p := range parts {
		n := 0
		for i := range len(p) {
			if p[i] < '0' || p[i] > '9' {
				return false
			}
			n = n*10 + int(p[i]-'0')
		}
		if p == "" || len(p) > 3 || n > 255 {
			return false
		}
	}
	return true
}

// isPrivate reports whether a host is of a private network.
func isPrivate(h string) bool {
	if strings.HasSuffix(h, ".local") || strings.HasSuffix(h, ".internal") || strings.HasSuffix(h, ".lan") {
		return true
	}
	if !isIPv4(h) {
		return false
	}
	second := ""
	if p := strings.Split(h, "."); p[0] == "172" {
		second = p[1]
	}
	return strings.HasPrefix(h, "10.") || strings.HasPrefix(h, "192.168.") || strings.HasPrefix(h, "169.254.") ||
		len(second) == 2 && second >= "16" && second <= "31"
}

// listed reports whether a list of hosts has the host or a domain above it.
func (e *engine) listed(list, host string) bool { return under(e.hosts[list], host) }

func under(set map[string]bool, host string) bool {
	for {
		if set[host] {
			return true
		}
		_, above, ok := strings.Cut(host, ".")
		if !ok {
			return false
		}
		host = above
	}
}

// address tells the checks about an address at an offset.
func (f *file) address(raw string, at int, u use) {
	a := parseAddress(raw)
	if a == nil {
		return
	}
	a.at, a.use = at, u
	for _, tell := range f.e.addresses {
		tell(f, a)
	}
}
