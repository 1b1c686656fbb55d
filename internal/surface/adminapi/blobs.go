package adminapi

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

// BlobParams name a stored file.
type BlobParams struct {
	AppParams
	Digest string `path:"digest" doc:"SHA-256 of the stored bytes, lower-case hex"`
}

type blobInput struct {
	Request
	BlobParams
}

type putBlobInput struct {
	Request
	BlobParams
	Offset int64 `query:"offset" minimum:"0" doc:"where in the file the body begins"`
}

type blobHead struct {
	Offset   string `header:"Upload-Offset" doc:"bytes that the server has"`
	Complete string `header:"Upload-Complete" doc:"?1 = that is all of it, ?0 = it is not"`
}

type putAnswer struct {
	Complete bool `json:"complete" doc:"the server has all of it and the digest is right"`
}

// stall is how long an upload or a download may stand still.
const stall = 60 * time.Second

func (s *server) registerBlobs() {
	const tag, path = "blobs", "/apps/{app}/blobs/{digest}"
	head := s.operation(route{
		id: "head-blob", method: http.MethodHead, path: path, action: "blob.get", tag: tag,
		summary: "Ask how much of a file the server has; 0 bytes of one it never heard of",
	})
	huma.Register(s.api, head, func(ctx context.Context, in *blobInput) (*blobHead, error) {
		h, err := s.headBlob(ctx, in)
		return h, s.problem(ctx, err)
	})
	put := s.operation(route{
		id: "put-blob", method: http.MethodPut, path: path, action: "bundle.create", tag: tag,
		summary: "Upload a file, or go on where an upload broke off",
	})
	put.RequestBody = binaryBody()
	huma.Register(s.api, put, func(ctx context.Context, in *putBlobInput) (*answer[putAnswer], error) {
		complete, err := s.putBlob(ctx, in)
		return &answer[putAnswer]{Status: http.StatusOK, Body: putAnswer{Complete: complete}}, s.problem(ctx, err)
	})
	get := s.operation(route{
		id: "get-blob", method: http.MethodGet, path: path, action: "blob.get", tag: tag,
		summary: "Download a stored file",
	})
	get.Responses["200"] = &huma.Response{Description: "The file", Content: binaryBody().Content}
	huma.Register(s.api, get, func(ctx context.Context, in *blobInput) (*huma.StreamResponse, error) {
		body, err := s.getBlob(ctx, in)
		return body, s.problem(ctx, err)
	})
}

func binaryBody() *huma.RequestBody {
	return &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{
		"application/octet-stream": {Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}},
	}}
}

func (s *server) headBlob(ctx context.Context, in *blobInput) (*blobHead, error) {
	d, err := digestOf(in.Digest)
	if err != nil {
		return nil, err
	}
	offset, complete, err := s.deps.Control.BlobOffset(ctx, in.App, d)
	if err != nil {
		return nil, err
	}
	h := &blobHead{Offset: strconv.FormatInt(offset, 10), Complete: "?0"}
	if complete {
		h.Complete = "?1"
	}
	return h, nil
}

func (s *server) putBlob(ctx context.Context, in *putBlobInput) (bool, error) {
	d, err := digestOf(in.Digest)
	if err != nil {
		return false, err
	}
	r, w := humago.Unwrap(in.hc)
	return s.deps.Control.PutBlob(ctx, in.App, d, in.Offset, &movingReader{src: r.Body, ctrl: http.NewResponseController(w)})
}

func (s *server) getBlob(ctx context.Context, in *blobInput) (*huma.StreamResponse, error) {
	d, err := digestOf(in.Digest)
	if err != nil {
		return nil, err
	}
	body, size, err := s.deps.Control.OpenBlob(ctx, in.App, d)
	if err != nil {
		return nil, err
	}
	return &huma.StreamResponse{Body: func(hc huma.Context) {
		defer body.Close()
		hc.SetHeader("Content-Type", "application/octet-stream")
		hc.SetHeader("Content-Length", strconv.FormatInt(size, 10))
		hc.SetStatus(http.StatusOK)
		_, w := humago.Unwrap(hc)
		// A copy that fails has told the client so: fewer bytes than announced.
		_, _ = io.Copy(&movingWriter{dst: w, ctrl: http.NewResponseController(w)}, body)
	}}, nil
}

func digestOf(s string) (ota.Digest, error) {
	d, err := ota.ParseDigest(s)
	if err != nil {
		return d, err
	}
	if d.IsZero() {
		return d, ota.Invalid("digest_invalid", "the digest of all zeros names no file").WithField("digest")
	}
	return d, nil
}

// movingReader reads a body that may take as long as it wants, if only it does
// not stand still.
type movingReader struct {
	src  io.Reader
	ctrl *http.ResponseController
}

func (m *movingReader) Read(p []byte) (int, error) {
	// Some response writers have no deadlines; then the server's own hold.
	_ = m.ctrl.SetReadDeadline(time.Now().Add(stall))
	_ = m.ctrl.SetWriteDeadline(time.Now().Add(2 * stall))
	n, err := m.src.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = truncated(err)
	}
	return n, err
}

// movingWriter is the same for an answer.
type movingWriter struct {
	dst  io.Writer
	ctrl *http.ResponseController
}

func (m *movingWriter) Write(p []byte) (int, error) {
	_ = m.ctrl.SetWriteDeadline(time.Now().Add(stall))
	return m.dst.Write(p)
}
