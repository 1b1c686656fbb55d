package adminapi

import (
	"context"
	"io"
	"net/http"
	"strconv"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/waxwing-ota/waxwing/internal/core/sbom"
)

type compareInput struct {
	Request
	AppParams
	Version string `path:"version" doc:"version name"`
	From    string `query:"from" required:"true" maxLength:"100" doc:"version to compare with"`
}

func (s *server) registerDocuments() {
	const tag, one = "bundles", "/apps/{app}/bundles/{version}"
	s.download(route{
		id: "get-sbom", method: http.MethodGet, path: one + "/sbom", action: "bundle.get", tag: tag,
		summary: "Download what a bundle was made of, as a CycloneDX document",
	}, "application/vnd.cyclonedx+json", func(ctx context.Context, in *bundleInput) (io.ReadSeekCloser, int64, error) {
		return s.deps.Control.SBOM(ctx, in.App, in.Version)
	})
	s.download(route{
		id: "get-provenance", method: http.MethodGet, path: one + "/provenance", action: "bundle.get", tag: tag,
		summary: "Download where a bundle came from, as an in-toto statement in a DSSE envelope",
	}, "application/vnd.in-toto+dsse", func(ctx context.Context, in *bundleInput) (io.ReadSeekCloser, int64, error) {
		return s.deps.Control.Provenance(ctx, in.App, in.Version)
	})
	register(s, route{
		id: "compare-sbom", method: http.MethodGet, path: one + "/sbom/diff", action: "bundle.get", tag: tag,
		summary: "Compare the packages of a bundle with those of another",
	},
		func(c *call, in *compareInput, _ none) (sbom.Diff, error) {
			return s.deps.Control.ComparePackages(c, in.App, in.From, in.Version)
		})
}

// download adds an operation whose answer is a stored document.
func (s *server) download(r route, media string, open func(context.Context, *bundleInput) (io.ReadSeekCloser, int64, error)) {
	document(s, r, media, open)
}

// document is download with other parameters.
func document[I any](s *server, r route, media string, open func(context.Context, *I) (io.ReadSeekCloser, int64, error)) {
	op := s.operation(r)
	op.Responses["200"] = &huma.Response{Description: "The document", Content: map[string]*huma.MediaType{
		media: {Schema: &huma.Schema{Type: huma.TypeObject}},
	}}
	huma.Register(s.api, op, func(ctx context.Context, in *I) (*huma.StreamResponse, error) {
		body, size, err := open(ctx, in)
		if err != nil {
			return nil, s.problem(ctx, err)
		}
		return &huma.StreamResponse{Body: func(hc huma.Context) {
			defer body.Close()
			hc.SetHeader("Content-Type", media)
			hc.SetHeader("Content-Length", strconv.FormatInt(size, 10))
			hc.SetStatus(http.StatusOK)
			_, w := humago.Unwrap(hc)
			// A copy that fails has told the client so: fewer bytes than announced.
			_, _ = io.Copy(&movingWriter{dst: w, ctrl: http.NewResponseController(w)}, body)
		}}, nil
	})
}
