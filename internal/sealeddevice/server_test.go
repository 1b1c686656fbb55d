package sealeddevice_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"path"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/waxwing-ota/waxwing/internal/core/canon"
	"github.com/waxwing-ota/waxwing/internal/core/grant"
	"github.com/waxwing-ota/waxwing/internal/core/ota"
	"github.com/waxwing-ota/waxwing/internal/core/p256"
	"github.com/waxwing-ota/waxwing/internal/core/sealed"
	"github.com/waxwing-ota/waxwing/internal/sealeddevice"
	"github.com/waxwing-ota/waxwing/internal/testkit/sealedworld"
)

const (
	app      = "com.example.app"
	deviceID = "0f0e0d0c-0b0a-4908-8706-050403020100"
)

// server serves a world over HTTP, as the real one does, and can be told to lie.
type server struct {
	*httptest.Server
	t testing.TB
	w *sealedworld.World

	mu      sync.Mutex
	offer   *sealedworld.Bundle // nil = nothing to do
	change  func(*sealed.Director)
	answer  func(*sealed.Answer)                                   // alters an answer
	lie     func(*sealed.Grant, p256.Signer) p256.Signer           // alters a grant, and who signs it
	blob    func(w http.ResponseWriter, r *http.Request, b []byte) // nil = served as it is
	cert    []byte
	reports []sealed.Report
	got     map[string]int // requests by their kind
	served  int            // bytes of blobs
}

func serve(t testing.TB, w *sealedworld.World) *server {
	s := &server{t: t, w: w, got: map[string]int{}}
	s.Server = httptest.NewServer(http.HandlerFunc(s.handle))
	t.Cleanup(s.Close)
	return s
}

func (s *server) handle(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	kind, rest, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/sealed/v1/"+app+"/"), "/")
	s.got[kind]++
	body, _ := io.ReadAll(r.Body)
	switch kind {
	case "check":
		a := s.w.Answer(body, s.offer, s.direct)
		if s.answer != nil {
			s.answer(a)
		}
		out, err := a.Encode()
		if err != nil {
			s.t.Error(err)
		}
		_, _ = w.Write(out)
	case "nonce":
		_, _ = io.WriteString(w, `{"nonce":"00112233445566778899aabbccddeeff","expires":1}`)
	case "enrol":
		_, _ = w.Write(s.certify(body))
	case "grant":
		_, _ = w.Write(s.grant(body))
	case "report":
		s.report(w, body)
	case "metadata", "targets":
		s.file(w, r, path.Base(rest))
	case "blobs":
		s.blobs(w, r, rest)
	default:
		http.NotFound(w, r)
	}
}

func (s *server) direct(d *sealed.Director) {
	if s.cert != nil {
		var c sealed.Certificate
		if err := sealed.Peek(s.cert, sealed.MaxCertificate, "certificate", &c); err != nil {
			s.t.Error(err)
		}
		d.Device = c.Thumbprint
	}
	if s.change != nil {
		s.change(d)
	}
}

func (s *server) certify(body []byte) []byte {
	req, err := sealed.Parse[sealed.EnrolRequest](body)
	if err != nil {
		s.t.Error(err)
		return nil
	}
	if err := sealed.VerifyBody(req, req.SignKey); err != nil {
		s.t.Error(err)
	}
	s.cert, err = sealed.Make(context.Background(), &sealed.Certificate{
		Type: "certificate", App: app, Device: req.Device, Groups: []string{}, SignKey: req.SignKey, AgreeKey: req.AgreeKey, Thumbprint: req.SignKey.ID(),
		Assurance: req.Assurance, Issued: canon.At(s.w.Now), Expires: canon.At(s.w.Now.Add(24 * time.Hour)), Serial: 1,
	}, s.w.Key(sealedworld.Authority))
	if err != nil {
		s.t.Error(err)
	}
	return s.cert
}

