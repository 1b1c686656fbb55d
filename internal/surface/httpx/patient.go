package httpx

import (
	"errors"
	"io"
	"math"
	"net/http"
	"time"
)

// patience is how long one piece of a download may take before the reader
// counts as gone. Slow is fine; stalled is not.
const patience = time.Minute

// piece is how much is sent before the deadline moves on.
const piece = 1 << 20

// Patient moves the write deadline on for as long as bytes flow, so that the
// server's general deadline does not cut a large file on a slow link.
type Patient struct {
	http.ResponseWriter
	Controller *http.ResponseController
	Sent       int64 // bytes of the body
}

// Write sends bytes.
func (p *Patient) Write(b []byte) (int, error) {
	p.extend()
	n, err := p.ResponseWriter.Write(b)
	p.Sent += int64(n)
	return n, err
}

// ReadFrom keeps the kernel's file-to-socket copy in play, which looks through
// one limited reader and not through two.
func (p *Patient) ReadFrom(src io.Reader) (total int64, err error) {
	left := int64(math.MaxInt64)
	if l, ok := src.(*io.LimitedReader); ok {
		src, left = l.R, l.N
		defer func() { l.N -= total }()
	}
	for total < left {
		p.extend()
		n, err := io.CopyN(p.ResponseWriter, src, min(piece, left-total))
		total += n
		p.Sent += n
		if errors.Is(err, io.EOF) {
			return total, nil
		}
		if err != nil {
			return total, err
		}
	}
	return total, nil
}

func (p *Patient) extend() {
	_ = p.Controller.SetWriteDeadline(time.Now().Add(patience)) // a recorder has no deadlines
}
