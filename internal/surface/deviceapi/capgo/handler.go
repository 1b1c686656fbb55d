package capgo

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/decide"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/plane/edge"
	"github.com/waxwing-ota/waxwing/internal/plane/ingest"
)

// Apps finds the snapshot of an app; nil if there is none.
type Apps interface {
	App(id string) *decide.App
}

// Recorder takes what devices report.
type Recorder interface {
	Record(ctx context.Context, app string, reports []ingest.Report) error
	Offer(ingest.Seen)
	Downloaded(app string, device ota.DeviceID, bytes int64)
}

// SelfChannels keeps the channel choice of plugins too old to keep it themselves.
type SelfChannels interface {
	SetSelfChannel(ctx context.Context, app string, id ota.DeviceID, channel string) error
	ClearSelfChannel(ctx context.Context, app string, id ota.DeviceID) error
}

// Blobs reads stored bytes.
type Blobs interface {
	Has(ctx context.Context, d ota.Digest) (size int64, ok bool, err error)
	Open(ctx context.Context, d ota.Digest) (io.ReadSeekCloser, int64, error)
}

// Deps is what the handler needs.
type Deps struct {
	Apps     Apps
	Edge     *edge.Service
	Recorder Recorder
	Channels SelfChannels
	Blobs    Blobs
	Now      func() time.Time
	Log      *slog.Logger

	PublicURL string   // scheme and host for download links; "" = those of the request
	Origins   []string // further web origins that may call, such as "https://console.example.com"
	Networks  [32]byte // key of the hashes that tell networks of devices apart
	Strict429 bool     // answer 429 for an unknown app, as the reference server does
	Limits    Limits
}

// Limits bound request bodies in bytes; zero means the default.
type Limits struct {
	Check    int64 // 64 KiB
	Stats    int64 // 4 MiB
	Manifest int64 // 8 MiB
}

type handler struct {
	Deps
	bodies sync.Pool // *[]byte
	infos  sync.Pool // *info
}

// New returns the handler of all device routes.
func New(d Deps) http.Handler {
	d.PublicURL = strings.TrimRight(d.PublicURL, "/")
	for l, def := range map[*int64]int64{&d.Limits.Check: 64 << 10, &d.Limits.Stats: 4 << 20, &d.Limits.Manifest: 8 << 20} {
		if *l <= 0 {
			*l = def
		}
	}
	return &handler{
		Deps:   d,
		bodies: sync.Pool{New: func() any { b := make([]byte, 0, 4<<10); return &b }},
		infos:  sync.Pool{New: func() any { return new(info) }},
	}
}

// ServeHTTP routes by hand: these few paths are asked millions of times.
func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if origin := r.Header.Get("Origin"); origin != "" && h.cors(w, r, origin) {
		return
	}
	switch path := strings.TrimPrefix(r.URL.Path, "/plugin"); path {
	case "/updates":
		h.methods(w, r, h.check, alive)
	case "/updates/manifest_size":
		h.methods(w, r, h.manifestSize, nil)
	case "/stats":
		h.methods(w, r, h.stats, alive)
	case "/channel_self":
		h.channel(w, r)
	case "/ok":
		h.methods(w, r, nil, alive)
	default:
		if rest, ok := strings.CutPrefix(path, "/files/"); ok {
			h.download(w, r, rest)
			return
		}
		notFound(w)
	}
}

// methods serves POST and GET (with HEAD); nil means not allowed.
func (h *handler) methods(w http.ResponseWriter, r *http.Request, post, get http.HandlerFunc) {
	switch {
	case r.Method == http.MethodPost && post != nil:
		post(w, r)
	case (r.Method == http.MethodGet || r.Method == http.MethodHead) && get != nil:
		get(w, r)
	case r.Method == http.MethodOptions:
		w.WriteHeader(http.StatusNoContent)
	default:
		fail(w, http.StatusMethodNotAllowed, "method_not_allowed", "This address does not take the method")
	}
}

func alive(w http.ResponseWriter, _ *http.Request) { write(w, http.StatusOK, statusOK) }

// base returns scheme and host for links: what the operator set, or else what
// the device asked, which then only it is told.
func (h *handler) base(r *http.Request) string {
	if h.PublicURL != "" {
		return h.PublicURL
	}
	if r.TLS != nil {
		return "https://" + r.Host
	}
	return "http://" + r.Host
}
