package capgo

import (
	"net/http"
	"net/url"
	"slices"
)

// cors answers a preflight (true: done) and lets known origins read answers.
// The web view's own origins are fixed names; others must be on this machine or listed.
func (h *handler) cors(w http.ResponseWriter, r *http.Request, origin string) (done bool) {
	head := w.Header()
	head.Add("Vary", "Origin")
	if h.mayRead(origin) {
		head.Set("Access-Control-Allow-Origin", origin)
	}
	if r.Method != http.MethodOptions || r.Header.Get("Access-Control-Request-Method") == "" {
		return false
	}
	head.Set("Access-Control-Allow-Methods", "GET, HEAD, POST, PUT, DELETE, OPTIONS")
	head.Set("Access-Control-Allow-Headers", "Content-Type, Range")
	head.Set("Access-Control-Max-Age", "86400")
	w.WriteHeader(http.StatusNoContent)
	return true
}

func (h *handler) mayRead(origin string) bool {
	switch origin {
	case "capacitor://localhost", "ionic://localhost", "localhost://localhost", h.PublicURL:
		return true
	}
	if slices.Contains(h.Origins, origin) {
		return true
	}
	u, err := url.Parse(origin)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Path != "" || u.User != nil || u.RawQuery != "" {
		return false
	}
	switch u.Hostname() {
	case "localhost", "127.0.0.1", "::1":
		return true
	}
	return false
}
