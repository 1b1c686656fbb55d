package capgo

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"strconv"
	"testing"

	"github.com/waxwing-ota/waxwing/internal/plane/ingest"
)

// quiet takes reports and keeps nothing.
type quiet struct{ *world }

func (quiet) Offer(ingest.Seen)                                     {}
func (quiet) Record(context.Context, string, []ingest.Report) error { return nil }

// sink is a ResponseWriter that costs nothing.
type sink struct{ h http.Header }

func (s *sink) Header() http.Header         { return s.h }
func (s *sink) Write(b []byte) (int, error) { return len(b), nil }
func (s *sink) WriteHeader(int)             {}

type bareCheck struct {
	Platform       string `json:"platform"`
	DeviceID       string `json:"device_id"`
	AppID          string `json:"app_id"`
	CustomID       string `json:"custom_id"`
	VersionBuild   string `json:"version_build"`
	VersionCode    string `json:"version_code"`
	VersionOS      string `json:"version_os"`
	VersionName    string `json:"version_name"`
	PluginVersion  string `json:"plugin_version"`
	IsEmulator     bool   `json:"is_emulator"`
	IsProd         bool   `json:"is_prod"`
	InstallSource  string `json:"install_source"`
	DefaultChannel string `json:"defaultChannel"`
	KeyID          string `json:"key_id"`
}

// bare is what a check is measured against: decode the body, answer fixed bytes.
func bare(answer []byte) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var in bareCheck
		body, err := io.ReadAll(r.Body)
		if err != nil || json.Unmarshal(body, &in) != nil {
			http.Error(w, "bad", http.StatusBadRequest)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(answer)
	})
}

func benchHandlers(b *testing.B) (ours, base http.Handler, bodies map[string][]byte) {
	b.Helper()
	w := newWorld()
	w.deps.Recorder = quiet{w}
	bodies = map[string][]byte{}
	for name, running := range map[string]string{"update": "1.0.0", "current": "1.0.1"} {
		raw, err := json.Marshal(sent(map[string]any{"version_name": running}))
		if err != nil {
			b.Fatal(err)
		}
		bodies[name] = raw
	}
	answer := w.do(http.MethodPost, "/updates", string(bodies["update"])).body
	return New(w.deps), bare([]byte(answer)), bodies
}

// BenchmarkHandler measures the handlers alone.
func BenchmarkHandler(b *testing.B) {
	ours, base, bodies := benchHandlers(b)
	for _, bench := range []struct {
		name string
		h    http.Handler
		body []byte
	}{{"bare", base, bodies["update"]}, {"update", ours, bodies["update"]}, {"current", ours, bodies["current"]}} {
		b.Run(bench.name, func(b *testing.B) {
			b.ReportAllocs()
			rd := bytes.NewReader(bench.body)
			req, err := http.NewRequestWithContext(b.Context(), http.MethodPost, "http://host/updates", io.NopCloser(rd))
			if err != nil {
				b.Fatal(err)
			}
			req.ContentLength = int64(len(bench.body))
			w := &sink{h: http.Header{}}
			for b.Loop() {
				rd.Reset(bench.body)
				clear(w.h)
				bench.h.ServeHTTP(w, req)
			}
		})
	}
}

// BenchmarkLoopback measures whole requests over kept-alive connections.
func BenchmarkLoopback(b *testing.B) {
	ours, base, bodies := benchHandlers(b)
	for _, bench := range []struct {
		name string
		h    http.Handler
	}{{"bare", base}, {"ours", ours}} {
		b.Run(bench.name, func(b *testing.B) {
			l, err := (&net.ListenConfig{}).Listen(b.Context(), "tcp", "127.0.0.1:0")
			if err != nil {
				b.Fatal(err)
			}
			srv := &http.Server{Handler: bench.h}
			go func() { _ = srv.Serve(l) }()
			defer srv.Close()
			conn, err := net.Dial("tcp", l.Addr().String())
			if err != nil {
				b.Fatal(err)
			}
			defer conn.Close()
			req := append([]byte("POST /updates HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nContent-Length: "+
				strconv.Itoa(len(bodies["update"]))+"\r\n\r\n"), bodies["update"]...)
			buf := make([]byte, 16<<10)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := conn.Write(req); err != nil {
					b.Fatal(err)
				}
				if _, err := conn.Read(buf); err != nil { // small answers come in one piece
					b.Fatal(err)
				}
			}
		})
	}
}