func (s *server) grant(body []byte) []byte {
	req, err := sealed.Parse[sealed.GrantRequest](body)
	if err != nil {
		s.t.Error(err)
		return nil
	}
	var c sealed.Certificate
	if err := sealed.Peek(req.Certificate, sealed.MaxCertificate, "certificate", &c); err != nil {
		s.t.Error(err)
	}
	if err := sealed.VerifyBody(req, c.SignKey); err != nil {
		s.t.Error(err)
	}
	to, err := grant.ParsePublic(c.AgreeKey)
	if err != nil {
		s.t.Error(err)
	}
	g := &sealed.Grant{
		App: app, Manifest: req.Manifest, KeyEpoch: 1, Thumbprint: c.Thumbprint, NotAfter: canon.At(s.w.Now.Add(time.Hour)),
		Issuer: s.w.Key(sealedworld.Authority).Public().ID(),
	}
	m, _ := ota.ParseDigest(g.Manifest)
	th, _ := ota.ParseDigest(g.Thumbprint)
	enc, ct, err := grant.Seal(to, grant.Info{App: app, Manifest: m, Epoch: 1, Thumbprint: th, NotAfter: g.NotAfter.Time}, s.w.Epoch)
	if err != nil {
		s.t.Error(err)
	}
	g.Enc, g.CT = enc, ct
	signer := s.w.Key(sealedworld.Authority)
	if s.lie != nil {
		signer = s.lie(g, signer)
	}
	if err := sealed.SignBody(context.Background(), g, signer); err != nil {
		s.t.Error(err)
	}
	out, err := sealed.Encode(g)
	if err != nil {
		s.t.Error(err)
	}
	return out
}

func (s *server) report(w http.ResponseWriter, body []byte) {
	var r sealed.Report
	var c sealed.Certificate
	if err := sealed.Peek(s.cert, sealed.MaxCertificate, "certificate", &c); err != nil {
		s.t.Error(err)
	}
	keys := map[string]p256.Key{c.Thumbprint: c.SignKey}
	if err := sealed.Open(body, sealed.MaxReport, keys, 1, "report", &r); err != nil {
		s.t.Error(err)
		http.Error(w, "no", http.StatusForbidden)
		return
	}
	s.reports = append(s.reports, r)
	_, _ = io.WriteString(w, `{"status":"ok"}`)
}

func (s *server) file(w http.ResponseWriter, r *http.Request, name string) {
	for _, b := range s.w.Bundles {
		if strings.HasPrefix(name, b.SHA256()+".") {
			_, _ = w.Write(b.Raw)
			return
		}
	}
	if strings.HasSuffix(name, "trust.json") {
		_, _ = w.Write(s.w.TrustB)
		return
	}
	for suffix, doc := range map[string][]byte{
		"timestamp.json": s.w.Docs.Timestamp, "snapshot.json": s.w.Docs.Snapshot,
		"targets.json": s.w.Docs.Roles["targets"], "staging.json": s.w.Docs.Roles["staging"],
	} {
		if strings.HasSuffix(name, suffix) {
			_, _ = w.Write(doc)
			return
		}
	}
	http.NotFound(w, r)
}

func (s *server) blobs(w http.ResponseWriter, r *http.Request, name string) {
	for _, b := range s.w.Bundles {
		if content, ok := b.Blobs[name]; ok {
			if s.blob != nil {
				s.blob(w, r, content)
				return
			}
			s.served += len(content)
			http.ServeContent(w, r, "", time.Time{}, strings.NewReader(string(content)))
			return
		}
	}
	http.NotFound(w, r)
}

// blobsBy has f serve blobs from now on, once those being served have ended.
func (s *server) blobsBy(f func(http.ResponseWriter, *http.Request, []byte)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.blob = f
}

// device opens the device of a folder.
func (s *server) device(dir string, change func(*sealeddevice.Config)) *sealeddevice.Device {
	s.t.Helper()
	cfg := sealeddevice.Config{
		Build: s.w.Build("android"), Dir: dir, Server: s.URL, Device: deviceID, OS: "15", Plugin: "1.0.0",
		Now: func() time.Time { return s.w.Now },
	}
	if change != nil {
		change(&cfg)
	}
	d, err := sealeddevice.New(cfg)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = d.Close() })
	return d
}

func plainText(m *sealed.Manifest) { m.Encryption = sealed.Encryption{Mode: sealed.EncryptionNone} }
