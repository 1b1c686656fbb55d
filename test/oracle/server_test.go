package oracle

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// token is the owner token of the server under test.
const token = "oracle-owner-token-0123456789abcdef"

// server is the real program, running.
type server struct{ url string }

// start builds the program and runs it on a free port and a folder of its own.
func start(t *testing.T) *server {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "waxwing.exe")
	build := exec.CommandContext(t.Context(), "go", "build", "-pgo=off", "-o", binary, "./cmd/waxwing")
	build.Dir = filepath.Join("..", "..") // in its own module
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	cmd := exec.CommandContext(t.Context(), binary, "serve", "--json", "--quiet", "--data", t.TempDir(), "--listen", "127.0.0.1:0")
	cmd.Env = append(os.Environ(), "WAXWING_BOOTSTRAP_TOKEN="+token)
	cmd.Stderr = t.Output()
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Wait() }) // the test's context ended it
	var said struct {
		URL string `json:"url"`
	}
	if err := json.NewDecoder(out).Decode(&said); err != nil || said.URL == "" {
		t.Fatalf("the server did not start: %v", err)
	}
	return &server{said.URL}
}

func (s *server) do(t *testing.T, method, path string, body []byte, auth bool) (int, []byte, http.Header) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, s.url+path, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if auth {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, b, res.Header
}

func (s *server) get(t *testing.T, path string, auth bool) (int, []byte, http.Header) {
	t.Helper()
	return s.do(t, http.MethodGet, path, nil, auth)
}

// call is a request of the API as the owner.
func (s *server) call(t *testing.T, method, path string, in, out any) {
	t.Helper()
	var body []byte
	if in != nil {
		var err error
		if body, err = json.Marshal(in); err != nil {
			t.Fatal(err)
		}
	}
	status, b, _ := s.do(t, method, path, body, true)
	if status < 200 || status > 299 {
		t.Fatalf("%s %s: %d %s", method, path, status, b)
	}
	if out != nil {
		if err := json.Unmarshal(b, out); err != nil {
			t.Fatal(err)
		}
	}
}
