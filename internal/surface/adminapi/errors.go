package adminapi

import (
	"net/http"

	"github.com/waxwing-ota/waxwing/internal/core/ota"
)

type errorsInput struct {
	Request
	AppParams
	State    string `query:"state" enum:"open,resolved,ignored"`
	Kind     string `query:"kind" maxLength:"100" doc:"the event that reported it, such as webview_javascript_error"`
	Version  string `query:"version" maxLength:"100" doc:"seen in this version"`
	Platform string `query:"platform" enum:"ios,android,electron,other"`
	Text     string `query:"text" maxLength:"200" doc:"part of title or culprit"`
	Since    int64  `query:"since" minimum:"0" doc:"seen then or later, Unix ms"`
	Sort     string `query:"sort" enum:"last_seen,first_seen,count,devices" doc:"largest first; empty = last_seen"`
	PageParams
}

type errorInput struct {
	Request
	AppParams
	ID int64 `path:"id" minimum:"1"`
}

type errorSampleInput struct {
	Request
	AppParams
	ID     int64 `path:"id" minimum:"1"`
	Sample int64 `query:"sample" minimum:"0" doc:"whose stack is shown; 0 = the newest"`
}

func (s *server) registerErrors() {
	const tag, all, one = "errors", "/apps/{app}/errors", "/apps/{app}/errors/{id}"
	register(s, route{
		id: "list-errors", method: http.MethodGet, path: all, action: "error.list", tag: tag,
		summary: "List the errors that devices reported, in groups",
	},
		func(c *call, in *errorsInput, _ none) (list[ota.ErrorGroup], error) {
			f := ota.ErrorFilter{
				State: ota.ErrorState(in.State), Kind: in.Kind, Version: in.Version, Platform: in.Platform,
				Text: in.Text, Since: in.Since, Sort: ota.ErrorSort(in.Sort),
			}
			return listOf(s.deps.Errors.Groups(c, in.App, f, in.page()))
		})
	register(s, route{
		id: "get-error", method: http.MethodGet, path: one, action: "error.get", tag: tag,
		summary: "Get a group of errors: its stack, symbolicated where source maps are there, versions, counts per hour and samples",
	},
		func(c *call, in *errorSampleInput, _ none) (ota.ErrorGroupDetail, error) {
			return s.deps.Errors.Group(c, in.App, in.ID, in.Sample)
		})
	register(s, route{
		id: "resolve-error", method: http.MethodPost, path: one + "/resolve", action: "error.update", tag: tag,
		summary: "Mark a group as resolved; it opens again when it is seen in a newer version",
	},
		func(c *call, in *errorInput, body ota.ResolveError) (ota.ErrorGroup, error) {
			return s.deps.Errors.Resolve(c, c.actor, in.App, in.ID, body)
		})
	register(s, route{
		id: "ignore-error", method: http.MethodPost, path: one + "/ignore", action: "error.update", tag: tag,
		summary: "Mark a group as one that nobody wants to hear of",
	},
		func(c *call, in *errorInput, _ none) (ota.ErrorGroup, error) {
			return s.deps.Errors.Ignore(c, c.actor, in.App, in.ID)
		})
	register(s, route{
		id: "reopen-error", method: http.MethodPost, path: one + "/reopen", action: "error.update", tag: tag,
		summary: "Take back that a group was resolved or ignored",
	},
		func(c *call, in *errorInput, _ none) (ota.ErrorGroup, error) {
			return s.deps.Errors.Reopen(c, c.actor, in.App, in.ID)
		})
	register(s, route{
		id: "symbolicate-errors", method: http.MethodPost, path: "/apps/{app}/symbolicate", action: "error.update", tag: tag,
		summary: "Group stored errors again with the source maps that came after them",
	},
		func(c *call, in *appInput, _ none) (ota.Symbolication, error) {
			return s.deps.Errors.Symbolicate(c, c.actor, in.App)
		})
}
