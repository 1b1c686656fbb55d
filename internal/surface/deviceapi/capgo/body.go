package capgo

import (
	"errors"
	"io"
	"net/http"
)

// read reads a whole body of at most limit bytes into a pooled buffer; free
// gives the buffer back.
func (h *handler) read(r *http.Request, limit int64) (b []byte, free func(), e *rejected) {
	p := h.bodies.Get().(*[]byte)
	free = func() {
		if cap(*p) <= 64<<10 { // one large batch must not be kept for ever
			h.bodies.Put(p)
		}
	}
	b = (*p)[:0]
	if r.ContentLength > limit {
		return nil, free, tooLarge()
	}
	for {
		if len(b) == cap(b) {
			b = append(b, 0)[:len(b)]
		}
		n, err := r.Body.Read(b[len(b):cap(b)])
		b = b[:len(b)+n]
		*p = b
		switch {
		case int64(len(b)) > limit:
			return nil, free, tooLarge()
		case errors.Is(err, io.EOF):
			return b, free, nil
		case err != nil:
			return nil, free, bad("invalid_json_parse_body", "The body did not arrive whole")
		}
	}
}

func tooLarge() *rejected {
	return &rejected{status: http.StatusRequestEntityTooLarge, code: "body_too_large", msg: "The body is larger than this server takes"}
}
