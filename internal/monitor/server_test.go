package monitor_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/p256"
	"github.com/waxwing-ota/waxwing/internal/core/tilelog"
	"github.com/waxwing-ota/waxwing/internal/core/tlogproof"
	"github.com/waxwing-ota/waxwing/internal/monitor"
)

type tester interface {
	Helper()
	Fatal(...any)
	Fatalf(string, ...any)
}

// server is a log that does what a test wants.
type server struct {
	signer  *tilelog.Signer
	p256    p256.Signer
	entries [][]byte
	hashes  []tlog.Hash
	size    int64 // that it shows
	broken  func(path string, body []byte) []byte
}

func newServer(t tester) *server {
	t.Helper()
	signer, err := tilelog.NewSigner("ota.example.com/sealed/log", [32]byte{1})
	if err != nil {
		t.Fatal(err)
	}
	key, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), bytes.Repeat([]byte{1}, 32))
	if err != nil {
		t.Fatal(err)
	}
	return &server{signer: signer, p256: p256.Software(key)}
}

func (s *server) keys(t tester) []string {
	t.Helper()
	v, err := tilelog.ECDSAVerifier(s.signer.Name(), s.p256.Public())
	if err != nil {
		t.Fatal(err)
	}
	return []string{s.signer.Verifier(), v.String()}
}

func (s *server) ReadHashes(idx []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(idx))
	for i, n := range idx {
		out[i] = s.hashes[n]
	}
	return out, nil
}

func (s *server) add(t tester, text []byte) {
	t.Helper()
	fresh, err := tlog.StoredHashesForRecordHash(int64(len(s.entries)), tlog.RecordHash(text), s)
	if err != nil {
		t.Fatal(err)
	}
	s.hashes = append(s.hashes, fresh...)
	s.entries = append(s.entries, text)
	s.size = int64(len(s.entries))
}

func (s *server) note(t tester, size int64) string {
	t.Helper()
	root, err := tilelog.RootOf(size, s)
	if err != nil {
		t.Fatal(err)
	}
	note, err := s.signer.Both(context.Background(), s.p256, size, root)
	if err != nil {
		t.Fatal(err)
	}
	return note
}

func (s *server) get(t tester, path string) []byte {
	if path == "checkpoint" {
		return []byte(s.note(t, s.size))
	}
	tile, err := tilelog.ParseTilePath(path)
	if err != nil || !tilelog.Exists(tile, s.size) {
		return nil
	}
	if !tilelog.IsEntries(tile) {
		b, err := tlog.ReadTileData(tile, s)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	var out []byte
	for i := range tile.W {
		out, _ = tilelog.AppendBundled(out, s.entries[tile.N<<8+int64(i)])
	}
	return out
}

func (s *server) serve(t testing.TB) string {
	srv := httptest.NewServer(s.handler(t))
	t.Cleanup(srv.Close)
	return srv.URL + "/sealed/log/"
}

func (s *server) handler(t tester) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path := strings.TrimPrefix(r.URL.Path, "/sealed/log/")
		b := s.get(t, path)
		if s.broken != nil {
			b = s.broken(path, b)
		}
		if b == nil {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		_, _ = w.Write(b)
	})
}

func entry(kind tlogproof.Kind, i int, fork string) []byte {
	return tlogproof.Entry(kind, ota.Sum(fmt.Append(nil, i, fork)))
}

// watch is a monitor with what it told.
type watch struct {
	*monitor.Monitor
	now    time.Time
	events []monitor.Event
}

func (w *watch) alerts() (codes []string) {
	for _, e := range w.events {
		if e.Alert != nil {
			codes = append(codes, e.Alert.Code)
		}
	}
	return codes
}

func newWatch(t tester, address string, s *server, state monitor.State, more ...func(*monitor.Options)) *watch {
	t.Helper()
	src, err := monitor.NewSource(address)
	if err != nil {
		t.Fatal(err)
	}
	w := &watch{now: time.UnixMilli(1_700_000_000_000)}
	o := monitor.Options{Source: src, Keys: s.keys(t), Now: func() time.Time { return w.now }, Tell: func(e monitor.Event) { w.events = append(w.events, e) }}
	for _, f := range more {
		f(&o)
	}
	if w.Monitor, err = monitor.New(o, state); err != nil {
		t.Fatal(err)
	}
	return w
}

// again is the state as it is after a run, written and read.
func again(t tester, s monitor.State) monitor.State {
	t.Helper()
	b, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	out, err := monitor.ParseState(b)
	if err != nil {
		t.Fatalf("%v\n%s", err, b)
	}
	return out
}

func (s *server) grow(t tester) { s.add(t, entry(tlogproof.KindManifest, len(s.entries), "")) }

// refill makes another log of n entries of which only the first are the same.
func (s *server) refill(t tester, n, same int) {
	old := s.entries
	s.entries, s.hashes = nil, nil
	for i := range n {
		if i < same {
			s.add(t, old[i])
		} else {
			s.add(t, entry(tlogproof.KindManifest, i, "fork"))
		}
	}
}

func (s *server) swap(t tester, i, j int) {
	old := slices.Clone(s.entries)
	old[i], old[j] = old[j], old[i]
	s.entries, s.hashes = nil, nil
	for _, e := range old {
		s.add(t, e)
	}
}
