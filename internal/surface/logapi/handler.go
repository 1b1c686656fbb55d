package logapi

import (
	"context"
	"net/http"
	"strings"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/tilelog"
)

// Log is the log that is served.
type Log interface {
	Checkpoint(ctx context.Context) (ota.AuditCheckpoint, error)
	Tile(ctx context.Context, t tlog.Tile) ([]byte, error)
}

// Deps is what the handler needs. Log, Fail and Prefix are required, and Allowed
// unless the log is open.
type Deps struct {
	Log Log
	// Allowed fails unless the caller may read what is not public.
	Allowed func(r *http.Request) error
	// Fail answers with an error.
	Fail    func(w http.ResponseWriter, r *http.Request, err error)
	Private bool // checkpoint and hashes are for those who are allowed, too

	Prefix string // where the log is, such as /log/
	Open   bool   // entries are public as well, and stay for ever; Allowed is not asked
}

// forever is for what never changes.
const forever = "max-age=31536000, immutable"

// New returns the handler of everything below the prefix.
func New(d Deps) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
		h.Set("Cache-Control", "no-store") // of errors
		if err := d.serve(w, r); err != nil {
			h.Set("Cache-Control", "no-store")
			d.Fail(w, r, err)
		}
	})
}

func (d *Deps) serve(w http.ResponseWriter, r *http.Request) error {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		return ota.Invalid("method_invalid", "the log can only be read").WithHint("use GET")
	}
	path := strings.TrimPrefix(r.URL.Path, d.Prefix)
	if path == "checkpoint" {
		return d.checkpoint(w, r)
	}
	t, err := tilelog.ParseTilePath(path)
	if err != nil {
		return err
	}
	public := d.Open || !d.Private && !tilelog.IsEntries(t)
	if !public {
		if err := d.Allowed(r); err != nil {
			return err
		}
	}
	body, err := d.Log.Tile(r.Context(), t)
	if err != nil {
		return err
	}
	cache := "private, " + forever
	if public {
		cache = "public, " + forever
	} else if tilelog.IsEntries(t) {
		cache = "no-store" // retention must reach every copy
	}
	answer(w, r, "application/octet-stream", cache, body)
	return nil
}

func (d *Deps) checkpoint(w http.ResponseWriter, r *http.Request) error {
	if d.Private {
		if err := d.Allowed(r); err != nil {
			return err
		}
	}
	cp, err := d.Log.Checkpoint(r.Context())
	if err != nil {
		return err
	}
	answer(w, r, "text/plain; charset=utf-8", "no-cache", []byte(cp.Note))
	return nil
}

func answer(w http.ResponseWriter, r *http.Request, kind, cache string, body []byte) {
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Cache-Control", cache)
	w.WriteHeader(http.StatusOK)
	if r.Method != http.MethodHead {
		_, _ = w.Write(body) // a reader that is gone cannot be told
	}
}
