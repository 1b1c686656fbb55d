package sealedapi

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/netip"
	"strconv"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/sealed"
	"github.com/waxwing-ota/waxwing/internal/plane/enrol"
)

// Devices enrols devices, grants keys and takes reports.
type Devices interface {
	NewNonce(app string, from netip.Addr) (enrol.Nonce, error)
	Enrol(ctx context.Context, app string, body []byte, from netip.Addr) ([]byte, error)
	Grant(ctx context.Context, app string, body []byte, from netip.Addr) ([]byte, error)
	Report(ctx context.Context, app string, body []byte, from netip.Addr) error
	EpochKey(ctx context.Context, app string, epoch int64, from netip.Addr) (wrapped []byte, broker string, err error)
}

// EnrolDeps is what the handlers of enrolled devices need. Every field is required.
type EnrolDeps struct {
	Devices Devices
	Log     *slog.Logger
}

// RegisterEnrolment adds the routes of enrolled devices to a mux.
func RegisterEnrolment(mux *http.ServeMux, d EnrolDeps) {
	h := &handler{Deps{Log: d.Log}}
	mux.HandleFunc("POST "+Prefix+"{app}/nonce", h.posted(0, func(r *http.Request, _ []byte) ([]byte, error) {
		n, err := d.Devices.NewNonce(r.PathValue("app"), remote(r))
		if err != nil {
			return nil, err
		}
		return json.Marshal(n)
	}))
	mux.HandleFunc("POST "+Prefix+"{app}/enrol", h.posted(sealed.MaxEnrol, func(r *http.Request, body []byte) ([]byte, error) {
		return d.Devices.Enrol(r.Context(), r.PathValue("app"), body, remote(r))
	}))
	mux.HandleFunc("POST "+Prefix+"{app}/grant", h.posted(sealed.MaxGrantRequest, func(r *http.Request, body []byte) ([]byte, error) {
		return d.Devices.Grant(r.Context(), r.PathValue("app"), body, remote(r))
	}))
	mux.HandleFunc("POST "+Prefix+"{app}/report", h.posted(sealed.MaxReport, func(r *http.Request, body []byte) ([]byte, error) {
		return []byte(`{"status":"ok"}`), d.Devices.Report(r.Context(), r.PathValue("app"), body, remote(r))
	}))
	mux.HandleFunc("GET "+Prefix+"{app}/epochs/{epoch}", h.posted(0, func(r *http.Request, _ []byte) ([]byte, error) {
		n, err := strconv.ParseInt(r.PathValue("epoch"), 10, 64)
		if err != nil || n < 1 || n > sealed.MaxEpoch {
			return nil, ota.NotFound(ota.CodeSealedUnknown, "an epoch is a number from 1")
		}
		key, broker, err := d.Devices.EpochKey(r.Context(), r.PathValue("app"), n, remote(r))
		if err != nil {
			return nil, err
		}
		return json.Marshal(map[string]any{"epoch": n, "broker": broker, "key": hex.EncodeToString(key)})
	}))
}

// remote is the address that a request came from; a trusted proxy's word is in it.
func remote(r *http.Request) netip.Addr {
	at, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	return at.Addr().Unmap()
}
