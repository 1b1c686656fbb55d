package sealedapi

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/sealed"
	"github.com/waxwing-ota/waxwing/internal/plane/trust"
	"github.com/waxwing-ota/waxwing/internal/surface/httpx"
)

// Prefix is where the routes are.
const Prefix = "/sealed/v1/"

// Repository answers checks and has the files.
type Repository interface {
	Check(ctx context.Context, app string, body []byte, remote string) ([]byte, error)
	MetadataFile(app, name string) (trust.Served, error)
	TargetFile(ctx context.Context, app, name string) (trust.Served, error)
	BlobFile(ctx context.Context, app string, d ota.Digest) (trust.Served, error)
}

// Deps is what the handlers need. Every field is required.
type Deps struct {
	Repository Repository
	Log        *slog.Logger
}

// Register adds the routes to a mux.
func Register(mux *http.ServeMux, d Deps) {
	h := &handler{d}
	mux.HandleFunc("OPTIONS "+Prefix, h.preflight)
	mux.HandleFunc("POST "+Prefix+"{app}/check", h.posted(sealed.MaxCheck, func(r *http.Request, body []byte) ([]byte, error) {
		return d.Repository.Check(r.Context(), r.PathValue("app"), body, r.RemoteAddr)
	}))
	mux.HandleFunc("GET "+Prefix+"{app}/metadata/{name}", h.files(func(r *http.Request) (trust.Served, error) {
		return d.Repository.MetadataFile(r.PathValue("app"), r.PathValue("name"))
	}))
	mux.HandleFunc("GET "+Prefix+"{app}/targets/{name...}", h.files(func(r *http.Request) (trust.Served, error) {
		return d.Repository.TargetFile(r.Context(), r.PathValue("app"), r.PathValue("name"))
	}))
	mux.HandleFunc("GET "+Prefix+"{app}/blobs/{digest}", h.files(func(r *http.Request) (trust.Served, error) {
		digest, err := ota.ParseDigest(r.PathValue("digest"))
		if err != nil {
			return trust.Served{}, ota.NotFound(ota.CodeSealedUnknown, "a sealed file is named by its SHA-256 in lower-case hex")
		}
		return d.Repository.BlobFile(r.Context(), r.PathValue("app"), digest)
	}))
}

type handler struct{ Deps }

const (
	// forever is for what is named by what it is.
	forever = "public, max-age=31536000, immutable, no-transform"
	// asking is for what changes under its name: it is asked for each time, and
	// not sent again while it is the same.
	asking = "no-cache, no-transform"
)

// common sets what every answer has. Scripts of any origin may read it: there
// are no cookies here, and nothing that is not public.
func common(w http.ResponseWriter) {
	h := w.Header()
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Access-Control-Expose-Headers", "ETag, Content-Range, Retry-After")
}

func (h *handler) preflight(w http.ResponseWriter, _ *http.Request) {
	common(w)
	w.Header().Set("Access-Control-Allow-Methods", "GET, POST")
	w.Header().Set("Access-Control-Allow-Headers", "Content-Type, Range, If-None-Match, If-Range")
	w.Header().Set("Access-Control-Max-Age", "86400")
	w.WriteHeader(http.StatusNoContent)
}

// posted reads a body of at most limit bytes and writes what answer returns.
func (h *handler) posted(limit int64, answer func(r *http.Request, body []byte) ([]byte, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		common(w)
		w.Header().Set("Cache-Control", "no-store")
		var body []byte
		if limit > 0 {
			if kind, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";"); !strings.EqualFold(strings.TrimSpace(kind), "application/json") {
				h.fail(w, r, ota.Invalid(ota.CodeSealedRequest, "a request is sent as application/json").WithField("Content-Type"))
				return
			}
			var err error
			if body, err = readBody(r, limit); err != nil {
				h.fail(w, r, err)
				return
			}
		}
		out, err := answer(r, body)
		if err != nil {
			h.fail(w, r, err)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Length", strconv.Itoa(len(out)))
		move(w)
		_, _ = w.Write(out) // a device that is gone cannot be told
	}
}

// readBody reads at most limit bytes: a body that says it is longer is not read
// at all.
func readBody(r *http.Request, limit int64) ([]byte, error) {
	long := ota.Errorf(ota.KindTooLarge, "body_too_large", "the body has more than %d bytes", limit)
	if r.ContentLength > limit {
		return nil, long
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, limit+1))
	if err != nil {
		return nil, ota.Invalid(ota.CodeSealedRequest, "the body was cut off").WithCause(err)
	}
	if int64(len(body)) > limit {
		return nil, long
	}
	return body, nil
}

// files serves what find finds, in ranges if asked for.
func (h *handler) files(find func(*http.Request) (trust.Served, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		common(w)
		f, err := find(r)
		if err != nil {
			h.fail(w, r, err)
			return
		}
		head := w.Header()
		head.Set("ETag", `"`+f.SHA256.String()+`"`)
		head.Set("Cache-Control", forever)
		if f.Changes {
			head.Set("Cache-Control", asking)
		}
		out := &httpx.Patient{ResponseWriter: w, Controller: http.NewResponseController(w)}
		if f.Blob != nil {
			defer f.Blob.Close()
			head.Set("Content-Type", "application/octet-stream")
			head.Set("Content-Disposition", "attachment")
			http.ServeContent(out, r, "", time.Time{}, f.Blob)
			return
		}
		head.Set("Content-Type", "application/json")
		http.ServeContent(out, r, "", time.Time{}, bytes.NewReader(f.Body))
	}
}

func (h *handler) fail(w http.ResponseWriter, r *http.Request, err error) {
	p := httpx.ProblemOf(err)
	if ota.KindOf(err) == ota.KindInternal && r.Context().Err() == nil {
		h.Log.ErrorContext(r.Context(), "a request of sealed updates failed", "path", r.URL.Path, "err", err)
	}
	if p.Status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "60")
	}
	move(w)
	p.Write(w)
}

// answerTime is how long a device may take to read a short answer.
const answerTime = time.Minute

func move(w http.ResponseWriter) {
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(answerTime)) // a recorder has none
}
