package broker

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/sealed"
	"github.com/waxwing-ota/waxwing/internal/surface/httpx"
)

const (
	ioTime    = 30 * time.Second
	stopTime  = 10 * time.Second
	maxHeader = 16 << 10
)

// Keys are the public halves of a broker's keys.
type Keys struct {
	HPKE    string `json:"hpke"`    // lower hex: the hpke of trust.json
	Signing string `json:"signing"` // PEM: an authority of trust.json
	KeyID   string `json:"keyid"`   // of the signing key
}

// Keys returns them.
func (b *Broker) Keys() Keys {
	return Keys{HPKE: hex.EncodeToString(b.Point()), Signing: b.Signs().Val.Public, KeyID: b.Signs().ID()}
}

// Run reads revocation lists and answers on l until ctx ends.
func (b *Broker) Run(ctx context.Context, l net.Listener) error {
	b.refresh(ctx)
	s := &http.Server{
		Handler: b.Handler(), ReadTimeout: ioTime, WriteTimeout: ioTime, IdleTimeout: time.Minute, MaxHeaderBytes: maxHeader,
	}
	failed := make(chan error, 1)
	go func() { failed <- s.Serve(l) }()
	tick := time.NewTicker(refreshEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			b.refresh(ctx)
		case err := <-failed:
			return err
		case <-ctx.Done():
			stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTime)
			defer cancel()
			err := s.Shutdown(stop)
			if served := <-failed; !errors.Is(served, http.ErrServerClosed) {
				err = errors.Join(err, served)
			}
			return err
		}
	}
}

// Handler answers POST /v1/grant, GET /v1/keys and GET /healthz.
func (b *Broker) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/grant", b.serveGrant)
	mux.HandleFunc("GET /v1/keys", func(w http.ResponseWriter, _ *http.Request) { write(w, b.Keys()) })
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		write(w, map[string]string{"status": "ok"})
	})
	return mux
}

func (b *Broker) serveGrant(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, sealed.MaxBrokerRequest+1))
	var out []byte
	switch {
	case err != nil:
		err = ota.Invalid(CodeRequest, "the body was cut off").WithCause(err)
	case len(body) > sealed.MaxBrokerRequest:
		err = ota.Errorf(ota.KindTooLarge, CodeRequest, "the body has more than %d bytes", sealed.MaxBrokerRequest)
	default:
		out, err = b.Grant(r.Context(), body)
	}
	if err != nil {
		b.fail(w, r, err)
		return
	}
	b.log.InfoContext(r.Context(), "granted")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(out) // a caller that is gone cannot be told
}

func (b *Broker) fail(w http.ResponseWriter, r *http.Request, err error) {
	p := httpx.ProblemOf(err)
	b.log.InfoContext(r.Context(), "refused", "code", p.Code)
	p.Write(w)
}

func write(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v) // strings and numbers
}
