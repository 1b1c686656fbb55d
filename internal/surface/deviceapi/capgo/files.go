package capgo

import (
	"errors"
	"io"
	"math"
	"net/http"
	"strings"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
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
	out := &patient{ResponseWriter: w, rc: http.NewResponseController(w)}
	http.ServeContent(out, r, "", time.Time{}, f)
	device, _ := ota.ParseDeviceID(q.Get("device_id"))
	h.Recorder.Downloaded(app, device, out.sent)
}

// patience is how long one piece of a download may take before the device
// counts as gone. Slow is fine; stalled is not.
const patience = time.Minute

// piece is how much is sent before the deadline moves on.
const piece = 1 << 20

// patient moves the write deadline on for as long as bytes flow, so that the
// server's general deadline does not cut a large bundle on a slow link.
type patient struct {
	http.ResponseWriter
	rc   *http.ResponseController
	sent int64
}

func (p *patient) Write(b []byte) (int, error) {
	p.extend()
	n, err := p.ResponseWriter.Write(b)
	p.sent += int64(n)
	return n, err
}

// ReadFrom keeps the kernel's file-to-socket copy in play, which looks through
// one limited reader and not through two.
func (p *patient) ReadFrom(src io.Reader) (total int64, err error) {
	left := int64(math.MaxInt64)
	if l, ok := src.(*io.LimitedReader); ok {
		src, left = l.R, l.N
		defer func() { l.N -= total }()
	}
	for total < left {
		p.extend()
		n, err := io.CopyN(p.ResponseWriter, src, min(piece, left-total))
		total += n
		p.sent += n
		if errors.Is(err, io.EOF) {
			return total, nil
		}
		if err != nil {
			return total, err
		}
	}
	return total, nil
}

func (p *patient) extend() {
	_ = p.rc.SetWriteDeadline(time.Now().Add(patience)) // a recorder has no deadlines
}
