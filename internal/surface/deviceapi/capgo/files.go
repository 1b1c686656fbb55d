package capgo

import (
	"net/http"
	"strings"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/surface/httpx"
)

// download serves GET and HEAD /files/{app}/{digest}?e=&s=: bytes that never
// change, in ranges if asked, never re-encoded, to whoever has a good link. What
// is sent counts for the app, and for the device if the address names one as
// device_id.
func (h *handler) download(w http.ResponseWriter, r *http.Request, rest string) {
	app, hex, ok := strings.Cut(rest, "/")
	d, err := ota.ParseDigest(hex)
	if !ok || err != nil {
		notFound(w)
		return
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		fail(w, http.StatusMethodNotAllowed, "method_not_allowed", "Files can only be read")
		return
	}
	view := h.Apps.App(app)
	if view == nil { // also when the app was deleted
		notFound(w)
		return
	}
	q := r.URL.Query()
	if err := h.Edge.Check(app, d, q.Get("e"), q.Get("s"), h.Now()); err != nil {
		fail(w, http.StatusForbidden, ota.CodeOf(err), err.Error())
		return
	}
	if _, refused := view.Refused[d]; refused {
		fail(w, http.StatusForbidden, "bundle_out_of_service", "The bundle that this file belongs to was taken out of service")
		return
	}
	f, _, err := h.Blobs.Open(r.Context(), d)
	switch {
	case ota.KindOf(err) == ota.KindNotFound && err != nil:
		notFound(w)
		return
	case err != nil:
		h.Log.ErrorContext(r.Context(), "a stored file cannot be read", "digest", hex, "err", err)
		fail(w, http.StatusServiceUnavailable, "upstream_unavailable", "The file cannot be read right now")
		return
	}
	defer f.Close()
	head := w.Header()
	head.Set("Content-Type", "application/octet-stream")
	head.Set("Content-Disposition", "attachment")
	head.Set("Cache-Control", "public, max-age=31536000, immutable, no-transform")
	head.Set("ETag", `"`+hex+`"`)
	head.Set("X-Content-Type-Options", "nosniff")
	out := &httpx.Patient{ResponseWriter: w, Controller: http.NewResponseController(w)}
	http.ServeContent(out, r, "", time.Time{}, f)
	device, _ := ota.ParseDeviceID(q.Get("device_id"))
	h.Recorder.Downloaded(app, device, out.Sent)
}
