package device

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/waxwing-ota/waxwing/internal/core/seal"
)

const testApp = "com.example.shop"

// twoKeys are made once: generating RSA keys is slow.
var twoKeys = sync.OnceValue(func() [2]*seal.PrivateKey {
	var k [2]*seal.PrivateKey
	for i := range k {
		var err error
		if k[i], err = seal.GenerateKey(rand.Reader); err != nil {
			panic(err)
		}
	}
	return k
})

func keyA() *seal.PrivateKey { return twoKeys()[0] }
func keyB() *seal.PrivateKey { return twoKeys()[1] }

// blob is one downloadable thing and the way the server misbehaves with it.
type blob struct {
	body     []byte
	cut      int // end the connection after so many bytes; 0 = never
	cutTimes int // only so often
	onCut    func()
	status   int  // answer this instead
	endless  bool // never stop sending
	redirect string
	encoding string             // claim this Content-Encoding
	ranges   func(n int) string // Content-Range to lie with; "" = do not honour ranges
}

// request is what the server saw.
type request struct {
	Method, Path, Query, Range, Agent string
	Body                              []byte
}

// server plays answers and records what a device does.
type server struct {
	*httptest.Server
	t  *testing.T
	mu sync.Mutex

	answer       any // of /updates: []byte as is, else JSON
	answerStatus int
	header       http.Header
	channel      any
	channelCode  int
	statsStatus  int
	statsBody    string
	blobs        map[string]*blob
	requests     []request
	events       []map[string]any
	posts        []string // shape of each stats body: "[n]" or "{}"
}

func newServer(t *testing.T) *server {
	s := &server{t: t, blobs: map[string]*blob{}, statsBody: `{"status":"ok"}`}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	s.mu.Lock()
	s.requests = append(s.requests, request{r.Method, r.URL.Path, r.URL.RawQuery, r.Header.Get("Range"), r.UserAgent(), body})
	s.mu.Unlock()
	switch r.URL.Path {
	case "/updates":
		s.reply(w, s.answerStatus, s.answer)
	case "/updates/manifest_size":
		s.reply(w, 200, map[string]any{"totalSize": 10, "knownFiles": 2, "unknownFiles": 0})
	case "/channel_self":
		s.reply(w, s.channelCode, s.channel)
	case "/stats":
		s.stats(w, body)
	default:
		s.mu.Lock()
		b := s.blobs[r.URL.Path]
		s.mu.Unlock()
		s.file(w, r, b)
	}
}

func (s *server) reply(w http.ResponseWriter, status int, v any) {
	for k := range s.header {
		w.Header().Set(k, s.header.Get(k))
	}
	b, raw := v.([]byte)
	if !raw {
		b, _ = json.Marshal(v)
	}
	if status == 0 {
		status = 200
	}
	w.WriteHeader(status)
	_, _ = w.Write(b)
}

func (s *server) stats(w http.ResponseWriter, body []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []map[string]any
	var one map[string]any
	switch {
	case json.Unmarshal(body, &list) == nil:
		s.posts = append(s.posts, fmt.Sprintf("[%d]", len(list)))
	case json.Unmarshal(body, &one) == nil:
		s.posts = append(s.posts, "{}")
		list = []map[string]any{one}
	default:
		s.t.Errorf("stats body %q is no JSON", body)
	}
	if s.statsStatus/100 == 2 || s.statsStatus == 0 {
		s.events = append(s.events, list...)
	}
	if s.statsStatus != 0 {
		w.WriteHeader(s.statsStatus)
	}
	_, _ = io.WriteString(w, s.statsBody)
}

func (s *server) file(w http.ResponseWriter, r *http.Request, b *blob) {
	switch {
	case b == nil:
		http.Error(w, "no such file", 404)
		return
	case b.redirect != "":
		http.Redirect(w, r, b.redirect, http.StatusFound)
		return
	case b.status != 0:
		w.WriteHeader(b.status)
		return
	case b.endless:
		for chunk := make([]byte, 1<<16); ; {
			if _, err := w.Write(chunk); err != nil {
				return
			}
		}
	}
	body, code := b.body, 200
	if n, ok := strings.CutPrefix(r.Header.Get("Range"), "bytes="); ok && (b.ranges == nil || b.ranges(0) != "") {
		from, _ := strconv.Atoi(strings.TrimSuffix(n, "-"))
		if from >= len(body) {
			w.Header().Set("Content-Range", fmt.Sprintf("bytes */%d", len(body)))
			w.WriteHeader(http.StatusRequestedRangeNotSatisfiable)
			return
		}
		w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, len(body)-1, len(body)))
		if b.ranges != nil {
			w.Header().Set("Content-Range", b.ranges(from))
		}
		body, code = body[from:], 206
	}
	if b.encoding != "" {
		w.Header().Set("Content-Encoding", b.encoding)
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(code)
	s.mu.Lock()
	cut := b.cut > 0 && b.cut < len(body) && b.cutTimes != 0
	b.cutTimes--
	s.mu.Unlock()
	if !cut {
		_, _ = w.Write(body)
		return
	}
	_, _ = w.Write(body[:b.cut])
	w.(http.Flusher).Flush()
	if b.onCut != nil {
		b.onCut()
		<-r.Context().Done() // the device hangs up
	}
	panic(http.ErrAbortHandler)
}

// put stores a blob and returns its address.
func (s *server) put(name string, b *blob) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.blobs["/"+name] = b
	return s.URL + (&url.URL{Path: "/" + name}).EscapedPath()
}

// actions lists the reported actions, each with the version it names: "set 2.0.0".
func (s *server) actions() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []string
	for _, e := range s.events {
		v, ok := e["version_name"].(string)
		if !ok {
			v = "-"
		}
		list = append(list, e["action"].(string)+" "+v)
	}
	return list
}

// fetched lists the paths that were downloaded since request n, with ranges.
func (s *server) fetched(n int) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []string
	for _, r := range s.requests[n:] {
		if r.Method == "GET" && r.Path != "/channel_self" {
			list = append(list, strings.TrimSpace(filepath.Base(r.Path)+" "+r.Range))
		}
	}
	slices.Sort(list)
	return list
}

func (s *server) seen() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.requests)
}

// lastBody returns the body of the newest request to path.
func (s *server) lastBody(path string) map[string]any {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range slices.Backward(s.requests) {
		if r.Path == path {
			var m map[string]any
			_ = json.Unmarshal(r.Body, &m)
			return m
		}
	}
	return nil
}
