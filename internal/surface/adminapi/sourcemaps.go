package adminapi

import (
	"context"
	"io"
	"net/http"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

type sourceMapsInput struct {
	Request
	AppParams
	Version string `path:"version" doc:"version name"`
}

type sourceMapInput struct {
	Request
	AppParams
	Version string `path:"version" doc:"version name"`
	Path    string `query:"path" required:"true" maxLength:"1024" doc:"path of the script in the bundle"`
}

func (s *server) registerSourceMaps() {
	const tag, all = "errors", "/apps/{app}/bundles/{version}/sourcemaps"
	register(s, route{
		id: "list-source-maps", method: http.MethodGet, path: all, action: "sourcemap.list", tag: tag,
		summary: "List the source maps of a bundle; devices never get them",
	},
		func(c *call, in *sourceMapsInput, _ none) (list[ota.SourceMap], error) {
			items, err := s.deps.Errors.SourceMaps(c, in.App, in.Version)
			return listOf(items, "", err)
		})
	register(s, route{
		id: "add-source-maps", method: http.MethodPost, path: all, action: "sourcemap.create", tag: tag,
		summary: "Add source maps that were uploaded as blobs to a bundle; the map of a script replaces the one it had",
	},
		func(c *call, in *sourceMapsInput, body ota.NewSourceMaps) (list[ota.SourceMap], error) {
			items, err := s.deps.Errors.AddSourceMaps(c, c.actor, in.App, in.Version, body)
			return listOf(items, "", err)
		})
	document(s, route{
		id: "get-source-map", method: http.MethodGet, path: all + "/content", action: "sourcemap.get", tag: tag,
		summary: "Download the source map of a script",
	}, "application/json", func(ctx context.Context, in *sourceMapInput) (io.ReadSeekCloser, int64, error) {
		return s.deps.Errors.OpenSourceMap(ctx, in.App, in.Version, in.Path)
	})
}
