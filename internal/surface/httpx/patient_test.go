package httpx

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"
)

// readers notes what a response body is copied from.
type readers struct {
	*httptest.ResponseRecorder
	from []io.Reader
}

func (r *readers) ReadFrom(src io.Reader) (int64, error) {
	r.from = append(r.from, src)
	return io.Copy(r.ResponseRecorder, src)
}

// TestPatient holds that a large file goes out whole, in pieces, and in a form
// that the system can copy by itself: one limited reader around the file.
func TestPatient(t *testing.T) {
	content := bytes.Repeat([]byte("wax"), piece)
	for _, size := range []int{0, 1, piece, piece + 1, len(content)} {
		out := &readers{ResponseRecorder: httptest.NewRecorder()}
		p := &Patient{ResponseWriter: out, Controller: http.NewResponseController(out)}
		file := bytes.NewReader(content)
		src := &io.LimitedReader{R: file, N: int64(size)}
		n, err := p.ReadFrom(src)
		if err != nil || n != int64(size) || !bytes.Equal(out.Body.Bytes(), content[:size]) || src.N != 0 {
			t.Errorf("%d bytes: sent %d, left %d, %v", size, n, src.N, err)
		}
		for _, r := range out.from {
			if l, ok := r.(*io.LimitedReader); !ok || l.R != file {
				t.Errorf("%d bytes: copied from a %T", size, r)
			}
		}
		if want := (size + piece - 1) / piece; len(out.from) != want {
			t.Errorf("%d bytes: %d pieces, want %d", size, len(out.from), want)
		}
	}
	out := &readers{ResponseRecorder: httptest.NewRecorder()}
	p := &Patient{ResponseWriter: out, Controller: http.NewResponseController(out)}
	if n, err := p.ReadFrom(strings.NewReader("short")); err != nil || n != 5 {
		t.Errorf("without a limit: %d, %v", n, err)
	}
	if n, err := p.ReadFrom(&io.LimitedReader{R: strings.NewReader("cut"), N: 10}); err != nil || n != 3 {
		t.Errorf("a file shorter than it said: %d, %v", n, err)
	}
	if n, err := p.ReadFrom(io.MultiReader(strings.NewReader("x"), iotest.ErrReader(errors.New("broken")))); err == nil || n != 1 {
		t.Errorf("a file that cannot be read on: %d, %v", n, err)
	}
}
