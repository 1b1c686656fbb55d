package console

import (
	"compress/gzip"
	"net/http"
	"strings"
)

// zipped compresses text on its way to the browser.
type zipped struct {
	http.ResponseWriter
	accepted bool
	begun    bool
	gz       *gzip.Writer
}

func compress(w http.ResponseWriter, r *http.Request) *zipped {
	return &zipped{ResponseWriter: w, accepted: strings.Contains(r.Header.Get("Accept-Encoding"), "gzip")}
}

// WriteHeader implements [http.ResponseWriter].
func (z *zipped) WriteHeader(status int) {
	if !z.begun {
		z.begun = true
		h := z.Header()
		kind := h.Get("Content-Type")
		text := strings.HasPrefix(kind, "text/") || strings.Contains(kind, "javascript") || strings.Contains(kind, "svg")
		if text {
			h.Add("Vary", "Accept-Encoding")
		}
		if text && z.accepted && kind != eventStream && status != http.StatusNoContent && h.Get("Content-Encoding") == "" {
			h.Set("Content-Encoding", "gzip")
			h.Del("Content-Length")
			z.gz = gzip.NewWriter(z.ResponseWriter)
		}
	}
	z.ResponseWriter.WriteHeader(status)
}

// Write implements [http.ResponseWriter].
func (z *zipped) Write(p []byte) (int, error) {
	if !z.begun {
		z.WriteHeader(http.StatusOK)
	}
	if z.gz != nil {
		return z.gz.Write(p)
	}
	return z.ResponseWriter.Write(p)
}

// Unwrap keeps the deadlines and the flushing of the connection in reach.
func (z *zipped) Unwrap() http.ResponseWriter { return z.ResponseWriter }

func (z *zipped) close() {
	if z.gz != nil {
		_ = z.gz.Close() // the browser is gone if it fails
	}
}
